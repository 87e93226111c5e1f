"""The figures: one question for each equation, asked of all sources at once, and then the names of what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.certificates.due import find_due
from agent.credit.policy import Policy
from agent.learners.identity import mask_name
from agent.reconciliation.equations import NAMED, Equation, Figures

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_UPSTREAM = """
SELECT s.id, r.counted, COALESCE(r.new + r.changed + r.unchanged + r.rejected, 0), 0, 0, NULL::bigint[], r.id
FROM intake_source s LEFT JOIN LATERAL (
    SELECT * FROM intake_syncrun r WHERE r.source_id = s.id AND r.mode = 'full' AND r.state = 'done'
    ORDER BY r.started_at DESC LIMIT 1
) r ON true
"""
# Each aggregates in a hash by source: an ordered array would have a million rows sorted for a hundred names.
# Every passed completion has an achievement of its present version, or waits in the quarantine with one code.
_JUDGED = """
WITH held AS (
    SELECT CASE WHEN what = 'completion' THEN key::bigint END AS id, count(*) AS n
    FROM quarantine_held WHERE what = 'completion' AND released_at IS NULL GROUP BY 1
), side AS (
    SELECT c.source_id, c.id, (a.id IS NOT NULL)::int + COALESCE(h.n, 0) AS n,
           a.id IS NULL AND h.n IS NULL AND c.landed_at > %(young)s AS young
    FROM intake_completion c
    LEFT JOIN matching_achievement a ON a.completion_id = c.id AND NOT a.withdrawn
    LEFT JOIN held h ON h.id = c.id
    WHERE c.current AND c.passed
)
SELECT source_id, count(*) FILTER (WHERE NOT young), count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE young),
       count(*) FILTER (WHERE n <> 1 AND NOT young), array_agg(id) FILTER (WHERE n <> 1 AND NOT young), NULL
FROM side GROUP BY source_id
"""
# Every achievement that was not withdrawn has one entry in force, and no other has one.
_LEDGER = """
WITH side AS (
    SELECT a.source_id, a.id, (NOT a.withdrawn)::int AS due, COALESCE(e.n, 0) AS n,
           COALESCE(e.n, 0) <> (NOT a.withdrawn)::int AND a.matched_at > %(young)s AS young
    FROM matching_achievement a
    LEFT JOIN (SELECT achievement_id, count(*) AS n FROM in_force GROUP BY 1) e ON e.achievement_id = a.id
)
SELECT source_id, COALESCE(sum(due) FILTER (WHERE NOT young), 0), COALESCE(sum(n) FILTER (WHERE NOT young), 0),
       count(*) FILTER (WHERE young), count(*) FILTER (WHERE n <> due AND NOT young),
       array_agg(id) FILTER (WHERE n <> due AND NOT young), NULL
FROM side GROUP BY source_id
"""
# Whoever earned a certificate under the year's policy has it, or it waits with a code. `due` is the stage's own.
_EARNED = """
WITH held AS (
    SELECT CASE WHEN what = 'certificate' THEN key::bigint END AS id
    FROM quarantine_held WHERE what = 'certificate' AND released_at IS NULL GROUP BY 1
), side AS (
    SELECT a.source_id, a.id, h.id IS NOT NULL AS held, h.id IS NULL AND a.matched_at > %(young)s AS young
    FROM due d JOIN matching_achievement a ON a.id = d.achievement_id LEFT JOIN held h ON h.id = a.id
    UNION ALL
    SELECT a.source_id, a.id, true, false
    FROM certificates_certificate c JOIN matching_achievement a ON a.id = c.achievement_id
    WHERE c.state IN ('issued', 'suspended')
)
SELECT source_id, count(*) FILTER (WHERE NOT young), count(*) FILTER (WHERE held), count(*) FILTER (WHERE young),
       count(*) FILTER (WHERE NOT held AND NOT young), array_agg(id) FILTER (WHERE NOT held AND NOT young), NULL
FROM side GROUP BY source_id
"""
# A certificate in force, or suspended, says what the ledger recognised for its completion.
_CERTIFICATES = """
WITH side AS (
    SELECT a.source_id, c.id, e.achievement_id IS NOT NULL AS backed,
           e.achievement_id IS NULL AND a.matched_at > %(young)s AS young
    FROM certificates_certificate c
    JOIN matching_achievement a ON a.id = c.achievement_id
    LEFT JOIN (SELECT DISTINCT achievement_id, learner_id, recognised FROM in_force) e
        ON e.achievement_id = c.achievement_id AND e.learner_id = c.learner_id AND e.recognised = c.hours
    WHERE c.state IN ('issued', 'suspended')
)
SELECT source_id, count(*) FILTER (WHERE NOT young), count(*) FILTER (WHERE backed), count(*) FILTER (WHERE young),
       count(*) FILTER (WHERE NOT backed AND NOT young), array_agg(id) FILTER (WHERE NOT backed AND NOT young), NULL
FROM side GROUP BY source_id
"""
_QUESTIONS = {
    Equation.UPSTREAM: _UPSTREAM,
    Equation.JUDGED: _JUDGED,
    Equation.LEDGER: _LEDGER,
    Equation.EARNED: _EARNED,
    Equation.CERTIFICATES: _CERTIFICATES,
}
# Asked twice, so written down once; a temporary table also lets the planner know how many there are.
_IN_FORCE = """
CREATE TEMP TABLE in_force ON COMMIT DROP AS
SELECT e.achievement_id, e.learner_id, e.recognised FROM credit_creditentry e
WHERE e.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
"""


def count(cursor: CursorWrapper, policies: Mapping[int, Policy], young: datetime) -> list[Figures]:
    """All equations of all sources, inside the caller's transaction, each with at most `NAMED` ids of what differs.

    :param young: what came to a stage after that moment, and that the stage has not done, is on the way
    """
    cursor.execute(_IN_FORCE)
    cursor.execute("ANALYZE in_force")
    find_due(cursor, policies)
    found: list[Figures] = []
    for equation, question in _QUESTIONS.items():
        cursor.execute(question, {"young": young})
        for source, left, right, on_the_way, differing, ids, run in cursor.fetchall():
            some = sorted(ids or ())[:NAMED]
            found.append(
                Figures(
                    source, equation, None if left is None else int(left), int(right), on_the_way, differing, some, run
                )
            )
    known = {(each.source, each.equation) for each in found}
    sources = {each.source for each in found}
    found += [Figures(s, e, 0, 0) for s in sorted(sources) for e in Equation if (s, e) not in known]
    return found


# --- names ---------------------------------------------------------------------------------------------------------
_OF_COMPLETIONS = """
SELECT c.id, c.run_id, c.course, c.course_name, c.name, c.id_masked, c.learned_on,
       (SELECT count(*) FROM matching_achievement a WHERE a.completion_id = c.id AND NOT a.withdrawn),
       (SELECT count(*) FROM quarantine_held h WHERE h.what = 'completion' AND h.key = c.id::text
        AND h.released_at IS NULL)
FROM intake_completion c WHERE c.id = ANY(%s) ORDER BY c.id
"""
_OF_ACHIEVEMENTS = """
SELECT a.id, c.run_id, c.course, c.course_name, a.name, c.id_masked, a.learned_on,
       (SELECT count(*) FROM in_force f WHERE f.achievement_id = a.id), a.withdrawn
FROM matching_achievement a JOIN intake_completion c ON c.id = a.completion_id
WHERE a.id = ANY(%s) ORDER BY a.id
"""
_OF_CERTIFICATES = """
SELECT t.id, c.run_id, c.course, c.course_name, t.holder, t.id_masked, t.learned_on, t.number, t.hours,
       (SELECT max(f.recognised) FROM in_force f
        WHERE f.achievement_id = t.achievement_id AND f.learner_id = t.learner_id)
FROM certificates_certificate t JOIN matching_achievement a ON a.id = t.achievement_id
JOIN intake_completion c ON c.id = a.completion_id
WHERE t.id = ANY(%s) ORDER BY t.id
"""
_Named = dict[str, Any]


def _completion(matched: int, held: int) -> _Named:
    if matched or held:
        return {"kind": "judged_twice", "matched": matched, "held": held}
    return {"kind": "unjudged"}


def _achievement(entries: int, withdrawn: bool) -> _Named:
    return {"kind": "entry_of_withdrawn" if withdrawn else "entries" if entries else "no_entry", "entries": entries}


def _earned(_entries: int, _withdrawn: bool) -> _Named:
    return {"kind": "not_issued"}


def _certificate(number: str, hours: int, recognised: int | None) -> _Named:
    kind = {"kind": "not_backed"} if recognised is None else {"kind": "other_hours", "recognised": recognised}
    return {**kind, "number": number, "hours": hours}


_NAMES: dict[Equation, tuple[str, str, Callable[..., _Named]]] = {
    Equation.JUDGED: ("completion", _OF_COMPLETIONS, _completion),
    Equation.LEDGER: ("achievement", _OF_ACHIEVEMENTS, _achievement),
    Equation.EARNED: ("achievement", _OF_ACHIEVEMENTS, _earned),
    Equation.CERTIFICATES: ("certificate", _OF_CERTIFICATES, _certificate),
}


def name(cursor: CursorWrapper, figures: list[Figures]) -> None:
    """Name what differs, in the transaction of `count`: who (masked), which course, when, by which run, and why."""
    for each in figures:
        if each.equation == Equation.UPSTREAM and each.equal is False:
            each.named = [{"kind": "not_counted", "counted": each.left, "came": each.right, "run": each.run}]
    for equation, (what, question, why) in _NAMES.items():
        wanted = [each for each in figures if each.equation == equation and each.ids]
        if not wanted:
            continue
        cursor.execute(question, [[row for each in wanted for row in each.ids]])
        told: dict[int, _Named] = {}
        for pk, run, course, course_name, person, masked, day, *rest in cursor.fetchall():
            told[pk] = {
                "what": what, "id": pk, "run": run, "course": course, "course_name": course_name,
                "name": mask_name(person), "id_masked": masked, "learned_on": day.isoformat() if day else None,
                **why(*rest),
            }  # fmt: skip
        for each in wanted:
            each.named = [told[row] for row in each.ids if row in told]
