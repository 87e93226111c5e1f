"""Which notices were sent by which way, and who wants none. A row is written before anything is sent: what was begun is
never sent a second time, so that a kill in the middle costs a message and doubles none.
"""

from __future__ import annotations

from django.db import models, transaction

from agent.audit.chain import record
from agent.certificates.notices import CertificateNotice
from agent.learners.models import Learner


class NoticeDelivery(models.Model):
    """One notice on one way. ``begun_at`` without ``sent_at``: it may have arrived, and is not sent again."""

    class Way(models.TextChoices):
        MAIL = "mail", "电子邮件"
        WEBHOOK = "webhook", "Webhook"

    notice = models.ForeignKey(CertificateNotice, on_delete=models.PROTECT, related_name="deliveries")
    way = models.CharField(max_length=8, choices=Way)
    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "way"], name="notice_once_a_way")]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.way}"


class NoticeOptOut(models.Model):
    """A learner who wants to be told of nothing but revocations."""

    learner = models.OneToOneField(Learner, on_delete=models.PROTECT, primary_key=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.learner_id)


@transaction.atomic
def set_told(learner: Learner, *, told: bool, by: str) -> None:
    """Tell a learner of everything, or of revocations only."""
    before = not NoticeOptOut.objects.filter(learner=learner).exists()
    if told == before:
        return
    if told:
        NoticeOptOut.objects.filter(learner=learner).delete()
    else:
        NoticeOptOut.objects.create(learner=learner)
    record(by, "learner.notices", on=f"learner {learner.pk}", before={"told": before}, after={"told": told})
