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
    """

    columns: Sequence[Sequence[Any]]

    def __len__(self) -> int:
        return len(self.columns[0])

    def column(self, title: str) -> Sequence[Any]:
        """The values of that name."""
        return self.columns[_PLACES[title]]

    def part(self, start: int, end: int) -> Rows:
        """The rows from ``start`` up to just before ``end``."""
        return Rows([column[start:end] for column in self.columns])

    def values(self) -> list[Values]:
        """The values of each row."""
        return list(zip(*self.columns, strict=True))

    @property
    def marks(self) -> int:
        """The sum of the marks, as a digest has it."""
        return sum(self.column("mark"))


def rows_of(values: Sequence[Values]) -> Rows:
    """Rows whose values are known to have their types."""
    return Rows(list(zip(*values, strict=True)) if values else [()] * len(TITLES))


NO_ROWS = rows_of(())


def rows_of_objects(objects: Sequence[Row]) -> Rows:
    """Rows of an answer that gives an object for each.

    :raises Malformed: one has not the agreed form
    """
    try:
        rows = rows_of(list(map(_values, objects)))
    except (KeyError, TypeError):
        raise malformed(objects) from None
    if not all(map(_is_all, rows.columns, _TYPES)):
        raise malformed(objects)
    return rows


def rows_of_text(text: str) -> Rows:
    """Rows of an answer that gives columns, as JSON in a text: Moodle checks a text as a whole, and nothing in it.

    :raises Malformed: they have not the agreed form
    """
    try:
        said = orjson.loads(text)
    except ValueError:
        raise _wrong("its columns are no JSON") from None
    if type(said) is not dict or type(said.get("courses")) is not dict:
        raise _wrong("its columns have another form")
    places: list[int] = _column(said, "course", int)
    courses = {title: _column(said["courses"], title, FORM[title]) for title in _OF_COURSE}
    known = _length(courses)
    if places and not 0 <= min(places) <= max(places) < known:
        raise _wrong("a row has a course that is not there")
    columns = {
        title: list(map(courses[title].__getitem__, places)) if title in courses else _column(said, title, kind)
        for title, kind in FORM.items()
    }
    _length(columns)
    return Rows(list(columns.values()))


def malformed(objects: Sequence[Any]) -> Malformed:
    """What is wrong with the form of the first such row, without saying what stands in it."""
    for row in objects:
        if not isinstance(row, dict):
            return _wrong("a row is none")
        for title, kind in FORM.items():
            if type(row.get(title)) is not kind:
                return _wrong(f"a row has no {kind.__name__} as {title}")
    return _wrong("its rows have another form")


def _column(columns: Mapping[str, Any], title: str, kind: type) -> list[Any]:
    column = columns.get(title)
    if type(column) is not list:
        raise _wrong(f"it has no column {title}")
    if not _is_all(column, kind):
        raise _wrong(f"a row has no {kind.__name__} as {title}")
    return column


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
