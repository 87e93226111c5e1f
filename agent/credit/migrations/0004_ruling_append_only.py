from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("credit", "0003_ruling")]
    operations = [append_only("credit_ruling")]
