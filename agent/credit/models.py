"""The ledger of hours. The database itself refuses to change or delete an entry."""

from __future__ import annotations

from django.db import models

from agent.learners.models import Learner
from agent.matching.models import Achievement
from agent.programmes.models import Category


class CreditEntry(models.Model):
    """A decision about an achievement, or its reversal. Signed hundredths of an hour; a balance is a sum."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="credit_entries", db_index=False)
    year = models.PositiveSmallIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="credit_entries")
    category = models.CharField(max_length=12, choices=Category)
    claimed = models.IntegerField()
    recognised = models.IntegerField(help_text="the achievement's own worth, before caps over all sources")
    credited = models.IntegerField()
    rule = models.CharField(max_length=8)
    policy = models.CharField(max_length=60, help_text="policy and version that decided")
    reason = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["learner", "year"], name="credit_learner_year"),
        ]

    def __str__(self) -> str:
        return f"{self.learner_id}/{self.year}: {self.credited / 100:+.2f} {self.category}"


class Evaluated(models.Model):
    """Which revision of an achievement the ledger knows: what differs, waits."""

    achievement = models.OneToOneField(Achievement, on_delete=models.PROTECT, primary_key=True)
    revision = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.achievement_id}@{self.revision}"


class Ruling(models.Model):
    """A decision that an achievement counts nothing (its certificate was revoked), or counts again. Append-only; the
    newest one of an achievement holds.
    """

    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="rulings")
    barred = models.BooleanField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.achievement_id}: {'barred' if self.barred else 'counts'}"


class Reevaluation(models.Model):
    """A whole year judged again, in one batch: who, why, by which policy, and what it came to. Append-only.

    Its entries are those after ``after_entry`` up to ``last_entry``: nobody else writes meanwhile.
    """

    year = models.PositiveSmallIntegerField()
    policy = models.CharField(max_length=60)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    after_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField()
    figures = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason="") & ~models.Q(by=""), name="reevaluation_says_who_why"),
        ]

    def __str__(self) -> str:
        return f"{self.year} #{self.pk} {self.policy}"
