"""The form as somebody types it: begun, saved under an optimistic lock, and what the checks have to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from agent.audit.chain import record
from agent.localtime import local_date, now
from agent.organisations.models import Kind as BodyKind
from agent.organisations.models import Organisation
from agent.programmes.checks import About, Body, Other, Rules
from agent.programmes.content import Attached, Details, Typed, clean, typed_of
from agent.programmes.errors import DraftStale, NotEditable
from agent.programmes.models import FilingDraft, Programme, ProgrammeVersion
from agent.programmes.transitions import EDITABLE, ON_RECORD, Kind, State

_CARRY_OUT = (BodyKind.TRAINING_BASE, BodyKind.SECTOR_DEPARTMENT)


@transaction.atomic
def begin(
    organiser: Organisation, year: int, *, by: str, typed: Mapping[str, Any] | None = None, key: str = ""
) -> Programme:
    """A new filing of ``organiser``, as a draft with ``typed`` in it.

    :param key: how the filer calls it; otherwise one is made
    """
    # one at a time a body: the sequence is in certificate numbers
    Organisation.objects.select_for_update().get(pk=organiser.pk)
    own = Programme.objects.filter(region=organiser.region, year=year, organiser=organiser)
    sequence = (own.aggregate(n=Max("sequence"))["n"] or 0) + 1
    name = key or f"{organiser.issuer_number}-{sequence:03d}"
    while not key and Programme.objects.filter(region=organiser.region, year=year, key=name).exists():
        name += "b"  # a file brought the name already
    programme = Programme.objects.create(
        region=organiser.region, year=year, key=name, sequence=sequence, organiser=organiser
    )
    FilingDraft.objects.create(programme=programme, lock=1, typed=clean(typed or {}), saved_by=by, saved_at=now())
    record(by, "filing.begin", on=f"programme {programme}", organisation=organiser)
    return programme


def copy(of: Programme, year: int, *, by: str) -> Programme:
    """A new filing that says what ``of`` says, for another year: without its dates, which are another year's."""
    typed = dict(draft_of(of).typed)
    title = str(typed["title"]).replace(str(of.year), str(year))
    rows = [row | {"date": ""} for row in typed["timetable"]]
    return begin(
        of.organiser, year, by=by,
        typed=typed | {"title": title, "starts_on": "", "ends_on": "", "late_reason": "", "timetable": rows},
    )  # fmt: skip


def draft_of(programme: Programme) -> FilingDraft:
    """The form as it was left; otherwise one that says what the newest version says, not saved yet (``lock`` 0)."""
    found = FilingDraft.objects.filter(programme=programme).first()
    if found:
        return found
    version = programme.versions.order_by("-version").first()
    typed = typed_of_version(version) if version else clean({})
    if version and not typed["implementer"] and programme.implementer:  # a version of before the form
        typed["implementer"] = programme.implementer.uscc
    return FilingDraft(programme=programme, lock=0, typed=typed, saved_by="", saved_at=now())


def typed_of_version(version: ProgrammeVersion) -> Typed:
    """The form that says what ``version`` says."""
    columns = {name: getattr(version, name) for name in
               ("title", "category", "subject", "series", "hours", "starts_on", "ends_on")}  # fmt: skip
    return clean(typed_of(columns, Details.model_validate(version.details)))


@transaction.atomic
def save_draft(programme: Programme, given: Mapping[str, Any], *, lock: int, by: str) -> FilingDraft:
    """Keep the form as it is typed. Saving what is there already changes nothing.

    :param lock: the draft's ``lock`` as the form was opened with
    :raises NotEditable: in this state nobody writes in it.
    :raises DraftStale: it was saved by somebody else, or in another window, since; nothing is changed.
    """
    programme = Programme.objects.select_for_update().get(pk=programme.pk)
    if programme.state not in EDITABLE:
        raise NotEditable(programme=programme, state=programme.state)
    draft, typed = draft_of(programme), clean(given)
    if draft.typed == typed:
        return draft
    if draft.lock != lock:
        raise DraftStale(programme=programme, by=draft.saved_by)
    draft.typed, draft.lock, draft.saved_by, draft.saved_at = typed, lock + 1, by, now()
    draft.save()
    return draft


def attached(programme: Programme) -> list[Attached]:
    """The files that are part of the form now."""
    kept = programme.attachments.filter(dropped_at=None).order_by("pk")
    return [Attached(name=each.name, kind=each.kind, size=each.size, sha256=each.sha256) for each in kept]


def bodies() -> list[Organisation]:
    """Who may carry a programme out."""
    return list(Organisation.objects.filter(kind__in=_CARRY_OUT).order_by("kind", "name"))


def asked_on(programme: Programme) -> date | None:
    """When the form that the bureau reads was handed in: what counts days counts to that one."""
    if programme.state not in (State.SUBMITTED, State.CHANGE_PENDING):
        return None
    last = programme.events.filter(kind__in=(Kind.SUBMIT, Kind.CHANGE)).order_by("-pk").first()
    return local_date(last.at) if last else None


def about(programme: Programme, rules: Rules, *, named: str = "") -> About:
    """What the checks have to know beside the form; four queries."""
    organiser = programme.organiser
    newest = ProgrammeVersion.objects.filter(programme=OuterRef("programme")).order_by("-version").values("pk")[:1]
    others = (
        ProgrammeVersion.objects.filter(pk=Subquery(newest), programme__organiser=organiser)
        .filter(programme__year=programme.year)
        .exclude(programme=programme)
        .exclude(programme__state__in=(State.REJECTED, State.CANCELLED, State.VOIDED))
        .select_related("programme")
    )
    departments = Organisation.objects.filter(kind=BodyKind.SECTOR_DEPARTMENT).exclude(pk=organiser.pk)
    return About(
        today=asked_on(programme) or local_date(now()), year=programme.year, organiser=organiser.name,
        entitled=organiser.kind == BodyKind.SECTOR_DEPARTMENT,
        bodies=[Body(each.name, each.uscc, each.status_until) for each in bodies()],
        others=[
            Other(v.programme.filing_number or v.programme.key, v.title, v.programme.get_state_display(),
                  v.starts_on, v.ends_on) for v in others
        ],
        other_names=list(departments.values_list("name", flat=True)), rules=rules,
        lead_days=settings.FILING_LEAD_DAYS, begun=programme.state in ON_RECORD, named=named,
    )  # fmt: skip
