"""The credit stage: for each learner and year that something touched, all achievements are judged again and the ledger
gets only the differences, as a reversal and a new entry. So order of arrival can't matter, and a dry run is the
difference without the append.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import connection, transaction

from agent.credit.errors import PolicyMissing
from agent.credit.policy import Policy
from agent.credit.rules import Achievement, Decision, evaluate
from agent.localtime import now

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

LearnerYear = tuple[int, int]
_CHUNK = 2_000  # learner-years a transaction: keeps memory flat and a stop cheap


@dataclass(slots=True)
class Credited:
    """What one pass wrote."""

    learner_years: int = 0
    appended: int = 0
    reversed: int = 0


class Entry(NamedTuple):
    """A ledger entry in force."""

    id: int
    learner: int
    year: int
    achievement: int
    category: str
    claimed: int
    recognised: int
    credited: int
    rule: str
    reason: str
    policy: str
    params: Mapping[str, Any]

    @property
    def outcome(self) -> tuple[object, ...]:
        """What a new decision is compared with; the policy's version alone is no difference."""
        return self.category, self.claimed, self.recognised, self.credited, self.rule, self.reason, self.params


_TOUCHED = """
SELECT DISTINCT a.learner_id, extract(year FROM a.learned_on)::int
FROM matching_achievement a LEFT JOIN credit_evaluated e ON e.achievement_id = a.id
WHERE e.revision IS DISTINCT FROM a.revision
ORDER BY 1, 2
"""
# Where else an entry in force of what was touched lies still: a corrected number or date moves an achievement. It is
# looked up under the lock and cleared together with the new entry, so that no hour is ever there twice.
# From what was touched outwards, an index look-up for each: left to itself, the planner begins with the whole ledger,
# of which it thinks that nearly all entries are reversals (117 of 121 s for 5,000 learners).
_LEFT_BEHIND = """
WITH theirs AS MATERIALIZED (
    SELECT a.id, a.revision, t.learner_id, t.year
    FROM unnest(%s::bigint[], %s::int[]) AS t(learner_id, year)
    JOIN matching_achievement a ON a.learner_id = t.learner_id
        AND a.learned_on BETWEEN make_date(t.year, 1, 1) AND make_date(t.year, 12, 31)
), touched AS MATERIALIZED (
    SELECT a.* FROM theirs a LEFT JOIN credit_evaluated e ON e.achievement_id = a.id
    WHERE e.revision IS DISTINCT FROM a.revision
)
SELECT DISTINCT c.learner_id, c.year
FROM touched t CROSS JOIN LATERAL (
    SELECT * FROM credit_creditentry c WHERE c.achievement_id = t.id OFFSET 0
) c
WHERE c.reverses_id IS NULL AND (c.learner_id, c.year) IS DISTINCT FROM (t.learner_id, t.year)
  AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = c.id)
"""
_ACHIEVEMENTS = """
SELECT a.learner_id, extract(year FROM a.learned_on)::int, a.id, v.category, v.subject, v.hours, a.reported, a.minutes,
       a.started_on, a.learned_on, a.completed_at, c.precision, v.programme_id, s.name, a.key,
       COALESCE((SELECT r.barred FROM credit_ruling r WHERE r.achievement_id = a.id ORDER BY r.id DESC LIMIT 1), false),
       p.state = 'voided'
FROM unnest(%s::bigint[], %s::int[]) AS t(learner_id, year)
JOIN matching_achievement a ON a.learner_id = t.learner_id
    AND a.learned_on BETWEEN make_date(t.year, 1, 1) AND make_date(t.year, 12, 31) AND NOT a.withdrawn
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
JOIN programmes_programme p ON p.id = v.programme_id
JOIN intake_completion c ON c.id = a.completion_id
JOIN intake_source s ON s.id = a.source_id
"""
_IN_FORCE = """
SELECT e.id, e.learner_id, e.year, e.achievement_id, e.category, e.claimed, e.recognised, e.credited, e.rule, e.reason,
       e.policy, e.params::text
FROM unnest(%s::bigint[], %s::int[]) AS t(learner_id, year)
JOIN credit_creditentry e ON e.learner_id = t.learner_id AND e.year = t.year
WHERE e.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
"""
_APPEND = """
COPY credit_creditentry (learner_id, year, achievement_id, category, claimed, recognised, credited, rule, policy,
    reason, params, reverses_id, created_at) FROM STDIN
"""
_SEEN = """
INSERT INTO credit_evaluated (achievement_id, revision)
SELECT a.id, a.revision
FROM unnest(%s::bigint[], %s::int[]) AS t(learner_id, year)
JOIN matching_achievement a ON a.learner_id = t.learner_id
    AND a.learned_on BETWEEN make_date(t.year, 1, 1) AND make_date(t.year, 12, 31)
WHERE NOT EXISTS (SELECT 1 FROM credit_evaluated e WHERE e.achievement_id = a.id AND e.revision = a.revision)
ON CONFLICT (achievement_id) DO UPDATE SET revision = EXCLUDED.revision
"""


def run(policies: Mapping[int, Policy], progress: Callable[[int, int], None] | None = None) -> Credited:
    """Bring the ledger up to date for every learner and year that something touched.

    ``policies``: the policy of each year; matching holds what lies in other years.

    :raises PolicyMissing: a year that has entries lost its policy.
    """
    done = Credited()
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED)
        waiting: list[LearnerYear] = cursor.fetchall()
    for start in range(0, len(waiting), _CHUNK):
        chunk = waiting[start : start + _CHUNK]
        if len(waiting) > _CHUNK and start in (0, _CHUNK):
            _count_rows()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")
            _bring_up(cursor, chunk, policies, done)
        done.learner_years += len(chunk)
        if progress:
            progress(done.learner_years, len(waiting))
    return done


_RULE = """
INSERT INTO credit_ruling (achievement_id, barred, reason, at) SELECT unnest(%s::bigint[]), %s, %s, %s
"""
_YEARS_OF = """
SELECT DISTINCT learner_id, extract(year FROM learned_on)::int FROM matching_achievement
WHERE id = ANY(%s) ORDER BY 1, 2
"""


def rule(
    cursor: CursorWrapper, achievements: list[int], *, barred: bool, reason: str, policies: Mapping[int, Policy]
) -> Credited:
    """Decide that ``achievements`` count nothing, or count again, and bring the ledger up to it: in the caller's
    transaction, that holds the lock of the stages.

    :raises PolicyMissing: a year that has entries lost its policy.
    """
    done = Credited()
    cursor.execute(_RULE, [achievements, barred, reason, now()])
    cursor.execute(_YEARS_OF, [achievements])
    _bring_up(cursor, cursor.fetchall(), policies, done)
    return done


def _bring_up(cursor: CursorWrapper, chunk: list[LearnerYear], policies: Mapping[int, Policy], done: Credited) -> None:
    cursor.execute(_LEFT_BEHIND, _columns(chunk))
    pairs = sorted({*chunk, *cursor.fetchall()})
    # all of them are judged before anything is written: one connection can't read and copy at once
    append(cursor, [change for year in judged(cursor, pairs, policies) for change in year.changes()], done)
    # exactly these, and no more of the same learners: others may have been matched meanwhile
    cursor.execute(_SEEN, _columns(chunk))


def _count_rows() -> None:
    """Tell the planner of what has just been written by the ten thousand; autovacuum would, a minute too late."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE matching_achievement, credit_evaluated, credit_creditentry")


def _columns(pairs: list[LearnerYear]) -> list[list[int]]:
    return [[learner for learner, _ in pairs], [year for _, year in pairs]]


class Change(NamedTuple):
    """What differs between the ledger and what the rules come to: the entry in force, the new decision, or both."""

    learner: int
    year: int
    achievement: int
    old: Entry | None
    new: Decision | None
    policy: str


@dataclass(slots=True)
class Judged:
    """A learner's year as the ledger has it and as the rules come to it now."""

    learner: int
    year: int
    old: Mapping[int, Entry]
    new: Mapping[Any, Decision]
    policy: str

    def changes(self) -> Iterator[Change]:
        """What differs."""
        for achievement, entry in self.old.items():
            decision = self.new.get(achievement)
            if decision is None or _outcome(decision) != entry.outcome:
                yield Change(self.learner, self.year, achievement, entry, decision, self.policy)
        for achievement, decision in self.new.items():
            if achievement not in self.old:
                yield Change(self.learner, self.year, achievement, None, decision, self.policy)


def judged(cursor: CursorWrapper, pairs: list[LearnerYear], policies: Mapping[int, Policy]) -> Iterator[Judged]:
    """Judge whole learner-years again; nothing is written.

    :raises PolicyMissing: a year that has entries lost its policy
    """
    keys = _columns(pairs)
    cursor.execute(_ACHIEVEMENTS, keys)
    achievements: dict[LearnerYear, list[Achievement]] = defaultdict(list)
    for learner, year, *facts in cursor.fetchall():
        achievements[learner, year].append(_achievement(facts))
    cursor.execute(_IN_FORCE, keys)
    in_force: dict[LearnerYear, dict[int, Entry]] = defaultdict(dict)
    for row in cursor.fetchall():
        entry = Entry._make((*row[:-1], _read(row[-1])))
        in_force[entry.learner, entry.year][entry.achievement] = entry
    for pair in pairs:
        decisions: Mapping[Any, Decision] = {}
        stamp = ""
        if achievements[pair]:
            evaluation = evaluate(_policy(policies, pair[1]), achievements[pair])
            decisions, stamp = {d.id: d for d in evaluation.entries}, evaluation.policy
        yield Judged(*pair, in_force[pair], decisions, stamp)


@lru_cache(maxsize=20_000)  # most of a city's entries have one of a few hundred
def _read(params: str) -> Mapping[str, Any]:
    return orjson.loads(params)  # type: ignore[no-any-return] # an object: this room wrote it


def append(cursor: CursorWrapper, changes: Iterable[Change], done: Credited) -> None:
    """Write differences down, each as a reversal and a new entry."""
    at = now()
    with cursor.copy(_APPEND) as copy:
        for learner, year, achievement, entry, decision, stamp in changes:
            if entry:
                copy.write_row((
                    learner, year, achievement, entry.category, -entry.claimed, -entry.recognised, -entry.credited,
                    entry.rule, entry.policy, entry.reason, "{}", entry.id, at,
                ))  # fmt: skip
                done.reversed += 1
            if decision:
                copy.write_row((
                    learner, year, achievement, decision.category, decision.claimed, decision.recognised,
                    decision.credited, decision.rule, stamp, decision.code, decision.params_text, None, at,
                ))  # fmt: skip
                done.appended += 1


def _policy(policies: Mapping[int, Policy], year: int) -> Policy:
    if year in policies:
        return policies[year]
    known = next(iter(policies.values()), None)
    region = known.region if known else "?"
    shown = ", ".join(str(each) for each in sorted(policies)) or "none"
    raise PolicyMissing(region=region, year=year, file=f"{region}/{year}/policy.yaml", known=shown)


def _achievement(facts: list[Any]) -> Achievement:
    (
        pk, category, subject, hours, reported, minutes, started_on, learned_on, completed_at, precision, programme,
        source, key, barred, voided,
    ) = facts  # fmt: skip
    return Achievement(
        id=pk, category=category, subject=subject, hours=hours, reported=reported, minutes=minutes,
        started_on=started_on, learned_on=learned_on,
        completed_at=completed_at if precision in ("second", "minute") else None,
        course_key=str(programme), source=source, key=key, barred=barred,
        voided=voided,
    )  # fmt: skip


def _outcome(decision: Decision) -> tuple[object, ...]:
    return (
        decision.category, decision.claimed, decision.recognised, decision.credited, decision.rule, decision.code,
        decision.params,
    )  # fmt: skip
