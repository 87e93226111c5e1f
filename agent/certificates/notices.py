"""What learners are to be told of their certificates: written with the event itself, delivered later by others."""

from __future__ import annotations

from django.db import models

from agent.certificates.transitions import Kind


class CertificateNotice(models.Model):
    """One thing to tell one learner. ``kind`` and the reasons are the event's; a superseded or restored certificate's
    event names the ``successor``, and the successor's own issue is told with it, not once more.
    """

    certificate = models.ForeignKey("certificates.Certificate", on_delete=models.PROTECT, related_name="notices")
    event = models.OneToOneField("certificates.CertificateEvent", on_delete=models.PROTECT, related_name="notice")
    kind = models.CharField(max_length=12, choices=Kind)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(delivered_at=None), name="notice_undelivered"),
        ]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.kind}"
