"""Status lists: where in which list a certificate's bits are. The bits themselves follow from its state."""

from __future__ import annotations

from django.db import models


class StatusList(models.Model):
    """A list of 131,072 places. ``used`` moves only together with the certificates that were given the places."""

    seed = models.BinaryField(help_text="orders the places, so that a place says nothing about when it was given")
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.pk}: {self.used}"
