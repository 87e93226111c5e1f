"""What a department approved: the people of a programme before certificates are issued to them.

A programme may ask for it (`certificates_need_approval`). What was corrected after it was approved has to be approved
again: an approval names the achievement in its revision.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection, models, transaction

from agent.audit.chain import record
from agent.matching.models import Achievement
from agent.programmes.models import Programme


class Approval(models.Model):
    """Who decided what about a programme's certificates, and when. Append-only."""

    class Kind(models.TextChoices):
        BATCH = "batch", "批准签发"  # those who waited at that moment
        NEEDED = "needed", "改为须经审批"
        NOT_NEEDED = "not_needed", "改为无须审批"

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="approvals")
    kind = models.CharField(max_length=12, choices=Kind)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(blank=True)
    count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.programme}: {self.kind} {self.count}"


class ApprovedAchievement(models.Model):
    """One person's achievement, as it was when it was approved. Append-only."""

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="achievements")
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, db_index=False)
    revision = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["achievement", "revision"], name="approved_once")]

    def __str__(self) -> str:
        return f"{self.achievement_id} r{self.revision}"


# What the stage holds for want of an approval is what waits: nobody approves what is not seen.
_WAITING = """
FROM quarantine_held h
JOIN matching_achievement a ON a.id = h.key::bigint
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE h.what = 'certificate' AND h.code = 'E_CERT_NOT_APPROVED' AND h.released_at IS NULL
  AND v.programme_id = %(programme)s AND NOT a.withdrawn
  -- approved a moment ago, and the stage did not come by since
  AND NOT EXISTS (SELECT FROM certificates_approvedachievement y
                  WHERE y.achievement_id = a.id AND y.revision = a.revision)
  AND (%(achievements)s::bigint[] IS NULL
       OR (a.id, a.revision) IN (SELECT * FROM unnest(%(achievements)s::bigint[], %(revisions)s::int[])))
"""
_APPROVE = (
    "INSERT INTO certificates_approvedachievement (approval_id, achievement_id, revision)"
    " SELECT %(approval)s, a.id, a.revision" + _WAITING
)
_COUNT = "SELECT count(*)" + _WAITING
Seen = Collection[tuple[int, int]]
"""Achievements, each with the revision that somebody saw."""


def waiting(programme: Programme, seen: Seen | None = None) -> int:
    """How many of the programme wait for an approval; of them those that were ``seen``, when that is said."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _values(programme, seen))
        return int(cursor.fetchone()[0])


@transaction.atomic
def approve(programme: Programme, *, by: str, reason: str = "", seen: Seen | None = None) -> int:
    """Approve everybody who waits now; how many. The next pass of the stage issues to them.

    :param seen: approve these and nobody else; who was corrected since they were seen goes on waiting
    """
    # one at a time: what two approve at once counts for one of them
    programme = Programme.objects.select_for_update().get(pk=programme.pk)
    count = waiting(programme, seen)
    if not count:
        return 0
    approval = Approval.objects.create(programme=programme, kind=Approval.Kind.BATCH, by=by, reason=reason, count=count)
    with connection.cursor() as cursor:
        cursor.execute(_APPROVE, _values(programme, seen) | {"approval": approval.pk})
    said = {"approval": approval.pk, "people": count, "reason": reason}
    record(by, "approval.given", on=f"programme {programme}", after=said, organisation=programme.organiser)
    return count


def _values(programme: Programme, seen: Seen | None) -> dict[str, Any]:
    return {
        "programme": programme.pk,
        "achievements": None if seen is None else [achievement for achievement, _ in seen],
        "revisions": None if seen is None else [revision for _, revision in seen],
    }


@transaction.atomic
def ask_for_approval(programme: Programme, *, needed: bool, by: str, reason: str = "") -> bool:
    """Say whether the programme's certificates need an approval; whether that is a change. What was issued stays."""
    locked = Programme.objects.select_for_update().get(pk=programme.pk)
    if locked.certificates_need_approval == needed:
        return False
    Programme.objects.filter(pk=locked.pk).update(certificates_need_approval=needed)
    kind = Approval.Kind.NEEDED if needed else Approval.Kind.NOT_NEEDED
    Approval.objects.create(programme=locked, kind=kind, by=by, reason=reason)
    record(
        by, "approval.asked", on=f"programme {locked}", before={"needed": not needed},
        after={"needed": needed, "reason": reason}, organisation=locked.organiser,
    )  # fmt: skip
    return True
