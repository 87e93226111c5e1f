"""Indexes for the pages of runs, on tables of intake: what they cost a landed row could not be measured (a BRIN index is
told of a range of pages, not of a row; a raw page is one row for thousands).
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial"), ("intake", "0001_initial")]
    operations = [
        # the bureau's runs of all sources, newest first
        migrations.RunSQL(
            "CREATE INDEX run_started ON intake_syncrun (started_at DESC, id DESC)", "DROP INDEX run_started"
        ),
        # how far a run is
        migrations.RunSQL("CREATE INDEX rawpage_run ON intake_rawpage (run_id)", "DROP INDEX rawpage_run"),
        # what a run landed, by course: rows lie in the order of their runs but for the ones that were updated since
        migrations.RunSQL(
            "CREATE INDEX completion_run ON intake_completion USING brin (run_id int8_minmax_multi_ops)"
            " WITH (pages_per_range = 32, autosummarize = on)",
            "DROP INDEX completion_run",
        ),
    ]
