from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("credit", "0001_initial")]
    operations = [
        append_only("credit_creditentry"),
    ]
