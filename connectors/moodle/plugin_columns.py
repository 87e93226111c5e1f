"""The companion plugin's rows by columns: made of an object a row, or of the one text that a newer plugin sends.

A row holds numbers, texts and booleans under fixed names. Looks in C at whole columns tell whether all of a page has
the form that was agreed; else it fails, for nobody knows what the plugin means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from connectors.errors import Malformed
from connectors.records import A_FEW

Row = dict[str, Any]
Values = tuple[Any, ...]

# fmt: off
FORM: dict[str, type] = {
    "id": int, "userid": int, "courseid": int,
    "username": str, "idnumber": str, "identity": str, "lastname": str, "firstname": str,
    "deleted": bool, "suspended": bool, "enrolled": int,
    "courseshortname": str, "courseidnumber": str, "coursefullname": str,
    "timeenrolled": int, "timestarted": int, "timecompleted": int, "grade": str, "grademax": str, "mark": int,
}
# fmt: on
"""The names of a row's values, with their types."""

TITLES = tuple(FORM)
_TYPES = tuple(FORM.values())
_PLACES = {title: place for place, title in enumerate(TITLES)}
_OF_COURSE = ("courseid", "courseshortname", "courseidnumber", "coursefullname")
_values = itemgetter(*TITLES)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of which every value has its type.

    :param columns: the values of all rows for each of `TITLES`, of equal length
    :param keys: the key of each: the report's too, so that a base can change from one to the other and no row doubles
    """

    columns: Sequence[Sequence[Any]]
    keys: Sequence[str]

    @classmethod
    def of(cls, columns: Sequence[Sequence[Any]]) -> Rows:
        """Rows with their keys."""
        users, courses = columns[_PLACES["username"]], columns[_PLACES["courseshortname"]]
        return cls(columns, [f"{user}|{course}" for user, course in zip(users, courses, strict=True)])

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, title: str) -> Sequence[Any]:
        """The values of that name."""
        return self.columns[_PLACES[title]]

    def part(self, start: int, end: int) -> Rows:
        """The rows from ``start`` up to just before ``end``."""
        return Rows([column[start:end] for column in self.columns], self.keys[start:end])

    def values(self) -> list[Values]:
        """The values of each row."""
        return list(zip(*self.columns, strict=True))

    @property
    def marks(self) -> int:
        """The sum of the marks, as a digest has it."""
        return sum(self.column("mark"))


def rows_of(values: Sequence[Values]) -> Rows:
    """Rows whose values are known to have their types."""
    return Rows.of(list(zip(*values, strict=True))) if values else NO_ROWS


NO_ROWS = Rows([()] * len(TITLES), ())


def rows_of_objects(objects: Sequence[Row]) -> Rows:
    """Rows of an answer that gives an object for each.

    :raises Malformed: one has not the agreed form
    """
    columns: list[list[Any]] = [[] for _ in TITLES]
    for start in range(0, len(objects), A_FEW):  # what a few come to is still near
        some = objects[start : start + A_FEW]
        try:
            parts = list(zip(*map(_values, some), strict=True))
        except (KeyError, TypeError):
            raise malformed(some) from None
        if not all(map(_is_all, parts, _TYPES)):
            raise malformed(some)
        for column, part in zip(columns, parts, strict=True):
            column.extend(part)
    return Rows.of(columns)


def rows_of_text(text: str) -> Rows:
    """Rows of an answer that gives columns, as JSON in a text: Moodle checks a text as a whole, and nothing in it.

    A column is a list; of texts mostly one text instead, a line for each; of booleans the places of the true ones. What
    a course says stands once, and each row's ``course`` is its place there.

    :raises Malformed: they have not the agreed form
    """
    try:
        said = orjson.loads(text)
    except ValueError:
        raise _wrong("its columns are no JSON") from None
    if type(said) is not dict or type(said.get("courses")) is not dict:
        raise _wrong("its columns have another form")
    places = _list(said, "course", int)
    courses = {title: _list(said["courses"], title, FORM[title]) for title in _OF_COURSE}
    _within(places, _length(courses), "course")
    columns = [
        list(map(courses[title].__getitem__, places)) if title in courses else _column(said, title, kind, len(places))
        for title, kind in FORM.items()
    ]
    _length(dict(zip(TITLES, columns, strict=True)))
    return Rows.of(columns)


def malformed(objects: Sequence[Any]) -> Malformed:
    """What is wrong with the form of the first such row, without saying what stands in it."""
    for row in objects:
        if not isinstance(row, dict):
            return _wrong("a row is none")
        for title, kind in FORM.items():
            if type(row.get(title)) is not kind:
                return _wrong(f"a row has no {kind.__name__} as {title}")
    return _wrong("its rows have another form")


def _column(columns: Mapping[str, Any], title: str, kind: type, rows: int) -> list[Any]:
    column = columns.get(title)
    if kind is str and type(column) is str:
        return column.split("\n") if column or rows else []
    if kind is bool:
        places = _list(columns, title, int)
        _within(places, rows, title)
        flags = [False] * rows
        for place in places:
            flags[place] = True
        return flags
    return _list(columns, title, kind)


def _list(columns: Mapping[str, Any], title: str, kind: type) -> list[Any]:
    column = columns.get(title)
    if type(column) is not list:
        raise _wrong(f"it has no column {title}")
    if not _is_all(column, kind):
        raise _wrong(f"a row has no {kind.__name__} as {title}")
    return column


def _within(places: list[int], length: int, title: str) -> None:
    if places and not 0 <= min(places) <= max(places) < length:
        raise _wrong(f"its column {title} names a place that is not there")


def _length(columns: Mapping[str, Sequence[Any]]) -> int:
    """The length that all of them have."""
    lengths = set(map(len, columns.values()))
    if len(lengths) != 1:
        raise _wrong("its columns are not of one length")
    return lengths.pop()


def _is_all(column: Sequence[Any], kind: type) -> bool:
    """Whether all of a column is of ``kind``."""
    if kind is not str:
        return set(map(type, column)) <= {kind}
    try:
        "".join(column)  # half the time
    except TypeError:
        return False
    return True


def _wrong(reason: str) -> Malformed:
    return Malformed(what="The companion plugin", url="the site", reason=reason)
