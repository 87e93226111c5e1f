"""Achievements: matched completions, one for each (source, key)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
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
    decisions = ArrayField(models.BigIntegerField(), null=True, help_text="the decisions of people that it rests on")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="achievement_once")]
        indexes = [
            models.Index(fields=["learner", "learned_on"], name="achievement_learner"),
            # few rest on one: what is taken back finds them without reading the others
            models.Index(fields=["id"], condition=models.Q(decisions__isnull=False), name="achievement_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.programme_version_id} {self.learned_on}"


class Decision(models.Model):
    """What a person decided about rows that the stage held: who, when, why. Append-only; it is taken back by another.

    The stage reads what is in force and releases by it; nobody releases a row by hand.
    """

    class Kind(models.TextChoices):
        SAME_PERSON = "same_person", "账号就是这个人"  # account there → fingerprint
        ALIAS = "alias", "姓名是同一人的另一种写法"  # name_folded comes with fingerprint
        WAIVER = "waiver", "仍然接受"  # the row `key`, in spite of `code`

    kind = models.CharField(max_length=12, choices=Kind)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, help_text="where the row came from that was decided on"
    )
    account = models.CharField(max_length=500, blank=True)
    name = models.CharField(max_length=200, blank=True, help_text="an alias, as it was written")
    name_folded = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=300, blank=True)
    code = models.CharField(max_length=40, blank=True, help_text="of the held row that it answers")
    fingerprint = models.BinaryField(null=True, help_text="keyed hash of the person's number")
    id_masked = models.CharField(max_length=40, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=300)
    takes_back = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="taken_back")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason="") & ~models.Q(by=""), name="decision_says_who_and_why"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.by} {self.at:%Y-%m-%d}"
