"""What waits for whom: the held rows of one learner, with the sentences that explain them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from agent.learners.models import Learner
from agent.quarantine.codes import fix, sentence


@dataclass(frozen=True, slots=True)
class Waiting:
    """One completion that can't count yet."""

    course_name: str
    course: str
    source: str
    learned_on: date | None
    code: str
    params: Mapping[str, Any]
    opened_at: datetime

    @property
    def reason_zh(self) -> str:
        """Why it waits, in Chinese."""
        return sentence(self.code, dict(self.params))

    @property
    def fix_zh(self) -> str:
        """What releases it, in Chinese."""
        return fix(self.code)

    @property
    def reason_en(self) -> str:
        """Why it waits, in English."""
        return sentence(self.code, dict(self.params), english=True)

    @property
    def fix_en(self) -> str:
        """What releases it, in English."""
        return fix(self.code, english=True)


_WAITING = """
SELECT c.course_name, c.course, s.name, c.learned_on, h.code, h.params::text, h.opened_at
FROM intake_completion c
JOIN quarantine_held h ON h.what = 'completion' AND h.released_at IS NULL AND h.key = c.id::text
JOIN intake_source s ON s.id = c.source_id
WHERE c.current AND c.id_fingerprint = %s
  AND (c.learned_on IS NULL OR extract(year FROM c.learned_on) = %s)
ORDER BY c.learned_on, c.id
"""


def waiting_of(learner: Learner, year: int) -> list[Waiting]:
    """Rows with the learner's number that are held, of ``year`` or of no known year."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [bytes(learner.fingerprint), year])
        rows = [(*row[:5], orjson.loads(row[5]), row[6]) for row in cursor.fetchall()]
    return [Waiting(*row) for row in rows]
