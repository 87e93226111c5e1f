"""QR codes as one vector path."""

from __future__ import annotations

import zxingcpp

_QUIET_ZONE = 4  # modules on each side, as ISO 18004 asks


def qr_svg(text: str) -> tuple[str, int]:
    """An SVG of the code with its quiet zone, and how many modules wide that is.

    Error correction M, for paper that was folded. Upper-case letters, digits and ``$%*+-./:`` make a small code.
    """
    code = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M")
    modules = code.to_image(scale=1, add_quiet_zones=False).shape[0]
    return str(code.to_svg(add_quiet_zones=True)), modules + 2 * _QUIET_ZONE
