"""The fonts that certificates are set in, and whether they can show a text.

Only fonts from wheels are used, never the machine's: the same page comes out everywhere. Noto SC knows the characters
of everyday and most rare names; Noto JP is asked for what it lacks (𠮷, U+20BB7). What neither has is refused here,
because Typst leaves a blank for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTFont

from agent.certificates.errors import GlyphMissing, PrivateUse, TextControl

FAMILIES = ("Noto Serif SC", "Noto Serif JP")
"""In the order in which a character is looked for."""


def _files() -> list[Path]:
    return [Path(pylopdf_fonts_zh_cn.serif_path()), Path(pylopdf_fonts_jp.serif_path())]


def font_folders() -> list[Path]:
    """Where the typesetter finds the fonts (it passes over the paths of files without a word)."""
    return [path.parent for path in _files()]


@lru_cache(maxsize=1)
def _shown() -> frozenset[int]:
    """Every code point that one of the fonts has a glyph for."""
    points: set[int] = set()
    for path in _files():
        with TTFont(path, lazy=True) as font:
            points.update(font.getBestCmap())
    return frozenset(points)


@lru_cache(maxsize=1)
def _visible() -> frozenset[str]:
    """The characters of those that are nothing special."""
    special = {"Co", "Cc", "Cf", "Cs", "Zl", "Zp"}
    return frozenset(c for c in map(chr, _shown()) if unicodedata.category(c) not in special)


def require_glyphs(texts: Mapping[str, str]) -> None:
    """Refuse what would come out as a blank.

    :param texts: name of the field → its text
    :raises GlyphMissing: names the first character that can't be shown (subclasses: `PrivateUse`, `TextControl`).
    """
    shown = _shown()
    for field, text in texts.items():
        if _visible().issuperset(text):  # nearly always: one call for a whole text
            continue
        for character in text:
            kind = unicodedata.category(character)
            if kind != "Co" and kind not in {"Cc", "Cf", "Cs", "Zl", "Zp"} and ord(character) in shown:
                continue
            error = {"Co": PrivateUse, "Cc": TextControl, "Cf": TextControl, "Zl": TextControl, "Zp": TextControl}
            raise error.get(kind, GlyphMissing)(character=character, code_point=f"U+{ord(character):04X}", field=field)
