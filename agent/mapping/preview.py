"""What a decision would do, before it is taken: it is carried out by the stages' own SQL, looked at, and rolled back.

So the figures are those that the stages would come to now, with every cap of the year's rules; nothing is estimated,
but where a decision touches more rows than a page can wait for (`Trial.exact`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, transaction

from agent.credit import stage as credit
from agent.credit.policy import Policy
from agent.flow import policies, year_rule
from agent.intake.models import Source
from agent.learners.models import Learner
from agent.mapping.errors import LinkUnknown, StagesBusy
from agent.mapping.links import Wanted, link_all, unlink
from agent.matching import stage as matching
from agent.matching.decisions import decide, take_back
from agent.programmes.models import CourseLink
from agent.quarantine.models import Held

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

MOST_ROWS = 20_000
"""Rows whose hours are evaluated for a trial; beyond, the hours as filed are told."""
SHOWN = 20
_WAIT = "10s"


@dataclass(frozen=True, slots=True)
class Trial:
    """The difference that a decision would make. Hours in hundredths, by category, signed.

    ``released`` and ``held`` count by code what would wait no more, and what would begin to; ``still`` what would wait
    on among the rows that were looked at.
    """

    matched: int = 0
    learners: int = 0
    unmatched: int = 0
    moved: int = 0
    hours: dict[str, int] = field(default_factory=dict)
    gain: int = 0  # learners
    lose: int = 0
    exact: bool = True
    released: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    still: dict[str, int] = field(default_factory=dict)
    revoked: int = 0
    revoked_numbers: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether no row would come to anything else."""
        return not (self.matched or self.unmatched or self.moved or self.released or self.held)


_ALL_MATCHED = "SELECT reltuples FROM pg_class WHERE oid = 'matching_achievement'::regclass"


def at_once() -> bool:
    """Whether a trial is quick enough to be made unasked, for whoever only opens a page: the stages look over all that
    was matched, so in a large house it takes seconds. By the planner's estimate, which costs nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ALL_MATCHED)
        return bool(cursor.fetchone()[0] <= MOST_ROWS)


class _Enough(Exception):
    """The trial is over."""


_BEFORE = """
CREATE TEMP TABLE trial_before ON COMMIT DROP AS
SELECT c.id, c.source_id, c.key, v.programme_id, h.code
FROM intake_completion c
LEFT JOIN matching_achievement a ON a.completion_id = c.id AND NOT a.withdrawn
LEFT JOIN programmes_programmeversion v ON v.id = a.programme_version_id
LEFT JOIN quarantine_held h ON h.what = 'completion' AND h.key = c.id::text AND h.released_at IS NULL
WHERE c.current AND c.passed AND {scope}
"""
# One number with two names conflicts wherever its other row lies: what has the same number is judged, too.
_SCOPE = """
CREATE TEMP TABLE trial_scope ON COMMIT DROP AS
SELECT id FROM trial_before
UNION
SELECT o.id FROM trial_before b JOIN intake_completion x USING (id)
JOIN intake_completion o ON o.id_fingerprint = x.id_fingerprint AND o.current
"""
_AFTER = """
CREATE TEMP TABLE trial_after ON COMMIT DROP AS
SELECT b.id, b.programme_id AS was, b.code AS was_code, a.id AS achievement_id, a.learner_id, v.category, v.hours,
       v.programme_id AS becomes, j.code AS becomes_code
FROM trial_before b
LEFT JOIN matching_achievement a ON a.source_id = b.source_id AND a.key = b.key AND NOT a.withdrawn
LEFT JOIN programmes_programmeversion v ON v.id = a.programme_version_id
LEFT JOIN judged j ON j.id = b.id
"""
_FIGURES = """
SELECT count(*) FILTER (WHERE was IS NULL AND becomes IS NOT NULL),
       count(DISTINCT learner_id) FILTER (WHERE was IS NULL AND becomes IS NOT NULL),
       count(*) FILTER (WHERE was IS NOT NULL AND becomes IS NULL),
       count(*) FILTER (WHERE was <> becomes)
FROM trial_after
"""
_CODES = """
SELECT 'released', was_code, count(*) FROM trial_after
WHERE was_code IS NOT NULL AND becomes_code IS DISTINCT FROM was_code GROUP BY was_code
UNION ALL
SELECT CASE WHEN was_code = becomes_code THEN 'still' ELSE 'held' END, becomes_code, count(*) FROM trial_after
WHERE becomes_code IS NOT NULL GROUP BY 1, 2
"""
_CLAIMED = """
SELECT category, sum(hours) FROM trial_after WHERE was IS NULL AND becomes IS NOT NULL GROUP BY category
"""
_TOUCHED = "SELECT count(*) FROM matching_achievement WHERE matched_at = now()"
_LAST_ENTRY = "SELECT COALESCE(max(id), 0) FROM credit_creditentry"
# What the ledger got for the people whose achievements this very transaction wrote, and for nobody else.
_CREDITED = """
SELECT e.category, e.learner_id, sum(e.credited)::int FROM credit_creditentry e
WHERE e.id > %s AND e.learner_id IN (SELECT learner_id FROM matching_achievement WHERE matched_at = now())
GROUP BY 1, 2 HAVING sum(e.credited) <> 0
"""
# The same condition as the issuing stage has (`agent.certificates.takeback`), for what this transaction wrote.
_REVOKED = """
SELECT c.number FROM matching_achievement a
JOIN certificates_certificate c ON c.achievement_id = a.id AND c.state IN ('issued', 'suspended')
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE a.matched_at = now() AND (a.withdrawn OR a.learner_id <> c.learner_id OR v.programme_id <> c.programme_id)
ORDER BY c.number
"""


def trial(decide: Callable[[], object], scope: str, **params: Any) -> Trial:
    """What ``decide`` would do to the completions ``c`` of which ``scope`` is true; it is taken back in the end.

    :param scope: a condition in SQL, with ``params``; it names what the decision is about
    :raises StagesBusy: the stages are at work, and did not come to an end in time
    :raises XueshiError: what ``decide`` refuses
    """
    rules = policies()
    found: list[Trial] = []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _alone(cursor)
            cursor.execute(_BEFORE.format(scope=scope), params)
            decide()
            found.append(_tried(cursor, rules))
            raise _Enough  # noqa: TRY301 - that is how a transaction is rolled back
    except _Enough:
        return found[0]


def _alone(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT])
    try:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")
    except OperationalError as error:
        raise StagesBusy from error
    cursor.execute("SELECT set_config('lock_timeout', '0', true)")


def _tried(cursor: CursorWrapper, rules: Mapping[int, Policy]) -> Trial:
    cursor.execute(_SCOPE)
    cursor.execute("ANALYZE trial_scope")
    matching.judge(cursor, [year_rule(policy) for policy in rules.values()], "c.id IN (SELECT id FROM trial_scope)")
    cursor.execute(_AFTER)
    cursor.execute(_FIGURES)
    matched, learners, unmatched, moved = cursor.fetchone()
    cursor.execute(_CODES)
    by_code: dict[str, dict[str, int]] = {"released": {}, "held": {}, "still": {}}
    for which, code, count in cursor.fetchall():
        by_code[which][code] = count
    cursor.execute(_REVOKED)
    revoked = [number for (number,) in cursor.fetchall()]
    hours, people, exact = _hours(cursor, rules)
    return Trial(
        matched=matched, learners=learners, unmatched=unmatched, moved=moved, hours=hours, exact=exact,
        gain=sum(moved > 0 for moved in people.values()), lose=sum(moved < 0 for moved in people.values()),
        revoked=len(revoked), revoked_numbers=revoked[:SHOWN], **by_code,
    )  # fmt: skip


def _hours(cursor: CursorWrapper, rules: Mapping[int, Policy]) -> tuple[dict[str, int], dict[int, int], bool]:
    """Hours by category, by learner, and whether they are exact; beyond what is exact nobody is told by learner."""
    cursor.execute(_TOUCHED)
    if cursor.fetchone()[0] > MOST_ROWS:
        cursor.execute(_CLAIMED)
        return {category: int(hours) for category, hours in cursor.fetchall()}, {}, False
    cursor.execute(_LAST_ENTRY)
    (last,) = cursor.fetchone()
    credit.run(rules)
    cursor.execute(_CREDITED, [last])
    by_category, by_learner = Counter[str](), Counter[int]()
    for category, learner, credited in cursor.fetchall():
        by_category[category] += credited
        by_learner[learner] += credited
    return {category: hours for category, hours in sorted(by_category.items()) if hours}, by_learner, True


# --- the decisions that there are -----------------------------------------------------------------------------------
def of_links(source: Source, wanted: list[Wanted], *, by: str) -> Trial:
    """What mapping these courses would do.

    :raises LinkOverlaps, LinkDates, ProgrammeNotOpen: as `agent.mapping.links.link`
    """
    scope = "c.source_id = %(source)s AND c.course = ANY(%(courses)s)"
    return trial(
        lambda: link_all(source, wanted, by=by), scope, source=source.pk, courses=[each.course for each in wanted]
    )


def of_unlink(number: int, *, by: str, until: date | None = None) -> Trial:
    """What withdrawing a mapping would do.

    :raises LinkUnknown, LinkDates: as `agent.mapping.links.unlink`
    """
    old = CourseLink.objects.filter(pk=number, withdrawn_at=None).first()
    if old is None:
        raise LinkUnknown(number=number)
    scope = "c.source_id = %(source)s AND c.course = %(course)s"
    return trial(lambda: unlink(number, by=by, reason="?", until=until), scope, source=old.source_id, course=old.course)


def of_decision(held: Collection[int], *, by: str, reason: str, learner: Learner | None = None) -> Trial:
    """What deciding about held items would do: to them, and to what waits for the same account or number.

    :raises NoLongerHeld, NothingToDecide, PersonNotFitting, DecisionReasonMissing: as `agent.matching.decisions.decide`
    """
    keys = [
        int(key) for key in Held.objects.filter(pk__in=held, what=Held.What.COMPLETION).values_list("key", flat=True)
    ]
    scope = (
        "(c.id = ANY(%(ids)s) OR (c.source_id, c.account) IN"
        " (SELECT y.source_id, y.account FROM intake_completion y WHERE y.id = ANY(%(ids)s)))"
    )
    return trial(lambda: decide(held, by=by, reason=reason, learner=learner), scope, ids=keys)


def of_taking_back(number: int, *, by: str) -> Trial:
    """What taking a decision back would do.

    :raises DecisionUnknown: there is none in force
    """
    scope = (
        "c.id IN (SELECT b.completion_id FROM matching_achievement b"
        " WHERE b.decisions IS NOT NULL AND b.decisions @> ARRAY[%(number)s]::bigint[])"
    )
    return trial(lambda: take_back(number, by=by, reason="?"), scope, number=number)
