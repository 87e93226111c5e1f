"""A bar chart as SVG, made here: figures stand on the bars and names under them, so nobody looks for a legend."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_HEIGHT, _BASE, _TOP = 150.0, 126.0, 18.0
_PITCH = 30.0


def bars(values: Sequence[tuple[str, int]], *, title: str) -> str:
    """One bar for each (name, figure), in their order; the tallest fills the height.

    :param title: what is shown, for whoever does not see it
    """
    most = max((figure for _, figure in values), default=0) or 1
    width = _PITCH * max(len(values), 1)
    parts = [f'<path class="bars-base" d="M0 {_BASE:g}H{width:g}" stroke="#56636f"/>']
    for place, (name, figure) in enumerate(values):
        middle = _PITCH * place + _PITCH / 2
        height = (_BASE - _TOP) * figure / most
        top = _BASE - height
        if figure:
            parts.append(
                f'<rect class="bars-bar" x="{middle - 9:g}" y="{top:.1f}" width="18" height="{height:.1f}"'
                ' fill="#0f5c63"/>'
            )
        parts.append(
            f'<text class="bars-figure" x="{middle:g}" y="{top - 5:.1f}" text-anchor="middle" font-size="10">'
            f"{figure}</text>"
            f'<text class="bars-name" x="{middle:g}" y="{_BASE + 16:g}" text-anchor="middle" font-size="10">'
            f"{escape(name)}</text>"
        )
    return (
        f'<svg class="bars" viewBox="0 0 {width:g} {_HEIGHT:g}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
