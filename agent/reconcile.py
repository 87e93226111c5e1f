"""The daily reconciliation: what the LMS has = what landed = what was judged = the ledger = the certificates.

Each line is two figures that must be equal, counted on different sides of the house, and what differs by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

SHOWN = 20
"""Differences that are named for a line; all are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One equation: ``left`` and ``right`` in rows; ``differing`` names what stands on one side only."""

    name: str
    left_is: str
    left: int
    right_is: str
    right: int
    differing: list[str]

    @property
    def equal(self) -> bool:
        """Whether the two sides agree, one by one and not by chance."""
        return self.left == self.right and not self.differing


_UPSTREAM = """
SELECT s.name, r.counted, r.new + r.changed + r.unchanged + r.rejected
FROM intake_source s JOIN LATERAL (
    SELECT * FROM intake_syncrun r WHERE r.source_id = s.id AND r.mode = 'full' AND r.state = 'done'
    ORDER BY r.started_at DESC LIMIT 1
) r ON r.counted IS NOT NULL
ORDER BY s.name
"""
# Every passed completion has an achievement of its present version, or waits in the quarantine with one code.
_JUDGED = """
WITH passed AS (
    SELECT c.id, s.name || ' ' || c.course || ' #' || c.id AS said,
           EXISTS (SELECT 1 FROM matching_achievement a WHERE a.completion_id = c.id) AS matched,
           EXISTS (SELECT 1 FROM quarantine_held h WHERE h.what = 'completion' AND h.released_at IS NULL
                   AND h.key = c.id::text) AS held
    FROM intake_completion c JOIN intake_source s ON s.id = c.source_id WHERE c.current AND c.passed
)
SELECT count(*), count(*) FILTER (WHERE matched <> held),
       (array_agg(said ORDER BY id) FILTER (WHERE matched = held))[1:20] FROM passed
"""
# Every achievement that was not withdrawn has one entry in force, and no other has one.
_LEDGER = """
WITH entry AS (
    SELECT e.achievement_id, count(*) AS n FROM credit_creditentry e
    WHERE e.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
    GROUP BY 1
), side AS (
    SELECT a.id, NOT a.withdrawn AS due, COALESCE(e.n, 0) AS n
    FROM matching_achievement a LEFT JOIN entry e ON e.achievement_id = a.id
)
SELECT count(*) FILTER (WHERE due), COALESCE(sum(n), 0)::bigint,
       (array_agg('achievement #' || id ORDER BY id) FILTER (WHERE n <> due::int))[1:20] FROM side
"""
# A certificate in force says what the ledger recognised for its completion.
_CERTIFICATES = """
WITH certificate AS (
    SELECT c.number, EXISTS (
        SELECT 1 FROM credit_creditentry e WHERE e.achievement_id = c.achievement_id AND e.learner_id = c.learner_id
        AND e.recognised = c.hours AND e.reverses_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)) AS backed
    FROM certificates_certificate c WHERE c.state = 'issued'
)
SELECT count(*), count(*) FILTER (WHERE backed), (array_agg(number ORDER BY number) FILTER (WHERE NOT backed))[1:20]
FROM certificate
"""


def reconcile() -> list[Line]:
    """All equations, as of now."""
    with connection.cursor() as cursor:
        cursor.execute(_UPSTREAM)
        lines = [
            Line(f"LMS = landed: {name}", "rows that the source counts", counted, "rows that came", came, [])
            for name, counted, came in cursor.fetchall()
        ]
        for sql, name, left_is, right_is in (
            (_JUDGED, "landed = judged", "completions passed", "matched, or held with a code"),
            (_LEDGER, "judged = ledger", "achievements", "entries in force"),
            (_CERTIFICATES, "certificates = ledger", "certificates in force", "backed by an entry of the same hours"),
        ):
            cursor.execute(sql)
            left, right, differing = cursor.fetchone()
            lines.append(Line(name, left_is, left, right_is, right, (differing or [])[:SHOWN]))
    return lines
