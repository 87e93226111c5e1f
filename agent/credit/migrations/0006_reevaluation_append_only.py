from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("credit", "0005_reevaluation")]
    operations = [append_only("credit_reevaluation")]
