"""The custom report: rows as Moodle prints them, in windows of time and in pages.

Rows are put together from parts made once for each person, course, day and minute, and kept: serving a page is joining
strings. A window is found by bisection of the sorted times, so that a large site answers as fast as a small one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from html import escape
from typing import Any

from connectors.testing._site import Enrolment, Site
from connectors.testing._wire import php_json

_KEPT_AT_MOST = 300_000  # rows whose text is kept; above that a page is put together anew (0.01 s for 5,000 rows)
_FILTER = "completion:timecompleted"
_ANY, _EMPTY, _RANGE = 0, 2, 3
_DAY = 86_400

Window = tuple[int | None, int | None] | None


class Report:
    """The one report of the site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._version = -1

    def page(self, page: int, per_page: int, zone: tzinfo, filters: dict[str, Any]) -> tuple[list[str], int]:
        """The rows of a page as JSON texts, and the count of all rows in force of ``filters``.

        Behind the last page the count is 0, as recorded; ``per_page`` below 1 means all.
        """
        self._refresh()
        places = self._places(filters)
        start, stop = (page * per_page, (page + 1) * per_page) if per_page > 0 else (0, len(places))
        shown = places[max(start, 0) : stop]
        texts = self._texts(zone)
        return [texts(place) for place in shown], len(places) if shown else 0

    def prepare(self) -> None:
        """Sort, and put every row together that will be kept: before the first call, and not in it."""
        self._refresh()
        if self._kept:
            self.page(0, 0, UTC, {})

    def _refresh(self) -> None:
        """Sort anew after a change."""
        if self._version == self._site.version:
            return
        self._rows = self._site.rows
        order = sorted(range(len(self._rows)), key=self._time)
        self._order = array("q", order)
        self._times = array("q", map(self._time, order))
        self._last: tuple[Window, Sequence[int]] = (None, range(len(self._rows)))
        self._people: dict[str, str] = {}
        self._courses = {name: self._course(name) for name in self._site.courses}
        self._kept: list[str | None] = [None] * len(self._rows) if len(self._rows) <= _KEPT_AT_MOST else []
        self._version = self._site.version

    def _time(self, place: int) -> int:
        return self._rows[place].time or 0

    def _places(self, filters: dict[str, Any]) -> Sequence[int]:
        """Where the rows stand that pass the filter, in the order of the report."""
        operator = _number(filters.get(f"{_FILTER}_operator"))
        if operator == _EMPTY:  # the report holds only rows with a time
            return ()
        if operator != _RANGE:
            return range(len(self._rows))
        window = (_number(filters.get(f"{_FILTER}_from")) or None, _number(filters.get(f"{_FILTER}_to")) or None)
        if self._last[0] != window:
            first = bisect_left(self._times, window[0]) if window[0] else 0
            last = bisect_right(self._times, window[1]) if window[1] else len(self._times)
            self._last = (window, sorted(self._order[first:last]))
        return self._last[1]

    def _texts(self, zone: tzinfo) -> Callable[[int], str]:
        """A function from a row's place to its JSON, kept where the zone is UTC (what every agent should ask for)."""
        if zone is not UTC:
            return lambda place: self._text(self._rows[place], _time_text(self._time(place), zone))

        def kept(place: int) -> str:
            text = self._kept[place] if self._kept else None
            if text is None:
                row = self._rows[place]
                day, second = divmod(row.time or 0, _DAY)
                text = self._text(row, _day_text(day) + _MINUTES[second // 60])
                if self._kept:
                    self._kept[place] = text
            return text

        return kept

    def _text(self, row: Enrolment, time: str) -> str:
        person = self._people.get(row.user)
        if person is None:
            who = self._site.people[row.user]
            cells = [who.username, escape(who.idnumber), who.sfzh, who.family, who.given]
            person = self._people[row.user] = '{"columns":' + php_json(cells)[:-1]
        status = "Active" if row.active else "Suspended"
        return f'{person},{self._courses[row.course]},"Yes","{time}",{php_json(row.grade)},"{status}"]}}'

    def _course(self, name: str) -> str:
        course = self._site.courses[name]
        category = next(one["name"] for one in self._site.facts["categories"] if one["id"] == course.category)
        return php_json([escape(course.idnumber), course.shortname, course.names["report"], category])[1:-1]


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


# Spelled out and not by strftime, which would follow the machine's locale.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MINUTES = [
    f"{hour}:{minute:02d} {half}" for half in ("AM", "PM") for hour in (12, *range(1, 12)) for minute in range(60)
]


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    date = datetime.fromtimestamp(day * _DAY, UTC)
    return f"{_WEEKDAYS[date.weekday()]}, {date.day} {_MONTHS[date.month - 1]} {date.year}, "


def _time_text(time: int, zone: tzinfo) -> str:
    """As Moodle's strftimedaydatetime prints it: ``Monday, 23 September 2024, 2:21 AM``."""
    there = datetime.fromtimestamp(time, zone)
    offset = there.utcoffset()
    day = (time + int(offset.total_seconds() if offset else 0)) // _DAY
    return _day_text(day) + _MINUTES[there.hour * 60 + there.minute]
