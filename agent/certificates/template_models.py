"""Published templates and who chose which. Append-only: what a certificate was drawn with is never changed."""

from __future__ import annotations

from django.db import models

from agent.certificates.facts import LANGUAGES
from agent.organisations.models import Organisation
from agent.programmes.models import Programme


class CertificateTemplate(models.Model):
    """A template by its name: of one body, or shipped with the program (no owner)."""

    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="templates")
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="template_name_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.owner.uscc}/{self.name}" if self.owner else self.name


class TemplateVersion(models.Model):
    """One published version, whole. Append-only (the database refuses UPDATE and DELETE)."""

    template = models.ForeignKey(CertificateTemplate, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=40)
    title_en = models.CharField(max_length=60)
    languages = models.CharField(max_length=20, help_text="by commas")
    sha256 = models.CharField(max_length=64, help_text="of all names and contents")
    content = models.BinaryField(help_text="ZIP of the folder")
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "version"], name="template_version_once")]

    def __str__(self) -> str:
        return f"{self.template} v{self.version}"


class TemplateChoice(models.Model):
    """From then on certificates of a programme, or of an organiser, are drawn with this template. Append-only.

    One certificate may be given another template as long as it was never drawn.
    """

    template = models.ForeignKey(CertificateTemplate, on_delete=models.PROTECT, related_name="choices")
    language = models.CharField(max_length=8, choices=list(LANGUAGES.items()))
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="template_choices")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, related_name="template_choices")
    certificate = models.ForeignKey(
        "certificates.Certificate", on_delete=models.PROTECT, null=True, related_name="template_choices"
    )
    chosen_at = models.DateTimeField()
    chosen_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(organisation__isnull=False, programme=None, certificate=None)
                | models.Q(organisation=None, programme__isnull=False, certificate=None)
                | models.Q(organisation=None, programme=None, certificate__isnull=False),
                name="template_chosen_for_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation or self.programme or self.certificate}: {self.template} ({self.language})"


class TemplateDraft(models.Model):
    """What a body looks at in the console before it publishes: one for each name, replaced by the next."""

    owner = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="template_drafts")
    name = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(help_text="ZIP of the folder")
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="template_draft_once")]

    def __str__(self) -> str:
        return f"{self.owner.uscc}/{self.name} ({self.sha256[:8]})"
