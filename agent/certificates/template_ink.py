"""What Typst drew, read back from its SVG: where letters and codes stand on the page, and which letters they are.

The SVG knows glyphs only by their outlines; a letter is recognised by holding its outline against the fonts' own.
Lengths in points from the page's upper left corner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from xml.etree import ElementTree as ET

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_PART = re.compile(r"([MmLlHhVvCcQqZz])([^MmLlHhVvCcQqZz]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_SAME = 0.02  # of a glyph's size: outlines are rounded differently in each size

Box = tuple[float, float, float, float]  # left, top, right, bottom
Matrix = tuple[float, float, float, float, float, float]
Outline = tuple[str, tuple[float, ...]]  # commands, and points in units of the outline's own size
_UNMOVED: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """Letters that were set together: their glyphs, and the ink's box."""

    glyphs: tuple[str, ...]
    box: Box
    window: Box | None  # what lies outside is cut off


@dataclass(slots=True)
class Ink:
    """A drawn page."""

    width: float
    height: float
    runs: list[Run] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)
    outlines: dict[str, Outline] = field(default_factory=dict)

    def text(self, letters: Mapping[str, list[tuple[Outline, str]]]) -> str:
        """The page's letters in the order in which they were drawn; those that ``letters`` lacks as □."""
        found = {name: recognised(outline, letters) for name, outline in self.outlines.items()}
        return "".join(found.get(glyph, "□") for run in self.runs for glyph in run.glyphs)


def read(svg: bytes) -> Ink:
    """The ink of one page, as Typst writes SVG."""
    root = ET.fromstring(svg)  # noqa: S314 - Typst's own output, which has no entities
    _, _, width, height = map(float, root.get("viewBox", "0 0 0 0").split())
    ink = Ink(width, height)
    boxes: dict[str, Box] = {}
    for symbol in root.iter(f"{_SVG}symbol"):
        name, path = symbol.get("id", ""), symbol.find(f"{_SVG}path")
        if glyph := _glyph(path.get("d", "") if path is not None else ""):
            boxes[name], ink.outlines[name] = glyph
    windows = {
        f"url(#{clip.get('id')})": points
        for clip in root.iter(f"{_SVG}clipPath")
        for path in clip.iter(f"{_SVG}path")
        if (points := _traced(path.get("d", ""))[1])
    }
    _Walk(ink, boxes, windows).down(root, _UNMOVED, None)
    return ink


@dataclass(frozen=True, slots=True)
class _Walk:
    """Through the tree, with what stands in it by name: glyphs, and the windows that cut."""

    ink: Ink
    boxes: Mapping[str, Box]
    windows: Mapping[str, list[tuple[float, float]]]

    def down(self, node: ET.Element, moved: Matrix, window: Box | None) -> None:
        """Take up what lies below ``node``."""
        glyphs: list[str] = []
        corners: list[tuple[float, float]] = []
        for child in node:
            at = _times(moved, _matrix(child.get("transform", "")))
            if child.tag == f"{_SVG}use":
                name = child.get(_LINK, "").removeprefix("#")
                glyphs.append(name)
                if name in self.boxes:
                    left, top, right, bottom = self.boxes[name]
                    dx, dy = float(child.get("x", 0)), float(child.get("y", 0))
                    corners += [_moved(at, (x + dx, y + dy)) for x in (left, right) for y in (top, bottom)]
            elif child.tag == f"{_SVG}image":
                size = float(child.get("width", 0)), float(child.get("height", 0))
                self.ink.images.append(_around([_moved(at, (0, 0)), _moved(at, size)]))
            elif child.tag in {f"{_SVG}g", f"{_SVG}a"}:
                clip = self.windows.get(child.get("clip-path", ""))
                seen = _around([_moved(at, point) for point in clip]) if clip else None
                self.down(child, at, _within(window, seen))
        if corners:
            self.ink.runs.append(Run(tuple(glyphs), _around(corners), window))


def recognised(outline: Outline, letters: Mapping[str, list[tuple[Outline, str]]]) -> str:
    """The letter with this outline, or □.

    :param letters: commands → outlines with their letters
    """
    shape, points = outline
    for (_, known), letter in letters.get(shape, ()):
        if all(abs(a - b) < _SAME for a, b in zip(points, known, strict=True)):
            return letter
    return "□"


@lru_cache(maxsize=4096)  # the samples show the same letters again and again
def _glyph(path: str) -> tuple[Box, Outline] | None:
    """A glyph's box and outline; None: it is a space."""
    shape, points = _traced(path)
    if not points:
        return None
    box = _around(points)
    return box, (shape, _in_own_size(points, box))


def _traced(path: str) -> tuple[str, list[tuple[float, float]]]:
    """A path's commands, and all its points (of a curve its handles too, which enclose it)."""
    points: list[tuple[float, float]] = []
    shape: list[str] = []
    x = y = start_x = start_y = 0.0
    for command, arguments in _PART.findall(path):
        numbers = [float(n) for n in _NUMBER.findall(arguments)]
        kind = command.upper()
        base_x, base_y = (x, y) if command.islower() else (0.0, 0.0)
        if kind == "Z":
            x, y = start_x, start_y
        elif kind == "H":
            x = base_x + numbers[-1]
        elif kind == "V":
            y = base_y + numbers[-1]
        else:
            pairs = [(base_x + a, base_y + b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
            points += pairs[:-1] if kind != "M" else []
            x, y = pairs[-1]
        if kind == "M":
            start_x, start_y = x, y
        else:
            shape.append(kind)
            points.append((x, y))
    return "".join(shape), points


def _in_own_size(points: list[tuple[float, float]], box: Box) -> tuple[float, ...]:
    left, top, right, bottom = box
    size = max(right - left, bottom - top) or 1.0
    return tuple(value for x, y in points for value in ((x - left) / size, (y - top) / size))


def _around(points: list[tuple[float, float]]) -> Box:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _within(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _matrix(text: str) -> Matrix:
    numbers = [float(n) for n in _NUMBER.findall(text)]
    if text.startswith("matrix"):
        a, b, c, d, e, f = numbers
        return a, b, c, d, e, f
    if text.startswith("translate"):
        return 1, 0, 0, 1, numbers[0], numbers[1] if len(numbers) > 1 else 0
    return _UNMOVED


def _times(outer: Matrix, inner: Matrix) -> Matrix:
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f


def _moved(by: Matrix, point: tuple[float, float]) -> tuple[float, float]:
    a, b, c, d, e, f = by
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def overlaps(runs: list[Run], *, least: float) -> Iterator[tuple[Run, Run]]:
    """Pairs of runs whose ink shares more than ``least`` points in both directions. A letter that was drawn twice on
    the same place, to make it bold, is one.
    """
    ordered = sorted(runs, key=lambda run: run.box[1])
    for i, one in enumerate(ordered):
        for other in ordered[i + 1 :]:
            if other.box[1] > one.box[3]:
                break
            width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
            height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
            if width > least and height > least and one.glyphs != other.glyphs:
                yield one, other
