"""Less to write for each certificate: no indexes that nobody asks, no foreign keys that can't be false. And what
archives are made of.
"""

import django.db.models.deletion
from django.db import migrations, models

from agent.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('certificates', '0011_keys_append_only'),
        ('learners', '0001_initial'),
        ('matching', '0001_initial'),
        ('programmes', '0003_certificates_need_approval'),
    ]

    operations = [
        migrations.CreateModel(
            name='Archive',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('employer', models.CharField(blank=True, max_length=200)),
                ('by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('began_at', models.DateTimeField(null=True)),
                ('began_with', models.PositiveIntegerField(default=0, help_text='pages that were stored already')),
                ('finished_at', models.DateTimeField(null=True)),
                ('failed', models.JSONField(default=list, help_text="pages that can't be made: number, code, message")),
                ('error_code', models.CharField(blank=True, help_text='why it stopped; it is tried again', max_length=40)),
                ('error', models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name='PageSum',
            fields=[
                ('page', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='sum', serialize=False, to='certificates.certificatepdf')),
                ('size', models.PositiveIntegerField()),
                ('crc', models.BigIntegerField()),
            ],
        ),
        migrations.AlterField(
            model_name='certificate',
            name='number',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='certificate',
            name='programme_version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='programmes.programmeversion'),
        ),
        migrations.AlterField(
            model_name='certificate',
            name='token',
            field=models.CharField(max_length=40),
        ),
        migrations.AlterField(
            model_name='certificatenotice',
            name='certificate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='certificates.certificate'),
        ),
        migrations.AlterField(
            model_name='certificatenotice',
            name='event',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='notice', to='certificates.certificateevent'),
        ),
        migrations.AlterField(
            model_name='logleaf',
            name='event',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='leaf', to='certificates.certificateevent'),
        ),
        migrations.AddConstraint(
            model_name='certificate',
            constraint=models.UniqueConstraint(fields=('number',), name='certificate_number_once'),
        ),
        migrations.AddConstraint(
            model_name='certificate',
            constraint=models.UniqueConstraint(fields=('token',), name='certificate_token_once'),
        ),
        migrations.AddField(
            model_name='archive',
            name='programme',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programmes.programme'),
        ),
        migrations.AddConstraint(
            model_name='archive',
            constraint=models.UniqueConstraint(fields=('programme', 'employer'), name='archive_once', nulls_distinct=False),
        ),
        append_only("certificates_pagesum"),
    ]
