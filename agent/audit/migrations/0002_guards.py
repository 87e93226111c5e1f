from django.db import migrations

from agent.append_only import append_only

# An event is never changed. It is deleted only when it is older than six months and a seal stands for it: the database
# itself looks at both, so that no setting and no command can shorten that.
GUARDS = """
CREATE FUNCTION xueshi_audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at > now() - interval '6 months'
       OR OLD.index > COALESCE((SELECT max(through) FROM audit_auditseal), 0) THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation', HINT = 'What is older than six months goes by: xueshi audit prune.';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION xueshi_append_only();
CREATE TRIGGER kept BEFORE DELETE ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION xueshi_audit_kept();
"""
UNGUARD = """
DROP TRIGGER kept ON audit_auditevent;
DROP TRIGGER append_only ON audit_auditevent;
DROP FUNCTION xueshi_audit_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [append_only("audit_auditseal"), migrations.RunSQL(GUARDS, UNGUARD)]
