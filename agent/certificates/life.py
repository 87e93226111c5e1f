"""What people do to certificates: suspend, resume, supersede, revoke, restore; always in sets, always whole.

Each is one transaction: states, events, notices, the successor signed, and what the ledger makes of it. A *dry run*
does all of it and undoes it, so that what it shows is what would be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.db import connection, transaction

from agent.audit.chain import record as note
from agent.certificates.due import Due
from agent.certificates.errors import (
    AnotherLive,
    NotEarned,
    NothingToCorrect,
    NumberUnknown,
    ReasonRefused,
    SeveralHolders,
    StepRefused,
)
from agent.certificates.events import Happened, record
from agent.certificates.models import Certificate
from agent.certificates.stage import issue, undrawable
from agent.certificates.transitions import STEP, Kind, State, allowed
from agent.credit.eligibility import entitled
from agent.credit.policy import Policy
from agent.credit.stage import rule
from agent.localtime import now

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Because:
    """Why, and who says so. ``reason_class`` is one of `transitions.ReasonClass` that the step takes."""

    reason_class: str
    reason: str
    by: str = ""


class Changed(NamedTuple):
    """One certificate's step."""

    number: str
    before: str
    after: str
    successor: str | None


class Hours(NamedTuple):
    """What the ledger credits a learner in a year and category (hundredths), where it changed."""

    learner: int
    year: int
    category: str
    before: int
    after: int


@dataclass(slots=True)
class Effects:
    """What a step did, or would do."""

    changed: list[Changed] = field(default_factory=list)
    hours: list[Hours] = field(default_factory=list)
    notices: int = 0


class _Row(NamedTuple):
    id: int
    number: str
    state: str
    achievement: int
    learner: int
    programme: int


_LOCK = "SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))"
_ROWS = """
SELECT id, number, state, achievement_id, learner_id, programme_id FROM certificates_certificate
WHERE number = ANY(%s) ORDER BY id FOR UPDATE
"""
_STATE = "UPDATE certificates_certificate SET state = %s WHERE id = ANY(%s)"
_LEDGER = """
SELECT learner_id, year, category, sum(credited)::int FROM credit_creditentry
WHERE learner_id = ANY(%s) GROUP BY 1, 2, 3
"""
_NOTICES = "SELECT count(*) FROM certificates_certificatenotice WHERE id > %s"
_LAST_NOTICE = "SELECT COALESCE(max(id), 0) FROM certificates_certificatenotice"
_SUCCESSORS = """
SELECT o.id, n.id, n.number, o.achievement_id FROM certificates_certificate n
JOIN certificates_certificate o ON o.id = n.predecessor_id WHERE o.id = ANY(%s) ORDER BY o.id
"""
# What a new certificate would say today, with what the old one says; only where the completion is still the same
# person's and programme's, and counts.
_FACTS = """
SELECT c.id AS old,
       a.id AS achievement, a.learner_id AS learner, p.id AS programme, v.id AS version, a.name, l.id_masked, v.title,
       v.series, o.name AS organiser, o.uscc AS organiser_uscc, COALESCE(i.name, '') AS implementer, p.filing_number,
       e.recognised AS hours, CASE WHEN m.started_on IS NULL THEN NULL ELSE a.started_on END AS started_on,
       a.learned_on, p.region, p.year, o.issuer_number, p.sequence, c.holder, c.hours AS old_hours,
       c.learned_from AS old_from, c.learned_on AS old_on, c.programme_version_id AS old_version,
       v.category, o.kind, CASE WHEN p.on_record THEN 'filed' ELSE p.state END AS state
FROM certificates_certificate c
JOIN matching_achievement a ON a.id = c.achievement_id AND NOT a.withdrawn AND a.learner_id = c.learner_id
JOIN intake_completion m ON m.id = a.completion_id
JOIN programmes_programmeversion v ON v.id = a.programme_version_id AND v.programme_id = c.programme_id
JOIN programmes_programme p ON p.id = v.programme_id
JOIN organisations_organisation o ON o.id = p.organiser_id
LEFT JOIN organisations_organisation i ON i.id = p.implementer_id
JOIN learners_learner l ON l.id = a.learner_id
JOIN credit_creditentry e ON e.achievement_id = a.id AND e.learner_id = a.learner_id AND e.reverses_id IS NULL
    AND e.recognised > 0 AND e.reason <> 'duplicate_course'
    AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
WHERE c.id = ANY(%s) ORDER BY c.id
"""
# A certificate says what the ledger recognised (ADR 5): when the completion's own worth was corrected, it is re-made.
# An amended filing is no such correction: whether certificates of the version before are re-made, a person decides.
_OTHER_HOURS = """
SELECT c.number FROM certificates_certificate c
JOIN matching_achievement a ON a.id = c.achievement_id AND a.learner_id = c.learner_id AND NOT a.withdrawn
    AND a.programme_version_id = c.programme_version_id
JOIN credit_creditentry e ON e.achievement_id = a.id AND e.learner_id = a.learner_id AND e.reverses_id IS NULL
    AND e.recognised > 0 AND e.recognised <> c.hours AND e.reason <> 'duplicate_course'
    AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
WHERE c.state IN ('issued', 'suspended') ORDER BY c.id
"""
_OTHERS = """
SELECT c.number, o.number FROM certificates_certificate c
JOIN certificates_certificate o ON o.learner_id = c.learner_id AND o.programme_id = c.programme_id AND o.id <> c.id
WHERE c.id = ANY(%s) AND o.state IN ('issued', 'suspended') LIMIT 1
"""
_CHAIN = """
WITH RECURSIVE back AS (
    SELECT id, predecessor_id FROM certificates_certificate WHERE id = %s
    UNION ALL
    SELECT c.id, c.predecessor_id FROM back b JOIN certificates_certificate c ON c.id = b.predecessor_id
), forth AS (
    SELECT id FROM back WHERE predecessor_id IS NULL
    UNION ALL
    SELECT c.id FROM forth f JOIN certificates_certificate c ON c.predecessor_id = f.id
)
SELECT id FROM forth
"""


def chain(certificate: Certificate) -> list[Certificate]:
    """Every certificate of the chain that ``certificate`` is in, oldest first; itself alone where nothing took its
    place, nor it another's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, [certificate.pk])
        ids = [pk for (pk,) in cursor.fetchall()]
    # a successor is always younger than what it succeeds; the database sees to it
    return list(Certificate.objects.filter(pk__in=ids).order_by("pk"))


def suspend(numbers: Sequence[str], because: Because, *, dry_run: bool = False) -> Effects:
    """Put certificates out of force for a while. Their hours stand."""
    with _Act(Kind.SUSPENDED, numbers, because, dry_run=dry_run) as act:
        act.move()
    return act.effects


def resume(numbers: Sequence[str], because: Because, *, dry_run: bool = False) -> Effects:
    """Put suspended certificates in force again."""
    with _Act(Kind.RESUMED, numbers, because, dry_run=dry_run) as act:
        act.move()
    return act.effects


def revoke(
    numbers: Sequence[str], because: Because, policies: Mapping[int, Policy], *, dry_run: bool = False
) -> Effects:
    """Take certificates back for ever: the hours that they stood for are reversed in the ledger."""
    with _Act(Kind.REVOKED, numbers, because, dry_run=dry_run) as act:
        act.move()
        act.rule(policies, barred=True)
    return act.effects


def supersede(numbers: Sequence[str], because: Because, *, holder: str | None = None, dry_run: bool = False) -> Effects:
    """Give certificates a successor that says what is right today; a suspension goes over to it.

    :param holder: the holder's right name; without it the one that the completion has now
    :raises NothingToCorrect: the successor would say the same.
    """
    with _Act(Kind.SUPERSEDED, numbers, because, dry_run=dry_run) as act:
        if holder is not None and len({row.learner for row in act.rows}) > 1:
            raise SeveralHolders
        facts = act.facts()
        for row in act.rows:
            one = facts[row.id]
            new = (holder or one["name"], one["hours"], one["started_on"], one["learned_on"], one["version"])
            if new == tuple(one[key] for key in ("holder", "old_hours", "old_from", "old_on", "old_version")):
                raise NothingToCorrect(number=row.number)
            # the name was right, or was put right, by a person: another correction does not bring the old one back
            one["name"] = holder or (one["holder"] if because.reason_class == "hours_corrected" else one["name"])
        act.succeed(facts)
    return act.effects


def restore(
    numbers: Sequence[str], because: Because, policies: Mapping[int, Policy], *, dry_run: bool = False
) -> Effects:
    """Give revoked certificates a successor with a number of its own. The hours count again.

    :raises NotEarned: what it stood for would earn no certificate today.
    :raises AnotherLive: the learner has another one for that programme.
    """
    with _Act(Kind.RESTORED, numbers, because, dry_run=dry_run) as act:
        act.cursor.execute(_OTHERS, [[row.id for row in act.rows]])
        if other := act.cursor.fetchone():
            raise AnotherLive(number=other[0], other=other[1])
        act.rule(policies, barred=False)
        facts = act.facts()
        for row in act.rows:
            one = facts[row.id]
            policy = policies.get(one["year"])
            if policy is None or (one["category"], one["kind"], one["state"]) not in entitled(policy):
                raise NotEarned(number=row.number)
        act.succeed(facts)
    return act.effects


def supersede_corrected() -> int:
    """Supersede every live certificate whose completion is worth other hours since a correction; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_HOURS)
        numbers = [number for (number,) in cursor.fetchall()]
    if numbers:
        supersede(numbers, Because("hours_corrected", "the source corrected the hours"))
    return len(numbers)


class _Act:
    """One step of many certificates, in a transaction of its own that holds the lock of the stages."""

    def __init__(self, kind: Kind, numbers: Sequence[str], because: Because, *, dry_run: bool) -> None:
        self.kind, self.because, self.dry_run = kind, because, dry_run
        self.numbers = list(dict.fromkeys(numbers))
        self.effects = Effects()
        self.at = now()

    def __enter__(self) -> Self:
        needs = [str(each) for each in STEP[self.kind].needs]
        because = self.because
        if because.reason_class not in needs or not 0 < len(because.reason.strip()) <= _LONGEST_REASON:
            raise ReasonRefused(reason_class=because.reason_class, step=self.kind.value, allowed=", ".join(needs))
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        try:
            self.cursor: CursorWrapper = connection.cursor()
            self.cursor.execute(_LOCK)
            self.at = now()  # it may have waited
            self.cursor.execute(_ROWS, [self.numbers])
            self.rows = [_Row(*row) for row in self.cursor.fetchall()]
            self._check()
            self._ledger = self._hours()
            self.cursor.execute(_LAST_NOTICE)
            (self._notice,) = self.cursor.fetchone()
        except BaseException as error:
            self._transaction.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            after = self._hours()
            self.effects.hours = [
                Hours(*key, self._ledger.get(key, 0), after.get(key, 0))
                for key in sorted(self._ledger.keys() | after.keys())
                if self._ledger.get(key, 0) != after.get(key, 0)
            ]
            self.cursor.execute(_NOTICES, [self._notice])
            (self.effects.notices,) = self.cursor.fetchone()
            if self.dry_run:
                transaction.set_rollback(True)
            elif self.because.by:  # what the stage does by itself has no actor, and stands in the events
                self._tell()
        self._transaction.__exit__(*error)  # type: ignore[arg-type] # what `with` hands over

    def _tell(self) -> None:
        """One event for all, in the audit log of what people do."""
        changed = self.effects.changed
        after = {"states": {each.number: each.after for each in changed}, "because": self.because.reason_class,
                 "reason": self.because.reason}  # fmt: skip
        if new := {each.number: each.successor for each in changed if each.successor}:
            after["successors"] = new
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        note(
            self.because.by, f"certificate.{self.kind.value}", on=f"certificate {changed[0].number}{more}",
            before={"states": {each.number: each.before for each in changed}}, after=after,
        )  # fmt: skip

    def _check(self) -> None:
        known = {row.number for row in self.rows}
        for number in self.numbers:
            if number not in known:
                raise NumberUnknown(number=number)
        sources = STEP[self.kind].sources
        succeeded = self._succeeded() if self.kind is Kind.RESTORED else set()
        for row in self.rows:
            if row.state not in sources or row.id in succeeded:
                may = [] if row.id in succeeded else allowed(row.state)
                shown = ", ".join(may) or "nothing, for another has taken its place"
                raise StepRefused(number=row.number, state=row.state, step=self.kind.value, allowed=shown)

    def _succeeded(self) -> set[int]:
        self.cursor.execute(_SUCCESSORS, [[row.id for row in self.rows]])
        return {old for old, *_ in self.cursor.fetchall()}

    def _hours(self) -> dict[tuple[int, int, str], int]:
        self.cursor.execute(_LEDGER, [list({row.learner for row in self.rows})])
        return {(learner, year, category): sum_ for learner, year, category, sum_ in self.cursor.fetchall()}

    def move(self) -> None:
        """Change the states, and write down that it happened."""
        target = STEP[self.kind].target
        self.cursor.execute(_STATE, [target.value, [row.id for row in self.rows]])
        self._record({})
        self.effects.changed = [Changed(row.number, row.state, target.value, None) for row in self.rows]

    def rule(self, policies: Mapping[int, Policy], *, barred: bool) -> None:
        """Have the ledger follow, in the same transaction."""
        achievements = sorted({row.achievement for row in self.rows})
        rule(self.cursor, achievements, barred=barred, reason=self.because.reason, policies=policies)

    def facts(self) -> dict[int, dict[str, Any]]:
        """What a successor of each would say."""
        self.cursor.execute(_FACTS, [[row.id for row in self.rows]])
        names = [column.name for column in self.cursor.description]
        found = {values[0]: dict(zip(names, values, strict=True)) for values in self.cursor.fetchall()}
        for row in self.rows:
            if row.id not in found:
                raise NotEarned(number=row.number)
        return found

    def succeed(self, facts: Mapping[int, Mapping[str, Any]]) -> None:
        """Sign the successors, put them in the old ones' place, and write down that it happened."""
        target, ids = STEP[self.kind].target, [row.id for row in self.rows]
        if self.kind is Kind.SUPERSEDED:
            self.cursor.execute(_STATE, [target.value, ids])
        batch = [Due._make(facts[row.id].get(name) for name in Due._fields) for row in self.rows]
        for due in batch:
            if error := undrawable(due.texts):
                raise error
        issue(self.cursor, batch, {row.achievement: row.id for row in self.rows})
        self.cursor.execute(_SUCCESSORS, [ids])
        successors = {old: (new, number) for old, new, number, _ in self.cursor.fetchall()}
        self._record({old: new for old, (new, _) in successors.items()})
        self.effects.changed = [
            Changed(row.number, row.state, target.value, successors[row.id][1]) for row in self.rows
        ]
        if suspended := [successors[row.id][0] for row in self.rows if row.state == State.SUSPENDED]:
            self.cursor.execute(_STATE, [State.SUSPENDED.value, suspended])
            reason = "the suspension of the certificate before goes on"
            happened = [Happened(pk, reason, "under_review") for pk in suspended]
            record(self.cursor, Kind.SUSPENDED, happened, self.at, self.because.by)

    def _record(self, successors: Mapping[int, int]) -> None:
        because = self.because
        happened = [
            Happened(row.id, because.reason.strip(), because.reason_class, successors.get(row.id)) for row in self.rows
        ]
        record(self.cursor, self.kind, happened, self.at, because.by)
