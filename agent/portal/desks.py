"""What stands on the desk of each role: what waits for whoever has it, then charts of what its bodies may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from agent.figures.look import Held, Look, Scope, looking
from agent.figures.questions import What
from agent.intake.models import Source
from agent.localtime import now
from agent.organisations.models import Organisation, Role
from agent.organisations.rights import Right, reach
from agent.portal import charts, filing_list, overview, waiting, words
from agent.portal.charts import Chart
from agent.portal.health import SourceHealth, health_of
from agent.portal.people import Person
from agent.portal.spans import Choice
from agent.portal.waiting import Item
from agent.work.queue import depth

QUEUE = 8
"""Filings of the bureau's queue that stand on the desk itself."""
_STALE = timedelta(hours=6)
"""The clock counts every hour, and a large house waits twenty times as long as a count takes."""


@dataclass(slots=True)
class Desk:
    """One role's desk. ``waits`` is what its holder has to do; ``charts`` are figures as of ``as_of``."""

    key: str
    role: str
    name: str
    headline: str
    urgent: bool = False
    waits: list[Item] = field(default_factory=list)
    nothing: str = ""  # what comes next, where nothing waits
    aside: str = ""  # what waits for others
    queue: list[filing_list.Row] = field(default_factory=list)
    programmes: list[overview.ProgrammeRow] = field(default_factory=list)
    totals: overview.Totals | None = None
    chain: overview.Chain | None = None
    jobs: list[dict[str, Any]] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    as_of: datetime | None = None
    kept: bool = False
    sources: int = 0

    @property
    def counts_held(self) -> bool:
        """Whether what waits is counted among the figures, and so as of their moment."""
        return self.key in ("base", "bureau")

    @property
    def stale(self) -> bool:
        """Whether nothing was counted for so long that somebody should look why."""
        return self.as_of is not None and now() - self.as_of > _STALE


_ROLES = (
    ("bureau", (Role.BUREAU_REVIEWER, Role.BUREAU_HEAD)), ("auditor", (Role.AUDITOR,)),
    ("administrator", (Role.ADMINISTRATOR,)), ("department", (Role.DEPARTMENT_OFFICER,)),
    ("base", (Role.BASE_OPERATOR,)),
)  # fmt: skip


def desks_of(person: Person, choice: Choice, *, only: str = "") -> list[Desk]:
    """A desk for each kind of role that ``person`` has, or that of the key ``only``."""
    made = []
    for key, roles in _ROLES:
        bodies = person.bodies(*roles)
        if bodies and only in ("", key):
            mine = [role for role in roles if any(each.role == role for each in person.memberships)]
            desk = Desk(key, mine[-1], "、".join(body.name for body in bodies), "")
            _DESKS[key](desk, person, bodies, choice)
            made.append(desk)
    return made


def _base(desk: Desk, person: Person, bodies: list[Organisation], choice: Choice) -> None:
    sources = list(Source.objects.filter(organisation__in=bodies).defer("token", "push_secret"))
    keys = [source.pk for source in sources]
    health = health_of(keys)
    with looking(Scope(sources=keys)) as look:
        found = _charts(desk, look, choice, health)
        count = sum(each.count for each in found)
    desk.waits = waiting.some([
        waiting.records(found), waiting.courses(sources, found), waiting.troubled(health, desk.key),
        waiting.sources_begun(person), waiting.unequal(keys),
    ])  # fmt: skip
    desk.headline = words.arrivals(overview.arrived_today(keys), count)
    desk.urgent, desk.sources = bool(count), len(sources)
    desk.nothing = gettext("新到的记录有读不懂、对不上的，会出现在这里，并写明怎样放行。")


def _department(desk: Desk, _: Person, bodies: list[Organisation], choice: Choice) -> None:
    with looking(Scope(organisers=[body.pk for body in bodies])) as look:
        _charts(desk, look, choice, [])
        desk.programmes = overview.programmes_of(bodies, look.by_programme())
    returned, with_bureau, total = overview.filings_of(bodies)
    desk.waits = waiting.some([waiting.approvals(bodies), *waiting.filings_of(bodies)])
    desk.headline = words.filings(returned, len(desk.waits), with_bureau, total)
    desk.urgent = bool(desk.waits)
    desk.aside = words.with_the_bureau(with_bureau)
    desk.nothing = gettext("被退回的备案、等您批准的证书会出现在这里。专业科目培训先备案，学时才会计入，证书才能签发。")


def _bureau(desk: Desk, person: Person, _: list[Organisation], choice: Choice) -> None:
    health = health_of(None)
    with looking(Scope()) as look:
        found = _charts(desk, look, choice, health)
        desk.totals = overview.totals(look)
    queue = filing_list.queue()
    decide = waiting.to_decide(queue)
    manages = reach(desk.role, Right.ORGANISATIONS_MANAGE)
    desk.waits = waiting.some([
        waiting.to_confirm(person.username), decide, waiting.waivers(found), waiting.approvals(None),
        waiting.unequal(None), waiting.ending() if manages else None,
    ])  # fmt: skip
    desk.queue = [row for row in queue if row.due][:QUEUE]
    desk.headline, desk.urgent = words.decisions(decide.count), bool(decide.count)
    desk.nothing = gettext("部门提交的备案会出现在这里，最早到期的在前。")


def _auditor(desk: Desk, _: Person, __: list[Organisation], choice: Choice) -> None:
    health = health_of(None)
    with looking(Scope()) as look:
        _charts(desk, look, choice, health)
        desk.totals = overview.totals(look)
    desk.waits = waiting.some([waiting.unequal(None), waiting.troubled(health, desk.key)])
    desk.chain = overview.chain_of(choice)
    desk.headline = words.whole(desk.totals.held)
    desk.nothing = gettext("对账不相等、来源读不到的，会出现在这里。")


def _administrator(desk: Desk, person: Person, _: list[Organisation], choice: Choice) -> None:
    health = health_of(None)
    with looking(Scope()) as look:
        _charts(desk, look, choice, health)
        desk.totals = overview.totals(look)
    desk.jobs, desk.sources = depth()["tasks"], len(health)
    desk.waits = waiting.some([
        waiting.without_factor(), waiting.invited(), waiting.ending(), waiting.troubled(health, desk.key),
        waiting.failed_jobs(desk.jobs, desk.key), waiting.sources_begun(person), waiting.unequal(None),
    ])  # fmt: skip
    desk.headline, desk.urgent = words.to_look_after(len(desk.waits)), bool(desk.waits)
    desk.nothing = gettext("没有设二次验证的账号、快到期的单位、读不到的来源会出现在这里。")


_DESKS = {
    "base": _base, "department": _department, "bureau": _bureau, "auditor": _auditor, "administrator": _administrator,
}  # fmt: skip


def _charts(desk: Desk, look: Look, choice: Choice, health: Sequence[SourceHealth]) -> list[Held]:
    """What the desk's role may see; what is held, for what waits. Linked is what the role has pages of."""
    desk.as_of, desk.kept = look.as_of, look.kept
    found = look.held()
    desk.charts = [
        charts.landed(look, choice), charts.hours(look, choice, What.PROFESSIONAL),
        charts.hours(look, choice, What.PUBLIC), charts.certificates(look, choice),
        charts.held(found, linked=reach(desk.role, Right.QUARANTINE_SEE) is not None),
    ]  # fmt: skip
    if reach(desk.role, Right.RUNS_SEE):
        pulls = look.pulls(choice.span)
        for each in health:
            each.pulls = pulls.get(each.source.pk, each.pulls)
        desk.charts.append(charts.sync(health))
    return found
