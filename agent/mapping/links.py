"""Deciding that a course is a programme, and taking that back. Each decision is kept with who, when and why; what
depends on it is judged again by the stages.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from agent.audit.chain import record
from agent.intake.models import Source
from agent.localtime import now
from agent.mapping.errors import LinkDates, LinkOverlaps, LinkUnknown, ProgrammeNotOpen, ReasonMissing
from agent.programmes.models import CourseLink, Programme, ProgrammeVersion, State

_CLOSED = (State.REJECTED, State.CANCELLED)
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mapping as somebody wants it: the days are both part of it; None: as the programme is filed."""

    course: str
    programme: Programme
    valid_from: date | None = None
    valid_to: date | None = None
    because: str = ""


def link(source: Source, wanted: Wanted, *, by: str) -> CourseLink:
    """Map a course of ``source``.

    :raises LinkOverlaps: it is mapped already on some of the days
    :raises LinkDates: the days are in the wrong order, or lie outside of the programme
    :raises ProgrammeNotOpen: it was rejected or cancelled
    """
    return link_all(source, [wanted], by=by)[0]


@transaction.atomic
def link_all(source: Source, wanted: list[Wanted], *, by: str) -> list[CourseLink]:
    """Map several courses, all or none. As `link`."""
    with connection.cursor() as cursor:  # two people at once must not both find the days free
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi mapping'), %s)", [source.pk])
    return [_link(source, each, by) for each in wanted]


def _link(source: Source, wanted: Wanted, by: str) -> CourseLink:
    programme = wanted.programme
    version = latest(programme)
    first, last = wanted.valid_from or version.starts_on, wanted.valid_to or version.ends_on
    if programme.state in _CLOSED:
        raise ProgrammeNotOpen(programme=version.title, state=programme.state)
    if last < first or last < version.starts_on or first > version.ends_on:
        raise LinkDates(
            programme=version.title, valid_from=first, valid_to=last, starts_on=version.starts_on,
            ends_on=version.ends_on,
        )  # fmt: skip
    in_the_way = CourseLink.objects.filter(
        source=source, course=wanted.course, withdrawn_at=None, valid_from__lte=last, valid_to__gte=first
    )
    for other in in_the_way.select_related("programme").order_by("valid_from")[:1]:
        raise LinkOverlaps(
            course=wanted.course, programme=latest(other.programme).title, valid_from=other.valid_from,
            valid_to=other.valid_to, number=other.pk,
        )  # fmt: skip
    return CourseLink.objects.create(
        source=source, kind=source.kind, course=wanted.course, programme=programme, valid_from=first, valid_to=last,
        confirmed_by=by, because=wanted.because.strip()[:_LONGEST],
    )  # fmt: skip


@transaction.atomic
def unlink(number: int, *, by: str, reason: str, until: date | None = None) -> CourseLink | None:
    """Withdraw a mapping; with ``until`` it stays good up to and with that day, as a mapping of its own.

    :returns: the shorter mapping, where there is one
    :raises LinkUnknown: there is none, or it was withdrawn
    :raises LinkDates: ``until`` is not within its days, or the last of them
    :raises ReasonMissing: no reason was given
    """
    reason = reason.strip()[:_LONGEST]
    if not reason:
        raise ReasonMissing
    found = CourseLink.objects.select_for_update(of=("self",)).filter(pk=number, withdrawn_at=None)
    old = found.select_related("programme").first()
    if old is None:
        raise LinkUnknown(number=number)
    if until is not None and not old.valid_from <= until < old.valid_to:
        raise LinkDates(
            programme=latest(old.programme).title, valid_from=old.valid_from, valid_to=until,
            starts_on=old.valid_from, ends_on=old.valid_to - timedelta(1),
        )  # fmt: skip
    old.withdrawn_at, old.withdrawn_by, old.withdrawn_because = now(), by, reason
    old.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    if until is None:
        return None
    return CourseLink.objects.create(
        source=old.source, kind=old.kind, course=old.course, programme=old.programme, valid_from=old.valid_from,
        valid_to=until, confirmed_by=by, because=reason,
    )  # fmt: skip


def note_linked(links: Collection[CourseLink], *, by: str) -> None:
    """Write mappings into the audit log: last in the transaction that made them. A trial, which makes and undoes them,
    writes none.
    """
    for each in links:
        _note("mapping.link", each, by, after=_kept(each))


def note_unlinked(old: CourseLink, left: CourseLink | None, *, by: str, reason: str) -> None:
    """Write a withdrawal into the audit log: ``old`` as it was, and what is left of it."""
    _note("mapping.unlink", old, by, before=_kept(old), after=(_kept(left) if left else {}) | {"reason": reason})


def _note(action: str, link: CourseLink, by: str, **said: dict[str, str]) -> None:
    source = link.source
    on = f"course {source.name if source else link.kind}/{link.course}"
    record(by, action, on=on, organisation=source.organisation if source else None, **said)


def _kept(link: CourseLink) -> dict[str, str]:
    return {
        "number": str(link.pk), "programme": str(link.programme), "from": str(link.valid_from),
        "to": str(link.valid_to), "because": link.because,
    }  # fmt: skip


def latest(programme: Programme) -> ProgrammeVersion:
    """The version of a programme that is in force."""
    return max(programme.versions.all(), key=lambda each: each.version)  # there is one; they may be fetched already
