"""The last answers to the questions, and when they were given."""

from __future__ import annotations

from django.db import models

from agent.figures.questions import What


class Figure(models.Model):
    """One line of an answer, as `agent.figures.questions` describes it.

    No foreign keys: 0 is none, and a line is as old as its count.
    """

    what = models.CharField(max_length=12, choices=[(each.value, each.value) for each in What])
    day = models.DateField()
    source = models.BigIntegerField()
    programme = models.BigIntegerField()
    name = models.CharField(max_length=100)
    n = models.BigIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["what", "day", "source", "programme", "name"], name="figure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.day} {self.name}: {self.n}"


class Count(models.Model):
    """When all figures were counted last; one row at most."""

    taken_at = models.DateTimeField()
    since = models.DateField(help_text="the first day that was counted by itself")
    rows = models.BigIntegerField(help_text="that were counted")
    seconds = models.FloatField(help_text="what it took")

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M}: {self.rows}"
