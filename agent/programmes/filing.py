"""Putting programmes on record: import, decide, link courses. Every step is one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models import Max

from agent.audit.chain import record
from agent.intake.models import Source
from agent.organisations.models import Kind as BodyKind
from agent.organisations.models import Organisation
from agent.programmes.checks import NO_RULES, Rules
from agent.programmes.deciding import Taken, move, newest, take
from agent.programmes.errors import ProgrammeFileInvalid, ProgrammeUnknown, SourceAmbiguous
from agent.programmes.file import Body, ProgrammeFile, ProgrammeRow, not_entitled
from agent.programmes.models import CourseLink, FilingDraft, Programme, ProgrammeVersion
from agent.programmes.transitions import ON_RECORD, STEP, Kind, State

_TOWARDS: dict[str, list[Kind]] = {"draft": [], "submitted": [Kind.SUBMIT], "filed": [Kind.SUBMIT, Kind.ACCEPT]}


@dataclass(slots=True)
class Imported:
    """What an import did, in programmes and links."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    linked: int = 0
    waiting_for_source: int = 0


@transaction.atomic
def import_programmes(content: ProgrammeFile, *, path: str, source: Source | None, actor: str) -> Imported:
    """Take over a programme file, whole or not at all; what is on record already stays as it is.

    :raises ProgrammeFileInvalid: a filed programme would change: that needs the bureau, not an import.
    :raises SourceAmbiguous: courses are mapped and it is not clear to which source.
    """
    refused: list[str] = []
    bodies = {}
    for key, body in content.departments.items():
        bodies[key] = _organisation(body, content.kind_of(key))
        if body.kind and body.kind != bodies[key].kind:
            where = content.place("departments", key, "kind")
            refused.append(f"{where}: {body.uscc} is on record as {bodies[key].kind}, not as {body.kind}")
    base = _organisation(content.base, BodyKind.TRAINING_BASE) if content.base else None
    done = Imported()
    for number, row in enumerate(content.programmes):
        organiser, implementer = bodies[row.organiser], bodies[row.implementer] if row.implementer else base
        if row.category == "professional" and organiser.kind != BodyKind.SECTOR_DEPARTMENT:
            refused.append(f"{content.place('programmes', number, 'organiser')}: {not_entitled(organiser.name)}")
            continue
        programme, state = _programme(row, organiser, implementer)
        if state == "refused":
            refused.append(
                f"{content.place('programmes', number)} ({row.key}): is filed, and a filed programme is not changed"
                " by import"
            )
            continue
        if problem := _number_problem(programme, row):
            refused.append(f"{content.place('programmes', number, 'filing_number')}: {problem}")
            continue
        setattr(done, state, getattr(done, state) + 1)
        _advance(programme, row, actor)
        if row.course:
            _link(programme, row, source, actor, done)
    if base:
        # the file says who runs the platform that teaches these courses
        taught = CourseLink.objects.filter(programme__implementer=base).exclude(source=None).values("source")
        Source.objects.filter(pk__in=taught, organisation=None).update(organisation=base)
    if refused:
        raise ProgrammeFileInvalid(path=path, count=len(refused), problems=refused)
    _note(done, path, actor)
    return done


def _note(done: Imported, path: str, actor: str) -> None:
    if done.new or done.changed or done.linked:
        record(actor, "programmes.imported", on=f"file {PurePath(path).name}", after=asdict(done))


def _organisation(body: Body, kind: str) -> Organisation:
    region = body.uscc[2:8]  # GB 32100: characters 3 to 8 are the administrative division
    found = Organisation.objects.filter(uscc=body.uscc).first()
    if found:
        return found
    last = Organisation.objects.filter(region=region).aggregate(last=Max("issuer_number"))["last"] or 0
    return Organisation.objects.create(
        uscc=body.uscc, kind=kind, name=body.name, region=region, issuer_number=last + 1, status_until=body.status_until
    )


def _programme(row: ProgrammeRow, organiser: Organisation, implementer: Organisation | None) -> tuple[Programme, str]:
    """The programme of a row and what was done: new, changed, unchanged or refused."""
    facts: dict[str, Any] = {
        "title": row.title, "category": row.category, "subject": row.subject, "series": row.series,
        "hours": row.hours, "starts_on": row.start, "ends_on": row.end,
    }  # fmt: skip
    year, region = row.start.year, organiser.region
    programme = Programme.objects.select_for_update().filter(region=region, year=year, key=row.key).first()
    if programme is None:
        last = Programme.objects.filter(region=region, year=year, organiser=organiser).aggregate(n=Max("sequence"))["n"]
        programme = Programme.objects.create(
            region=region,
            year=year,
            key=row.key,
            sequence=(last or 0) + 1,
            organiser=organiser,
            implementer=implementer,
            certificates_need_approval=bool(row.certificates_need_approval),
        )
        ProgrammeVersion.objects.create(programme=programme, version=1, details=row.details(), **facts)
        return programme, "new"
    version = newest(programme)  # None: the form is all there is of it
    details = row.details() or (version.details if version else {})
    approval = programme.certificates_need_approval
    if row.certificates_need_approval is not None:
        approval = row.certificates_need_approval
    same = programme.organiser_id == organiser.pk and (
        row.implementer is None or (implementer is not None and programme.implementer_id == implementer.pk)
    )
    same = same and programme.certificates_need_approval == approval
    said = facts | {"details": details}
    if same and version and all(getattr(version, name) == value for name, value in said.items()):
        return programme, "unchanged"
    if programme.state in (*ON_RECORD, State.VOIDED):
        return programme, "refused"
    Programme.objects.filter(pk=programme.pk).update(
        organiser=organiser, implementer=implementer, certificates_need_approval=approval
    )
    ProgrammeVersion.objects.create(programme=programme, version=version.version + 1 if version else 1, **said)
    FilingDraft.objects.filter(programme=programme).delete()  # the form says what the file says from now on
    return programme, "changed"


def _number_problem(programme: Programme, row: ProgrammeRow) -> str:
    """Why the filing number that the file brings can't be the programme's; empty: it can."""
    if row.filing_number is None or row.filing_number == programme.filing_number:
        return ""
    if programme.filing_number:
        return f"«{row.key}» is filed under {programme.filing_number} already, not under {row.filing_number}"
    holder = Programme.objects.filter(filing_number=row.filing_number).first()
    return f"the filing number {row.filing_number} belongs to {holder}" if holder else ""


def _advance(programme: Programme, row: ProgrammeRow, actor: str) -> None:
    """Bring a programme to the state that the file says; an import never takes it back."""
    for decision in _TOWARDS[row.state]:
        if programme.state in STEP[decision].sources:
            version = newest(programme)
            how = Taken(actor=actor, reason="import", filing_number=row.filing_number)
            move(programme, decision, how, version=version.version if version else None, told=False)


def _link(programme: Programme, row: ProgrammeRow, source: Source | None, actor: str, done: Imported) -> None:
    assert row.course is not None  # noqa: S101 - the caller looked
    kind, code = row.course.kind_and_code
    if source is None or source.kind != kind:  # a file may map courses of a Moodle and of rosters
        candidates = list(Source.objects.filter(kind=kind).order_by("pk"))
        if len(candidates) > 1:
            raise SourceAmbiguous(kind=kind, names=", ".join(c.name for c in candidates))
        source = candidates[0] if candidates else None
    the_same = {"source": source, "kind": kind, "course": code, "programme": programme, "valid_from": row.start}
    of_it = CourseLink.objects.filter(**the_same)
    if of_it.exclude(withdrawn_at=None).exists() and not of_it.filter(withdrawn_at=None).exists():
        return  # a person took it back: the same file, imported again, says nothing new
    # as long as a programme is not filed its dates may move, and the mapping's end with them
    _, new = CourseLink.objects.update_or_create(
        **the_same, withdrawn_at=None,
        defaults={"valid_to": row.end}, create_defaults={"valid_to": row.end, "confirmed_by": actor},
    )  # fmt: skip
    done.linked += new
    done.waiting_for_source += source is None


def bind_waiting_links(source: Source) -> int:
    """Links imported before their source was connected belong to the first source of their kind.

    :returns: how many were bound.
    """
    if Source.objects.filter(kind=source.kind).count() != 1:
        return 0
    waiting = CourseLink.objects.filter(source=None, kind=source.kind)
    base = waiting.filter(programme__implementer__kind=BodyKind.TRAINING_BASE).first()
    if base and source.organisation is None:
        Source.objects.filter(pk=source.pk).update(organisation=base.programme.implementer)
    return waiting.update(source=source)


def find(key: str) -> Programme:
    """A programme by ``KEY``, ``region/year/KEY`` or filing number.

    :raises ProgrammeUnknown: none, or a bare key that several have.
    """
    match key.split("/"):
        case [bare]:
            query = Programme.objects.filter(key=bare)
        case [region, year, bare] if year.isascii() and year.isdigit():
            query = Programme.objects.filter(region=region, year=int(year), key=bare)
        case _:
            query = Programme.objects.none()
    found = list(query[:2]) or list(Programme.objects.filter(filing_number=key))
    if len(found) != 1:
        raise ProgrammeUnknown(key=key)
    return found[0]


def decide(
    key: str, decision: str, *, actor: str, reason: str = "", code: str = "", rules: Rules | None = None
) -> Programme:
    """Take a step of `transitions` with the programme that ``key`` names.

    :raises TransitionRefused: not possible from its state.
    """
    how = Taken(actor=actor, reason=reason, code=code, rules=rules or NO_RULES)
    return take(find(key), Kind(decision), how)
