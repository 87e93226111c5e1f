"""What waits for somebody in a role: each with its count, the oldest one's age or due date, and where it is done.

Every function is one question; `agent.portal.desks` says which role is asked which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from agent.figures.look import Held
from agent.intake.models import Source, SourceDraft
from agent.localtime import local_date, now
from agent.mapping.courses import unmapped
from agent.organisations.models import Organisation
from agent.organisations.rights import Right
from agent.people import factor
from agent.people.bodies import ending_soon
from agent.people.invitations import pending
from agent.portal import approval_page, filing_list, filing_words
from agent.portal.health import SourceHealth
from agent.portal.people import Person
from agent.programmes.models import FilingDraft, FilingEvent, Programme, VoidProposal
from agent.programmes.transitions import State
from agent.reconciliation.equations import holds
from agent.reconciliation.models import Line, Snapshot

UNMAPPED, WAIVED = "E_COURSE_UNMAPPED", "E_LATE_YEAR"


@dataclass(frozen=True, slots=True)
class Item:
    """Some things of one kind that wait. ``when``: how long the oldest does, or when the first is due."""

    count: int
    words: str
    when: str
    href: str
    late: bool = False  # a date has passed


def age(since: date | datetime | None) -> str:
    """How long the oldest has waited."""
    if since is None:
        return ""
    days = (local_date(now()) - (local_date(since) if isinstance(since, datetime) else since)).days
    if days <= 0:
        return gettext("今天开始的")
    return ngettext("最早的已等%(n)s天", "最早的已等%(n)s天", days) % {"n": f"{days:,}"}


def some(items: Iterable[Item | None]) -> list[Item]:
    """Those that there are, what is late first."""
    return sorted((each for each in items if each and each.count), key=lambda each: not each.late)


# --- what sources bring ---------------------------------------------------------------------------------------------
def records(held: Sequence[Held]) -> Item:
    """Records that wait, whatever for."""
    count = sum(each.count for each in held)
    words = ngettext("条记录待处理", "条记录待处理", count)
    return Item(count, words, age(min((each.since for each in held), default=None)), reverse("portal:quarantine"))


def courses(sources: Sequence[Source], held: Sequence[Held]) -> Item:
    """Courses of ``sources`` that nobody has said what they are; the oldest record of one tells since when."""
    count = unmapped(sources)
    words = ngettext("门课程等您确认对应哪个项目", "门课程等您确认对应哪个项目", count)
    since = next((each.since for each in held if each.code == UNMAPPED), None)
    return Item(count, words, age(since), f"{reverse('portal:mapping')}?state=unmapped")


def waivers(held: Sequence[Held]) -> Item | None:
    """Records that only the bureau can let pass."""
    found = next((each for each in held if each.code == WAIVED), None)
    if found is None:
        return None
    words = ngettext("条迟到的记录等您决定是否接受", "条迟到的记录等您决定是否接受", found.count)
    return Item(found.count, words, age(found.since), reverse("portal:quarantine-code", args=[WAIVED]))


def troubled(health: Sequence[SourceHealth], desk: str) -> Item:
    """Sources that could not be read lately; the table of the same desk begins with them."""
    mine = [each for each in health if each.trouble]
    words = ngettext("个来源读不到", "个来源读不到", len(mine))
    since = min((each.good_at for each in mine if each.good_at), default=None)
    when = gettext("最久的自%(day)s起") % {"day": f"{local_date(since):%Y-%m-%d}"} if since else ""
    return Item(len(mine), words, when, f"#{desk}-sync")


def sources_begun(person: Person) -> Item:
    """Sources that somebody began to connect."""
    mine = SourceDraft.objects.filter(person.within(Right.SOURCES_CONNECT, "organisation"))
    found = mine.aggregate(n=Count("pk"), since=Min("at"))
    words = ngettext("个平台连接到一半", "个平台连接到一半", found["n"])
    return Item(found["n"], words, age(found["since"]), reverse("portal:connect"))


def unequal(sources: Sequence[int] | None) -> Item | None:
    """Equations that did not hold in the last reconciliation."""
    last = Snapshot.objects.order_by("-day", "-taken_at", "-pk").first()
    if last is None:
        return None
    lines = Line.objects.filter(snapshot=last)
    if sources is not None:
        lines = lines.filter(source__in=sources)
    count = sum(not holds(*each) for each in lines.filter(left__isnull=False).values_list("left", "right", "differing"))
    words = ngettext("个对账等式不相等", "个对账等式不相等", count)
    when = gettext("%(day)s对的账") % {"day": f"{last.day:%Y-%m-%d}"}
    return Item(count, words, when, reverse("portal:reconciliation"))


# --- filings --------------------------------------------------------------------------------------------------------
def filings_of(bodies: Sequence[Organisation]) -> list[Item]:
    """What a department has to go on with: returned, not handed in, not reported."""
    last = FilingEvent.objects.filter(programme=OuterRef("pk")).order_by("-pk").values("at")[:1]
    saved = FilingDraft.objects.filter(programme=OuterRef("pk")).values("saved_at")[:1]
    mine = Programme.objects.filter(organiser__in=bodies)
    made = []
    for state, since in ((State.RETURNED, last), (State.DRAFT, saved), (State.DELIVERED, last)):
        found = mine.filter(state=state).annotate(since=Subquery(since))
        asked = found.aggregate(n=Count("pk"), oldest=Min("since"))
        n = asked["n"]
        words = {
            State.RETURNED: ngettext("个项目被退回，等您改正", "个项目被退回，等您改正", n),
            State.DRAFT: ngettext("份草稿还没有提交", "份草稿还没有提交", n),
            State.DELIVERED: ngettext("个项目已结业，等您报送结项", "个项目已结业，等您报送结项", n),
        }[state]
        made.append(Item(n, words, age(asked["oldest"]), f"{reverse('portal:filings')}?state={state}"))
    return made


def approvals(bodies: Sequence[Organisation] | None) -> Item:
    """People who wait for an approval in programmes that ``bodies`` (None: all) organise."""
    count, since = approval_page.waiting_since(bodies)
    words = ngettext("人等您批准证书", "人等您批准证书", count)
    return Item(count, words, age(since), reverse("portal:approvals"))


def to_decide(queue: Sequence[filing_list.Row]) -> Item:
    """Filings that wait for the bureau, and when the first one is due."""
    mine = [row for row in queue if row.due]
    first, today = min((row.due for row in mine if row.due), default=None), local_date(now())
    words = ngettext("件备案等您决定", "件备案等您决定", len(mine))
    when = gettext("最早一件：%(due)s") % {"due": filing_words.due_words(first, today)} if first else ""
    return Item(len(mine), words, when, reverse("portal:filings"), late=first is not None and first < today)


def to_confirm(username: str) -> Item:
    """Voidings that somebody else proposed."""
    found = VoidProposal.objects.filter(outcome="").exclude(proposed_by=username)
    asked = found.aggregate(n=Count("pk"), since=Min("proposed_at"))
    words = ngettext("件作废提议等第二人确认", "件作废提议等第二人确认", asked["n"])
    return Item(asked["n"], words, age(asked["since"]), reverse("portal:filings"))


# --- the house ------------------------------------------------------------------------------------------------------
def ending() -> Item:
    """Bodies whose status ends soon."""
    asked = ending_soon(local_date(now())).aggregate(n=Count("pk"), first=Min("status_until"))
    words = ngettext("个基地的资格快到期", "个基地的资格快到期", asked["n"])
    when = gettext("最早的%(day)s到期") % {"day": f"{asked['first']:%Y-%m-%d}"} if asked["first"] else ""
    return Item(asked["n"], words, when, f"{reverse('portal:organisations')}?status=ends")


def without_factor() -> Item:
    """Accounts whose role needs a second factor that they have not set up."""
    asked = factor.owed().aggregate(n=Count("pk"), since=Min("date_joined"))
    words = ngettext("个账号还没有设二次验证", "个账号还没有设二次验证", asked["n"])
    return Item(asked["n"], words, age(asked["since"]), f"{reverse('portal:accounts')}?factor=none")


def invited() -> Item:
    """Invitations that nobody has taken."""
    found = pending()
    first = min((each.expires_at for each in found), default=None)
    words = ngettext("份邀请还没有人接受", "份邀请还没有人接受", len(found))
    when = gettext("最早的%(day)s失效") % {"day": f"{local_date(first):%Y-%m-%d}"} if first else ""
    return Item(len(found), words, when, f"{reverse('portal:accounts')}#pending")


def failed_jobs(jobs: Sequence[Mapping[str, Any]], desk: str) -> Item:
    """Jobs of the last week that ended badly; the table of the same desk names them."""
    count = sum(job["failed"] for job in jobs)
    words = ngettext("件后台工作没有做成", "件后台工作没有做成", count)
    return Item(count, words, gettext("最近7天"), f"#{desk}-jobs")
