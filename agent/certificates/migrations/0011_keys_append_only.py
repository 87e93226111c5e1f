from django.db import migrations

from agent.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("certificates", "0010_status_lists_and_keys")]
    operations = [
        append_only("certificates_publishedkey"),
        append_only("certificates_keyretirement"),
    ]
