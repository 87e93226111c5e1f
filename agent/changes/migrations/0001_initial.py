"""The notes' tables, and the triggers that write them.

What others write is noted by the statement. What the stages themselves write all the time is noted only where rows were
really changed or deleted: their own pass says by itself whether it did anything.
"""

from django.db import migrations, models

_BY_STATEMENT = (
    "intake_completion", "intake_source", "programmes_programme", "programmes_programmeversion",
    "programmes_courselink", "organisations_organisation", "credit_ruling", "certificates_approvedachievement",
    "certificates_certificateevent",
)  # fmt: skip
_BY_ROWS = (
    "learners_learner", "matching_achievement", "credit_creditentry", "credit_evaluated", "certificates_certificate",
    "quarantine_held",
)  # fmt: skip
_FUNCTIONS = """
CREATE FUNCTION changes_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes_change (what) VALUES (TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE FUNCTION changes_note_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM before) THEN
        INSERT INTO changes_change (what) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
-- a row that a connector refused is nothing that a stage asks for
CREATE FUNCTION changes_note_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM before WHERE what <> 'row') THEN
        INSERT INTO changes_change (what) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
"""
_STATEMENT = """
CREATE TRIGGER changes_note AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION changes_note();
"""
_ROWS = """
CREATE TRIGGER changes_note_update AFTER UPDATE ON {table} REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER changes_note_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER changes_note_truncate AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION changes_note();
"""


def _statement(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(_STATEMENT.format(table=table), f"DROP TRIGGER changes_note ON {table}")


def _rows(table: str) -> migrations.RunSQL:
    function = "changes_note_held" if table == "quarantine_held" else "changes_note_rows"
    undo = "".join(f"DROP TRIGGER changes_note_{what} ON {table};" for what in ("update", "delete", "truncate"))
    return migrations.RunSQL(_ROWS.format(table=table, function=function), undo)


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("certificates", "0012_issue_in_sets"),
        ("credit", "0004_ruling_append_only"),
        ("intake", "0002_schedule"),
        ("learners", "0001_initial"),
        ("matching", "0001_initial"),
        ("organisations", "0001_initial"),
        ("programmes", "0003_certificates_need_approval"),
        ("quarantine", "0001_initial"),
    ]
    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(help_text="name of the table", max_length=63)),
            ],
        ),
        migrations.CreateModel(
            name="Rest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.CharField(max_length=64)),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            _FUNCTIONS,
            "DROP FUNCTION changes_note_held; DROP FUNCTION changes_note_rows; DROP FUNCTION changes_note;",
        ),
        *map(_statement, _BY_STATEMENT),
        *map(_rows, _BY_ROWS),
    ]
