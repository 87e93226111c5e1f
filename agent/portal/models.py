"""The portal's only table: how often somebody guessed wrong lately."""

from __future__ import annotations

from django.db import models


class Misses(models.Model):
    """Wrong guesses of one kind from one place. The key is a keyed hash: neither user name nor address is kept."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.count}"
