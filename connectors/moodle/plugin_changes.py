"""The companion plugin's log of changes: what was completed, corrected, taken back, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from connectors.errors import LogBegunAnew, LogCut, PageRepeated
from connectors.moodle.client import CHANGES, MoodleClient
from connectors.moodle.plugin_answers import Told, told_of
from connectors.moodle.plugin_columns import TITLES, Row
from connectors.moodle.plugin_rows import Batch, key_of
from connectors.records import Page

_GONE = frozenset({"reset", "deleted"})
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """The log of one site. ``read`` makes completions of rows, ``since`` is the first second that is wanted."""

    client: MoodleClient
    page_size: int
    since: int
    read: Callable[[Sequence[Row]], Batch]

    def pages(self, after: int) -> Iterator[Page]:
        """What the log holds behind ``after``: rows as they are now, and the keys of those that are gone.

        :raises LogCut: it does not reach back that far, or was begun anew
        """
        more = True
        while more:
            told = self._told(after)
            if after < told.oldest - 1:
                raise LogCut(first=told.oldest, after=after)
            if after > told.newest:
                raise LogBegunAnew(last=told.newest, after=after)
            more = told.more
            if told.rows:
                yield self._page(told, after)
                after = told.last

    def reach(self) -> tuple[int, int]:
        """The ends of the log; 0 while it is empty."""
        told = told_of(self.client.call(CHANGES, after=0, limit=1))
        return told.oldest, told.newest

    def _told(self, after: int) -> Told:
        attempt = 1
        while True:
            told = told_of(self.client.call(CHANGES, after=after, limit=self.page_size))
            if not told.rows or told.first > after:
                return told
            if attempt == _ATTEMPTS:
                raise PageRepeated(window=f"changes after {after}")
            attempt += 1

    def _page(self, told: Told, after: int) -> Page:
        """A completion may stand in several entries, and one key may leave one completion and come to another: what
        counts is which rows there are after the last entry of each.
        """
        newest = {row["id"]: row for row in told.rows}
        living = [row for row in newest.values() if row["kind"] not in _GONE and row["timecompleted"] >= self.since]
        batch = self.read(living)
        gone = {key: row["id"] for row in told.rows if (key := _old_key(row))}
        gone |= {key_of(row): row["id"] for row in newest.values() if row["kind"] in _GONE}
        for key in map(key_of, living):
            gone.pop(key, None)
        return Page(
            batch.completions,
            batch.rejected,
            f"changes after {after}",
            sequence=told.last,
            titles=TITLES,
            gone=list(gone),
            gone_serials=list(gone.values()),
        )


def _old_key(row: Row) -> str:
    """The key that a row had before its account or its course was renamed; "" where neither was."""
    user, course = row["oldusername"], row["oldcourseshortname"]
    return f"{user or row['username']}|{course or row['courseshortname']}" if user or course else ""
