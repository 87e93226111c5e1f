"""The people whose hours are counted. Known by identity number alone, never merged by name."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Learner(models.Model):
    """One person. The number is kept sealed, found by its fingerprint, and shown masked."""

    fingerprint = models.BinaryField(unique=True, help_text="keyed hash of the identity number")
    sealed = models.BinaryField(help_text="identity number, AES-GCM")
    id_masked = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, help_text="for comparison only")
    created_at = models.DateTimeField()

    class Meta:
        # people are looked for by name when somebody decides who a row without a number is; never merged by it
        indexes = [models.Index(fields=["name_folded"], name="learner_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.id_masked}"


class Account(models.Model):
    """A learner's way into the portal."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return str(self.user)
