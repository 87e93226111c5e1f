"""Certificates: records with a life. Rows never go; events and PDFs are append-only (refused by the database)."""

from __future__ import annotations

from django.db import models

from agent.certificates.template_models import CertificateTemplate, TemplateChoice, TemplateDraft, TemplateVersion
from agent.learners.models import Learner
from agent.matching.models import Achievement
from agent.programmes.models import Programme, ProgrammeVersion

__all__ = [
    "Certificate", "CertificateEvent", "CertificatePdf", "CertificateTemplate", "Serial", "TemplateChoice",
    "TemplateDraft", "TemplateVersion",
]  # fmt: skip


class Serial(models.Model):
    """The last serial given in a programme: moves only together with the certificates, so there are no gaps."""

    programme = models.OneToOneField(Programme, on_delete=models.PROTECT, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.programme_id}: {self.last}"


class Certificate(models.Model):
    """What was issued: the signed credential, and the facts in it as columns."""

    class State(models.TextChoices):
        ISSUED = "issued", "有效"
        REVOKED = "revoked", "已撤销"

    number = models.CharField(max_length=26, unique=True)
    token = models.CharField(max_length=40, unique=True)
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="certificates")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="certificates")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="certificates")
    programme_version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT)
    holder = models.CharField(max_length=200)
    id_masked = models.CharField(max_length=20)
    hours = models.PositiveIntegerField(help_text="hundredths of an hour")
    learned_from = models.DateField(null=True, help_text="empty: the source does not know the first day")
    learned_on = models.DateField()
    issued_at = models.DateTimeField()
    verify_url = models.CharField(max_length=300)
    credential = models.TextField(help_text="VC-JWT")
    state = models.CharField(max_length=12, choices=State, default=State.ISSUED)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "programme"], condition=models.Q(state="issued"), name="one_live_certificate"
            ),
        ]
        indexes = [
            # the reconciliation reads these and nothing else: the credential makes a row wide
            models.Index(
                fields=["achievement"], include=["learner", "hours", "id"], condition=models.Q(state="issued"),
                name="certificate_in_force",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


class CertificateEvent(models.Model):
    """A step in a certificate's life, with its reason. Append-only."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=Certificate.State)
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.state}"


class CertificatePdf(models.Model):
    """The signed page, made when it was first wanted and never again. Append-only."""

    certificate = models.OneToOneField(Certificate, on_delete=models.PROTECT, primary_key=True, related_name="pdf")
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    template = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, null=True, related_name="+",
        help_text="what it was drawn with; empty: before templates were on record",
    )  # fmt: skip
    language = models.CharField(max_length=8, blank=True)

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.sha256[:8]}"
