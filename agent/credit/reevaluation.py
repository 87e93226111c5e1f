"""Judging a whole year again: under a new version of its policy, or after something that no row's revision tells.

What a correction or a mapping touches, the stage judges by itself (`agent.credit.stage`); what a mapping would do is
tried before (`agent.mapping.preview`). A policy is different: it touches everybody at once, and taking it over is an
act (edge case 39). It is tried first, on what the database was at one instant and without keeping anybody waiting; then
it is one batch: one transaction, the stages stand still meanwhile, and a row says who did it and what it came to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection, transaction

from agent.audit.chain import record
from agent.credit.errors import ReasonMissing
from agent.credit.models import Reevaluation
from agent.credit.policy import Policy
from agent.credit.rules import standing
from agent.credit.stage import Change, Credited, Judged, append, judged
from agent.localtime import now

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_CHUNK = 2_000  # learners at a time: keeps memory flat
_AHEAD = 2  # chunks that wait to be written
SHOWN = 20


class Moved(NamedTuple):
    """A learner whose year would come to something else. Hours in hundredths."""

    learner: int
    before: int
    after: int
    met_before: bool
    met_after: bool


@dataclass(slots=True)
class Difference:
    """What judging a year again comes to. ``hours`` by category, signed, in hundredths.

    ``explained_anew``: learners whose hours stay and some of whose entries have another rule or reason.
    ``certificates``: numbers of live certificates whose achievement is worth something else by itself; the issuing
    stage supersedes those that say other hours.
    """

    year: int
    policy: str
    learners: int = 0
    entries: int = 0
    moved: list[Moved] = field(default_factory=list)
    explained_anew: int = 0
    hours: dict[str, int] = field(default_factory=dict)
    certificates: list[str] = field(default_factory=list)
    written: Credited = field(default_factory=Credited)
    batch: int | None = None

    @property
    def gain(self) -> int:
        """How many learners would have more hours."""
        return sum(each.after > each.before for each in self.moved)

    @property
    def lose(self) -> int:
        """How many would have fewer."""
        return sum(each.after < each.before for each in self.moved)

    @property
    def newly_met(self) -> int:
        """How many years would suffice that do not now."""
        return sum(each.met_after and not each.met_before for each in self.moved)

    @property
    def no_longer_met(self) -> int:
        """How many would not any more."""
        return sum(each.met_before and not each.met_after for each in self.moved)

    def figures(self) -> dict[str, object]:
        """In numbers, as the batch keeps them."""
        return {
            "learners": self.learners, "gain": self.gain, "lose": self.lose, "newly_met": self.newly_met,
            "no_longer_met": self.no_longer_met, "explained_anew": self.explained_anew, "entries": self.entries,
            "hours": self.hours, "certificates": len(self.certificates),
        }  # fmt: skip


# Whoever has something in the year; but not whose rows wait for the stage, which judges them by the same policy.
_LEARNERS = """
WITH theirs AS (
    SELECT DISTINCT learner_id FROM matching_achievement
    WHERE learned_on BETWEEN make_date(%(year)s, 1, 1) AND make_date(%(year)s, 12, 31)
    UNION SELECT DISTINCT learner_id FROM credit_creditentry WHERE year = %(year)s
)
SELECT learner_id FROM theirs WHERE learner_id NOT IN (
    SELECT a.learner_id FROM matching_achievement a LEFT JOIN credit_evaluated e ON e.achievement_id = a.id
    WHERE e.revision IS DISTINCT FROM a.revision
    UNION SELECT c.learner_id FROM matching_achievement a LEFT JOIN credit_evaluated e ON e.achievement_id = a.id
    JOIN credit_creditentry c ON c.achievement_id = a.id WHERE e.revision IS DISTINCT FROM a.revision
)
ORDER BY 1
"""
_CERTIFICATES = """
SELECT number FROM certificates_certificate
WHERE achievement_id = ANY(%s) AND state IN ('issued', 'suspended') ORDER BY id
"""
_LAST = "SELECT COALESCE(max(id), 0) FROM credit_creditentry"
# so that the stages do not rest: what is earned, and what certificates say, may be something else now
_NOTE = "INSERT INTO changes_change (what) VALUES ('credit_reevaluation')"


def try_out(
    policy: Policy, *, now_in_force: Policy | None = None, progress: Callable[[int, int], None] | None = None
) -> Difference:
    """What judging the policy's year again would come to. Nothing is written, and nobody is kept waiting.

    :param now_in_force: where ``policy`` is a candidate: by what the years of now are held to be met
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _judge(cursor, policy, now_in_force or policy, lambda _: None, progress)


def carry_out(
    policy: Policy, *, by: str, reason: str, progress: Callable[[int, int], None] | None = None
) -> Difference:
    """Judge the policy's year again and write the difference down: one batch, which comes to an end or never was.

    :raises ReasonMissing: nobody could say later why hours changed
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")
        cursor.execute(_LAST)
        (first,) = cursor.fetchone()
        found = _judged_and_written(cursor, policy, progress)
        if not found.entries:
            return found
        cursor.execute(_LAST)
        (last,) = cursor.fetchone()
        batch = Reevaluation.objects.create(
            year=policy.year, policy=policy.stamp, by=by, reason=reason.strip(), at=now(), after_entry=first,
            last_entry=last, figures=found.figures(),
        )  # fmt: skip
        found.batch = batch.pk
        cursor.execute(_NOTE)
        record(by, "credit.reevaluate", on=f"year {policy.year}", after=found.figures() | {"policy": policy.stamp})
    return found


def _judged_and_written(
    cursor: CursorWrapper, policy: Policy, progress: Callable[[int, int], None] | None
) -> Difference:
    """What was judged is written by the transaction's own connection, while another reads on: the lock keeps everybody
    else from writing, so that both see the same. Half the time of one after the other.
    """
    written, waiting = Credited(), deque[Future[None]]()
    reader = connection.copy()
    with ThreadPoolExecutor(1) as writer, closing(reader), reader.cursor() as reading:

        def write(changes: list[Change]) -> None:
            if len(waiting) >= _AHEAD:
                waiting.popleft().result()
            waiting.append(writer.submit(append, cursor, changes, written))

        found = _judge(reading, policy, policy, write, progress)
        while waiting:
            waiting.popleft().result()
    found.written = written
    return found


def _judge(
    cursor: CursorWrapper,
    policy: Policy,
    before: Policy,
    write: Callable[[list[Change]], None],
    progress: Callable[[int, int], None] | None,
) -> Difference:
    found = Difference(policy.year, policy.stamp)
    cursor.execute(_LEARNERS, {"year": policy.year})
    learners = [learner for (learner,) in cursor.fetchall()]
    found.learners = len(learners)
    for start in range(0, len(learners), _CHUNK):
        pairs = [(learner, policy.year) for learner in learners[start : start + _CHUNK]]
        changes: list[Change] = []
        for year in judged(cursor, pairs, {policy.year: policy}):
            mine = list(year.changes())
            changes += mine
            if mine or before is not policy:  # another requirement moves who has enough, without any entry
                _compare(found, year, before, policy)
        found.entries += len(changes)
        worth_else = [change.achievement for change in changes if _worth(change.old) != _worth(change.new)]
        if worth_else:
            cursor.execute(_CERTIFICATES, [worth_else])
            found.certificates += [number for (number,) in cursor.fetchall()]
        if changes:
            write(changes)
        if progress:
            progress(min(start + _CHUNK, len(learners)), len(learners))
    found.hours = {category: hours for category, hours in found.hours.items() if hours}
    return found


def _worth(side: object) -> tuple[int, bool]:
    """What a certificate could say of it."""
    recognised: int = getattr(side, "recognised", 0)
    return recognised, "duplicate_course" in {getattr(side, "reason", ""), getattr(side, "code", "")}


def _compare(found: Difference, year: Judged, before: Policy, after: Policy) -> None:
    was, becomes = _sums(before, year.old), _sums(after, year.new)
    for category in was.keys() | becomes.keys():
        moved = becomes.get(category, 0) - was.get(category, 0)
        found.hours[category] = found.hours.get(category, 0) + moved
    old, new = standing(before, was), standing(after, becomes)
    if was == becomes and old.met == new.met:
        found.explained_anew += bool(next(year.changes(), None))
    else:
        found.moved.append(Moved(year.learner, old.total, new.total, old.met, new.met))


def _sums(policy: Policy, sides: Mapping[int, object]) -> dict[str, int]:
    sums = dict.fromkeys(policy.category_ids, 0)
    for side in sides.values():
        category, credited = side.category, side.credited  # type: ignore[attr-defined] # entries or decisions
        sums[category] = sums.get(category, 0) + credited
    return sums
