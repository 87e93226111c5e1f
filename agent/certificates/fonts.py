"""The fonts that certificates are set in, and whether they can show a text.

The first two come from wheels: the same page comes out everywhere. Noto SC knows the characters of everyday and most
rare names, Noto JP some that it lacks (𠮷). What neither has is looked for in HanaMin (Debian's ``fonts-hanazono``),
which has all of GB 18030-2022 (𬎆, 𪚥: CJK extensions B to F), or in the fonts of ``XUESHI_FONTS``. What no font has is
refused here by its code point, because Typst leaves a blank for it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn

from agent.certificates.errors import GlyphMissing, PrivateUse, TextControl

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_HANAZONO = Path("/usr/share/fonts/truetype/hanazono")
_KINDS = {".ttf", ".otf"}
OWN = "Noto Serif SC Own"
_UNSEEN = {"Co": PrivateUse, "Cc": TextControl, "Cf": TextControl, "Zl": TextControl, "Zp": TextControl}
_NOT_SHOWN = {*_UNSEEN, "Cs"}
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))


def _files() -> list[Path]:
    folder = Path(os.environ.get("XUESHI_FONTS") or _HANAZONO)
    # B before A: B has what a name may need, A little beyond the wheels' fonts
    further = sorted((path for path in folder.glob("*") if path.suffix.lower() in _KINDS), reverse=True)
    return [Path(pylopdf_fonts_zh_cn.serif_path()), Path(pylopdf_fonts_jp.serif_path()), *further]


def font_folders() -> list[Path]:
    """Where the typesetter finds the fonts (it passes over the paths of files without a word)."""
    return [*dict.fromkeys(path.parent for path in _files()), _own_folder()]


@lru_cache(maxsize=1)
def _own_folder() -> Path:
    """Where the first font lies once more, by the name of `OWN`, for what is on one page and not on the next.

    Of each font a page carries the letters that it shows. Typst keeps that part from page to page where the letters are
    the same, and those that a programme's certificates have in common are, once what differs has a font of its own.
    Making it anew was a sixth of a page's time.
    """
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - 5 MB, which only who draws needs

    folder = Path(tempfile.mkdtemp(prefix="xueshi-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = _files()[0]
    with TTFont(path, lazy=True, recalcBBoxes=False, recalcTimestamp=False) as font:
        for record in (1, 4):  # family and full name; what a PDF calls it stays
            font["name"].setName(OWN, record, 3, 1, 0x409)
        font.save(folder / path.name, reorderTables=None)  # in the order of writing: sorted, all is written twice
    return folder


@contextmanager
def _numbered(path: Path) -> Iterator[TTFont]:
    """A font whose glyphs go by their numbers: the names, which nobody asks for, are most of the work of reading it."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - as above

    with TTFont(path, lazy=True) as font:
        font.setGlyphOrder(list(map(str, range(font["maxp"].numGlyphs))))
        yield font


@lru_cache(maxsize=1)
def _read() -> tuple[tuple[str, ...], frozenset[str]]:
    """The fonts' families in order, and every visible character that one of them has a glyph for."""
    families: list[str] = []
    points: set[int] = set()
    for path in _files():
        with _numbered(path) as font:
            families.append(font["name"].getBestFamilyName())
            points.update(font.getBestCmap())
    # a font may have a glyph, of nothing, for a selector too: alone it shows nothing all the same
    shown = frozenset(c for c in map(chr, points) if unicodedata.category(c) not in _NOT_SHOWN) - _SELECTORS
    return tuple(families), shown


@cache
def _widths(path: Path) -> tuple[float, dict[int, str], dict[str, tuple[int, int]]]:
    """Of one font: its units in an em, its glyphs by character, and how wide each is."""
    with _numbered(path) as font:
        return float(font["head"].unitsPerEm), font.getBestCmap(), dict(font["hmtx"].metrics)


@lru_cache(maxsize=8192)
def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.0  # in all fonts of this kind, and nobody has to open those of 40,000 glyphs
    for path in _files():
        em, glyphs, widths = _widths(path)
        if name := glyphs.get(ord(character)):
            return widths[name][0] / em
    return 0.0


def ems(text: str) -> float:
    """How long a text is on one line, in units of its size: so that a template need not measure what surely fits."""
    return round(sum(map(_advance, text)), 3)


def families() -> tuple[str, ...]:
    """The names of the fonts, in the order in which a character is looked for."""
    return _read()[0]


def require_glyphs(texts: Mapping[str, str]) -> None:
    """Refuse what would come out as a blank.

    A variation selector after a character is let through: it is kept in the page's text, and the shape is that of the
    font, as Unicode has it for sequences that a font does not know.

    :param texts: name of the field → its text
    :raises GlyphMissing: names the first character that can't be shown (subclasses: `PrivateUse`, `TextControl`).
    """
    shown = _read()[1]
    for field, text in texts.items():
        if shown.issuperset(text):  # nearly always: one call for a whole text
            continue
        for before, character in zip(f" {text}", text, strict=False):
            if character in shown or (character in _SELECTORS and unicodedata.category(before) == "Lo"):
                continue
            error = _UNSEEN.get(unicodedata.category(character), GlyphMissing)
            point = f"U+{ord(character):04X}"
            raise error(character=character if error is GlyphMissing else "", code_point=point, field=field)
