"""A learner's year as people read it: every entry in force with its reason, and where the year stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from django.db import connection

from agent.credit.policy import Policy
from agent.credit.reasons import sentence
from agent.credit.rules import Standing, standing
from agent.learners.models import Learner


@dataclass(frozen=True, slots=True)
class YearEntry:
    """One achievement and what it counts. Hours in hundredths."""

    achievement: int
    title: str
    category: str
    source: str
    filing_number: str
    learned_on: date
    claimed: int
    credited: int
    rule: str
    policy: str
    reason: str
    params: Mapping[str, Any]
    lateness: str
    certificate: str  # number of the live certificate, "" for none
    suspended: bool  # that one is out of force for a while; its hours stand

    @property
    def capped(self) -> int:
        """Claimed and not credited."""
        return self.claimed - self.credited

    @property
    def reason_zh(self) -> str:
        """Why, in Chinese."""
        return sentence(self.reason, "zh", self.params)

    @property
    def reason_en(self) -> str:
        """Why, in English."""
        return sentence(self.reason, "en", self.params)


@dataclass(frozen=True, slots=True)
class Year:
    """One learner's year."""

    year: int
    policy: Policy
    standing: Standing
    entries: list[YearEntry]


_ENTRIES = """
SELECT e.achievement_id, v.title, e.category, s.name, p.filing_number, a.learned_on, e.claimed, e.credited, e.rule,
       e.policy, e.reason, e.params::text, a.lateness,
       COALESCE(c.number, ''), COALESCE(c.state = 'suspended', false)
FROM credit_creditentry e
JOIN matching_achievement a ON a.id = e.achievement_id
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
JOIN programmes_programme p ON p.id = v.programme_id
JOIN intake_source s ON s.id = a.source_id
LEFT JOIN certificates_certificate c ON c.achievement_id = a.id AND c.state IN ('issued', 'suspended')
WHERE e.learner_id = %s AND e.year = %s AND e.reverses_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
ORDER BY a.learned_on, a.completed_at, a.id
"""


def year_of(learner: Learner, policy: Policy) -> Year:
    """The year of ``policy`` for ``learner``, from the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [learner.pk, policy.year])
        rows = [(*row[:11], orjson.loads(row[11]), *row[12:]) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT category, sum(credited)::int FROM credit_creditentry"
            " WHERE learner_id = %s AND year = %s GROUP BY 1",
            [learner.pk, policy.year],
        )
        credited = dict.fromkeys(policy.category_ids, 0) | dict(cursor.fetchall())
    entries = [YearEntry(*row) for row in rows]
    return Year(policy.year, policy, standing(policy, credited), entries)


def years_with_entries(learner: Learner) -> list[int]:
    """The years in which the ledger knows the learner, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT year FROM credit_creditentry WHERE learner_id = %s ORDER BY 1 DESC", [learner.pk]
        )
        return [year for (year,) in cursor.fetchall()]
