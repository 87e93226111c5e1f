"""The companion plugin's digests: which rows differ, without reading them."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.moodle.client import DIGEST, MoodleClient
from connectors.moodle.plugin_answers import blocks_of
from connectors.records import Block

_BLOCK, _SMALLEST_BLOCK, _BLOCKS_A_CALL = 5000, 100, 200


class Digests:
    """Blocks of the rows of a site.

    :param page_size: rows that a page holds; a block is one page, where pages are not very small
    """

    def __init__(self, client: MoodleClient, page_size: int) -> None:
        self._client = client
        self._size = max(_SMALLEST_BLOCK, min(page_size, _BLOCK))

    def all(self) -> Iterator[Block]:
        """All rows, from the first number on, without a gap."""
        due = 1
        for block in self._blocks(1):
            if block.first > due:
                yield Block(due, block.first - 1, 0, 0, block.sequence)
            yield block
            due = block.last + 1
        if due == 1:  # or a site that lost all it had would have nothing that differs
            yield Block(1, self._size, 0, 0)

    def now(self, block: Block) -> tuple[int, int]:
        """Rows and marks of what ``block`` holds by now."""
        held = [one for one in self._blocks(block.first, block.last) if one.first <= block.last]
        return sum(one.rows for one in held), sum(one.marks for one in held)

    def _blocks(self, first: int, last: int = 0) -> Iterator[Block]:
        """Without those that hold nothing; with ``last``, at least as far as that number."""
        limit = min(_BLOCKS_A_CALL, -(-(last - first + 1) // self._size)) if last else _BLOCKS_A_CALL
        while first:
            answer = self._client.call(DIGEST, firstid=first, blocksize=self._size, limit=limit)
            blocks, first = blocks_of(answer, first, self._size)
            yield from blocks
            if 0 < last < first:
                return
