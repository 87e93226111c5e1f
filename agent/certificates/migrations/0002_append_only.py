from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("certificates", "0001_initial")]
    operations = [
        append_only("certificates_certificateevent"),
        append_only("certificates_certificatepdf"),
    ]
