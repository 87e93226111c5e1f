"""What a source taught, course by course, counted once after each pull: a million rows are not counted for a page."""

from __future__ import annotations

from django.db import models

from agent.intake.models import Source


class CourseFigure(models.Model):
    """One course of one source among the passed completions that name no filing number of their own."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    course = models.CharField(max_length=500)
    name = models.CharField(max_length=500)
    completions = models.PositiveIntegerField()
    learners = models.PositiveIntegerField(help_text="accounts there")
    first_on = models.DateField(null=True)
    last_on = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "course"], name="course_figure_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.course}: {self.learners}"


class Counted(models.Model):
    """What the figures of a source were counted after."""

    source = models.OneToOneField(Source, on_delete=models.PROTECT, primary_key=True)
    upto = models.DateTimeField(null=True, help_text="end of the newest run that had written something")

    def __str__(self) -> str:
        return f"{self.source_id} up to {self.upto}"
