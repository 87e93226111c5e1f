"""What waits for somebody in a role: each with its count, the oldest one's age or due date, and where it is done.

Every function is one question; `agent.portal.desks` says which role is asked which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Count, Exists, Min, OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from agent.figures.look import Held
from agent.intake.models import SourceDraft
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.organisations.rights import DECIDING
from agent.people.invitations import pending
from agent.people.models import SecondFactor
from agent.portal import approval_page, filing_list, filing_words
from agent.portal.health import SourceHealth
from agent.programmes.models import FilingDraft, FilingEvent, Programme, VoidProposal
from agent.programmes.transitions import WAITING, State
from agent.reconciliation.models import Line, Snapshot
from agent.work.queue import depth

ENDING = timedelta(60)
"""How long before its end the status of a body is looked at."""
MAPPED_BY_PEOPLE = ("E_COURSE_UNMAPPED", "E_COURSE_AMBIGUOUS")
WAIVED = "E_LATE_YEAR"


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
def courses(held: Sequence[Held]) -> Item:
    """Records of courses that nobody has said what they are."""
    mine = [each for each in held if each.code in MAPPED_BY_PEOPLE]
    count = sum(each.count for each in mine)
    words = ngettext("条记录等您确认课程对应哪个项目", "条记录等您确认课程对应哪个项目", count)
    href = f"{reverse('portal:mapping')}?state=unmapped"
    return Item(count, words, age(min((each.since for each in mine), default=None)), href)


def records(held: Sequence[Held]) -> Item:
    """All other records that wait."""
    mine = [each for each in held if each.code not in MAPPED_BY_PEOPLE]
    count = sum(each.count for each in mine)
    words = ngettext("条记录待处理", "条记录待处理", count)
    return Item(count, words, age(min((each.since for each in mine), default=None)), reverse("portal:quarantine"))


def waivers(held: Sequence[Held]) -> Item | None:
    """Records that only the bureau can let pass."""
    found = next((each for each in held if each.code == WAIVED), None)
    if found is None:
        return None
    words = ngettext("条迟到的记录等您决定是否接受", "条迟到的记录等您决定是否接受", found.count)
    return Item(found.count, words, age(found.since), reverse("portal:quarantine-code", args=[WAIVED]))


def troubled(health: Sequence[SourceHealth]) -> Item:
    """Sources that could not be read lately."""
    mine = [each for each in health if each.trouble]
    words = ngettext("个来源读不到", "个来源读不到", len(mine))
    since = min((each.good_at for each in mine if each.good_at), default=None)
    when = gettext("最早的自%(day)s起") % {"day": f"{local_date(since):%Y-%m-%d}"} if since else ""
    asked = {"state": "failed"} | ({"source": mine[0].source.name} if len(mine) == 1 else {})
    return Item(len(mine), words, when, f"{reverse('portal:runs')}?{urlencode(asked)}")


def sources_begun(bodies: Sequence[Organisation]) -> Item:
    """Sources that somebody began to connect."""
    found = SourceDraft.objects.filter(organisation__in=bodies).aggregate(n=Count("pk"), since=Min("at"))
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
    count = sum(line.equal is False for line in lines.defer("named"))
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


def with_the_bureau(bodies: Sequence[Organisation]) -> int:
    """Filings that wait for somebody else: the bureau decides on them."""
    return Programme.objects.filter(organiser__in=bodies, state__in=WAITING).count()


def approvals(bodies: Sequence[Organisation]) -> Item:
    """People who wait for an approval in programmes that ``bodies`` organise."""
    count, since = approval_page.waiting_since(bodies)
    words = ngettext("人等您批准证书", "人等您批准证书", count)
    return Item(count, words, age(since), reverse("portal:approvals"))


def to_decide(queue: Sequence[filing_list.Row]) -> Item:
    """Filings that wait for the bureau, and when the first one is due."""
    mine = [row for row in queue if row.due]
    first, today = min((row.due for row in mine if row.due), default=None), local_date(now())
    words = ngettext("件备案等您决定", "件备案等您决定", len(mine))
    when = gettext("最早的%(due)s") % {"due": filing_words.due_words(first, today)} if first else ""
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
    today = local_date(now())
    found = Organisation.objects.filter(status_until__range=(today, today + ENDING))
    asked = found.aggregate(n=Count("pk"), first=Min("status_until"))
    words = ngettext("个单位的资格快到期", "个单位的资格快到期", asked["n"])
    when = gettext("最早的%(day)s到期") % {"day": f"{asked['first']:%Y-%m-%d}"} if asked["first"] else ""
    return Item(asked["n"], words, when, reverse("portal:organisations"))


def without_factor() -> Item:
    """Accounts whose role needs a second factor that they have not set up."""
    sure = SecondFactor.objects.filter(user=OuterRef("pk")).exclude(confirmed_at=None)
    found = User.objects.filter(is_active=True, membership__role__in=DECIDING).exclude(Exists(sure))
    asked = found.aggregate(n=Count("pk", distinct=True), since=Min("date_joined"))
    words = ngettext("个账号还没有设二次验证", "个账号还没有设二次验证", asked["n"])
    return Item(asked["n"], words, age(asked["since"]), reverse("portal:accounts"))


def invited() -> Item:
    """Invitations that nobody has taken."""
    found = pending()
    first = min((each.expires_at for each in found), default=None)
    words = ngettext("份邀请还没有人接受", "份邀请还没有人接受", len(found))
    when = gettext("最早的%(day)s失效") % {"day": f"{local_date(first):%Y-%m-%d}"} if first else ""
    return Item(len(found), words, when, reverse("portal:accounts"))


def failed_jobs() -> Item:
    """Jobs of the last week that ended badly."""
    count = sum(task["failed"] for task in depth()["tasks"])
    words = ngettext("件后台工作没有做成", "件后台工作没有做成", count)
    return Item(count, words, gettext("最近7天"), f"{reverse('portal:runs')}?state=failed")
