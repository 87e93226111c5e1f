"""The completions of the played site column by column, as a newer plugin writes them into one text.

Of a site that is not large the columns are kept as text in the order of time, so that a page is cut out of them.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from connectors.testing._picture import KEPT_AT_MOST, Picture
from connectors.testing._wire import php_json

_OF_PERSON = ("userid", "username", "idnumber", "identity", "lastname", "firstname")
_TEXTS = ("username", "idnumber", "identity", "lastname", "firstname", "grade", "grademax")
_FLAGS = ("deleted", "suspended")
_ORDER = (
    *("id", *_OF_PERSON, *_FLAGS, "enrolled", "timeenrolled", "timestarted", "timecompleted"),
    *("grade", "grademax", "mark", "course"),
)
_LINE = r"\\n"  # between two texts, as it stands in the answer: twice in JSON


class _Column(NamedTuple):
    """A column of all rows, as text: value ``n`` ends where ``ends[n]`` says."""

    text: str
    ends: array[int]


class Columns:
    """The columns of one picture. All of the site's courses stand on each page, and not only those of its rows."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._of_person = lru_cache(None)(self._person_said)
        self._courses = {name: place for place, name in enumerate(picture.courses)}
        self._values: dict[str, Callable[[int], str]] = {
            "id": lambda place: str(picture.ids[place]),
            **{name: self._personal(at) for at, name in enumerate(_OF_PERSON)},
            "enrolled": lambda place: str(picture.enrolled[place]),
            "timeenrolled": lambda place: str(picture.rows[place].enrolled),
            "timestarted": lambda _: "0",
            "timecompleted": lambda place: str(picture.rows[place].time),
            "grade": lambda place: picture.rows[place].grade,
            "grademax": lambda place: "100.00" if picture.rows[place].grade else "",
            "mark": lambda place: str(picture.marks[place]),
            "course": lambda place: str(self._courses[picture.rows[place].course]),
        }
        self._kept: dict[str, _Column] = {}
        said = list(map(picture.person_said, picture.people))
        broken = {name for name in _OF_PERSON[1:] if any("\n" in one[name] for one in said)}
        self._lines = set(_TEXTS) - broken  # else a list, for who would know where a value ends
        for name in broken:
            self._values[name] = lambda place, bare=self._values[name]: f'\\"{bare(place)}\\"'  # type: ignore[misc]

    def prepare(self) -> None:
        """Keep the columns, where they are not too many."""
        if not self._kept and len(self._picture.order) <= KEPT_AT_MOST:
            for name, value in self._values.items():
                values = list(map(value, self._picture.order))
                step = len(self._between(name))
                self._kept[name] = _Column(
                    self._between(name).join(values), array("q", accumulate(len(one) + step for one in values))
                )

    def page(self, places: Sequence[int], start: int, stop: int, *, identity: bool = True) -> str:
        """Rows of ``places`` as the text that an answer holds, JSON in JSON.

        :param identity: whether there are identity numbers
        """
        self.prepare()
        shown = places[start:stop]
        columns = {}
        for name in _ORDER:
            if name in _FLAGS:
                columns[name] = str(self._picture.flagged(name, shown)).replace(" ", "")
                continue
            if name == "identity" and not identity:
                values = self._between(name).join(["" if name in self._lines else r"\"\""] * len(shown))
            elif places is self._picture.order and name in self._kept:
                values = _cut(self._kept[name], start, stop, len(self._between(name)))
            else:
                values = self._between(name).join(map(self._values[name], shown))
            columns[name] = f'\\"{values}\\"' if name in self._lines and shown else f"[{values}]"
        columns["courses"] = _twice(self._picture.courses_said())
        return "{" + ",".join(f'\\"{name}\\":{columns[name]}' for name in columns) + "}"

    def _between(self, name: str) -> str:
        return _LINE if name in self._lines else ","

    def _personal(self, at: int) -> Callable[[int], str]:
        return lambda place: self._of_person(self._picture.rows[place].user)[at]

    def _person_said(self, user: str) -> tuple[str, ...]:
        said = self._picture.person_said(user)
        return tuple(str(value) if name == "userid" else _twice(value)[2:-2] for name, value in said.items())


def _cut(column: _Column, start: int, stop: int, step: int) -> str:
    """The values from ``start`` up to just before ``stop``."""
    return column.text[column.ends[start - 1] if start else 0 : column.ends[stop - 1] - step] if stop > start else ""


def _twice(value: Any) -> str:
    """``value`` as JSON that stands in a text of JSON; the inner one leaves letters as they are."""
    return php_json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))[1:-1]
