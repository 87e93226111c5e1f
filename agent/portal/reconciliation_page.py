"""The page of the reconciliation: a day's snapshot, its equations over all that one may look at and by source, what
differs by name, and thirty days at a glance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from agent.certificates.models import Certificate
from agent.intake.models import Source, SyncRun
from agent.portal import equation_words
from agent.portal.strip import Day, strip
from agent.reconciliation.equations import Equation, holds
from agent.reconciliation.models import Line, Snapshot

DAYS = 30


@dataclass(frozen=True, slots=True)
class Figures:
    """One equation over several sources; ``left`` counts only sources that count what they have."""

    equation: str
    left: int | None
    right: int
    on_the_way: int
    apart: int
    equal: bool | None
    words: equation_words.Words


@dataclass(frozen=True, slots=True)
class Named:
    """A difference by name: masked, with the page that shows more where there is one."""

    what: str
    who: str
    id_masked: str
    course: str
    learned_on: str
    number: str
    token: str
    run: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Unequal:
    """A line that does not hold, with its differences."""

    line: Line
    words: equation_words.Words
    named: list[Named]

    @property
    def more(self) -> int:
        """Differences that are counted and not named."""
        return max(self.line.differing - len(self.named), 0)


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows."""

    snapshot: Snapshot
    figures: list[Figures]
    sources: list[tuple[Source, list[Line]]]
    unequal: list[Unequal]
    headline: str
    days: list[Day]
    strip: str


def snapshot_of(day: date | None) -> Snapshot | None:
    """The newest snapshot, or the last one of ``day``."""
    found = Snapshot.objects.order_by("-day", "-taken_at", "-pk")
    return (found.filter(day=day) if day else found).first()


def lines(snapshot: Snapshot, sources: Collection[Source]) -> list[Line]:
    """The lines of ``sources``, by name and in the order of the way through the house."""
    by_pk = {source.pk: source for source in sources}
    place = {each.value: at for at, each in enumerate(Equation)}
    found = list(Line.objects.filter(snapshot=snapshot, source__in=by_pk))
    for line in found:
        line.source = by_pk[line.source_id]
    return sorted(found, key=lambda line: (line.source.name, place[line.equation]))


def page_of(snapshot: Snapshot, sources: Collection[Source]) -> Page:
    """The page of ``snapshot`` for somebody who may look at ``sources``."""
    found = lines(snapshot, sources)
    figures = [_sum(equation, [line for line in found if line.equation == equation]) for equation in Equation]
    by_source: dict[int, list[Line]] = {}
    for line in found:
        by_source.setdefault(line.source_id, []).append(line)
    # what does not hold comes first
    groups = sorted(
        ((each[0].source, each) for each in by_source.values()),
        key=lambda group: (-sum(line.apart for line in group[1] if line.equal is False), group[0].name),
    )
    wrong = [line for line in found if line.equal is False]
    compared = sum(line.equal is not None for line in found)
    days = thirty_days(snapshot.day, sources)
    title = gettext("最近30天对账")
    return Page(
        snapshot=snapshot, figures=figures, sources=groups, unequal=_named(wrong),
        headline=equation_words.headline(sum(line.apart for line in wrong), len(wrong), compared),
        days=days, strip=strip(days, title=title, equal=gettext("相等"), unequal=gettext("不等")),
    )  # fmt: skip


def _sum(equation: Equation, found: list[Line]) -> Figures:
    compared = [line for line in found if line.left is not None]
    left = sum(line.left or 0 for line in compared) if compared else None
    right = sum(line.right for line in (compared or found))
    return Figures(
        equation, left, right, sum(line.on_the_way for line in found),
        sum(line.apart for line in compared if not line.equal),
        # one source's surplus hides no other's gap
        all(holds(line.left, line.right, line.differing) for line in compared) if compared else None,
        equation_words.words_of(equation),
    )  # fmt: skip


def _named(wrong: list[Line]) -> list[Unequal]:
    numbers = [each["number"] for line in wrong for each in line.named if each.get("number")]
    tokens = dict(Certificate.objects.filter(number__in=numbers).values_list("number", "token")) if numbers else {}
    runs = {each["run"] for line in wrong for each in line.named if each.get("run")}
    there = set(SyncRun.objects.filter(pk__in=runs).values_list("pk", flat=True)) if runs else set()
    return [
        Unequal(
            line, equation_words.words_of(line.equation), [_one(each, tokens, there) for each in line.named]
        )
        for line in wrong
    ]  # fmt: skip


def _one(said: dict[str, Any], tokens: dict[str, str], runs: set[int]) -> Named:
    number = said.get("number", "")
    return Named(
        what=said.get("what", ""), who=said.get("name", ""), id_masked=said.get("id_masked", ""),
        course=said.get("course_name") or said.get("course", ""), learned_on=said.get("learned_on") or "",
        number=number, token=tokens.get(number, ""), run=said["run"] if said.get("run") in runs else None,
        why=equation_words.why(said),
    )  # fmt: skip


# --- thirty days ---------------------------------------------------------------------------------------------------
# «Equal» and «apart» as agent/reconciliation/equations.py has them, over ten thousand lines.
_DAYS = """
WITH newest AS (
    SELECT DISTINCT ON (day) id, day FROM reconciliation_snapshot WHERE day BETWEEN %(first)s AND %(last)s
    ORDER BY day, taken_at DESC, id DESC
), side AS (
    SELECT n.day, l."left" IS NOT NULL AS compared,
           COALESCE(GREATEST(l.differing, abs(l."left" - l."right")), 0) AS apart
    FROM newest n JOIN reconciliation_line l ON l.snapshot_id = n.id AND l.source_id = ANY(%(sources)s)
)
SELECT day, sum(apart) FILTER (WHERE compared)::bigint, count(*) FILTER (WHERE compared AND apart > 0)
FROM side GROUP BY day
"""


def thirty_days(last: date, sources: Collection[Source]) -> list[Day]:
    """The days up to ``last``, oldest first, each by its last snapshot."""
    first = last - timedelta(DAYS - 1)
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"first": first, "last": last, "sources": [source.pk for source in sources]})
        found = {day: Day(day, apart, unequal) for day, apart, unequal in cursor.fetchall()}
    days = [first + timedelta(place) for place in range(DAYS)]
    return [found.get(day) or Day(day, None, 0) for day in days]


# --- to take away --------------------------------------------------------------------------------------------------
def exported(snapshot: Snapshot, sources: Collection[Source]) -> Iterator[list[Any]]:
    """Each equation with its figures, and a row for each of its named differences."""
    for line in lines(snapshot, sources):
        said = equation_words.words_of(line.equation)
        state = {True: gettext("相等"), False: gettext("不等"), None: gettext("没有可比的数")}[line.equal]
        head = [
            snapshot.taken_at, line.source.name, said.left, line.left, said.right, line.right, line.on_the_way, state,
            line.apart,
        ]  # fmt: skip
        if not line.named:
            yield head + [""] * 6
        for each in line.named:
            named = _one(each, {}, set())
            number = f"#{named.number}" if named.number else ""  # 26 digits: a spreadsheet would round them
            yield [*head, named.who, named.id_masked, named.course, named.learned_on, number, named.why]
