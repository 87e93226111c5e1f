"""A person's name out of the two fields in which Moodle keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import add

_CHARACTERS = (
    "\u2e80-\u2fff"  # radicals, and the signs by which a character that no font has is described
    "\u3000\u3005\u3007\u3021-\u3029\u3038-\u303b"  # the ideographic blank, 々, 〇, numerals
    "\u31c0-\u31ef\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # the two planes that are kept for ideographs, also those that Python does not know yet
    "\ue000-\uf8ff\U000f0000-\U0010fffd"  # private use: some site has put one in place of a rare character
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # how the character before is to be drawn
)
_HAN = re.compile(rf"\s*[{_CHARACTERS}]+\s*")
_NOTHING_ELSE = re.compile(f"[{_CHARACTERS}]*")


@lru_cache(5_000)  # a learner's ten courses
def person_name(last: str, first: str) -> str:
    """Family name first. Han names are written without a blank (欧阳𠮷); every other name keeps the one that the site
    shows between its two fields (买买提 阿卜杜拉·艾合买提, Nguyễn Thị, Ырысбек Асан). No character is ever invented.
    """
    if _HAN.fullmatch(last) and _HAN.fullmatch(first):
        return last + first
    return f"{last.strip()} {first.strip()}".strip()


def person_names(lasts: Sequence[str], firsts: Sequence[str]) -> list[str]:
    """The same of many; where all of it is Han, as on nearly every page, without a look at each."""
    if all(lasts) and all(firsts) and _NOTHING_ELSE.fullmatch("".join((*lasts, *firsts))):
        return list(map(add, lasts, firsts))
    return list(map(person_name, lasts, firsts))
