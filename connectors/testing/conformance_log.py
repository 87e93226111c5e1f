"""What is asked of a source that tells less than everything: the changes behind a place in its log, blocks as digests.

A connector that claims neither must refuse both.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from connectors.base import Connector
from connectors.errors import LogCut
from connectors.records import Block, Completion, Page
from connectors.testing.conformance_completions import sound
from connectors.testing.conformance_people import COHORT, NEWCOMER
from connectors.testing.conformance_subject import Subject, by_key

_STEPS = ("added", "corrected", "taken back")


def replayed(known: dict[str, Completion], pages: list[Page]) -> dict[str, Completion]:
    """``known`` after the changes in ``pages``."""
    known = dict(known)
    for page in pages:
        sound([page])
        for key in page.gone:
            known.pop(key, None)
        known |= by_key([page])
    return known


class LogTests(Subject):
    """Changes and blocks, where they are claimed."""

    def step(self, site: Any, step: str) -> None:
        """Somebody completes, a number is put right, a completion is taken back."""
        old = COHORT[3]
        match step:
            case "added":
                self.put(site, NEWCOMER)
            case "corrected":
                self.put(site, replace(old, id_number=NEWCOMER.id_number))
            case _:
                self.remove(site, old)

    def changes(self, site: Any, after: int) -> list[Page]:
        """What the log holds behind ``after``, asked by a connector of its own."""
        with self.connect(site) as reader:
            return list(reader.changes(after))

    def place(self, site: Any) -> int:
        """Where the log stands, as a whole pull says it with its first page."""
        first = self.pages(site)[0].sequence
        assert first is not None, "with changes, a whole pull says where the log stood before it"
        return first

    # --- refused where it is not claimed -------------------------------------------------------------------------
    def test_what_is_not_claimed_is_refused(self, full: Any) -> None:
        """`NotImplementedError`, and not an empty answer: that would mean that nothing has changed."""
        with self.connect(full) as reader:
            can = reader.capabilities
            if not can.changes:
                with pytest.raises(NotImplementedError):
                    list(reader.changes(0))
            if not can.blocks:
                with pytest.raises(NotImplementedError):
                    list(reader.blocks())
                with pytest.raises(NotImplementedError):
                    list(reader.block(Block(1, 1, 1, 1)))
            assert type(reader).changes is not Connector.changes or not can.changes
            assert type(reader).blocks is not Connector.blocks or not can.blocks
            pages = list(reader.completions())
            assert all((page.sequence is not None) == can.changes for page in pages[:1])
            assert all(("serial" in row and "mark" in row) == can.blocks for row in by_key(pages).values())

    # --- changes -------------------------------------------------------------------------------------------------
    def test_the_log_from_its_beginning_is_the_whole(self, full: Any) -> None:
        """Corrections and what was taken back included."""
        with self.connect(full) as reader:
            if not reader.capabilities.changes:
                return
        for step in _STEPS:
            self.step(full, step)
        assert replayed({}, self.changes(full, 0)) == self.rows(full)

    def test_the_log_goes_on_after_any_page(self, full: Any) -> None:
        """Its places ascend, and the rest behind each of them makes the whole; behind the last there is nothing."""
        with self.connect(full) as reader:
            if not reader.capabilities.changes:
                return
        self.remove(full, COHORT[2])
        whole, pages = self.rows(full), self.changes(full, 0)
        places = [page.sequence for page in pages if page.sequence is not None]
        assert len(places) == len(pages) > 1
        assert all(before < after for before, after in pairwise(places))
        for k, place in enumerate(places, 1):
            assert replayed(replayed({}, pages[:k]), self.changes(full, place)) == whole
        assert [page for page in self.changes(full, places[-1]) if page.completions or page.gone] == []

    @pytest.mark.parametrize("step", _STEPS)
    def test_the_log_tells_one_change_as_a_whole_pull_would(self, full: Any, step: str) -> None:
        """From the place that a whole pull began at: its rows, and ``gone`` what was taken back, by the same keys."""
        with self.connect(full) as reader:
            if not reader.capabilities.changes:
                return
        before, place = self.rows(full), self.place(full)
        self.step(full, step)
        pages, after = self.changes(full, place), self.rows(full)
        assert replayed(before, pages) == after
        assert len(by_key(pages)) + sum(len(page.gone) for page in pages) == 1
        assert before != after

    def test_a_log_that_lost_its_beginning_says_so(self, full: Any) -> None:
        """`LogCut`, and not the rest as if it were all; where it is still whole it goes on."""
        with self.connect(full) as reader:
            if not reader.capabilities.changes:
                return
        self.forget(full)
        with self.connect(full) as reader, pytest.raises(LogCut) as error:
            list(reader.changes(1))
        assert error.value.retry
        assert "?" not in error.value.message
        assert [page for page in self.changes(full, self.place(full)) if page.completions or page.gone] == []

    # --- blocks --------------------------------------------------------------------------------------------------
    def test_blocks_ascend_without_a_gap_and_count_their_rows(self, full: Any) -> None:
        """And the sum of their marks is that of the rows that a pull brings."""
        with self.connect(full) as reader:
            if not reader.capabilities.blocks:
                return
            blocks, rows = list(reader.blocks()), self.rows(full).values()
        assert len(blocks) > 1, "the suite wants a source of several blocks"
        assert all(before.last + 1 == after.first for before, after in pairwise(blocks))
        assert all(block.first <= block.last for block in blocks)
        assert len({row["serial"] for row in rows}) == len(rows)
        assert [_digest(rows, block) for block in blocks] == [(block.rows, block.marks) for block in blocks]
        assert sum(block.rows for block in blocks) == len(COHORT)

    def test_a_block_is_exactly_its_rows(self, full: Any) -> None:
        """As in the whole pull, none of them twice."""
        with self.connect(full) as reader:
            if not reader.capabilities.blocks:
                return
            whole = self.rows(full)
            for block in reader.blocks():
                rows = sound(list(reader.block(block)))
                assert {row["key"]: row for row in rows} == {
                    key: row for key, row in whole.items() if block.first <= row["serial"] <= block.last
                }

    @pytest.mark.parametrize("step", _STEPS)
    def test_blocks_that_differ_bring_every_change_and_equal_ones_hide_none(self, full: Any, step: str) -> None:
        """What is known, with the blocks that differ from it read anew, is the whole."""
        with self.connect(full) as reader:
            if not reader.capabilities.blocks:
                return
        before = self.rows(full)
        self.step(full, step)
        with self.connect(full) as reader:
            blocks = list(reader.blocks())
            differing = [one for one in blocks if _digest(before.values(), one) != (one.rows, one.marks)]
            fresh = by_key(page for one in differing for page in reader.block(one))
        kept = {
            key: row
            for key, row in before.items()
            if not any(one.first <= row["serial"] <= one.last for one in differing)
            and any(one.first <= row["serial"] <= one.last for one in blocks)
        }
        assert kept | fresh == self.rows(full)
        assert len(differing) < len(blocks), "one change makes one block differ"

    def test_a_source_where_nobody_has_finished_has_an_empty_log_and_no_rows_in_blocks(self, site: Any) -> None:
        """It is new, and that is no error."""
        with self.connect(site) as reader:
            can = reader.capabilities
            if can.changes:
                assert replayed({}, list(reader.changes(0))) == {}
            if can.blocks:
                assert [block for block in reader.blocks() if block.rows or block.marks] == []


def _digest(rows: Any, block: Block) -> tuple[int, int]:
    inside = [row["mark"] for row in rows if block.first <= row["serial"] <= block.last]
    return len(inside), sum(inside)
