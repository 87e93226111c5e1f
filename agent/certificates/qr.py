"""QR codes as one vector path."""

from __future__ import annotations

import re

import zxingcpp

_QUIET_ZONE = 4  # modules on each side, as ISO 18004 asks
_RUN = re.compile(b"(\xff*)(\0+)")  # light modules, and the dark ones behind them


class _Steps(dict[tuple[bytes, bytes], str]):
    """What draws a run of dark modules behind light ones and ends where the next begins; made once for each length."""

    def __missing__(self, run: tuple[bytes, bytes]) -> str:
        light, dark = map(len, run)
        self[run] = step = f"m{light} 0v1h{dark}v-1"
        return step


_STEPS = _Steps()


def qr_svg(text: str) -> tuple[str, int]:
    """An SVG of the code with its quiet zone, and how many modules wide that is.

    Error correction M, for paper that was folded. Upper-case letters, digits and ``$%*+-./:`` make a small code.
    """
    image = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M").to_image(scale=1, add_quiet_zones=False)
    side = image.shape[0]
    modules = bytes(image)  # type: ignore[call-overload]  # its stub does not say that it is a buffer
    wide = side + 2 * _QUIET_ZONE
    # zxing's own SVG takes as long as the code itself, a fifteenth of the whole page
    lines = (_RUN.findall(modules, at, at + side) for at in range(0, side * side, side))
    rows = (
        f"M{_QUIET_ZONE} {_QUIET_ZONE + at}{''.join(map(_STEPS.__getitem__, line))}" for at, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{wide}" viewBox="0 0 {wide} {wide}">'
        f'<rect width="{wide}" height="{wide}" fill="#fff"/><path d="{"".join(rows)}"/></svg>'
    ), wide
