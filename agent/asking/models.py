"""What learners asked a source for. The answer is not kept here: it is the run that came after, and what it brought."""

from __future__ import annotations

from django.db import models

from agent.intake.models import Source
from agent.learners.models import Learner


class Ask(models.Model):
    """A learner wants a source looked at again for a course; of a day, when they know it."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="asks", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    course = models.CharField(max_length=200, help_text="as it was typed")
    day = models.DateField(null=True, help_text="on which it was completed, as far as they know")
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["learner", "-asked_at"], name="ask_newest")]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.course} at {self.source_id}"
