"""The line of thirty days as SVG: two strokes for equal, struck through with its figure for unequal, a dot for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from agent.portal.days import short

_PITCH, _HEIGHT = 34.0, 66.0


@dataclass(frozen=True, slots=True)
class Day:
    """A day: ``apart`` rows did not agree (None: nothing was taken, or nothing could be compared), in so many
    ``unequal`` equations.
    """

    day: date
    apart: int | None
    unequal: int


def strip(days: Sequence[Day], *, title: str, equal: str, unequal: str) -> str:
    """The days in their order, each by shape and by one of the two words."""
    width = _PITCH * len(days)
    parts = []
    for place, each in enumerate(days):
        middle = _PITCH * place + _PITCH / 2
        name = f"{each.day.month}/{each.day.day}" if place == 0 or each.day.day == 1 else str(each.day.day)
        said, mark = _mark(each, middle, equal, unequal)
        parts.append(
            f"<g><title>{each.day:%Y-%m-%d} {escape(said)}</title>{mark}{_text(middle, 62, 10, name, 'bars-name')}</g>"
        )
    return (
        f'<svg class="bars days" viewBox="0 0 {width:g} {_HEIGHT:g}" width="{width:g}" height="{_HEIGHT:g}"'
        f' role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _mark(day: Day, middle: float, equal: str, unequal: str) -> tuple[str, str]:
    """What is said of a day, and its shape with its word."""
    if day.apart is None:
        return "—", f'<circle class="strip-none" cx="{middle:g}" cy="16" r="1.5" fill="#56636f"/>'
    strokes = f"M{middle - 6:g} 13h12M{middle - 6:g} 19h12"
    if not day.unequal:
        shape = f'<path class="strip-good" d="{strokes}" fill="none" stroke="#0f5c63" stroke-width="2"/>'
        return equal, shape + _text(middle, 36, 9, equal)
    struck = f"{strokes}M{middle + 3.5:g} 8.5l-7 15"
    shape = f'<path class="strip-bad" d="{struck}" fill="none" stroke="#c8371f" stroke-width="2"/>'
    words = _text(middle, 36, 10, short(day.apart)) + _text(middle, 48, 9, unequal)
    return f"{unequal} {day.apart}", shape + words


def _text(x: float, y: float, size: int, said: str, kind: str = "strip-word") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size}">{escape(said)}</text>'


def pulls_strip(states: Sequence[str], *, title: str) -> str:
    """Pulls of a source in their order, the newest last: a stroke for a good one, a cross for a failed one, a dot for
    one that goes on.
    """
    shapes = {
        "done": '<path class="strip-good" d="M{0} 3v12" stroke="#0f5c63" stroke-width="3"/>',
        "failed": '<path class="strip-bad" d="M{1} 6l6 6m0-6l-6 6" fill="none" stroke="#c8371f" stroke-width="1.75"/>',
    }
    dot = '<circle class="strip-none" cx="{0}" cy="9" r="1.5" fill="#56636f"/>'
    marks = [shapes.get(state, dot).format(8 * n + 4, 8 * n + 1) for n, state in enumerate(states)]
    width = 8 * len(states)
    return (
        f'<svg class="pulls" viewBox="0 0 {width} 18" width="{width}" height="18" role="img"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(marks)}</svg>'
    )
