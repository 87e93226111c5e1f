"""Snapshots of the reconciliation. The database itself refuses to change or delete one."""

from __future__ import annotations

from django.db import models

from agent.intake.models import Source, SyncRun
from agent.reconciliation.equations import SAID, Equation, apart, holds


class Snapshot(models.Model):
    """All equations of all sources, counted in one look at the database."""

    day = models.DateField(help_text="local date (Asia/Shanghai) on which it was taken")
    taken_at = models.DateTimeField()
    seconds = models.FloatField(help_text="what it took")

    class Meta:
        indexes = [models.Index(fields=["day", "-taken_at"], name="snapshot_newest")]

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M}"


class Line(models.Model):
    """One equation of one source. ``named`` holds the first differences, masked."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="lines", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    equation = models.CharField(max_length=12, choices=[(each.value, SAID[each].name) for each in Equation])
    left = models.PositiveBigIntegerField(null=True, help_text="empty: the source does not count what it has")
    right = models.PositiveBigIntegerField()
    on_the_way = models.PositiveBigIntegerField(default=0, help_text="too young to be judged; on neither side")
    differing = models.PositiveBigIntegerField(default=0, help_text="rows on one side only")
    named = models.JSONField(default=list)
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, null=True, db_index=False, help_text="that counted")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "source", "equation"], name="line_once")]

    @property
    def equal(self) -> bool | None:
        """Whether it holds; None: there is nothing to compare with."""
        return holds(self.left, self.right, self.differing)

    @property
    def apart(self) -> int:
        """How many rows it is apart."""
        return apart(self.left, self.right, self.differing)

    def __str__(self) -> str:
        return f"{self.source_id} {self.equation}: {self.left} = {self.right}"
