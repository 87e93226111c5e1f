"""The companion plugin's answers, taken apart and each held against itself; or refused, when one has another form."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any

from connectors.errors import Malformed, PageRepeated
from connectors.moodle.client import CHANGES, COMPLETIONS, DIGEST
from connectors.moodle.plugin_columns import Row, Rows, rows_of_objects, rows_of_text
from connectors.records import Block

_told = itemgetter("sequence", "id", "kind", "username", "courseshortname", "oldusername", "oldcourseshortname")
_TOLD = (int, int, str, str, str, str, str)
_KINDS = frozenset({"completed", "changed", "reset", "deleted"})
_EARLIEST = 1_500_000_000  # July 2017: no clock that runs says less
_MARKS = 1 << 32


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of completions. ``first`` and ``last`` are the cursors of its ends, ``total`` is -1 when not counted."""

    servertime: int
    sequence: int
    identity_field: tuple[str, str]  # short name and name, both "" when none is set
    total: int
    more: bool
    rows: Rows
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """A page of changes. ``oldest`` and ``newest`` are the ends of the log, 0 while it is empty."""

    oldest: int
    newest: int
    more: bool
    rows: list[Row]
    first: int = 0
    last: int = 0


def answer_of(answer: Any) -> Answer:
    """A page of completions, as a list of rows or as columns, its rows strictly in the order of time and number.

    :raises Malformed: it has another form
    :raises PageRepeated: it holds a row twice
    """
    form = _Form(COMPLETIONS, answer)
    columns = form.has("columns")
    came = form.get("columns", str) if columns else form.get("completions", list)
    field = _Form(COMPLETIONS, form.get("identityfield", dict))
    head = (
        form.servertime(),
        form.whole("sequence"),
        (field.get("shortname", str), field.get("name", str)),
        form.get("total", int),
        form.get("more", bool),
    )
    rows = rows_of_text(came) if columns else rows_of_objects(came)
    if not rows:
        return Answer(*head, rows)
    numbers = rows.column("id")
    places: list[tuple[int, int]] = list(zip(rows.column("timecompleted"), numbers, strict=True))
    if sorted(places) != places or places[0][0] < 1:
        raise form.wrong("its rows are not in the order of time and number")
    if len(set(numbers)) != len(numbers):
        raise PageRepeated(window="on one page")
    return Answer(*head, rows, places[0], places[-1])


def told_of(answer: Any) -> Told:
    """A page of changes, in the order of the log.

    :raises Malformed: it has another form
    """
    form = _Form(CHANGES, answer)
    form.servertime()
    rows: list[Row] = form.get("changes", list)
    oldest, newest, more = form.whole("first"), form.whole("last"), form.get("more", bool)
    if more and not rows:
        raise form.wrong("it tells nothing, and says that there is more")
    for row in rows:
        try:
            if tuple(map(type, _told(row))) != _TOLD or row["kind"] not in _KINDS:
                raise form.wrong("a change has not its form")
        except (KeyError, TypeError):
            raise form.wrong("a change has not all its parts") from None
    places = [row["sequence"] for row in rows]
    if any(before >= after for before, after in pairwise(places)):
        raise form.wrong("its changes are not in order")
    return Told(oldest, newest, more, rows, *((places[0], places[-1]) if places else (0, 0)))


def blocks_of(answer: Any, first: int, size: int) -> tuple[list[Block], int]:
    """The blocks of a digest, and the number to go on from; 0 at the end.

    :raises Malformed: it has another form
    :raises PageRepeated: it goes back
    """
    form = _Form(DIGEST, answer)
    form.servertime()
    sequence, following = form.whole("sequence"), form.whole("nextid")
    blocks, due = [], (first - 1) // size * size + 1
    for one in form.get("blocks", list):
        block = _Form(DIGEST, one)
        start, end, rows, marks = (block.whole(name) for name in ("first", "last", "rows", "marks"))
        if start % size != 1 or end != start + size - 1 or not 1 <= rows <= size or marks >= rows * _MARKS:
            raise form.wrong("a block has not its form")
        if start < due:
            raise PageRepeated(window=f"digest from {first}")
        blocks.append(Block(start, end, rows, marks, sequence))
        due = end + 1
    if following and following < due:
        raise PageRepeated(window=f"digest from {first}")
    return blocks, following


class _Form:
    """One object of an answer, whose parts must be of their types."""

    def __init__(self, function: str, answer: Any) -> None:
        self._function = function
        self._parts = answer if isinstance(answer, dict) else {}

    def get(self, name: str, kind: type) -> Any:
        value = self._parts.get(name)
        if type(value) is not kind:
            raise self.wrong(f"it has no {name}")
        return value

    def has(self, name: str) -> bool:
        return name in self._parts

    def whole(self, name: str) -> int:
        value: int = self.get(name, int)
        if value < 0:
            raise self.wrong(f"its {name} is below zero")
        return value

    def servertime(self) -> int:
        """The clock there, as far as it can be believed."""
        value = self.whole("servertime")
        if value < _EARLIEST:
            raise self.wrong("its clock does not run")
        return value

    def wrong(self, reason: str) -> Malformed:
        return Malformed(what=self._function, url="the site", reason=reason)
