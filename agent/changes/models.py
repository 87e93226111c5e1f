"""Notes of changes, and the one row that says at what the stages are at rest."""

from __future__ import annotations

from django.db import models


class Change(models.Model):
    """Somebody wrote to a table that the stages read. Noted in the writer's own transaction, by a trigger."""

    what = models.CharField(max_length=63, help_text="name of the table")

    def __str__(self) -> str:
        return self.what


class Rest(models.Model):
    """One row at most: a pass of the stages found nothing to do while the world outside was so."""

    mark = models.CharField(max_length=64)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.mark[:8]} since {self.since:%Y-%m-%d %H:%M}"
