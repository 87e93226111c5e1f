"""What is counted, each by one statement over all rows. Days are local (Asia/Shanghai).

Every question answers with the same columns: what, day, source, programme, name, n, amount. 0 is a source or programme
that there is none of; `EARLIER` stands for all days before ``%(since)s``, which no desk looks at one by one.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

EARLIER = date(1, 1, 1)


class What(StrEnum):
    """A kind of figure: what ``n`` and ``amount`` count, and what ``name`` is."""

    LANDED = "landed"  # passed completions that are current, by the day on which they first landed
    PUBLIC = "public"  # entries less reversals, and their hundredths of an hour, by subject and day of the entry
    PROFESSIONAL = "professional"  # the same, by series
    CERTIFICATES = "certificates"  # by the day of issue and the state now; amount: hundredths of an hour
    HELD = "held"  # open items by code and the day on which they were opened; amount: the first one's key
    RUNS = "runs"  # pulls by state
    CALLS = "calls"  # asked of sources
    ROWS = "rows"  # new and changed
    LEARNERS = "learners"


def _day(instant: str) -> str:
    return f"({instant} AT TIME ZONE 'Asia/Shanghai')::date"


def _shown(instant: str) -> str:
    return f"CASE WHEN {_day(instant)} < %(since)s THEN DATE '0001-01-01' ELSE {_day(instant)} END"


LANDED = f"""
SELECT 'landed' AS what, {_shown("c.first_landed_at")} AS day, c.source_id AS source,
       COALESCE(v.programme_id, 0) AS programme, '' AS name, count(*) AS n, 0::bigint AS amount
FROM intake_completion c
LEFT JOIN matching_achievement a ON a.completion_id = c.id AND NOT a.withdrawn
LEFT JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE c.current AND c.passed GROUP BY 2, 3, 4
"""  # noqa: S608 - of our own parts
HOURS = f"""
SELECT e.category AS what, {_shown("e.created_at")} AS day, a.source_id AS source, v.programme_id AS programme,
       CASE e.category WHEN 'public' THEN v.subject ELSE v.series END AS name,
       sum(CASE WHEN e.reverses_id IS NULL THEN 1 ELSE -1 END) AS n, sum(e.credited) AS amount
FROM credit_creditentry e
JOIN matching_achievement a ON a.id = e.achievement_id
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - of our own parts
CERTIFICATES = f"""
SELECT 'certificates' AS what, {_shown("c.issued_at")} AS day, a.source_id AS source, c.programme_id AS programme,
       c.state AS name, count(*) AS n, sum(c.hours) AS amount
FROM certificates_certificate c JOIN matching_achievement a ON a.id = c.achievement_id
GROUP BY 2, 3, 4, 5
"""  # noqa: S608 - of our own parts
# of what is held every day is shown, however old: its age is what matters
HELD = f"""
SELECT 'held' AS what, {_day("h.opened_at")} AS day, COALESCE(s.id, 0) AS source,
       COALESCE(v.programme_id, 0) AS programme, h.code AS name, count(*) AS n, min(h.id) AS amount
FROM quarantine_held h
LEFT JOIN intake_source s ON s.name = h.source
LEFT JOIN matching_achievement a ON a.id = CASE WHEN h.what = 'certificate' THEN h.key::bigint END
LEFT JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE h.released_at IS NULL GROUP BY 2, 3, 4, 5
"""  # noqa: S608 - of our own parts
PULLS = f"""
SELECT of.what, {_shown("r.started_at")} AS day, r.source_id AS source, 0 AS programme, of.name,
       sum(of.n) AS n, 0::bigint AS amount
FROM intake_syncrun r,
     LATERAL (VALUES ('runs', r.state, 1), ('calls', '', r.calls), ('rows', '', r.new + r.changed)) of (what, name, n)
GROUP BY 1, 2, 3, 5
"""  # noqa: S608 - of our own parts
LEARNERS = """
SELECT 'learners' AS what, DATE '0001-01-01' AS day, 0 AS source, 0 AS programme, '' AS name, count(*) AS n,
       0::bigint AS amount
FROM learners_learner
"""
QUESTIONS: dict[str, tuple[What, ...]] = {
    LANDED: (What.LANDED,),
    HOURS: (What.PUBLIC, What.PROFESSIONAL),
    CERTIFICATES: (What.CERTIFICATES,),
    HELD: (What.HELD,),
    PULLS: (What.RUNS, What.CALLS, What.ROWS),
    LEARNERS: (What.LEARNERS,),
}
"""Every question, and what it answers."""
