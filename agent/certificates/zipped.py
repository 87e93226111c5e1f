"""A ZIP whose every byte is known before it is written: entries are only stored, their sizes and checksums are kept.

So it has a length, can be sent from any place on without what lies before, and is never whole in memory. Pure: contents
are fetched by whoever sends it. Format: PKWARE's APPNOTE 6.3, with ZIP64 where there are more entries than 65,534 or
more bytes than 4 GB.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple
from zlib import crc32

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_STORED, _UTF8 = 0, 0x800
_NEEDS, _NEEDS_64 = 20, 45  # of the format: 2.0, 4.5
_UNIX = 3 << 8
_READABLE = 0o100644 << 16
_MOST_ENTRIES, _MOST_BYTES = 0xFFFF, 0xFFFFFFFF
_AT_ONCE = 20
Fetch = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Gives the contents of entries, by their keys."""


class Entry(NamedTuple):
    """A file in it. ``at``: its date, in local time."""

    key: int
    name: str
    at: datetime
    size: int
    crc: int


class Zipped:
    """Entries, and one last file whose content is given: the manifest."""

    def __init__(self, entries: Sequence[Entry], last: tuple[str, datetime, bytes]) -> None:
        name, at, self._last = last
        self._entries = [*entries, Entry(-1, name, at, len(self._last), crc32(self._last))]
        lengths = (_LOCAL.size + len(entry.name.encode()) + entry.size for entry in self._entries)
        self._starts = list(accumulate(lengths, initial=0))
        self.size = self._starts[-1] + sum(map(len, self._directory()))
        """Its length in bytes."""

    @property
    def digest(self) -> str:
        """Another one for other bytes: of names, dates, sizes and checksums, and of the last file itself."""
        made = hashlib.sha256(self._last)
        for entry in self._entries:
            made.update(repr((entry.name, _dos(entry.at), entry.size, entry.crc)).encode())
        return made.hexdigest()

    def pieces(self, fetch: Fetch, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its bytes from ``start`` to before ``end``; what lies outside is not even fetched."""
        end = self.size if end is None else end
        for at, piece in self._whole(fetch, start, end):
            cut = piece[max(0, start - at) : max(0, end - at)]
            if cut:
                yield cut

    def _whole(self, fetch: Fetch, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Pieces that together hold what is wanted, each with its place."""
        first = max(0, bisect_right(self._starts, start) - 1)
        for place in range(first, len(self._entries), _AT_ONCE):
            if self._starts[place] >= end:
                return
            some = range(place, min(place + _AT_ONCE, len(self._entries)))
            keys = [self._entries[n].key for n in some if self._entries[n].key >= 0 and self._starts[n] < end]
            contents = fetch(keys) if keys else {}
            for n in some:
                if self._starts[n] >= end:
                    return
                entry, at = self._entries[n], self._starts[n]
                head = _local(entry)
                yield at, head
                content = self._last if entry.key < 0 else contents[entry.key]
                if len(content) != entry.size:
                    raise ValueError(entry.name)  # never the bytes of one under the length of another
                yield at + len(head), content
        at = self._starts[-1]
        for piece in self._directory():
            yield at, piece
            at += len(piece)

    def _directory(self) -> Iterator[bytes]:
        begins, length = self._starts[-1], 0
        for entry, start in zip(self._entries, self._starts, strict=False):
            piece = _central(entry, start)
            length += len(piece)
            yield piece
        count = len(self._entries)
        if count >= _MOST_ENTRIES or begins + length >= _MOST_BYTES:
            yield _END_64.pack(
                b"PK\6\6", _END_64.size - 12, _UNIX | _NEEDS_64, _NEEDS_64, 0, 0, count, count, length, begins
            )
            yield _LOCATOR_64.pack(b"PK\6\7", 0, begins + length, 1)
        few = min(count, _MOST_ENTRIES)
        yield _END.pack(b"PK\5\6", 0, 0, few, few, min(length, _MOST_BYTES), min(begins, _MOST_BYTES), 0)


def _local(entry: Entry) -> bytes:
    name, (day, time) = entry.name.encode(), _dos(entry.at)
    head = (b"PK\3\4", _NEEDS, _flags(entry), _STORED, time, day, entry.crc, entry.size, entry.size, len(name), 0)
    return _LOCAL.pack(*head) + name


def _central(entry: Entry, start: int) -> bytes:
    name, (day, time) = entry.name.encode(), _dos(entry.at)
    far = start >= _MOST_BYTES
    needs, extra = (_NEEDS_64, struct.pack("<HHQ", 1, 8, start)) if far else (_NEEDS, b"")
    head = (b"PK\1\2", _UNIX | needs, needs, _flags(entry), _STORED, time, day, entry.crc, entry.size, entry.size)
    rest = (len(name), len(extra), 0, 0, 0, _READABLE, min(start, _MOST_BYTES))
    return _CENTRAL.pack(*head, *rest) + name + extra


def _flags(entry: Entry) -> int:
    return 0 if entry.name.isascii() else _UTF8


def _dos(at: datetime) -> tuple[int, int]:
    """Date and time as ZIP has them: from 1980 on, in steps of two seconds."""
    day = (max(at.year, 1980) - 1980) << 9 | at.month << 5 | at.day
    return day, at.hour << 11 | at.minute << 5 | at.second // 2
