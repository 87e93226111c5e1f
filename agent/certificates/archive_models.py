"""What an archive needs to know of pages without reading them, and how far the making of missing ones is."""

from __future__ import annotations

from django.db import models

from agent.programmes.models import Programme


class PageSum(models.Model):
    """Length and CRC-32 of a stored page: a ZIP's directory is made of them. Append-only, as the page is."""

    page = models.OneToOneField(
        "certificates.CertificatePdf", on_delete=models.PROTECT, primary_key=True, related_name="sum"
    )
    size = models.PositiveIntegerField()
    crc = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.page_id}: {self.size}"


class Archive(models.Model):
    """The pages of a programme or of an employer, asked for by somebody: made by a worker, then fetched as one file."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, related_name="+")
    employer = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    began_with = models.PositiveIntegerField(default=0, help_text="pages that were stored already")
    finished_at = models.DateTimeField(null=True)
    failed = models.JSONField(default=list, help_text="pages that can't be made: number, code, message")
    error_code = models.CharField(max_length=40, blank=True, help_text="why it stopped; it is tried again")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "employer"], name="archive_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.employer or str(self.programme)
