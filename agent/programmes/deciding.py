"""Taking a step of a filing's life: each in one transaction, by the table of `transitions`, written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from agent.audit.chain import record
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.programmes import four_eyes
from agent.programmes.checks import NO_RULES, Rules, check_typed
from agent.programmes.content import Details
from agent.programmes.drafts import about, asked_on, attached, draft_of
from agent.programmes.errors import (
    CodeRefused,
    DecisionStale,
    FilingIncomplete,
    NotByOneself,
    ProposalOpen,
    ReasonMissing,
    TransitionRefused,
    WaiverMissing,
    WrongDay,
)
from agent.programmes.models import (
    CourseLink,
    FilingDraft,
    FilingEvent,
    FilingNotice,
    Programme,
    ProgrammeVersion,
    VoidProposal,
)
from agent.programmes.numbers import next_number
from agent.programmes.transitions import CODES, STEP, TOLD, Code, Kind, Need, Step, When, allowed
from agent.programmes.workdays import between

_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """How a step is taken.

    :param seen: the number of the last event that whoever decides has seen (0: none); None: whatever stands
    """

    actor: str
    reason: str = ""
    code: str = ""
    remarks: Mapping[str, str] = field(default_factory=dict)
    seen: int | None = None
    second: str = ""
    filing_number: str | None = None
    rules: Rules = NO_RULES


def take(programme: Programme, kind: Kind, how: Taken) -> Programme:
    """Take a step, with everything that the table says it needs.

    :raises TransitionRefused: not possible from its state.
    :raises FilingIncomplete: the form has faults.
    :raises DecisionStale: something happened since it was looked at.
    :raises OwnDecision: who takes it is who asked for it.
    """
    with transaction.atomic():
        programme = locked(programme, kind, how.seen)
        step = STEP[kind]
        if Need.TWO in step.needs:  # by a proposal and its confirmation: `propose_void`, `certificates.voiding`
            raise NotByOneself(programme=programme)
        four_eyes.look(programme, step, how.actor)
        _day(programme, step)
        if Need.REASON in step.needs and not how.reason.strip():
            raise ReasonMissing(decision=kind.value)
        codes = CODES.get(kind, ())
        if how.code and how.code not in codes:
            raise CodeRefused(code=how.code, decision=kind.value, possible=", ".join(codes) or "none")
        number = _version(programme, step, how)
        move(programme, kind, how, version=number)
    return programme


def locked(programme: Programme, kind: Kind, seen: int | None = None) -> Programme:
    """The programme as it is now, kept from everybody else until the transaction ends, with the step possible.

    :raises TransitionRefused: not possible from its state.
    :raises DecisionStale: something happened since it was looked at.
    """
    programme = Programme.objects.select_for_update().get(pk=programme.pk)
    if seen is not None and seen != last_event(programme):
        raise DecisionStale(programme=programme)
    if programme.state not in STEP[kind].sources:
        possible = ", ".join(allowed(programme.state)) or "nothing"
        raise TransitionRefused(programme=programme, state=programme.state, decision=kind.value, possible=possible)
    return programme


def last_event(programme: Programme) -> int:
    """The number of the last thing that happened to it; 0: nothing."""
    return FilingEvent.objects.filter(programme=programme).aggregate(n=Max("pk"))["n"] or 0


def newest(programme: Programme) -> ProgrammeVersion | None:
    """Its newest version: of a programme on record the one in force, before that what was submitted last."""
    return programme.versions.order_by("-version").first()


def _day(programme: Programme, step: Step) -> None:
    version = newest(programme)
    if step.when is When.ANY or version is None:
        return
    today = local_date(now())
    fits = {
        When.BEFORE: today < version.starts_on, When.BEGUN: today >= version.starts_on,
        When.ENDED: today >= version.ends_on,
    }  # fmt: skip
    if not fits[step.when]:
        raise WrongDay(
            decision=step.kind.value, when=step.when.value, starts_on=version.starts_on, ends_on=version.ends_on
        )


def _version(programme: Programme, step: Step, how: Taken) -> int | None:
    """Put what is asked for into a version where the step says so; the number of the version that it is about."""
    version = newest(programme)
    match step.kind:
        # what a file brought has no draft, and was checked as a file is
        case Kind.SUBMIT if hasattr(programme, "draft"):
            return _freeze(programme, version, *complete(programme, how.rules))
        case Kind.CHANGE:
            complete(programme, how.rules)
            return version.version + 1 if version else 1
        case Kind.ACCEPT_CHANGE:
            return _freeze(programme, version, *complete(programme, how.rules, again=False))
        case Kind.ACCEPT if version and _late(programme, version):
            if how.code != Code.WAIVED or not how.reason.strip():
                raise WaiverMissing(programme=programme)
    return version.version if version else None


def _late(programme: Programme, version: ProgrammeVersion) -> bool:
    """Whether it was handed in too late, with a reason; what a file brought gives none, and was judged elsewhere."""
    asked = asked_on(programme)
    if asked is None or not Details.model_validate(version.details).late_reason:
        return False
    return between(asked, version.starts_on).days < settings.FILING_LEAD_DAYS


def complete(programme: Programme, rules: Rules, *, again: bool = True) -> tuple[dict[str, Any], Details]:
    """The form as a version keeps it.

    :param again: check it (what the bureau has before it was checked when it was sent, by the rules of that day)
    :raises FilingIncomplete: it has faults.
    """
    draft = draft_of(programme)
    said, found = check_typed(draft.typed, about(programme, rules))
    stops = [each for each in found if each.stops]
    if stops and again:
        listed = "; ".join(f"{each.field}: {each.sentence_en}" for each in stops)
        raise FilingIncomplete(programme=programme, count=len(stops), faults=listed)
    return said.columns(), said.details(attached(programme))


def _freeze(programme: Programme, last: ProgrammeVersion | None, columns: Mapping[str, Any], details: Details) -> int:
    """The next version; the last one where that says the same. Who carries it out follows, and how far its courses
    reach.
    """
    kept = details.model_dump(mode="json")
    if last and last.details == kept and all(getattr(last, name) == value for name, value in columns.items()):
        return last.version
    number = last.version + 1 if last else 1
    made = ProgrammeVersion.objects.create(programme=programme, version=number, details=kept, **columns)
    body = Organisation.objects.filter(uscc=details.implementer).first()
    if body:
        programme.implementer = body
        programme.save(update_fields=["implementer"])
    if last:  # a mapping that went from the first day to the last still does, and reaches no less than before
        links = CourseLink.objects.filter(programme=programme, withdrawn_at=None)
        links.filter(valid_to=last.ends_on, valid_to__lt=made.ends_on).update(valid_to=made.ends_on)
        earlier = links.filter(valid_from=made.starts_on).values("course")  # two that begin on one day are none
        links.filter(valid_from=last.starts_on, valid_from__gt=made.starts_on).exclude(course__in=earlier).update(
            valid_from=made.starts_on
        )
    return number


def move(programme: Programme, kind: Kind, how: Taken, *, version: int | None = None, told: bool = True) -> None:
    """Change the state and write down that it happened; the caller looked whether it may.

    :param told: whether the department hears of it: not of what an import brings, which was decided elsewhere
    """
    before, after = programme.state, STEP[kind].target
    programme.state = after
    if Need.NUMBER in STEP[kind].needs and programme.filing_number is None:
        programme.filing_number = how.filing_number or next_number(programme.region, programme.year)
    programme.save(update_fields=["state", "filing_number"])
    event = FilingEvent.objects.create(
        programme=programme, kind=kind, from_state=before, to_state=after, actor=how.actor, second=how.second,
        reason=how.reason.strip()[:_LONGEST_REASON], code=how.code, remarks=dict(how.remarks), version=version,
    )  # fmt: skip
    if told and kind in TOLD:
        FilingNotice.objects.create(event=event)
    if kind in (Kind.ACCEPT, Kind.ACCEPT_CHANGE):
        FilingDraft.objects.filter(programme=programme).delete()  # what it said is in the version
    tell(programme, f"filing.{kind.value}", how.second or how.actor, before={"state": before}, after={
        "state": after, "filing_number": programme.filing_number, "version": version, "code": how.code,
        "reason": how.reason, "proposed_by": how.actor if how.second else "",
    })  # fmt: skip


def tell(
    programme: Programme, action: str, actor: str, *, before: dict[str, Any] | None = None, after: dict[str, Any]
) -> None:
    """Write into the audit log what was done, without what has nothing to say."""
    said = {name: value for name, value in after.items() if value not in (None, "")}
    record(actor, action, on=f"programme {programme}", before=before, after=said, organisation=programme.organiser)


@transaction.atomic
def propose_void(
    programme: Programme, *, fate: str, code: str, reason: str, by: str, seen: int | None = None
) -> VoidProposal:
    """Ask for a programme to be voided: another person decides.

    :raises ProposalOpen: somebody asked already.
    """
    programme = locked(programme, Kind.VOID, seen)
    if not reason.strip():
        raise ReasonMissing(decision=Kind.VOID.value)
    if code not in CODES[Kind.VOID]:
        raise CodeRefused(code=code, decision=Kind.VOID.value, possible=", ".join(CODES[Kind.VOID]))
    if programme.void_proposals.filter(outcome="").exists():
        raise ProposalOpen(programme=programme)
    proposal = VoidProposal.objects.create(
        programme=programme, fate=VoidProposal.Fate(fate), code=code, reason=reason.strip()[:_LONGEST_REASON],
        proposed_by=by, proposed_at=now(),
    )  # fmt: skip
    tell(programme, "filing.void.propose", by, after={"fate": fate, "code": code, "reason": reason})
    return proposal


def end_proposal(proposal: VoidProposal, outcome: VoidProposal.Outcome, *, by: str) -> None:
    """Write down how a proposal ended, in the caller's transaction."""
    proposal.outcome, proposal.decided_by, proposal.decided_at = outcome, by, now()
    proposal.save(update_fields=["outcome", "decided_by", "decided_at"])


@transaction.atomic
def drop_void(programme: Programme, *, by: str) -> bool:
    """Leave a proposal be; whether there was one. Whoever made it may, and everybody else who decides."""
    proposal = programme.void_proposals.select_for_update().filter(outcome="").first()
    if proposal is None:
        return False
    end_proposal(proposal, VoidProposal.Outcome.DROPPED, by=by)
    tell(programme, "filing.void.drop", by, after={"proposed_by": proposal.proposed_by})
    return True
