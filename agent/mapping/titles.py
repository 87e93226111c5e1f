"""Whether the name of a course and the title of a programme speak of the same. Pure; no database.

Names of courses carry years, terms, classes and brackets that titles do not: those are no part of what is compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

LIKELY = 0.6
"""From this likeness on a title is worth a person's look."""
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|《|》|〔[^〔〕]*〕")
_PERIOD = re.compile(r"20\d\d(年度|年)?|第?[0-9一二三四五六七八九十]+(期|班|批次?|轮|季|学期)|(春|夏|秋|冬)季")
_EMPTY = re.compile(r"继续教育|专业技术人员|培训班|研修班|培训|课程|线上|在线|网络|专题|高级研修")
_MARKS = re.compile(r"[\W_]+")


@lru_cache(maxsize=20_000)
def kernel(name: str) -> str:
    """What of a name says its subject: «【2024】人工智能工程师培训班（第二期）» → «人工智能工程师».

    Where nothing would be left, the folded name itself.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = _MARKS.sub("", _EMPTY.sub("", _PERIOD.sub("", _BRACKETS.sub("", folded))))
    return bare or _MARKS.sub("", folded)


@lru_cache(maxsize=20_000)
def pairs(name: str) -> frozenset[str]:
    """The neighbouring characters of a name's kernel; of a kernel of one character, that character."""
    bare = kernel(name)
    return frozenset(bare[i : i + 2] for i in range(len(bare) - 1)) or frozenset(bare)


def likeness(one: str, other: str) -> float:
    """From 0 (nothing in common) to 1 (the same subject): twice the pairs in common, of all (Dice)."""
    if kernel(one) == kernel(other):
        return 1.0 if kernel(one) else 0.0
    first, second = pairs(one), pairs(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def likely(name: str, titles: Mapping[int, str], *, least: float = LIKELY) -> list[tuple[int, float]]:
    """Which of ``titles`` (by number) are at least so like ``name``, most like first."""
    return Titles(titles.items()).like(name, least=least)


class Titles:
    """Titles to be asked many times: found by their pairs, so that a name meets only those that share one with it."""

    def __init__(self, titles: Iterable[tuple[int, str]]) -> None:
        self._titles = dict(titles)
        self._by_pair: dict[str, list[int]] = defaultdict(list)
        for number, title in self._titles.items():
            for pair in pairs(title):
                self._by_pair[pair].append(number)

    def like(self, name: str, *, least: float = LIKELY) -> list[tuple[int, float]]:
        """Numbers of the titles that are at least so like ``name``, most like first."""
        shared = Counter(number for pair in pairs(name) for number in self._by_pair.get(pair, ()))
        found = [(number, likeness(name, self._titles[number])) for number in shared]
        return sorted((each for each in found if each[1] >= least), key=lambda each: (-each[1], each[0]))
