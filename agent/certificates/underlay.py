"""What lies under all pages of an organiser, as PDF's own drawing operators: made once, then laid under each page by
the signer's update.

Typst would embed the picture anew for each page, which takes as long as half of all the rest, and twice the room. The
operators keep the picture's own frames of reference, so that what repeats in it (a guilloche does) packs well.
"""

from __future__ import annotations

import re
import zlib
from xml.etree import ElementTree as ET

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_PART = re.compile(r"([MmLlHhVvCcQqZz])([^MmLlHhVvCcQqZz]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_COLOUR = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_CAPS, _JOINS = {"butt": 0, "round": 1, "square": 2}, {"miter": 0, "round": 1, "bevel": 2}
_KNOWN = {
    "d", "fill", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
    "transform", "x", "y", "id", _LINK,
}  # fmt: skip


def operators(svg: bytes) -> bytes | None:
    """The picture as a packed content stream, marked as an artifact. None: it has more in it than lines, areas and
    letters of one colour each, and has to be drawn by Typst.
    """
    root = ET.fromstring(svg)  # noqa: S314 - Typst's own output, which has no entities
    _, _, _, height = map(float, root.get("viewBox", "0 0 0 0").split())
    glyphs = {
        symbol.get("id", ""): path.get("d", "")
        for symbol in root.iter(f"{_SVG}symbol")
        for path in symbol.iter(f"{_SVG}path")
    }
    try:
        drawn = _drawn(root, glyphs)
    except _Other:
        return None
    text = f"/Artifact BMC q 1 0 0 -1 0 {_short(height)} cm\n{drawn}Q EMC\n"
    return zlib.compress(text.encode("ascii"), 9)


class _Other(Exception):
    """There is something else in the picture."""


def _drawn(node: ET.Element, glyphs: dict[str, str]) -> str:
    parts = []
    for child in node:
        if child.tag == f"{_SVG}defs":
            continue
        if not _KNOWN.issuperset(child.attrib):
            raise _Other
        frame = _frame(child.get("transform", ""))
        if child.tag == f"{_SVG}g":
            parts.append(f"q {frame}{_drawn(child, glyphs)}Q\n")
        elif child.tag == f"{_SVG}path":
            parts.append(f"q {frame}{_painted(child, _path(child.get('d', '')))}Q\n")
        elif child.tag == f"{_SVG}use":
            name = child.get(_LINK, "").removeprefix("#")
            move = f"1 0 0 1 {_short(float(child.get('x', 0)))} {_short(float(child.get('y', 0)))} cm "
            parts.append(f"q {frame}{move}{_painted(child, _path(glyphs[name]))}Q\n" if name in glyphs else "")
        else:
            raise _Other
    return "".join(parts)


def _painted(node: ET.Element, path: str) -> str:
    """The path with its colours, in the order of PDF: state, path, painting operator."""
    fill, stroke = node.get("fill", "none"), node.get("stroke", "none")
    state = ""
    if fill != "none":
        state += f"{_colour(fill)} rg "
    if stroke != "none":
        state += (
            f"{_colour(stroke)} RG {_short(float(node.get('stroke-width', 1)))} w "
            f"{_CAPS[node.get('stroke-linecap', 'butt')]} J {_JOINS[node.get('stroke-linejoin', 'miter')]} j "
            f"{_short(float(node.get('stroke-miterlimit', 4)))} M "
        )
    star = "*" if node.get("fill-rule") == "evenodd" and fill != "none" else ""
    paint = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
    return f"{state}{path}{paint[fill != 'none', stroke != 'none']}{star} "


def _path(path: str) -> str:
    """An SVG path in PDF's operators, which know neither relative points nor quadratic curves."""
    out = []
    x = y = start_x = start_y = 0.0
    for command, arguments in _PART.findall(path):
        numbers = [float(n) for n in _NUMBER.findall(arguments)]
        kind = command.upper()
        base_x, base_y = (x, y) if command.islower() else (0.0, 0.0)
        if kind == "Z":
            x, y = start_x, start_y
            out.append("h ")
            continue
        if kind == "H":
            points = [(base_x + numbers[0], y)]
        elif kind == "V":
            points = [(x, base_y + numbers[0])]
        else:
            points = [(base_x + a, base_y + b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        if kind == "Q":
            (ax, ay), end = points
            points = [(x + (ax - x) * 2 / 3, y + (ay - y) * 2 / 3), (end[0] + (ax - end[0]) * 2 / 3,
                      end[1] + (ay - end[1]) * 2 / 3), end]  # fmt: skip
        x, y = points[-1]
        if kind == "M":
            start_x, start_y = x, y
        operator = {"M": "m", "C": "c", "Q": "c"}.get(kind, "l")
        out.append(" ".join(f"{_short(a)} {_short(b)}" for a, b in points) + f" {operator} ")
    return "".join(out)


def _frame(transform: str) -> str:
    if not transform:
        return ""
    numbers = [float(n) for n in _NUMBER.findall(transform)]
    if transform.startswith("matrix"):
        return " ".join(_short(n, 5) for n in numbers[:4]) + f" {_short(numbers[4])} {_short(numbers[5])} cm "
    if transform.startswith("translate"):
        dx, dy = (*numbers, 0.0)[:2]
        return f"1 0 0 1 {_short(dx)} {_short(dy)} cm "
    raise _Other


def _colour(text: str) -> str:
    found = _COLOUR.fullmatch(text)
    if not found:
        raise _Other
    return " ".join(_short(int(part, 16) / 255, 3) for part in found.groups())


def _short(number: float, digits: int = 2) -> str:
    """A hundredth of a point is finer than any printer."""
    text = f"{number:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
