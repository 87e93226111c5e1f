"""A chart of days as SVG: bars with their figures, and under them what went wrong, as a shape with its word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from django.utils.translation import gettext

from agent.portal.run_filter import RunFilter
from agent.portal.run_list import Sums
from agent.portal.words import english

_PITCH, _HEIGHT, _TOP, _BASE = 34.0, 178.0, 18.0, 118.0
_NARROW, _SHORT = 11.5, 140.0  # where there are many days, and where nothing failed
_MOST_DAYS = 45
_MYRIAD, _THOUSAND, _MILLION = 10_000, 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: ``name`` stands under it, ``failed`` runs are marked below."""

    name: str
    figure: int
    failed: int
    full_name: str


@dataclass(frozen=True, slots=True)
class DayChart:
    """The chart and the table behind it."""

    title: str
    svg: str
    rows: list[Bar]


def runs_chart(days: Sequence[tuple[date, Sums]], wanted: RunFilter) -> DayChart | None:
    """Rows that were new or changed, by day; by month when there are many days. None: nothing ran."""
    if not days:
        return None
    found = dict(days)
    # a range that was asked for in years begins where something ran
    first = max(wanted.first, days[0][0]) if wanted.asked_first else wanted.first
    last = min(wanted.last, max(days[-1][0], wanted.today))
    many = (last - first).days >= _MOST_DAYS
    bars: dict[str, Bar] = {}
    for place in range((last - first).days + 1):
        day = first + timedelta(place)
        sums = found.get(day, Sums())
        key = f"{day:%Y-%m}" if many else f"{day:%Y-%m-%d}"
        old = bars.get(key)
        name = _name(day, first=not bars or (day.month == 1 if many else day.day == 1), months=many)
        figure, failed = (old.figure, old.failed) if old else (0, 0)
        bars[key] = Bar(old.name if old else name, figure + sums.new + sums.changed, failed + sums.failed, key)
    rows = list(bars.values())
    title = gettext("每月到达的行（新增和变更）") if many else gettext("每天到达的行（新增和变更）")
    return DayChart(title, draw(rows, title=title, word=gettext("失败")), rows)


def _name(day: date, *, first: bool, months: bool) -> str:
    if months:
        return f"{day:%Y-%m}" if first else f"{day:%m}"
    return f"{day.month}/{day.day}" if first else str(day.day)


def short(figure: int) -> str:
    """A figure of at most five characters, as its readers shorten it: 12.3万, 12.3k."""
    if figure < _MYRIAD:
        return str(figure)
    if english():
        unit, sign = (_MILLION, "M") if figure >= _MILLION else (_THOUSAND, "k")
    else:
        unit, sign = (100 * _MILLION, "亿") if figure >= 100 * _MILLION else (_MYRIAD, "万")
    shown = figure / unit
    return (f"{shown:.1f}".removesuffix(".0") if shown < 100 else f"{shown:.0f}") + sign  # noqa: PLR2004


def draw(bars: Sequence[Bar], *, title: str, word: str) -> str:
    """The bars in their order; the tallest fills the height. ``word`` stands under the mark of what failed.

    Of many bars only the tallest bears its figure.
    """
    most = max((bar.figure for bar in bars), default=0) or 1
    many = len(bars) > _MOST_DAYS
    pitch = _NARROW if many else _PITCH
    width = pitch * max(len(bars), 1)
    half = pitch * 5 / 17
    tallest = next((bar for bar in bars if bar.figure == most), None)
    above = 0.0 if any(bar.figure for bar in bars) else _BASE - _TOP  # no bar, no room for bars
    below = (_HEIGHT if any(bar.failed for bar in bars) else _SHORT) - above
    parts = [f'<path class="bars-base" d="M0 {_BASE:g}H{width:g}" stroke="#56636f"/>']
    for place, bar in enumerate(bars):
        middle = pitch * place + pitch / 2
        height = (_BASE - _TOP) * bar.figure / most
        top = _BASE - height
        said = f"{bar.full_name}: {bar.figure}" + (f", {word} {bar.failed}" if bar.failed else "")
        parts.append(f"<g><title>{escape(said)}</title>")
        if bar.figure:
            parts.append(
                f'<rect class="bars-bar" x="{middle - half:g}" y="{top:.1f}" width="{2 * half:g}"'
                f' height="{height:.1f}" fill="#0f5c63"/>'
            )
        if bar.figure and (bar is tallest or not many):
            at = min(max(middle, 16), width - 16)
            parts.append(
                f'<text class="bars-figure" x="{at:g}" y="{top - 5:.1f}" text-anchor="middle" font-size="10">'
                f"{short(bar.figure)}</text>"
            )
        parts.append(
            f'<text class="bars-name" x="{middle:g}" y="{_BASE + 16:g}" text-anchor="middle" font-size="10">'
            f"{escape(bar.name)}</text>"
        )
        if bar.failed:
            x, y = middle - 9, _BASE + 27
            parts.append(
                f'<g class="bars-failed" stroke="#c8371f" fill="#c8371f">'
                f'<path d="M{x:g} {y:g}l6 6m0 -6l-6 6" stroke-width="1.75" fill="none"/>'
                f'<text x="{middle + 1:g}" y="{y + 7:g}" font-size="10" stroke="none">{short(bar.failed)}</text>'
                f'<text x="{middle:g}" y="{y + 20:g}" text-anchor="middle" font-size="9" stroke="none">'
                f"{escape(word)}</text></g>"
            )
        parts.append("</g>")
    return (
        f'<svg class="bars days" viewBox="0 {above:g} {width:g} {below:g}" width="{width:g}" height="{below:g}"'
        f' role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
