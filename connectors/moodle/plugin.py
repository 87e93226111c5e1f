"""The route by the companion plugin `local_xueshi`: completions in the order of time, digests, a log of changes.

Vocabulary: the *cursor* is the time and the number of the last row that came: the next page begins behind it, wherever
rows are added or taken away meanwhile; the *sequence* is a place in the plugin's log; a *mark* is its digest of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

from connectors.errors import DigestWrong, IdentityFieldWrong, Malformed, PageRepeated, TotalsDiffer
from connectors.moodle.client import CHANGES, COMPLETIONS, DIGEST, MoodleClient
from connectors.moodle.columns import IDENTITY_TITLES, folded
from connectors.moodle.plugin_answers import Answer, answer_of
from connectors.moodle.plugin_changes import ChangeLog
from connectors.moodle.plugin_columns import NO_ROWS, TITLES, Row, Rows
from connectors.moodle.plugin_digest import Digests
from connectors.moodle.plugin_rows import Batch, a_few, read_objects, read_rows
from connectors.moodle.totals import agrees
from connectors.records import EVERYTHING, Block, Page, Span

MOST_ROWS = 10_000
"""Rows a call, as the plugin has it."""
COLUMNS_SINCE = 2026112600
"""The first version of the plugin that can answer column by column."""
_ATTEMPTS = 3  # what one answer got wrong, such as a cache in between, the next may get right
_CLOCK_STEP = 300  # seconds that a clock may be set back in the middle of a pull
_IDNUMBER = "idnumber"

Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Which completions are asked for, besides those behind the cursor. 0: no limit there."""

    start: int = 0
    end: int = 0
    first: int = 0
    last: int = 0

    @property
    def params(self) -> dict[str, int]:
        """The same for the plugin."""
        return {"totime": self.end, "firstid": self.first, "lastid": self.last}

    def __str__(self) -> str:
        if self.last:
            return f"rows {self.first} to {self.last}"
        return f"{_words(self.start) or 'the beginning'} to {_words(self.end) or 'the end'}"


@dataclass(slots=True)
class Tally:
    """What came, before anything was made of it."""

    rows: int = 0
    marks: int = 0


class Plugin:
    """The plugin of one site, as the service account may use it.

    :param identity: what a person said of the identity number's field: its short name, its name, ``idnumber``, or ""
    :param since: the first second that is wanted
    """

    def __init__(self, client: MoodleClient, identity: str = "", page_size: int = MOST_ROWS, since: int = 0) -> None:
        self._client = client
        self._identity = folded(identity)
        self._size = min(page_size, MOST_ROWS)
        self._since = since
        self.digests = Digests(client, self._size)
        self.log = ChangeLog(client, self._size, since, self._read_changed)

    @property
    def by_idnumber(self) -> bool:
        """Whether a person said that the account's own ID number is the identity number."""
        return self._identity == _IDNUMBER

    @property
    def keeps_log(self) -> bool:
        """Whether the service offers the log of changes; False before it was asked."""
        return self._client.asked and CHANGES in self._client.functions

    @property
    def has_digests(self) -> bool:
        """The same of digests. They count all rows, so they are no use where only some are wanted."""
        return self._client.asked and DIGEST in self._client.functions and not self._since

    # --- reading -----------------------------------------------------------------------------------------------
    def pages(self, span: Span = EVERYTHING) -> Iterator[Page]:
        """The completions of ``span`` in the order of time; the first page says where the log stood before.

        :raises ConnectorError: the plugin contradicts itself; pages yielded before stay true
        """
        part = Part(max(self._since, _second(span.since)), _second(span.until))
        if span.until is None or part.end > part.start:
            yield from self._pages(part, Tally())

    def block(self, block: Block) -> Iterator[Page]:
        """The completions of a block, held against its digest.

        :raises DigestWrong: they are neither the ones that it counts nor those that it counts by now
        """
        tally = Tally()
        yield from self._pages(Part(first=block.first, last=block.last), tally)
        came = tally.rows, tally.marks
        if came != (block.rows, block.marks) and came != self.digests.now(block):
            raise DigestWrong(first=block.first, last=block.last)

    def _pages(self, part: Part, tally: Tally) -> Iterator[Page]:
        answer = self._asked(part, (part.start, 0))
        total, sequence = answer.total, answer.sequence if self.keeps_log else None
        while True:
            if answer.rows:
                self.require_identity(answer)
            told, few, left, following = replace(answer, rows=NO_ROWS), a_few(answer.rows), len(answer.rows), None
            del answer  # nothing keeps its rows while the next one is read
            for some, more in few:
                left -= len(some)
                if told.more and following is None and left <= self._size // 2:
                    # it comes while the rest is worked on; no sooner, or both would have to be kept
                    following = self._client.call_ahead(COMPLETIONS, **self._params(part, told.last, count=0))
                page = self._page(some, part, total, sequence, more=more)
                tally.rows += len(some)
                tally.marks += some.marks
                yield page
                del page  # nothing keeps it while the next is made
                sequence = None
            if not told.more:
                break
            answer = self._asked(part, told.last, told, following)
        if tally.rows != total:
            at_last = self._ask(part, (part.start, 0), count=1, limit=1).total
            if not agrees(tally.rows, total, at_last):
                raise TotalsDiffer(expected=at_last, window=part, got=tally.rows)

    def _page(self, rows: Rows, part: Part, total: int, sequence: int | None, *, more: bool) -> Page:
        batch = read_rows(rows, idnumber=self.by_idnumber)
        through = batch.completions[-1]["completed_at"] if batch.completions and not more else None
        return Page(
            batch.completions, batch.rejected, str(part), total, through=through, sequence=sequence, titles=TITLES,
            more=more,
        )  # fmt: skip

    def _read_changed(self, rows: Sequence[Row]) -> Batch:
        """The same of changes, which do not say where the numbers come from."""
        if not all(row["identity"] for row in rows):
            self.require_identity(self.look())
        return read_objects(rows, idnumber=self.by_idnumber)

    # --- the identity number -----------------------------------------------------------------------------------
    def look(self) -> Answer:
        """The first row, how many there are, and which field the identity number stands in."""
        return self._ask(Part(self._since), (self._since, 0), count=1, limit=1)

    def require_identity(self, answer: Answer) -> None:
        """Refuse to read without the right identity number: every row that is known would lose it.

        :raises IdentityFieldWrong: the plugin takes it from no field, or from another than a person said
        """
        names = [folded(one) for one in answer.identity_field]
        if self.by_idnumber or (any(names) and (not self._identity or self._identity in names)):
            return
        found = f"«{answer.identity_field[1] or answer.identity_field[0]}»" if any(names) else "no field"
        raise IdentityFieldWrong(found=found, wanted=f"«{self._identity or IDENTITY_TITLES[0]}»")

    # --- asking ------------------------------------------------------------------------------------------------
    def _asked(
        self, part: Part, cursor: Cursor, before: Answer | None = None, came: Callable[[], Any] | None = None
    ) -> Answer:
        """One page, held against the cursor and its own count; asked for again when it does not fit.

        :param came: gives the answer where it was asked for already
        """
        attempt = 1
        while True:
            try:
                if came and attempt == 1:
                    answer = answer_of(came())
                else:
                    answer = self._ask(part, cursor, count=0 if before else 1)
                self._check(answer, part, cursor, before)
            except (PageRepeated, TotalsDiffer):
                if attempt == _ATTEMPTS:
                    raise
            else:
                return answer
            attempt += 1

    def _ask(self, part: Part, cursor: Cursor, **how: int) -> Answer:
        return answer_of(self._client.call(COMPLETIONS, **self._params(part, cursor, **how)))

    def _params(self, part: Part, cursor: Cursor, **how: int) -> dict[str, Any]:
        form = {"form": "columns"} if self._client.version(COMPLETIONS) >= COLUMNS_SINCE else {}
        return {"fromtime": cursor[0], "fromid": cursor[1], **part.params, "limit": self._size, **how, **form}

    def _check(self, answer: Answer, part: Part, cursor: Cursor, before: Answer | None) -> None:
        rows, place = answer.rows, f"{part}, behind row {cursor[1]}"
        if before and answer.servertime < before.servertime - _CLOCK_STEP:
            raise PageRepeated(window=f"an answer of earlier: {place}")
        if not before and answer.total < 0:
            raise Malformed(what=COMPLETIONS, url="the site", reason="it did not count")
        if rows and answer.first <= cursor:
            raise PageRepeated(window=place)
        if len(rows) > self._size or (answer.more and len(rows) < self._size):
            raise TotalsDiffer(expected=self._size, window=place, got=len(rows))
        if part.end and answer.last[0] >= part.end:
            raise Malformed(what=COMPLETIONS, url="the site", reason="a row lies behind the end of what was asked for")
        numbers = rows.column("id")
        if part.last and rows and not part.first <= min(numbers) <= max(numbers) <= part.last:
            raise Malformed(what=COMPLETIONS, url="the site", reason="a row lies outside of the block")


def _second(moment: datetime | None) -> int:
    """The first whole second that is not before ``moment``; 0 for none and for all that was before 1970."""
    return max(0, ceil(moment.timestamp())) if moment else 0


def _words(second: int) -> str:
    try:
        return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S} UTC" if second else ""
    except (ValueError, OverflowError, OSError):
        return f"second {second}"
