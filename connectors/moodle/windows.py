"""Windows of time: how a report too large for one page is cut into parts that are not.

By date and never by page number: on a large Moodle a page far down costs 17 s, a window 2.5 s wherever it lies, and a
row that arrives meanwhile moves no other row from one page to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from connectors.records import Span

_MINUTE = 60
_YEAR = 366 * 86_400
_ROOM = 1.25  # parts are made for less than a full page, because rows are never spread evenly
_MOST_PARTS = 500  # a part that is still too full is cut again
_FAR = 13  # doublings of a year: beyond any date that text with four digits can name
_SINCE_YEAR, _SINGLE_YEARS = 2000, 10


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to just before ``end`` (seconds since 1970, whole minutes); ``end`` None: no end."""

    start: int = 0
    end: int | None = None

    @property
    def filter_values(self) -> dict[str, int]:
        """What `set_filters` takes. Moodle 5.1 reads the end inclusively, other versions exclusively; asking up to the
        next minute loses no row with either, and the rows of that minute are left to the next window.
        """
        return {
            "completion:timecompleted_operator": 3,
            "completion:timecompleted_from": max(self.start, 1),  # 0 would mean «no beginning», rows without a time too
            "completion:timecompleted_to": self.end or 0,
        }

    @property
    def divisible(self) -> bool:
        """Whether it is longer than a minute, which is as exactly as the report tells times."""
        return self.end is None or self.end - self.start > _MINUTE

    @property
    def empty(self) -> bool:
        """Whether nothing can lie in it: it ends before it begins."""
        return self.end is not None and self.end <= self.start

    @property
    def rough(self) -> bool:
        """Whether it is so long that nobody knows what to expect of it."""
        return self.end is None or self.end - self.start > _YEAR - 2 * 86_400

    @property
    def ends_at(self) -> datetime | None:
        """Its end as a moment; None: no end, or none that a calendar has."""
        try:
            return None if self.end is None else datetime.fromtimestamp(self.end, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def within(self, span: Span) -> Window:
        """The part of it that ``span`` asks for, widened to whole minutes, which is as exactly as the report tells."""
        start, end = self.start, self.end
        if span.since is not None:
            start = max(start, int(span.since.timestamp()) // _MINUTE * _MINUTE)
        if span.until is not None:
            until = -(-int(span.until.timestamp()) // _MINUTE) * _MINUTE
            end = until if end is None else min(end, until)
        if span.since is not None and span.until is not None and span.since >= span.until:
            end = start
        return Window(start, end)

    def cut(self, rows: int, page_size: int) -> list[Window]:
        """Parts that should hold at most ``page_size`` of its ``rows`` each."""
        if self.end is None:
            return self._cut_open()
        minutes = (self.end - self.start) // _MINUTE
        parts = min(minutes, _MOST_PARTS, max(2, int(rows / page_size * _ROOM) + 1))
        step = -(-minutes // parts) * _MINUTE
        return _between([*range(self.start, self.end, step), self.end])

    def _cut_open(self) -> list[Window]:
        """Without an end: the distant past, single years up to now, and ever longer stretches of future, for rows dated
        ahead by mistake or by a clock must come too.
        """
        now = datetime.now(UTC).year
        years = {_SINCE_YEAR, *range(now - _SINGLE_YEARS, now + 2)}
        cuts = sorted({start for year in years if (start := _first_second(year)) > self.start})
        if not cuts:
            cuts = [self.start + (_YEAR << doubling) // _MINUTE * _MINUTE for doubling in range(_FAR)]
        return [*_between([self.start, *cuts]), Window(cuts[-1])]

    def __str__(self) -> str:
        return f"{_words(self.start) or 'the beginning'} to {_words(self.end) or 'the end'}"


def _between(cuts: list[int]) -> list[Window]:
    return [Window(start, end) for start, end in pairwise(cuts)]


def _first_second(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _words(moment: int | None) -> str:
    if not moment:
        return ""
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {moment}"
