"""What stands on the desk of each role: of one's own organisations only; the bureau sees the whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext

from agent.flow import policies
from agent.intake.models import Source, SyncRun
from agent.organisations.models import Organisation, Role
from agent.portal import approval_page, overview, words
from agent.portal.bars import bars
from agent.portal.people import Person
from agent.programmes.models import State


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars and the table behind them."""

    title: str
    svg: str
    rows: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One role's desk."""

    role: str
    name: str
    headline: str
    urgent: bool
    sources: list[overview.SourceRow] = field(default_factory=list)
    runs: list[SyncRun] = field(default_factory=list)
    held: list[overview.HeldRow] = field(default_factory=list)
    programmes: list[overview.ProgrammeRow] = field(default_factory=list)
    totals: overview.Totals | None = None
    chart: Chart | None = None
    approvals: str = ""  # that people wait for an approval


def desks_of(person: Person) -> list[Desk]:
    """A desk for each role that ``person`` has."""
    made = []
    for roles, desk in (
        ((Role.BUREAU_REVIEWER, Role.BUREAU_HEAD), _bureau),
        ((Role.AUDITOR, Role.ADMINISTRATOR), _whole),
        ((Role.DEPARTMENT_OFFICER,), _department),
        ((Role.BASE_OPERATOR,), _base),
    ):
        bodies = person.bodies(*roles)
        if bodies:
            made.append(desk(bodies))
    return made


def _base(bodies: list[Organisation]) -> Desk:
    rows = overview.sources_of(bodies)
    sources = [row.source for row in rows]
    held = overview.held_by_code(sources)
    waiting = sum(row.count for row in held)
    return Desk(
        role=Role.BASE_OPERATOR,
        name=_names(bodies),
        headline=words.arrivals(overview.arrived_today(sources), waiting),
        urgent=bool(waiting),
        sources=rows,
        runs=overview.runs_of(sources),
        held=held,
        chart=_chart(sources),
    )


def _department(bodies: list[Organisation]) -> Desk:
    rows = overview.programmes_of(bodies)
    returned = sum(row.state == State.RETURNED for row in rows)
    submitted = sum(row.state == State.SUBMITTED for row in rows)
    waiting = approval_page.waiting_of(bodies)
    return Desk(
        role=Role.DEPARTMENT_OFFICER,
        name=_names(bodies),
        headline=words.filings(returned, submitted, len(rows)),
        urgent=bool(returned),
        programmes=rows,
        approvals=approval_page.waiting_words(waiting) if waiting else "",
    )


def _bureau(bodies: list[Organisation]) -> Desk:
    rows = overview.programmes_submitted()
    return Desk(
        role=Role.BUREAU_REVIEWER,
        name=_names(bodies),
        headline=words.decisions(len(rows)),
        urgent=bool(rows),
        programmes=rows,
        totals=overview.totals(),
        chart=_chart(None),
    )


def _whole(bodies: list[Organisation]) -> Desk:
    totals = overview.totals()
    headline = words.whole(totals.held)
    return Desk(role=Role.AUDITOR, name=_names(bodies), headline=headline, urgent=False, totals=totals)


def _names(bodies: list[Organisation]) -> str:
    return "、".join(body.name for body in bodies)


def _chart(sources: Collection[Source] | None) -> Chart | None:
    year = max(policies(), default=None)
    months = overview.by_month(sources, year) if year else []
    if not any(months):
        return None
    title = gettext("%(year)s年各月结业人次") % {"year": year}
    names = [gettext("%(month)d月") % {"month": month} for month in range(1, len(months) + 1)]
    return Chart(title, bars(list(zip(names, months, strict=True)), title=title), list(zip(names, months, strict=True)))
