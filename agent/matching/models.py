"""Achievements: matched completions, one for each (source, key)."""

from __future__ import annotations

from django.db import models

from agent.intake.models import Completion, Source
from agent.learners.models import Learner
from agent.programmes.models import CourseLink, ProgrammeVersion


class Achievement(models.Model):
    """A completion whose person and programme are known. ``revision`` moves with each change of the match."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=300)
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, help_text="the version that was matched")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="achievements", db_index=False)
    programme_version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT)
    course_link = models.ForeignKey(
        CourseLink, on_delete=models.PROTECT, null=True, help_text="the mapping; empty: the row named its filing number"
    )
    name = models.CharField(max_length=200, help_text="the holder's name as this completion has it")
    learned_on = models.DateField()
    started_on = models.DateField(help_text="first day that its hours may lie on")
    completed_at = models.DateTimeField()
    reported = models.PositiveIntegerField(null=True, help_text="hundredths of an hour")
    minutes = models.PositiveIntegerField(null=True)
    lateness = models.CharField(max_length=16, help_text="no | late_in_grace | late | history")
    withdrawn = models.BooleanField(default=False, help_text="the source took it back")
    revision = models.PositiveIntegerField(default=1)
    matched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="achievement_once")]
        indexes = [models.Index(fields=["learner", "learned_on"], name="achievement_learner")]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.programme_version_id} {self.learned_on}"
