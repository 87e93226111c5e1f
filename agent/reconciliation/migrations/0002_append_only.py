from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_initial")]
    operations = [
        append_only("reconciliation_snapshot"),
        append_only("reconciliation_line"),
    ]
