import django.db.models.deletion
from django.db import migrations, models

from agent.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('certificates', '0012_issue_in_sets'),
        ('organisations', '0001_initial'),
        ('programmes', '0002_append_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='certificatepdf',
            name='language',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.CreateModel(
            name='CertificateTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='templates', to='organisations.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='TemplateChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('zh', '中文'), ('zh-en', '中英双语')], max_length=8)),
                ('chosen_at', models.DateTimeField()),
                ('chosen_by', models.CharField(max_length=150)),
                ('certificate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='template_choices', to='certificates.certificate')),
                ('organisation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='template_choices', to='organisations.organisation')),
                ('programme', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='template_choices', to='programmes.programme')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='choices', to='certificates.certificatetemplate')),
            ],
        ),
        migrations.CreateModel(
            name='TemplateDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('sha256', models.CharField(max_length=64)),
                ('content', models.BinaryField(help_text='ZIP of the folder')),
                ('saved_at', models.DateTimeField()),
                ('saved_by', models.CharField(max_length=150)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='template_drafts', to='organisations.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='TemplateVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=40)),
                ('title_en', models.CharField(max_length=60)),
                ('languages', models.CharField(help_text='by commas', max_length=20)),
                ('sha256', models.CharField(help_text='of all names and contents', max_length=64)),
                ('content', models.BinaryField(help_text='ZIP of the folder')),
                ('published_at', models.DateTimeField()),
                ('published_by', models.CharField(max_length=150)),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='certificates.certificatetemplate')),
            ],
        ),
        migrations.AddField(
            model_name='certificatepdf',
            name='template',
            field=models.ForeignKey(help_text='what it was drawn with; empty: before templates were on record', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='certificates.templateversion'),
        ),
        migrations.AddConstraint(
            model_name='certificatetemplate',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='template_name_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='templatechoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('certificate', None), ('organisation__isnull', False), ('programme', None)), models.Q(('certificate', None), ('organisation', None), ('programme__isnull', False)), models.Q(('certificate__isnull', False), ('organisation', None), ('programme', None)), _connector='OR'), name='template_chosen_for_one'),
        ),
        migrations.AddConstraint(
            model_name='templatedraft',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='template_draft_once'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.UniqueConstraint(fields=('template', 'version'), name='template_version_once'),
        ),
        append_only("certificates_certificatetemplate"),
        append_only("certificates_templateversion"),
        append_only("certificates_templatechoice"),
    ]
