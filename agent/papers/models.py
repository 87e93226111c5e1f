"""Papers that learners had made."""

from __future__ import annotations

from django.db import models

from agent.certificates.models import Certificate
from agent.learners.models import Learner


class Paper(models.Model):
    """A copy of a certificate, or a transcript: for a purpose, until a day. What it says does not change."""

    class Kind(models.TextChoices):
        COPY = "copy", "证书副本"
        TRANSCRIPT = "transcript", "年度学时证明"

    kind = models.CharField(max_length=12, choices=Kind)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="papers", db_index=False)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, null=True, related_name="copies")
    year = models.PositiveSmallIntegerField(null=True)
    purpose = models.CharField(max_length=60)
    said = models.JSONField(default=dict, help_text="of a transcript: the sums of that day, in hundredths")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="when its holder took it back")
    token = models.CharField(max_length=40, unique=True)
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [models.Index(fields=["learner", "-made_at"], name="paper_newest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="copy", certificate__isnull=False, year=None)
                | models.Q(kind="transcript", certificate=None, year__isnull=False),
                name="paper_is_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
