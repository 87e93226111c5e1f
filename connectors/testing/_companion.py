"""What the companion plugin keeps of the played site: the completions with their marks, and a log of changes.

The log is what differs from one picture of the site to the next: changes between which nobody asked are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.testing._columns import Columns
from connectors.testing._picture import Picture
from connectors.testing._site import Enrolment, Site
from connectors.testing._wire import php_json

_VERSION, _BEFORE_COLUMNS = "2026112600", "2026112500"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log. ``text`` is the last that was known of a row that is gone."""

    sequence: int
    kind: str
    number: int
    username: str = ""  # before, if it is another now
    shortname: str = ""
    text: str = ""


class Companion:
    """The plugin of one site.

    :param step: how far the numbers of completions lie apart
    :param columns: it can answer column by column; False: it is of a version that could not
    """

    def __init__(self, site: Site, step: int = 1, *, columns: bool = True) -> None:
        self._site = site
        self._step = step
        self.version = _VERSION if columns else _BEFORE_COLUMNS
        """The plugin's own version, as Moodle tells it."""
        self._seen = -1  # which version of the site the picture is of
        self._identity_field = "sfzh"
        self._next = 1
        self._picture: Picture | None = None
        self._columns: Columns | None = None
        self._log: list[Entry] = []
        self.cut = 0
        """Entries up to this one are there no more."""

    @property
    def last(self) -> int:
        """The newest sequence number."""
        return self.cut + len(self._log)

    @property
    def first(self) -> int:
        """The oldest that is still there; 0 where there never was one."""
        return self.cut + 1 if self.last else 0

    @property
    def identity_field(self) -> str:
        """Which of `Person`'s fields holds the identity number, "" for none."""
        return self._identity_field

    @identity_field.setter
    def identity_field(self, name: str) -> None:
        self._identity_field, self._seen = name, -1

    def trim(self) -> None:
        """The log loses all but its newest entry."""
        self.picture()
        self.cut += max(0, len(self._log) - 1)
        del self._log[:-1]

    def picture(self) -> Picture:
        """The completions as they are now; what differs from the last time stands in the log by then."""
        if self._picture is None or self._seen != self._site.version:
            before = self._picture
            known = {before.both(place): number for place, number in enumerate(before.ids)} if before else {}
            rows = [(self._number(known, row), row, there) for row, there in self._site.completions]
            if before:
                rows.sort(key=lambda one: one[0])
            self._picture, self._columns = Picture(self._site, self._identity_field, rows), None
            self._seen = self._site.version
            if before:
                self._compare(before, self._picture)
        return self._picture

    @property
    def answers_columns(self) -> bool:
        """Whether it knows the form of columns."""
        return self.version == _VERSION

    def columns(self) -> Columns:
        """The same completions by columns."""
        picture = self.picture()
        if self._columns is None:
            self._columns = Columns(picture)
        return self._columns

    def prepare(self) -> None:
        """Write beforehand what the first call in each form would take time for."""
        self.picture().prepare()
        self.columns().prepare()

    def _number(self, known: dict[int, int], row: Enrolment) -> int:
        if known:
            both = self._site.people[row.user].id << 32 | self._site.courses[row.course].id
            if both in known:
                return known[both]
        number = self._next
        self._next += self._step
        return number

    def _compare(self, before: Picture, now: Picture) -> None:
        courses = {one.id for one in self._site.courses.values()}
        for place, number in enumerate(before.ids):
            if now.place(number) is None:
                kind = "reset" if before.course(place).id in courses else "deleted"
                self._note(kind, number, text=before.text(place))
        for place, number in enumerate(now.ids):
            was = before.place(number)
            if was is None:
                self._note("completed", number)
            elif before.marks[was] != now.marks[place]:
                names = [(before.person(was).username, now.person(place).username)]
                names.append((before.course(was).shortname, now.course(place).shortname))
                user, course = ("" if old == new else old for old, new in names)
                self._note("changed", number, username=user, shortname=course)

    def _note(self, kind: str, number: int, **more: Any) -> None:
        self._log.append(Entry(self.last + 1, kind, number, **more))

    def told(self, after: int, limit: int) -> tuple[list[str], bool]:
        """What happened behind a place in the log, as JSON, and whether there is more. Of several entries of one
        completion the newest is told.
        """
        picture = self.picture()
        start = max(after - self.cut, 0)
        entries = self._log[start : start + limit]
        newest: dict[int, Entry] = {}
        for entry in entries:
            earlier = newest.pop(entry.number, entry)
            names = earlier.username or entry.username, earlier.shortname or entry.shortname
            newest[entry.number] = Entry(entry.sequence, entry.kind, entry.number, *names, entry.text)
        told = []
        for entry in newest.values():
            place = picture.place(entry.number)
            text = entry.text or (picture.text(place) if place is not None else "")
            if text:  # else it is gone since, which a later entry tells
                more = {
                    "sequence": entry.sequence,
                    "kind": entry.kind,
                    "oldusername": entry.username,
                    "oldcourseshortname": entry.shortname,
                }
                told.append(f"{text[:-1]},{php_json(more)[1:]}")
        return told, len(self._log) > start + limit
