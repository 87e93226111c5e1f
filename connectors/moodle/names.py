"""A person's name out of the two fields in which Moodle keeps it."""

from __future__ import annotations

import re
from functools import lru_cache

_HAN = re.compile(
    r"\s*["
    "\u2e80-\u2fff"  # radicals, and the signs by which a character that no font has is described
    "\u3000\u3005\u3007\u3021-\u3029\u3038-\u303b"  # the ideographic blank, 々, 〇, numerals
    "\u31c0-\u31ef\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # the two planes that are kept for ideographs, also those that Python does not know yet
    "\ue000-\uf8ff\U000f0000-\U0010fffd"  # private use: some site has put one in place of a rare character
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # how the character before is to be drawn
    r"]+\s*"
)


@lru_cache(5_000)  # a learner's ten courses
def person_name(last: str, first: str) -> str:
    """Family name first. Han names are written without a blank (欧阳𠮷); every other name keeps the one that the site
    shows between its two fields (买买提 阿卜杜拉·艾合买提, Nguyễn Thị, Ырысбек Асан). No character is ever invented.
    """
    if _HAN.fullmatch(last) and _HAN.fullmatch(first):
        return last + first
    return f"{last.strip()} {first.strip()}".strip()
