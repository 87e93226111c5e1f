"""What the database refuses of a certificate's life, whoever writes: `agent.certificates.transitions` as triggers."""

from django.db import migrations

_STEPS = """
CREATE FUNCTION certificate_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'certificate % is %: it can not become %', OLD.number, OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation', HINT = 'A superseded or revoked certificate stays so; its successor is in force.';
END $$;
CREATE TRIGGER certificate_step BEFORE UPDATE OF state ON certificates_certificate FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('issued', 'suspended'), ('suspended', 'issued'), ('issued', 'superseded'), ('suspended', 'superseded'),
        ('issued', 'revoked'), ('suspended', 'revoked')))
    EXECUTE FUNCTION certificate_step();
"""
_FIXED = """
CREATE FUNCTION certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'certificate %: who holds it, its number and its place in the chain never change', OLD.number
        USING ERRCODE = 'restrict_violation', HINT = 'Supersede it: the corrected certificate has a number of its own.';
END $$;
CREATE TRIGGER certificate_fixed BEFORE UPDATE OF number, learner_id, programme_id, predecessor_id, issued_at
    ON certificates_certificate FOR EACH ROW
    WHEN ((OLD.number, OLD.learner_id, OLD.programme_id, OLD.predecessor_id, OLD.issued_at)
        IS DISTINCT FROM (NEW.number, NEW.learner_id, NEW.programme_id, NEW.predecessor_id, NEW.issued_at))
    EXECUTE FUNCTION certificate_fixed();
"""
_STAYS = """
CREATE TRIGGER certificate_stays BEFORE DELETE OR TRUNCATE ON certificates_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION xueshi_append_only();
"""
# A new certificate begins in force; one that takes another's place takes it of the same learner in the same programme,
# when that one is out of force already.
_BEGINS = """
CREATE FUNCTION certificate_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'issued' OR NOT EXISTS (
        SELECT 1 FROM certificates_certificate p WHERE p.id = NEW.predecessor_id AND p.learner_id = NEW.learner_id
        AND p.programme_id = NEW.programme_id AND p.state IN ('superseded', 'revoked')
    ) THEN
        RAISE EXCEPTION 'certificate % can not begin as % after %', NEW.number, NEW.state, NEW.predecessor_id
            USING ERRCODE = 'restrict_violation', HINT = 'Supersede or revoke the old one first.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_begins BEFORE INSERT ON certificates_certificate FOR EACH ROW
    WHEN (NEW.predecessor_id IS NOT NULL) EXECUTE FUNCTION certificate_begins();
"""


def _guard(statement: str, name: str, *, own: bool = True) -> migrations.RunSQL:
    undo = f"DROP TRIGGER {name} ON certificates_certificate;" + (f"DROP FUNCTION {name};" if own else "")
    return migrations.RunSQL(statement, undo)


class Migration(migrations.Migration):
    dependencies = [("certificates", "0004_life")]
    operations = [
        _guard(_STEPS, "certificate_step"),
        _guard(_FIXED, "certificate_fixed"),
        _guard(_STAYS, "certificate_stays", own=False),
        _guard(_BEGINS, "certificate_begins"),
    ]
