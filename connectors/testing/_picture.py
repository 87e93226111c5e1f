"""The completions of the played site as the companion plugin tells them, at one version of the site.

In arrays that are asked by bisection, and put together as JSON from pieces made once for each person and course: of a
million rows a page is served as fast as of a hundred. A *place* is where a row stands in the order of numbers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from zlib import crc32

from connectors.testing._site import Enrolment, Person, Site, Taught
from connectors.testing._wire import php_json

KEPT_AT_MOST = 300_000
"""Rows whose text is kept; above that a page is put together anew."""
_MARKS = 1 << 32
_ACTIVE, _SUSPENDED, _NO_MORE = 1, 2, 0


class Picture:
    """The completions of a site at one version."""

    def __init__(self, site: Site, identity_field: str, rows: list[tuple[int, Enrolment, bool]]) -> None:
        self.people, self._snapshots = dict(site.people), dict(site.snapshots)
        self.courses = dict(site.courses)
        self._flagged = {
            "deleted": {user for user, one in self.people.items() if one.deleted},
            "suspended": {user for user, one in self.people.items() if one.suspended},
        }
        self._identity_field = identity_field
        self._persons: dict[str, tuple[str, int]] = {}
        self._taught: dict[str, tuple[str, int]] = {}
        self.ids = array("q", [number for number, _, _ in rows])
        self.rows = [row for _, row, _ in rows]
        self.enrolled = bytearray(
            (_ACTIVE if row.active else _SUSPENDED) if there else _NO_MORE for _, row, there in rows
        )
        self.marks = array("q", map(self._mark, range(len(rows))))
        self._sums = array("q", accumulate(self.marks, initial=0))
        self.order = array("q", sorted(range(len(rows)), key=[row.time or 0 for row in self.rows].__getitem__))
        self.times = array("q", (self.rows[place].time or 0 for place in self.order))
        self._numbers = array("q", (self.ids[place] for place in self.order))
        self._kept: list[str] = []

    # --- who and what --------------------------------------------------------------------------------------------
    def person(self, place: int) -> Person:
        """The account, as it was before it was deleted."""
        return self._person(self.rows[place].user)

    def _person(self, user: str) -> Person:
        return self._snapshots.get(user, self.people[user]) if self.people[user].deleted else self.people[user]

    def person_said(self, user: str) -> dict[str, Any]:
        """What a row says of an account."""
        one = self._person(user)
        return {
            "userid": self.people[user].id,
            "username": one.username,
            "idnumber": one.idnumber,
            "identity": getattr(one, self._identity_field) if self._identity_field else "",
            "lastname": one.family,
            "firstname": one.given,
            "deleted": user in self._flagged["deleted"],
            "suspended": user in self._flagged["suspended"],
        }

    def flagged(self, name: str, places: Sequence[int]) -> list[int]:
        """Which of ``places`` are rows of a ``deleted`` or ``suspended`` account, from 0."""
        users = self._flagged[name]
        return [at for at, place in enumerate(places) if self.rows[place].user in users] if users else []

    def course(self, place: int) -> Taught:
        """The course."""
        return self.courses[self.rows[place].course]

    def both(self, place: int) -> int:
        """The numbers of account and course in one: a site has one completion of the two."""
        return self.person(place).id << 32 | self.course(place).id

    def _pieces(self, place: int) -> tuple[str, int, str, int]:
        row = self.rows[place]
        who = self._persons.get(row.user)
        if who is None:
            said = self.person_said(row.user)
            del said["userid"]
            text = php_json(said)[1:-1]
            who = self._persons[row.user] = (text, crc32(text.encode()))
        what = self._taught.get(row.course)
        if what is None:
            named = _course_said(self.courses[row.course])
            del named["courseid"]
            text = php_json(named)[1:-1]
            what = self._taught[row.course] = (text, crc32(text.encode()))
        return *who, *what

    def _mark(self, place: int) -> int:
        row = self.rows[place]
        _, who, _, what = self._pieces(place)
        own = crc32(
            b"%d|%d|%d|%d|%s" % (self.ids[place], row.time or 0, row.enrolled, self.enrolled[place], row.grade.encode())
        )
        return (own + who + what) % _MARKS

    def courses_said(self) -> dict[str, list[Any]]:
        """What rows say of all courses, column by column."""
        said = list(map(_course_said, self.courses.values()))
        return {name: [one[name] for one in said] for name in (said[0] if said else ())}

    def prepare(self) -> None:
        """Keep every row's text, where they are not too many."""
        if not self._kept and len(self.rows) <= KEPT_AT_MOST:
            self._kept = list(map(self.text, range(len(self.rows))))

    def texts(self, places: Sequence[int]) -> list[str]:
        """Rows as JSON."""
        self.prepare()
        return [self._kept[place] for place in places] if self._kept else list(map(self.text, places))

    def text(self, place: int) -> str:
        """A row as JSON."""
        row = self.rows[place]
        who, _, what, _ = self._pieces(place)
        return (
            f'{{"id":{self.ids[place]},"userid":{self.people[row.user].id},"courseid":{self.courses[row.course].id},{who},'
            f'"enrolled":{self.enrolled[place]},{what},"timeenrolled":{row.enrolled},"timestarted":0,'
            f'"timecompleted":{row.time},"grade":{php_json(row.grade)},"grademax":"{"100.00" if row.grade else ""}",'
            f'"mark":{self.marks[place]}}}'
        )

    # --- looking up ----------------------------------------------------------------------------------------------
    def place(self, number: int) -> int | None:
        """Where the row of that number stands."""
        at = bisect_left(self.ids, number)
        return at if at < len(self.ids) and self.ids[at] == number else None

    def behind(self, cursor: tuple[int, int], until: int, numbers: tuple[int, int]) -> tuple[Sequence[int], int, int]:
        """The rows behind a cursor: places in the order of time, and from where to where among them."""
        first, last = numbers
        if first or last:
            held = range(bisect_left(self.ids, first), bisect_right(self.ids, last) if last else len(self.ids))
            keyed = sorted((self.rows[place].time or 0, self.ids[place], place) for place in held)
            keyed = [one for one in keyed if one[:2] > cursor and not 0 < until <= one[0]]
            return [place for _, _, place in keyed], 0, len(keyed)
        low, high = bisect_left(self.times, cursor[0]), bisect_right(self.times, cursor[0])
        start = bisect_right(self._numbers, cursor[1], low, high)
        return self.order, start, max(start, bisect_left(self.times, until)) if until else len(self.order)

    def block(self, first: int, last: int) -> tuple[int, int]:
        """Rows, and the sum of their marks, of a range of numbers."""
        start, stop = bisect_left(self.ids, first), bisect_right(self.ids, last)
        return stop - start, self._sums[stop] - self._sums[start]


def _course_said(course: Taught) -> dict[str, Any]:
    return {
        "courseid": course.id,
        "courseshortname": course.shortname,
        "courseidnumber": course.idnumber,
        "coursefullname": course.names["raw"],
    }
