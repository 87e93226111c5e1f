"""Who has earned a certificate, and what stands in the way of it: one statement over all achievements.

*Earned*: the ledger recognised hours of a category that certificates stand for (R09), and no certificate was given for
them. *Due*: nothing stands in the way either. A public programme gives none, and that is no fault: nothing is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from agent.credit.eligibility import entitled
from agent.credit.policy import Policy

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


class Due(NamedTuple):
    """An achievement that has earned a certificate."""

    achievement: int
    learner: int
    programme: int
    version: int
    name: str
    id_masked: str
    title: str
    series: str
    organiser: str
    organiser_uscc: str
    implementer: str
    filing_number: str
    hours: int
    started_on: date | None
    learned_on: date
    region: str
    year: int
    issuer_number: int
    sequence: int
    code: str | None  # why it has to wait all the same

    @property
    def texts(self) -> tuple[str, ...]:
        """What the page shows, in the order of `stage.PRINTED`."""
        return self.name, self.title, self.series, self.organiser, self.implementer


# R08, R09: which programmes have certificates at all is the policy's (`entitled`). What the ledger
# recognised is what the certificate says; a duplicate of the same programme has none of its own, and what the source
# took back has none at all. A certificate that was revoked is not issued again by itself; that keeps nobody from one
# for another completion of the same programme. Of several completions the first that nothing stands in the way of.
_EARNED = """
CREATE TEMP TABLE due ON COMMIT DROP AS
SELECT DISTINCT ON (a.learner_id, p.id)
       a.id AS achievement_id, a.learner_id, p.id AS programme_id, v.id AS version_id, a.name, l.id_masked, v.title,
       v.series, o.name AS organiser, o.uscc, COALESCE(i.name, '') AS implementer,
       COALESCE(p.filing_number, '') AS filing_number, e.recognised,
       CASE WHEN c.started_on IS NULL THEN NULL ELSE a.started_on END, a.learned_on, p.region, p.year,
       o.issuer_number, p.sequence, w.code
FROM matching_achievement a
JOIN intake_completion c ON c.id = a.completion_id
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
JOIN programmes_programme p ON p.id = v.programme_id
JOIN organisations_organisation o ON o.id = p.organiser_id
JOIN (SELECT DISTINCT year, category FROM entitled) t ON t.year = p.year AND t.category = v.category
LEFT JOIN organisations_organisation i ON i.id = p.implementer_id
JOIN learners_learner l ON l.id = a.learner_id
JOIN credit_creditentry e ON e.achievement_id = a.id AND e.reverses_id IS NULL AND e.recognised > 0
    AND e.reason <> 'duplicate_course'
    AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
-- few programmes and hundreds of thousands of completions: joined, and not asked for each
-- the policy's word «filed» means every state on record
LEFT JOIN entitled s ON s.year = p.year AND s.category = v.category AND s.kind = o.kind
    AND s.state = CASE WHEN p.on_record THEN 'filed' ELSE p.state END
LEFT JOIN certificates_approvedachievement y ON p.certificates_need_approval AND y.achievement_id = a.id
    AND y.revision = a.revision
CROSS JOIN LATERAL (SELECT CASE
    WHEN s.year IS NULL AND NOT p.on_record THEN 'E_CERT_NOT_FILED'
    WHEN s.year IS NULL THEN 'E_CERT_NOT_ENTITLED'
    WHEN a.learned_on NOT BETWEEN v.starts_on AND v.ends_on THEN 'E_CERT_DATES'
    WHEN e.recognised > v.hours THEN 'E_CERT_HOURS'
    WHEN p.certificates_need_approval AND y.id IS NULL THEN 'E_CERT_NOT_APPROVED'
END AS code) w
WHERE NOT a.withdrawn
  AND NOT EXISTS (SELECT 1 FROM certificates_certificate c WHERE c.learner_id = a.learner_id AND c.programme_id = p.id
                  AND c.state IN ('issued', 'suspended'))
  -- said apart, so that both are joins: with «or» it was a look-up for each of a million
  AND NOT EXISTS (SELECT 1 FROM certificates_certificate c WHERE c.learner_id = a.learner_id AND c.programme_id = p.id
                  AND c.achievement_id = a.id)
  AND (%(only)s::bigint[] IS NULL OR a.id = ANY(%(only)s))
ORDER BY a.learner_id, p.id, w.code IS NOT NULL, a.learned_on, a.id
"""
_WAITING = """
INSERT INTO holding (key, source, code, params)
SELECT d.achievement_id::text, '', d.code, jsonb_build_object(
    'name', d.name, 'id_masked', d.id_masked, 'programme', d.title, 'organiser', d.organiser, 'state', p.state,
    'learned_on', d.learned_on, 'starts_on', v.starts_on, 'ends_on', v.ends_on,
    'hours', d.recognised / 100.0, 'filed_hours', v.hours / 100.0, 'key', p.region || '/' || p.year || '/' || p.key)
FROM due d
JOIN programmes_programme p ON p.id = d.programme_id
JOIN programmes_programmeversion v ON v.id = d.version_id
WHERE d.code IS NOT NULL
"""


def find_due(cursor: CursorWrapper, policies: Mapping[int, Policy], only: list[int] | None = None) -> None:
    """Make the temporary table ``due`` of whoever earned a certificate, inside a transaction; what has to wait has its
    code in the last column.

    :param only: look at these achievements and no others
    """
    cursor.execute("CREATE TEMP TABLE entitled (year int, category text, kind text, state text) ON COMMIT DROP")
    with cursor.copy("COPY entitled FROM STDIN") as copy:
        for year, policy in policies.items():
            for row in entitled(policy):
                copy.write_row((year, *row))
    # without its figures the planner believes that nobody is entitled, and looks each of a million up
    cursor.execute("ANALYZE entitled")
    cursor.execute(_EARNED, {"only": only})


def hold_waiting(cursor: CursorWrapper) -> int:
    """Put what has to wait into ``holding``; how many."""
    cursor.execute(_WAITING)
    return int(cursor.rowcount)
