"""The ring of the year, the product's sign: public hours inside, professional hours outside, the requirement a tick.

Each band runs clockwise from twelve o'clock over three quarters of the circle; the free quarter holds their labels.
A band's own requirement lies at the same angle, so that two finished bands end side by side; the last degrees after
the tick show a surplus, which never fills another band (R03). Pure: hours in, SVG out, no styles but attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import cos, radians, sin

from agent.certificates.facts import hours_text

_SWEEP = 270.0
_TICK = 250.0
_CENTRE = 120.0
_WIDTH = 16.0
_RADII = (74.0, 98.0)  # inside, outside
_TINY = 1.2  # degrees below which an arc would only be a smudge


@dataclass(frozen=True, slots=True)
class Band:
    """One category: what it is called, what is credited and what is required (hundredths)."""

    label: str
    credited: int
    required: int
    kind: str  # the CSS class
    bare: bool = False  # the label names the requirement only

    @property
    def angle(self) -> float:
        """How far the band runs, in degrees."""
        if not self.required:
            return _TICK
        return min(_SWEEP, self.credited / self.required * _TICK)

    @property
    def text(self) -> str:
        """The label as it stands at the band's beginning."""
        if self.bare:
            return f"{self.label} {hours_text(self.required)}"
        return f"{self.label} {hours_text(self.credited)}/{hours_text(self.required)}"


def ring(public: Band, professional: Band, *, total: str, caption: str, title: str) -> str:
    """The ring with its labels.

    :param total: the figure in the middle
    :param caption: the line beneath it
    :param title: the whole in one sentence, for whoever does not see it
    """
    parts = []
    for band, radius in zip((public, professional), _RADII, strict=True):
        parts.append(_arc(radius, _SWEEP, "ring-track", "#e3e9ea"))
        if band.angle > _TINY:
            parts.append(_arc(radius, band.angle, f"ring-{band.kind}", "#0f5c63"))
        parts.append(_tick(radius))
        parts.append(
            f'<text class="ring-label" x="{_CENTRE - 9:g}" y="{_CENTRE - radius + 4.6:.1f}" text-anchor="end"'
            f' font-size="13">{escape(band.text)}</text>'
        )
    middle = (
        f'<text class="ring-total" x="{_CENTRE:g}" y="128" text-anchor="middle" font-size="42">{escape(total)}</text>'
        f'<text class="ring-caption" x="{_CENTRE:g}" y="150" text-anchor="middle" font-size="12.5">'
        f"{escape(caption)}</text>"
    )
    return (
        f'<svg class="ring" viewBox="0 0 240 240" role="img" aria-label="{escape(title)}" fill="none">'
        f"{''.join(parts)}{middle}</svg>"
    )


def small_ring(public: Band, professional: Band, *, title: str) -> str:
    """The ring to stand beside a name or a year in a line of text: bands only."""
    parts = []
    for band, radius in zip((public, professional), (52.0, 98.0), strict=True):
        parts.append(_arc(radius, _SWEEP, "ring-track", "#e3e9ea", 34))
        if band.angle > _TINY:
            parts.append(_arc(radius, band.angle, f"ring-{band.kind}", "#0f5c63", 34))
    return (
        f'<svg class="ring-small" viewBox="0 0 240 240" width="20" height="20" role="img" aria-label="{escape(title)}"'
        f' fill="none">{"".join(parts)}</svg>'
    )


def _point(radius: float, angle: float) -> str:
    return f"{_CENTRE + radius * sin(radians(angle)):.2f} {_CENTRE - radius * cos(radians(angle)):.2f}"


def _arc(radius: float, angle: float, kind: str, colour: str, width: float = _WIDTH) -> str:
    large = int(angle > 180)  # noqa: PLR2004 - half a circle, as SVG's flag means it
    return (
        f'<path class="{kind}" d="M{_point(radius, 0)}A{radius:g} {radius:g} 0 {large} 1 {_point(radius, angle)}"'
        f' stroke="{colour}" stroke-width="{width:g}"/>'
    )


def _tick(radius: float) -> str:
    inner, outer = _point(radius - _WIDTH / 2 - 2, _TICK), _point(radius + _WIDTH / 2 + 2, _TICK)
    return f'<path class="ring-tick" d="M{inner}L{outer}" stroke="#1d2733" stroke-width="2"/>'
