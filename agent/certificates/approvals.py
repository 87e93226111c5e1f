"""What a department approved: the people of a programme before certificates are issued to them.

A programme may ask for it (`certificates_need_approval`). What was corrected after it was approved has to be approved
again: an approval names the achievement in its revision.
"""

from __future__ import annotations

from django.db import connection, models, transaction

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
_APPROVE = """
INSERT INTO certificates_approvedachievement (approval_id, achievement_id, revision)
SELECT %(approval)s, a.id, a.revision
FROM quarantine_held h
JOIN matching_achievement a ON a.id = h.key::bigint
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE h.what = 'certificate' AND h.code = 'E_CERT_NOT_APPROVED' AND h.released_at IS NULL
  AND v.programme_id = %(programme)s AND NOT a.withdrawn
ON CONFLICT DO NOTHING
"""
_COUNT = """
SELECT count(*) FROM quarantine_held h
JOIN matching_achievement a ON a.id = h.key::bigint
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE h.what = 'certificate' AND h.code = 'E_CERT_NOT_APPROVED' AND h.released_at IS NULL
  AND v.programme_id = %s AND NOT a.withdrawn
"""


def waiting(programme: Programme) -> int:
    """How many of the programme wait for an approval."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [programme.pk])
        return int(cursor.fetchone()[0])


@transaction.atomic
def approve(programme: Programme, *, by: str, reason: str = "") -> int:
    """Approve everybody who waits now; how many. The next pass of the stage issues to them."""
    count = waiting(programme)
    if not count:
        return 0
    approval = Approval.objects.create(programme=programme, kind=Approval.Kind.BATCH, by=by, reason=reason, count=count)
    with connection.cursor() as cursor:
        cursor.execute(_APPROVE, {"approval": approval.pk, "programme": programme.pk})
    return count


@transaction.atomic
def ask_for_approval(programme: Programme, *, needed: bool, by: str, reason: str = "") -> bool:
    """Say whether the programme's certificates need an approval; whether that is a change. What was issued stays."""
    locked = Programme.objects.select_for_update().get(pk=programme.pk)
    if locked.certificates_need_approval == needed:
        return False
    Programme.objects.filter(pk=locked.pk).update(certificates_need_approval=needed)
    kind = Approval.Kind.NEEDED if needed else Approval.Kind.NOT_NEEDED
    Approval.objects.create(programme=locked, kind=kind, by=by, reason=reason)
    return True
