"""The charts of the desks: each with its sentence, its picture and the figures behind it, which a workbook takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from agent.certificates.transitions import State
from agent.figures.look import Held, Look
from agent.figures.questions import What
from agent.localtime import local_date, now
from agent.portal import mapping_words, words
from agent.portal.csv_file import Cell
from agent.portal.days import Bar, draw
from agent.portal.health import SourceHealth
from agent.portal.run_page import HeldItem
from agent.portal.spans import Choice
from agent.quarantine.models import Held as HeldRow

_OLD = 30
_AGES = (1, 7, 30, 90)
_EXAMPLES = 12
_SOURCES = 20
"""Sources that a page names; those in trouble are all named."""


@dataclass(frozen=True, slots=True)
class Line:
    """A bar that lies: its name, what stands at its end, and how long it is (percent of the longest)."""

    name: str
    figure: str
    share: float
    more: str = ""
    note: str = ""
    fix: str = ""
    code: str = ""
    href: str = ""


@dataclass(slots=True)
class Chart:
    """One chart. ``cells`` are all figures of it, for a workbook; ``table`` those behind a picture of days."""

    key: str
    title: str
    said: str
    heads: list[str]
    cells: list[list[Cell]]
    svg: str = ""
    table: list[tuple[str, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    now: bool = False  # what is so now, whatever the span
    health: list[SourceHealth] = field(default_factory=list)
    more: int = 0  # sources that are well and not named

    @property
    def slim(self) -> bool:
        """Whether half of a wide page is enough for it."""
        return self.key in ("public", "professional")

    @property
    def mends(self) -> bool:
        """Whether its lines say what releases them."""
        return any(line.fix for line in self.lines)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be drawn."""
        return not self.cells


def landed(look: Look, choice: Choice) -> Chart:
    """Completions by the day on which they landed."""
    found = look.landed(choice.span)
    total = sum(found.values())
    said = gettext("这段时间没有结业记录到达。")
    if total:
        most = max(found, key=lambda day: (found[day], day))
        said = ngettext("到达%(n)s条结业记录；", "到达%(n)s条结业记录；", total) % {"n": f"{total:,}"}
        said += gettext("最多的一天是%(day)s，%(n)s条。") % {"day": f"{most:%Y-%m-%d}", "n": f"{found[most]:,}"}
    title = gettext("每月到达的结业记录") if choice.by_month else gettext("每天到达的结业记录")
    bars = _bars(choice, found) if total else []
    return Chart(
        "landed", title, said, [gettext("日期"), gettext("条数")], [[day, n] for day, n in found.items()],
        svg=draw(bars, title=title, word="") if bars else "",
        table=[(bar.full_name, f"{bar.figure:,}") for bar in bars],
        columns=(gettext("日期"), gettext("条数")),
    )  # fmt: skip


def hours(look: Look, choice: Choice, what: What) -> Chart:
    """Hours by subject or series: booked in the span, reversals taken off."""
    found = look.hours(choice.span, what)
    total = sum(each.credited for each in found)
    if what is What.PUBLIC:
        key, title, head, unnamed = "public", gettext("公需学时，按科目"), gettext("科目"), gettext("没有写明科目")
    else:
        key, title, head = "professional", gettext("专业学时，按职称系列"), gettext("职称系列")
        unnamed = gettext("没有写明系列")
    said = gettext("这段时间没有学时入账。")
    if found:
        said = gettext("入账%(hours)s学时，冲销的已经减去。") % {"hours": two(total)}
    most = max((each.credited for each in found), default=0)
    entries = sum(each.entries for each in found)
    return Chart(
        key, title, said, [head, gettext("学时"), gettext("人次")],
        [[each.name or unnamed, each.credited / 100, each.entries] for each in found],
        lines=[Line(each.name or unnamed, two(each.credited), _share(each.credited, most), f"{each.entries:,}")
               for each in found],
        columns=(head, gettext("学时"), gettext("人次")), total=(gettext("合计"), two(total), f"{entries:,}"),
    )  # fmt: skip


def certificates(look: Look, choice: Choice) -> Chart:
    """Certificates by the day of their issue, and how they stand now."""
    found = look.certificates(choice.span)
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    by_state: Counter[str] = Counter()
    for day, state, n in found:
        by_day[day][state] += n
        by_state[state] += n
    total = by_state.total()
    said = gettext("这段时间没有签发证书。")
    if total:
        said = ngettext("签发%(n)s张证书；", "签发%(n)s张证书；", total) % {"n": f"{total:,}"}
        said += gettext("到现在%(n)s张有效。") % {"n": f"{by_state['issued']:,}"}
    title = gettext("每月签发的证书") if choice.by_month else gettext("每天签发的证书")
    bars = _bars(choice, {day: states.total() for day, states in by_day.items()}) if total else []
    states = [str(each) for each in State]
    most = max(by_state.values(), default=0)
    cells: list[list[Cell]] = [
        [day, *(by_day[day][each] for each in states), by_day[day].total()] for day in sorted(by_day)
    ]
    return Chart(
        "certificates", title, said,
        [gettext("签发日期"), *(words.certificate_state(each) for each in states), gettext("合计")], cells,
        svg=draw(bars, title=title, word="") if bars else "",
        table=[(bar.full_name, f"{bar.figure:,}") for bar in bars],
        lines=[Line(words.certificate_state(each), f"{by_state[each]:,}", _share(by_state[each], most))
               for each in states if by_state[each]],
        columns=(gettext("现在的状态"), gettext("张数")), total=(gettext("合计"), f"{total:,}"),
    )  # fmt: skip


def held(found: Sequence[Held], *, linked: bool) -> Chart:
    """What waits by code, with its age; whatever the span."""
    today = local_date(now())
    total = sum(each.count for each in found)
    old = sum(n for each in found for day, n in each.days.items() if (today - day).days > _OLD)
    said = gettext("没有记录在等待。")
    if total:
        said = ngettext("%(n)s条在等待", "%(n)s条在等待", total) % {"n": f"{total:,}"}
        if old:
            said += ngettext("，其中%(n)s条等了30天以上", "，其中%(n)s条等了30天以上", old) % {"n": f"{old:,}"}
        said += gettext("。")
    examples = HeldRow.objects.in_bulk([each.one for each in found[:_EXAMPLES]])
    most = max((each.count for each in found), default=0)
    lines = []
    for each in found:
        row = examples.get(each.one)
        item = HeldItem(each.code, row.params, row.opened_at, None) if row else None
        lines.append(Line(
            mapping_words.short(each.code), f"{each.count:,}", _share(each.count, most), f"{each.since:%Y-%m-%d}",
            note=_told(item.sentence_zh, item.sentence_en) if item else "",
            fix=words.for_learners(_told(item.fix_zh, item.fix_en)) if item else "", code=each.code,
            href=reverse("portal:quarantine-code", args=[each.code]) if linked else "",
        ))  # fmt: skip
    ages = [gettext("不到1天"), gettext("1至7天"), gettext("7至30天"), gettext("30至90天"), gettext("90天以上")]
    return Chart(
        "held", gettext("等待的记录，按原因"), said,
        [gettext("代码"), gettext("原因"), gettext("条数"), gettext("最早"), *ages],
        [[each.code, mapping_words.short(each.code), each.count, each.since, *_ages(each, today)] for each in found],
        lines=lines, columns=(gettext("原因"), gettext("条数"), gettext("最早")), now=True,
        total=(gettext("合计"), f"{total:,}", f"{min(each.since for each in found):%Y-%m-%d}") if found else (),
    )  # fmt: skip


def sync(health: Sequence[SourceHealth]) -> Chart:
    """How the sources are, and what they gave in the span."""
    bad = sum(each.trouble for each in health)
    shown = list(health[: max(bad, _SOURCES)])  # those in trouble come first
    said = gettext("还没有接入学习平台。")
    if health:
        said = ngettext("%(n)s个来源", "%(n)s个来源", len(health)) % {"n": f"{len(health):,}"}
        said += gettext("，都读得到。") if not bad else (
            ngettext("，%(n)s个要有人看。", "，%(n)s个要有人看。", bad) % {"n": f"{bad:,}"}
        )  # fmt: skip
    return Chart(
        "sync", gettext("来源的健康"), said,
        [gettext("来源"), gettext("状态"), gettext("最近读取"), gettext("最近成功"), gettext("停读到"), gettext("次数"),
         gettext("失败"), gettext("调用"), gettext("新增和变更"), gettext("错误代码")],
        [[each.source.name, each.word, each.run.started_at if each.run else None, each.good_at, each.rests_until,
          each.pulls.runs, each.pulls.failed, each.pulls.calls, each.pulls.rows,
          each.run.error_code if each.run else ""]
         for each in health],
        health=shown, more=len(health) - len(shown),
    )  # fmt: skip


def two(hundredths: int) -> str:
    """Hours in two decimals, with their thousands apart."""
    return f"{hundredths / 100:,.2f}"


def _share(figure: int, most: int) -> float:
    return round(max(figure, 0) / most * 100, 1) if most > 0 else 0.0


def _told(chinese: str, english: str) -> str:
    return english if words.english() else words.tight(chinese)


def _ages(each: Held, today: date) -> list[int]:
    """How many wait for less than each of the ages, and longer than the ones before."""
    counted = [0] * (len(_AGES) + 1)
    for day, n in each.days.items():
        days = (today - day).days
        counted[sum(days >= limit for limit in _AGES)] += n
    return counted


def _bars(choice: Choice, found: dict[date, int]) -> list[Bar]:
    """Every day of the span, or every month of it where there are many."""
    if choice.by_month:
        months: dict[str, int] = dict.fromkeys((f"{day:%Y-%m}" for day in choice.days), 0)
        for day, n in found.items():
            months[f"{day:%Y-%m}"] += n
        return [Bar(gettext("%(month)d月") % {"month": int(key[5:])}, n, 0, key) for key, n in months.items()]
    days = choice.days
    thin = len(days) > 31  # noqa: PLR2004 - then only Mondays bear their date
    return [Bar(_name(day, days[0], thin=thin), found.get(day, 0), 0, f"{day:%Y-%m-%d}") for day in days]


def _name(day: date, first: date, *, thin: bool) -> str:
    if thin:
        return f"{day.month}/{day.day}" if day.weekday() == 0 else ""
    return f"{day.month}/{day.day}" if day == first or day.day == 1 else str(day.day)
