"""The chain's tables. The database refuses every change, and every deletion but that of sealed, old events."""

from __future__ import annotations

from django.db import models

from agent.organisations.models import Organisation


class AuditEvent(models.Model):
    """Something that somebody did. ``entry`` is what was hashed; the other columns are there to search by."""

    index = models.BigIntegerField(primary_key=True, help_text="from 1, without gaps")
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60, help_text="a stable word, e.g. membership.given")
    target = models.CharField(max_length=300, help_text="on what, e.g. programme 370400/2024/K1")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    entry = models.TextField(help_text="canonical JSON of all that is said")
    hash = models.BinaryField(help_text="SHA-256 of the event before and of this entry")
    seal = models.BinaryField(help_text="keyed hash of `hash`: who has the database alone can't make one")

    class Meta:
        indexes = [
            models.Index(fields=["actor", "-index"], name="audit_by_actor"),
            models.Index(fields=["target", "-index"], name="audit_by_target"),
            models.Index(fields=["action", "-index"], name="audit_by_action"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.index}: {self.actor} {self.action} {self.target}"


class AuditSeal(models.Model):
    """The head of what was deleted because it was old: the chain goes on from it. Append-only."""

    through = models.BigIntegerField(unique=True, help_text="index of the last event that may be deleted")
    hash = models.BinaryField(help_text="that event's")
    seal = models.BinaryField(help_text="that event's")
    first_at = models.DateTimeField(help_text="when the first deleted event was")
    last_at = models.DateTimeField(help_text="when the last deleted event was")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"through {self.through}"
