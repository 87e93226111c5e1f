"""One filing: what it says, what the checks find, what differs from before, what happened, what may be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from agent.certificates.voiding import Impact, impact
from agent.flow import filing_rules
from agent.localtime import local_date
from agent.organisations.models import Organisation
from agent.portal import filing_words
from agent.portal.filing_access import Seen
from agent.programmes import attachments
from agent.programmes.checks import alike, check_typed
from agent.programmes.content import FIELDS, Typed, different
from agent.programmes.deciding import last_event, newest
from agent.programmes.drafts import about, bodies, draft_of, typed_of_version
from agent.programmes.findings import Finding
from agent.programmes.models import FilingDraft, FilingEvent, Programme, ProgrammeVersion, VoidProposal
from agent.programmes.transitions import CODES, EDITABLE, ON_RECORD, STEP, WAITING, Kind, Need, State
from agent.programmes.workdays import after

_ALIKE_LAST_YEAR = 0.5


@dataclass(frozen=True, slots=True)
class Fact:
    """A field and what it says."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that says another thing than before."""

    label: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The form beside an older one."""

    title: str
    rows: list[Difference]


@dataclass(frozen=True, slots=True)
class StepButton:
    """A step that may be taken."""

    kind: str
    word: str
    reason: bool
    main: bool


_WRITTEN = (State.DRAFT, State.RETURNED)
"""States in which the department goes on writing: what it has not handed in is its own."""


def current(programme: Programme, *, inside: bool) -> Typed:
    """What is in question: what a change asks for, the form as it is written, or the newest version.

    :param inside: for the department itself
    """
    version = newest(programme)
    if version is None or programme.state == State.CHANGE_PENDING or (inside and programme.state in _WRITTEN):
        return dict(draft_of(programme).typed)
    typed: Typed = typed_of_version(version)
    if not typed["implementer"] and programme.implementer:
        typed["implementer"] = programme.implementer.uscc
    return typed


def currents(programmes: Sequence[Programme], own: Collection[Organisation]) -> list[tuple[Programme, Typed]]:
    """The same for many, in as many questions as for one; ``own`` are the departments that one files for."""
    versions = ProgrammeVersion.objects.filter(programme__in=programmes).order_by("programme", "-version")
    newest_of = {each.programme_id: each for each in versions.distinct("programme")}
    drafts = FilingDraft.objects.in_bulk([each.pk for each in programmes])
    made = []
    for each in programmes:
        version, draft = newest_of.get(each.pk), drafts.get(each.pk)
        asked = each.state == State.CHANGE_PENDING or (each.organiser in own and each.state in _WRITTEN)
        if draft and (asked or version is None):
            made.append((each, dict(draft.typed)))
        elif version:
            typed: Typed = typed_of_version(version)
            typed["implementer"] = typed["implementer"] or (each.implementer.uscc if each.implementer else "")
            made.append((each, typed))
    return made


def findings_of(programme: Programme, typed: Typed) -> list[Finding]:
    """What the checks find."""
    return check_typed(typed, about(programme, filing_rules(programme.year)))[1]


def facts(typed: Typed) -> list[Fact]:
    """The fields that say something, as people read them."""
    names = filing_words.body_names(bodies())
    return [
        Fact(name, filing_words.label(name), filing_words.shown(name, typed, names))
        for name in filing_words.filled(typed)
        if name != "title"
    ]


def compared(programme: Programme, typed: Typed, *, inside: bool) -> list[Compared]:
    """The form beside the version before, and beside last year's filing that it resembles most."""
    made = []
    before = _version_before(programme, inside=inside)
    if before:
        made.append(Compared(f"v{before.version}", _rows(typed_of_version(before), typed)))
    last_year = (
        ProgrammeVersion.objects.filter(
            programme__organiser=programme.organiser, programme__year=programme.year - 1, programme__on_record=True
        )
        .select_related("programme")
        .order_by("programme", "-version")
        .distinct("programme")
    )
    ranked = sorted(last_year, key=lambda each: alike(each.title, str(typed["title"])), reverse=True)
    if ranked and alike(ranked[0].title, str(typed["title"])) >= _ALIKE_LAST_YEAR:
        found = ranked[0]
        name = f"{found.programme.filing_number} {found.title}"
        made.append(Compared(name, _rows(typed_of_version(found), typed)))
    return made


def _version_before(programme: Programme, *, inside: bool) -> ProgrammeVersion | None:
    versions = list(programme.versions.order_by("-version")[:2])
    # what is in question may be no version yet
    if programme.state == State.CHANGE_PENDING or (inside and programme.state in _WRITTEN):
        return versions[0] if versions else None
    return versions[1] if len(versions) > 1 else None


def _rows(before: Typed, after_: Typed) -> list[Difference]:
    names = filing_words.body_names(bodies())
    return [
        Difference(
            filing_words.label(name), filing_words.shown(name, before, names), filing_words.shown(name, after_, names)
        )
        for name in different(before, after_)
    ]


def remarks_of(programme: Programme) -> FilingEvent | None:
    """What the bureau said when it gave the form back, as long as that stands."""
    last = programme.events.exclude(kind__in=("start", "deliver")).order_by("-pk").first()
    return last if last and last.kind in (Kind.RETURN, Kind.REFUSE_CHANGE) else None


def context(found: Seen) -> dict[str, Any]:
    """Everything that the page of one filing shows."""
    programme = found.programme
    typed = current(programme, inside=found.organiser)
    steps = found.steps()
    proposal = programme.void_proposals.filter(outcome="").first()
    plain = [kind for kind in steps if Need.TWO not in STEP[kind].needs and Need.CONTENT not in STEP[kind].needs]
    deciding = [kind for kind in plain if kind in CODES]
    shown_impact = programme.state in ON_RECORD and (found.bureau or found.looks)
    last = programme.events.order_by("-pk").first()
    reads = found.bureau or found.organiser or found.looks  # a base need not know what was filed before
    due = None
    if last and programme.state in WAITING:
        due = after(local_date(last.at), settings.FILING_DECIDE_DAYS)
    return {
        "seen": found, "programme": programme, "title": typed["title"], "facts": facts(typed),
        "timetable": typed["timetable"], "findings": findings_of(programme, typed) if _open(programme) else [],
        "compared": compared(programme, typed, inside=found.organiser) if reads else [],
        "events": list(programme.events.order_by("-pk")), "event": last_event(programme), "due": due,
        "files": attachments.shown(programme, inside=found.organiser),
        "buttons": [_button(kind) for kind in plain if kind not in CODES], "deciding": [_button(k) for k in deciding],
        "codes": filing_words.codes_of(deciding), "remark_fields": _remark_fields(deciding),
        "editable": found.organiser and programme.state in EDITABLE, "changing": programme.state in ON_RECORD,
        "void": Kind.VOID in steps, "proposal": proposal, "fates": _fates(),
        "void_codes": filing_words.codes_of([Kind.VOID]), "impact": impact(programme) if shown_impact else None,
        "state": filing_words.state(programme.state), "returned": remarks_of(programme),
        "remarks": _remarks(remarks_of(programme)),
    }  # fmt: skip


def _open(programme: Programme) -> bool:
    return programme.state in (State.DRAFT, State.RETURNED, *WAITING)


def _button(kind: Kind) -> StepButton:
    main = kind in (Kind.ACCEPT, Kind.ACCEPT_CHANGE, Kind.CLOSE, Kind.START, Kind.DELIVER, Kind.REPORT)
    return StepButton(kind.value, filing_words.step(kind), Need.REASON in STEP[kind].needs, main)


def _remark_fields(deciding: list[Kind]) -> list[tuple[str, str]]:
    if not {Kind.RETURN, Kind.REFUSE_CHANGE} & set(deciding):
        return []
    return [(name, filing_words.label(name)) for name in (*FIELDS, "timetable")]


def _remarks(event: FilingEvent | None) -> list[tuple[str, str]]:
    said = event.remarks if event else {}
    return [(filing_words.label(name), said[name]) for name in (*FIELDS, "timetable") if said.get(name)]


def _fates() -> list[tuple[str, str]]:
    return [(value, filing_words.fate(value)) for value in VoidProposal.Fate.values]


__all__ = ["Impact", "context", "current", "findings_of", "remarks_of"]
