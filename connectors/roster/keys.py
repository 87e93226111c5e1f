"""Keys of rows: the same for a row and for its correction in the next upload, and giving no identity number away.

A key is date, programme and name. The number is left out on purpose: when a base corrects a number, the row keeps its
key, becomes a new version, and the hours move to the right person. Only where one name stands for several numbers do
their last four characters tell them apart, and ``#2`` tells two rows apart that share even those.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

_TAIL = 4
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Trait:
    """What is remembered of a row until all have been seen."""

    stem: str
    number: str
    content: bytes


def trait(day: date | None, programme: str, name: str, number: str, content: object) -> Trait:
    """What tells a row apart: ``content`` is all that it says, without its place and its running number."""
    digest = hashlib.blake2b(repr(content).encode("utf-8", "replace"), digest_size=16).digest()
    stem = f"{day.isoformat() if day else ''}|{_short(_folded(programme))}|{_short(_folded(name))}"
    return Trait(stem, _folded(number), digest)


def assign(traits: list[Trait]) -> list[str | None]:
    """A key for each row, None for a row that says the very same as one above."""
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for one in traits:
        numbers[one.stem].add(one.number)
    seen: set[tuple[str, str, bytes]] = set()
    used: Counter[str] = Counter()
    keys: list[str | None] = []
    for one in traits:
        if (one.stem, one.number, one.content) in seen:
            keys.append(None)
            continue
        seen.add((one.stem, one.number, one.content))
        key = one.stem if len(numbers[one.stem]) == 1 else f"{one.stem}|{one.number[-_TAIL:]}"
        used[key] += 1
        keys.append(key if used[key] == 1 else f"{key}#{used[key]}")
    return keys


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _short(text: str) -> str:
    """``text`` with a length that fits a key; what is cut off still counts."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 9]}~{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"
