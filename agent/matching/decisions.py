"""What a person may decide about a held row, and taking that back. The stage reads the decisions and releases by them.

Three kinds, each for what a source itself can't mend:

- *same person*: the source gives no usable number, and somebody knows that this account there is that learner. It
  counts for every such row of the account, and only under the learner's own name.
- *alias*: one number came with two names, and both are this person (a former name, another character). It counts for
  the number wherever it comes from; certificates bear the learner's own name.
- *waiver*: the row is accepted in spite of its code. Only what a notice leaves to the bureau can be waived
  (`WAIVABLE`): a date outside of what was filed is none of that, for the certificate would contradict the filing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet

from agent.audit.chain import record
from agent.intake.models import Completion, Source
from agent.learners.models import Learner
from agent.matching.errors import (
    DecisionReasonMissing,
    DecisionUnknown,
    NoLongerHeld,
    NothingToDecide,
    PersonNotFitting,
)
from agent.matching.models import Decision
from agent.quarantine.models import Held

Kind = Decision.Kind
WAIVABLE = frozenset({"E_LATE_YEAR"})
"""«by the bureau, on the base's explanation»: what the code's own sentence says."""
_KINDS: dict[str, Decision.Kind] = {
    "E_NAME_CONFLICT": Kind.ALIAS,
    **dict.fromkeys(WAIVABLE, Kind.WAIVER),
    **dict.fromkeys(
        ("E_ID_MISSING", "E_ID_MASKED", "E_ID_PRECISION_LOST", "E_ID_CHECKSUM", "E_ID_FORMAT", "E_ID_DATE"),
        Kind.SAME_PERSON,
    ),
}
_LONGEST = 300
_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learner who bears the row's name."""

    learner: Learner
    here: int  # completions that count, of the same source
    same_account: bool  # one of them under the same account there


def kind_for(code: str) -> Decision.Kind | None:
    """What can be decided about a held item of ``code``; None: nothing, its cause is to be mended."""
    return _KINDS.get(code)


@transaction.atomic
def decide(held: Collection[int], *, by: str, reason: str, learner: Learner | None = None) -> list[Decision]:
    """Decide about held items of completions, by their numbers; all or none.

    :param learner: who it is, where the kind is «same person»
    :raises NoLongerHeld: one of them waits no more
    :raises NothingToDecide: one of them is to be mended, not decided
    :raises PersonNotFitting: the learner bears another name than the row
    :raises DecisionReasonMissing: no reason was given
    """
    reason = reason.strip()[:_LONGEST]
    if not reason:
        raise DecisionReasonMissing
    items = {item.pk: item for item in Held.objects.select_for_update().filter(pk__in=held, released_at=None)}
    made = []
    for number in sorted(set(held)):
        item = items.get(number)
        row = row_of(item) if item else None
        if item is None or row is None:
            raise NoLongerHeld(number=number)
        values = _says(item, row, learner)
        same = Decision.objects.filter(takes_back=None, taken_back=None, **values).first()
        said = {"id_masked": learner.id_masked if learner else row.id_masked, "by": by, "reason": reason}
        made.append(same or Decision.objects.create(**({"source": row.source} | values | said)))
    return made


def _says(item: Held, row: Completion, learner: Learner | None) -> dict[str, object]:
    kind = kind_for(item.code)
    if kind is None:
        raise NothingToDecide(code=item.code)
    if kind is Kind.ALIAS:
        return {
            "kind": kind, "code": item.code, "fingerprint": row.id_fingerprint, "name": row.name[:200],
            "name_folded": row.name_folded[:200],
        }  # fmt: skip
    if kind is Kind.WAIVER:
        return {"kind": kind, "code": item.code, "source": row.source, "key": row.key}
    if learner is None or learner.name_folded != row.name_folded:
        raise PersonNotFitting(number=item.pk, name=row.name)
    return {
        "kind": kind, "code": item.code, "source": row.source, "account": row.account,
        "fingerprint": bytes(learner.fingerprint),
    }  # fmt: skip


@transaction.atomic
def take_back(number: int, *, by: str, reason: str) -> Decision:
    """Take a decision back: what rests on it is judged again without it.

    :raises DecisionUnknown: there is none, or it was taken back
    :raises DecisionReasonMissing: no reason was given
    """
    reason = reason.strip()[:_LONGEST]
    if not reason:
        raise DecisionReasonMissing
    old = Decision.objects.select_for_update(of=("self",)).filter(pk=number, takes_back=None, taken_back=None).first()
    if old is None:
        raise DecisionUnknown(number=number)
    return Decision.objects.create(
        kind=old.kind, source=old.source, code=old.code, id_masked=old.id_masked, by=by, reason=reason, takes_back=old
    )


def note(made: Decision, *, by: str) -> None:
    """Write a decision, or taking one back, into the audit log: last in its transaction. A trial writes none."""
    after = {"number": made.pk, "code": made.code, "id_masked": made.id_masked, "reason": made.reason}
    if made.takes_back_id:
        after["takes_back"] = made.takes_back_id
    action = "quarantine.take_back" if made.takes_back_id else f"quarantine.{made.kind}"
    on = f"{made.source.name}: {made.account or made.key or made.name_folded}"
    record(by, action, on=on, after=after, organisation=made.source.organisation)


_PEOPLE = """
SELECT l.id, count(a.id) FILTER (WHERE a.source_id = %(source)s),
       bool_or(a.source_id = %(source)s AND c.account = %(account)s)
FROM learners_learner l
LEFT JOIN matching_achievement a ON a.learner_id = l.id AND NOT a.withdrawn
LEFT JOIN intake_completion c ON c.id = a.completion_id
WHERE l.name_folded = %(name)s
GROUP BY l.id HAVING %(everywhere)s OR count(a.id) FILTER (WHERE a.source_id = %(source)s) > 0
ORDER BY 3 DESC NULLS LAST, 2 DESC, l.id LIMIT %(most)s
"""


def candidates(row: Completion, *, everywhere: bool) -> list[Candidate]:
    """Learners of the row's name: at the row's own source, or ``everywhere`` (only the bureau may look there)."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {
            "source": row.source_id, "account": row.account, "name": row.name_folded, "everywhere": everywhere,
            "most": _CANDIDATES,
        })  # fmt: skip
        found = cursor.fetchall()
    learners = Learner.objects.in_bulk([pk for pk, *_ in found])
    return [Candidate(learners[pk], here, bool(same)) for pk, here, same in found]


def in_force(sources: Collection[Source] | None = None) -> QuerySet[Decision]:
    """The decisions in force about rows of ``sources``; None: all. The newest first."""
    found = Decision.objects.filter(takes_back=None, taken_back=None).select_related("source").order_by("-pk")
    return found if sources is None else found.filter(source__in=sources)


def row_of(item: Held) -> Completion | None:
    """The completion that ``item`` is about; None: it is about something else, or a newer version has come."""
    if item.what != Held.What.COMPLETION:
        return None
    return Completion.objects.select_related("source").filter(pk=int(item.key), current=True).first()
