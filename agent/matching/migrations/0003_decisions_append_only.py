"""Decisions are never rewritten, and the stages are told of each (`agent.changes`)."""

from django.db import migrations

from agent.append_only import append_only

_NOTE = """
CREATE TRIGGER changes_note AFTER INSERT ON matching_decision FOR EACH STATEMENT EXECUTE FUNCTION changes_note();
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0002_decisions"), ("changes", "0001_initial")]
    operations = [
        append_only("matching_decision"),
        migrations.RunSQL(_NOTE, "DROP TRIGGER changes_note ON matching_decision"),
    ]
