"""Certificates: records with a life. Rows never go; events and PDFs are append-only (refused by the database)."""

from __future__ import annotations

from django.db import models

from agent.certificates.approvals import Approval, ApprovedAchievement
from agent.certificates.archive_models import Archive, PageSum
from agent.certificates.deliveries import NoticeDelivery, NoticeOptOut
from agent.certificates.key_models import KeyRetirement, PublishedKey
from agent.certificates.log_models import LogHead, LogLeaf, LogNode
from agent.certificates.notices import CertificateNotice
from agent.certificates.status_models import StatusList
from agent.certificates.template_models import CertificateTemplate, TemplateChoice, TemplateDraft, TemplateVersion
from agent.certificates.transitions import LIVE, STEPS, Kind, ReasonClass, State
from agent.learners.models import Learner
from agent.matching.models import Achievement
from agent.programmes.models import Programme, ProgrammeVersion

__all__ = [
    "Approval", "ApprovedAchievement", "Archive", "Certificate", "CertificateEvent", "CertificateNotice",
    "CertificatePdf", "CertificateTemplate", "KeyRetirement", "LogHead", "LogLeaf", "LogNode", "NoticeDelivery",
    "NoticeOptOut", "PageSum", "PublishedKey", "Serial", "StatusList", "TemplateChoice", "TemplateDraft",
    "TemplateVersion",
]  # fmt: skip
_LIVE = models.Q(state__in=list(LIVE))


class Serial(models.Model):
    """The last serial given in a programme: moves only together with the certificates, so there are no gaps."""

    programme = models.OneToOneField(Programme, on_delete=models.PROTECT, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.programme_id}: {self.last}"


class Certificate(models.Model):
    """What was issued: the signed credential, and the facts in it as columns."""

    State = State

    # unique by constraints: with `unique` Django adds an index of each for LIKE, which nobody asks
    number = models.CharField(max_length=26)
    token = models.CharField(max_length=40)
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="certificates")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="certificates")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="certificates")
    programme_version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, db_index=False)
    holder = models.CharField(max_length=200)
    id_masked = models.CharField(max_length=20)
    hours = models.PositiveIntegerField(help_text="hundredths of an hour")
    learned_from = models.DateField(null=True, help_text="empty: the source does not know the first day")
    learned_on = models.DateField()
    issued_at = models.DateTimeField()
    verify_url = models.CharField(max_length=300)
    credential = models.TextField(help_text="VC-JWT")
    state = models.CharField(max_length=12, choices=State, default=State.ISSUED)
    predecessor = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="successor",
        help_text="the certificate whose place this one took",
    )  # fmt: skip
    # the unique constraint is their index; older certificates have no place in a list
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    status_index = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="certificate_number_once"),
            models.UniqueConstraint(fields=["token"], name="certificate_token_once"),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="one_place_in_status_lists"),
            models.UniqueConstraint(fields=["learner", "programme"], condition=_LIVE, name="one_live_certificate"),
            # so no chain can lead back into itself
            models.CheckConstraint(
                condition=models.Q(predecessor=None) | models.Q(predecessor__lt=models.F("id")),
                name="certificate_after_predecessor",
            ),
        ]
        indexes = [
            # the reconciliation reads these and nothing else: the credential makes a row wide
            models.Index(
                fields=["achievement"], include=["learner", "hours", "id"], condition=_LIVE,
                name="certificate_in_force",
            ),
            # what a status list is made of
            models.Index(
                fields=["status_list"], include=["status_index", "state"], condition=~models.Q(state="issued"),
                name="certificate_bits",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


def _steps() -> models.Q:
    """What an event of each kind says, as a constraint."""
    found = models.Q()
    for step in STEPS:
        found |= models.Q(
            kind=step.kind,
            state=step.target,
            reason_class__in=[str(each) for each in step.needs] or [""],
            successor__isnull=not step.successor,
        )
    return found


class CertificateEvent(models.Model):
    """A step in a certificate's life, with its reason. Append-only."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, help_text="the certificate's state from then on")
    reason_class = models.CharField(max_length=16, choices=ReasonClass, blank=True)
    reason = models.CharField(max_length=200)
    successor = models.ForeignKey(Certificate, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    by = models.CharField(max_length=150, blank=True, help_text="who did it; empty: the stage, by itself")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_steps(), name="certificate_event_is_a_step"),
        ]

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
