"""Less to write for each certificate: no indexes that nobody asks, no foreign keys that can't be false."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("certificates", "0011_keys_append_only"),
        ("learners", "0001_initial"),
        ("matching", "0001_initial"),
        ("programmes", "0003_certificates_need_approval"),
    ]

    operations = [
        migrations.AlterField(
            model_name="certificate",
            name="number",
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name="certificate",
            name="programme_version",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="programmes.programmeversion"
            ),
        ),
        migrations.AlterField(
            model_name="certificate",
            name="token",
            field=models.CharField(max_length=40),
        ),
        migrations.AlterField(
            model_name="certificatenotice",
            name="certificate",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="certificates.certificate",
            ),
        ),
        migrations.AlterField(
            model_name="certificatenotice",
            name="event",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notice",
                to="certificates.certificateevent",
            ),
        ),
        migrations.AlterField(
            model_name="logleaf",
            name="event",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="leaf",
                to="certificates.certificateevent",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(fields=("number",), name="certificate_number_once"),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(fields=("token",), name="certificate_token_once"),
        ),
    ]
