"""Merkle trees of RFC 9162 (section 2.1): pure functions over hashes of 32 bytes.

A *node* is named by (level, index): it covers the leaves from ``index << level`` on, ``1 << level`` of them. Only whole
ones are ever kept, and they never change; the rest of a tree of any size is made of at most 2·log n of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

Node = tuple[int, int]
Read = Callable[[Iterable[Node]], Mapping[Node, bytes]]
"""Gives the hashes of whole nodes, all at once."""

EMPTY = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of what two hashes stand for, side by side."""
    return sha256(b"\x01" + left + right).digest()


def peaks(start: int, end: int) -> list[Node]:
    """The whole nodes that cover leaves ``start`` to ``end``, left to right. ``start`` begins a subtree of the tree."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def edge(size: int) -> list[Node]:
    """The whole nodes that a tree of ``size`` consists of: what must be read before leaves are appended."""
    return peaks(0, size)


def append(size: int, known: Mapping[Node, bytes], leaves: Sequence[bytes]) -> dict[Node, bytes]:
    """Every node that becomes whole when ``leaves`` (hashes) are put behind ``size`` others, the leaves too.

    :param known: the hashes of `edge` (``size``)
    """
    made: dict[Node, bytes] = {}
    level, first, row = 0, size, list(leaves)
    while row:
        made.update(((level, first + i), each) for i, each in enumerate(row))
        if first & 1:
            row.insert(0, known[level, first - 1])
            first -= 1
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        level, first = level + 1, first >> 1
    return made


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a range from the hashes of its `peaks`."""
    *rest, root = hashes
    for each in reversed(rest):
        root = node_hash(each, root)
    return root


def _range(start: int, end: int, known: Mapping[Node, bytes]) -> bytes:
    return _fold([known[node] for node in peaks(start, end)])


def root(size: int, read: Read) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return _range(0, size, read(edge(size))) if size else EMPTY


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def _consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    ranges, start, end, whole = [], 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def _proof(ranges: list[tuple[int, int]], read: Read) -> list[bytes]:
    known = read({node for each in ranges for node in peaks(*each)})
    return [_range(*each, known) for each in ranges]


def inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """The path from leaf ``index`` to the root of the tree of ``size`` (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError((index, size))
    return _proof(_inclusion_ranges(index, size), read)


def consistency(first: int, second: int, read: Read) -> list[bytes]:
    """The proof that the tree of ``second`` begins with that of ``first`` (2.1.4.1); empty where one is empty."""
    if not 0 <= first <= second:
        raise ValueError((first, second))
    return _proof(_consistency_ranges(first, second), read) if 0 < first < second else []


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], tree: bytes) -> bool:
    """Whether ``path`` leads from the hash ``leaf`` at ``index`` to the root ``tree`` (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, r = index, size - 1, leaf
    for each in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(each, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == tree


def verify_consistency(first: int, second: int, old: bytes, new: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the tree of ``second`` with root ``new`` begins with that of ``first`` (2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not path and old == new
    if first == 0:
        return not path and old == EMPTY
    proof = [old, *path] if first & (first - 1) == 0 else list(path)
    if not proof:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for each in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(each, fr), node_hash(each, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old and sr == new
