"""A report's rows as completions: every row of a city passes through here, so it is written tightly.

Looks in C at whole columns of a page tell whether every row of it makes a completion; only in a page of which that
leaves doubt are rows looked at one by one, and one that makes no sense is rejected alone, with what it said. A page
whose form is wrong fails as a whole: then nobody knows what its columns mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from itertools import chain
from typing import Any

from pydantic import ValidationError

from connectors.errors import FilterIgnored, TimesUnreadable
from connectors.moodle.columns import Columns
from connectors.moodle.names import person_name
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.record_table import RecordTable
from connectors.records import A_FEW, LONGEST_KEY, LONGEST_TEXT, MUST_HAVE, Completion, Completions, Rejected

Cells = list[Any]

_SUSPENDED = frozenset({"suspended", "已暂停", "暂停", "已挂起", "挂起"})
_SHOWN = 60


@dataclass(slots=True)
class Batch:
    """What a page's rows came to."""

    completions: Sequence[Completion] = ()
    rejected: list[Rejected] = field(default_factory=list)
    counted: int = 0  # rows of the window; the ones on its far edge belong to the next

    def in_parts(self) -> Iterator[tuple[Sequence[Completion], list[Rejected], bool]]:
        """A few completions at a time, what was rejected with the first of them, and whether there are more."""
        rejected, rows = self.rejected, len(self.completions)
        for at in range(0, rows or bool(rejected), A_FEW):
            yield self.completions[at : at + A_FEW], rejected, at + A_FEW < rows
            rejected = []


def read_rows(rows: Sequence[dict[str, Cells]], columns: Columns, times: ReportTimes, window: Window) -> Batch:
    """The completions of a page, each within the window, as strict as pydantic would have them.

    :raises FilterIgnored: a row dated outside the window
    :raises TimesUnreadable: no time on the whole page can be read
    """
    batch = Batch()
    cells = [row["columns"] for row in rows]
    reader = _Reader(columns, times)
    sure = reader.moments(cells, window)
    cells, moments = sure or _one_by_one(cells, reader, window, batch)
    batch.counted = len(cells) + len(batch.rejected)
    completions = reader.table(cells, moments)
    if len(set(completions.columns["key"])) < len(cells):
        completions = _each_once(completions)
    batch.completions = completions
    return batch


class _Reader:
    """Reads columns of rows, a few rows at a time: what is made of them fits into a processor's cache (ADR 17)."""

    def __init__(self, columns: Columns, times: ReportTimes) -> None:
        self.columns, self.times = columns, times

    def moments(self, cells: list[Cells], window: Window) -> tuple[list[Cells], list[int]] | None:
        """The rows of the window, and when each was completed in seconds since 1970; None where it is not sure that
        every row makes a completion.
        """
        moments: list[int] = []
        for some in _a_few(cells):
            found = self._moments_of(some)
            if found is None:
                return None
            moments += found
        if moments and (min(moments) < window.start or (window.end is not None and max(moments) > window.end)):
            return None
        if window.end in moments:  # left to the next window
            cells = [row for row, moment in zip(cells, moments, strict=True) if moment != window.end]
            moments = [moment for moment in moments if moment != window.end]
        return cells, moments

    def _moments_of(self, cells: Sequence[Cells]) -> list[int] | None:
        at = self.columns
        if set(map(len, cells)) != {len(at.headers)}:
            return None
        try:
            "".join(chain.from_iterable(cells))
        except TypeError:  # a cell that is no text
            return None
        # texts may only get shorter from here: entities are longer than what they stand for
        by_column = list(zip(*cells, strict=True))
        users, courses = by_column[at.username], by_column[at.course]
        names = _longest(by_column[at.lastname]) + _longest(by_column[at.firstname])
        others = (by_column[place] for place in (at.identity, at.coursename, at.grade) if place >= 0)
        if (
            not (all(users) and all(courses))
            or _longest(users) + _longest(courses) >= LONGEST_KEY
            or max(names + 1, *map(_longest, others)) > LONGEST_TEXT
        ):
            return None
        return self.times.epochs(by_column[at.time])

    def table(self, cells: Sequence[Cells], moments: Sequence[int]) -> RecordTable:
        """The completions of rows of which that is known."""
        made: dict[str, list[Any]] = {name: [] for name in MUST_HAVE}
        for first, some in zip(range(0, len(cells), A_FEW), _a_few(cells), strict=True):
            for name, column in self._made_of(some, moments[first : first + A_FEW]).items():
                made[name] += column
        return RecordTable(made)

    def _made_of(self, cells: Sequence[Cells], moments: Sequence[int]) -> dict[str, Sequence[Any]]:
        at, rows, moment = self.columns, len(cells), datetime.fromtimestamp
        by_column = list(zip(*(row[: len(at.headers)] for row in cells), strict=True))
        nothing = [""] * rows

        def texts(place: int) -> Sequence[str]:
            column = by_column[place] if place >= 0 else nothing
            return list(map(unescape, column)) if "&" in "".join(column) else column

        users, courses = texts(at.username), texts(at.course)
        states = by_column[at.status] if at.status >= 0 else nothing
        active = {state: state.strip().casefold() not in _SUSPENDED for state in set(states)}
        names = list(map(person_name, by_column[at.lastname], by_column[at.firstname]))
        return {
            "key": [f"{user}|{course}" for user, course in zip(users, courses, strict=True)],
            "user": users,
            "course": courses,
            "course_name": texts(at.coursename),
            "name": list(map(unescape, names)) if "&" in "".join(names) else names,
            "id_number": texts(at.identity),
            "completed_at": [moment(second, UTC) for second in moments],
            "precision": ["minute"] * rows,
            "started_on": [None] * rows,
            "hours": [None] * rows,
            "minutes": [None] * rows,
            "passed": [True] * rows,
            "active": [active[state] for state in states],
            "grade": by_column[at.grade] if at.grade >= 0 else nothing,
            "employer": nothing,
            "filing_number": nothing,
            "raw": cells,
        }


def _a_few(cells: Sequence[Cells]) -> Iterator[Sequence[Cells]]:
    return (cells[at : at + A_FEW] for at in range(0, len(cells), A_FEW))


def _longest(column: Sequence[str]) -> int:
    return max(map(len, column))


def _each_once(completions: RecordTable) -> RecordTable:
    """Enrolled twice in the same course, which the report tells by two rows: one of them active is enough."""
    active = completions.columns["active"]
    found: dict[str, int] = {}
    for at, key in enumerate(completions.columns["key"]):
        if key not in found or (active[at] and not active[found[key]]):
            found[key] = at
    return completions.only(list(found.values()))


def _one_by_one(cells: Sequence[Cells], reader: _Reader, window: Window, batch: Batch) -> tuple[list[Cells], list[int]]:
    """The rows that make a completion of the window, and when each was completed; the others are rejected."""
    columns, times = reader.columns, reader.times
    fitting: list[Cells] = []
    moments: list[int] = []
    for place, row in enumerate(cells):
        completed = times.epoch(row[columns.time]) if _readable(row, columns) else None
        if completed is None:
            batch.rejected.append(_rejected(row, columns, f"row {place + 1} of {window}"))
            continue
        if completed == window.end:
            continue
        if completed < window.start or (window.end is not None and completed > window.end):
            raise FilterIgnored(window=window, found=row[columns.time][:_SHOWN])
        if problem := _problem(reader.table([row], [completed])[0], columns, window):
            batch.rejected.append(problem)
            continue
        fitting.append(row)
        moments.append(completed)
    undated = [one.value for one in batch.rejected if one.code == "E_DATE_INVALID"]
    if len(undated) == len(cells) > 1:
        raise TimesUnreadable(found=undated[-1])
    return fitting, moments


def _readable(row: Cells, columns: Columns) -> bool:
    """Whether all cells are there, and text where something is read; a cell that nobody needs may be what it likes."""
    if len(row) != len(columns.headers) or not all(isinstance(row[at], str) for at in columns.needed):
        return False
    return bool(row[columns.username] and row[columns.course])


def _problem(record: Completion, columns: Columns, window: Window) -> Rejected | None:
    """Why the record is not what a completion has to be."""
    try:
        Completions.validate_python([record], strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # the input may be somebody's number
        key, where = record["key"], str(first["loc"][-1])
        raw = dict(zip(columns.titles, record["raw"], strict=True))
        return Rejected(key[:LONGEST_KEY], "E_ROW_MALFORMED", where, str(window), first["msg"], raw)
    return None


def _rejected(cells: Cells, columns: Columns, place: str) -> Rejected:
    """A row that can't be read: too few or too many cells, no text, no account or course, or no time."""
    if len(cells) != len(columns.headers):
        return Rejected("", "E_ROW_MALFORMED", "", place, f"{len(cells)} cells", {"columns": cells})
    key = f"{cells[columns.username]}|{cells[columns.course]}"[:LONGEST_KEY]
    raw = dict(zip(columns.titles, cells, strict=True))
    needed = {columns.titles[at] for at in columns.needed}
    for title, cell in raw.items():
        if title in needed and not isinstance(cell, str):
            return Rejected(key, "E_ROW_MALFORMED", title, place, f"no text but {type(cell).__name__}", raw)
    for column in (columns.username, columns.course):
        if not cells[column]:
            return Rejected(key, "E_ROW_MALFORMED", columns.titles[column], place, "", raw)
    return Rejected(key, "E_DATE_INVALID", columns.titles[columns.time], place, cells[columns.time][:_SHOWN], raw)
