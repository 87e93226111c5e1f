"""What is asked of a source that tells less than everything: the changes behind a place in its log, blocks as digests.

A connector that claims neither must refuse both.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, zip_longest
from typing import Any

import pytest

from connectors.base import Connector
from connectors.errors import LogCut
from connectors.records import Block, Completion, Page
from connectors.testing.conformance_completions import sound
from connectors.testing.conformance_people import COHORT, NEWCOMER
from connectors.testing.conformance_subject import Subject, able, by_key

_STEPS = ("added", "corrected", "backdated", "taken back")
_NEVER = 1_000_000  # a place that no log of a test gets to


def replayed(known: dict[str, Completion], pages: list[Page]) -> dict[str, Completion]:
    """``known`` after the changes in ``pages``."""
    known = dict(known)
    for page in pages:
        sound([page])
        for key, serial in zip_longest(page.gone, page.gone_serials):
            if key in known and serial in (None, known[key].get("serial", serial)):
                del known[key]
        known |= by_key([page])
    return known


class LogTests(Subject):
    """Changes and blocks, where they are claimed."""

    def step(self, site: Any, step: str) -> None:
        """Somebody completes, a number is put right, a time is set back, a completion is taken back."""
        old = COHORT[3]
        match step:
            case "added":
                self.put(site, NEWCOMER)
            case "corrected":
                self.put(site, replace(old, id_number=NEWCOMER.id_number))
            case "backdated":
                self.put(site, replace(old, at=old.at - timedelta(days=400)))
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
            can = able(reader)
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
            if not able(reader).changes:
                return
        for step in _STEPS:
            self.step(full, step)
        assert replayed({}, self.changes(full, 0)) == self.rows(full)

    def test_the_log_goes_on_after_any_page(self, full: Any) -> None:
        """Its places ascend, and the rest behind each of them makes the whole; behind the last there is nothing."""
        with self.connect(full) as reader:
            if not able(reader).changes:
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
            if not able(reader).changes:
                return
        before, place = self.rows(full), self.place(full)
        self.step(full, step)
        pages, after = self.changes(full, place), self.rows(full)
        assert replayed(before, pages) == after
        assert len(by_key(pages)) + sum(len(page.gone) for page in pages) == 1
        assert before != after

    def test_the_log_ends_with_what_is_so_now(self, full: Any) -> None:
        """Corrected twice, taken back and completed anew is completed; completed and taken back is gone."""
        with self.connect(full) as reader:
            if not able(reader).changes:
                return
        before, place, old = self.rows(full), self.place(full), COHORT[3]
        for grade in ("71", "72"):
            self.put(full, replace(old, grade=grade))
            self.rows(full)
        self.remove(full, old)
        self.rows(full)
        self.put(full, replace(old, grade="73"))
        self.put(full, NEWCOMER)
        self.rows(full)
        self.remove(full, NEWCOMER)
        whole = self.rows(full)
        assert len(whole) == len(before)
        assert replayed(before, self.changes(full, place)) == whole
        assert replayed({}, self.changes(full, 0)) == whole

    def test_what_is_gone_is_named_as_it_was_told(self, full: Any) -> None:
        """By its key, and by its number where rows are numbered: the key may be another row's by now."""
        with self.connect(full) as reader:
            can = able(reader)
            if not can.changes:
                return
        before, place = self.rows(full), self.place(full)
        self.remove(full, COHORT[3])
        self.remove(full, COHORT[4])
        lost = {key: row for key, row in before.items() if key not in self.rows(full)}
        pages = self.changes(full, place)
        assert sorted(key for page in pages for key in page.gone) == sorted(lost)
        numbers = [number for page in pages for number in page.gone_serials]
        assert sorted(numbers) == sorted(row["serial"] for row in lost.values() if can.blocks)

    @pytest.mark.parametrize("after", [0, 1])
    def test_where_nothing_changed_the_log_is_silent_and_no_block_differs(self, full: Any, after: int) -> None:
        """So that a million rows need not be read, today and tomorrow."""
        with self.connect(full) as reader:
            can = able(reader)
            if can.changes:
                place = self.place(full)
                assert [page for page in self.changes(full, place) if page.completions or page.gone] == []
            if can.blocks:
                rows = self.rows(full).values()
                for _ in range(after + 1):
                    blocks = list(reader.blocks())
                    assert [one for one in blocks if _digest(rows, one) != (one.rows, one.marks)] == []

    def test_a_place_that_the_log_never_reached_is_refused(self, full: Any) -> None:
        """`LogCut` too: it was begun anew, and nothing is what it would answer for ever."""
        with self.connect(full) as reader:
            if able(reader).changes:
                with pytest.raises(LogCut) as error:
                    list(reader.changes(_NEVER))
                assert "?" not in error.value.message

    def test_a_log_that_lost_its_beginning_says_so(self, full: Any) -> None:
        """`LogCut`, and not the rest as if it were all; where it is still whole it goes on."""
        with self.connect(full) as reader:
            if not able(reader).changes:
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
            if not able(reader).blocks:
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
            if not able(reader).blocks:
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
            if not able(reader).blocks:
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

    def test_blocks_say_where_the_log_stood(self, full: Any) -> None:
        """So that it can be followed from a comparison too."""
        with self.connect(full) as reader:
            can = able(reader)
            if not can.blocks:
                return
            places = [block.sequence for block in reader.blocks() if block.rows]
        assert all((place is not None) == can.changes for place in places)
        if can.changes:
            before = self.rows(full)
            self.step(full, "corrected")
            assert replayed(before, self.changes(full, places[0] or 0)) == self.rows(full)

    def test_a_source_where_nobody_has_finished_has_an_empty_log_and_no_rows_in_blocks(self, site: Any) -> None:
        """It is new, and that is no error."""
        with self.connect(site) as reader:
            can = able(reader)
            if can.changes:
                assert replayed({}, list(reader.changes(0))) == {}
            if can.blocks:
                assert [block for block in reader.blocks() if block.rows or block.marks] == []


def _digest(rows: Any, block: Block) -> tuple[int, int]:
    inside = [row["mark"] for row in rows if block.first <= row["serial"] <= block.last]
    return len(inside), sum(inside)
