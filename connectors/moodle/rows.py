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
from connectors.moodle.names import person_names
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.record_table import RecordTable
from connectors.records import A_FEW, LONGEST_KEY, LONGEST_TEXT, Completion, Completions, Rejected

Cells = list[Any]

_SUSPENDED = frozenset({"suspended", "已暂停", "暂停", "已挂起", "挂起"})
_SHOWN = 60
_READ = ("key", "user", "course", "course_name", "name", "id_number", "completed_at", "active", "grade")
"""What a report says; the other parts of a completion are the same in each."""


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
    completions = reader.sure(cells, window)
    if completions is None:
        completions = reader.table(*_one_by_one(cells, reader, window, batch))
    batch.counted = len(completions) + len(batch.rejected)
    if len(set(completions.columns["key"])) < len(completions):
        completions = _each_once(completions)
    batch.completions = completions
    return batch


class _Reader:
    """Reads columns of rows, a few rows at a time: what is made of them fits into a processor's cache (ADR 17)."""

    def __init__(self, columns: Columns, times: ReportTimes) -> None:
        self.columns, self.times = columns, times

    def sure(self, cells: list[Cells], window: Window) -> RecordTable | None:
        """The completions of the window; None where it is not sure that every row makes one."""
        moments: list[int] = []
        made = self._nothing()
        for some in _a_few(cells):
            by_column = self._sure_columns(some)
            found = self.times.epochs(by_column[self.columns.time]) if by_column else None
            if found is None:
                return None
            moments += found
            self._add(made, by_column, found)
        if moments and (min(moments) < window.start or (window.end is not None and max(moments) > window.end)):
            return None
        completions = self._whole(made, cells)
        if window.end in moments:  # left to the next window
            return completions.only([at for at, moment in enumerate(moments) if moment != window.end])
        return completions

    def _sure_columns(self, cells: Sequence[Cells]) -> list[tuple[str, ...]]:
        """The columns of rows; none where one of them may be odd."""
        at = self.columns
        if set(map(len, cells)) != {len(at.headers)}:
            return []
        try:
            "".join(chain.from_iterable(cells))
        except TypeError:  # a cell that is no text
            return []
        # texts may only get shorter from here: entities are longer than what they stand for
        by_column: list[tuple[str, ...]] = list(zip(*cells, strict=True))
        users, courses = by_column[at.username], by_column[at.course]
        names = _longest(by_column[at.lastname]) + _longest(by_column[at.firstname])
        others = (by_column[place] for place in (at.identity, at.coursename, at.grade) if place >= 0)
        if (
            not (all(users) and all(courses))
            or _longest(users) + _longest(courses) >= LONGEST_KEY
            or max(names + 1, *map(_longest, others)) > LONGEST_TEXT
        ):
            return []
        return by_column

    def table(self, cells: Sequence[Cells], moments: Sequence[int]) -> RecordTable:
        """The completions of rows that were looked at one by one."""
        made = self._nothing()
        if cells:
            self._add(made, list(zip(*cells, strict=True)), moments)
        return self._whole(made, cells)

    def _nothing(self) -> dict[str, list[Any]]:
        return {name: [] for name in _READ}

    def _add(self, made: dict[str, list[Any]], by_column: Sequence[Sequence[Any]], moments: Sequence[int]) -> None:
        """What rows say, behind what those before them did."""
        at, moment = self.columns, datetime.fromtimestamp
        nothing = [""] * len(moments)

        def texts(place: int) -> Sequence[str]:
            column = by_column[place] if place >= 0 else nothing
            return list(map(unescape, column)) if "&" in "".join(column) else column

        users, courses = texts(at.username), texts(at.course)
        states = by_column[at.status] if at.status >= 0 else nothing
        active = {state: state.strip().casefold() not in _SUSPENDED for state in set(states)}
        names = person_names(by_column[at.lastname], by_column[at.firstname])
        made["key"] += [f"{user}|{course}" for user, course in zip(users, courses, strict=True)]
        made["user"] += users
        made["course"] += courses
        made["course_name"] += texts(at.coursename)
        made["name"] += list(map(unescape, names)) if "&" in "".join(names) else names
        made["id_number"] += texts(at.identity)
        made["completed_at"] += [moment(second, UTC) for second in moments]
        made["active"] += [active[state] for state in states]
        made["grade"] += by_column[at.grade] if at.grade >= 0 else nothing

    def _whole(self, made: dict[str, list[Any]], cells: Sequence[Cells]) -> RecordTable:
        """The completions, with what no report says."""
        rows = len(cells)
        nothing, unsaid = [""] * rows, [None] * rows
        return RecordTable(
            made
            | {
                "precision": ["minute"] * rows, "started_on": unsaid, "hours": unsaid, "minutes": unsaid,
                "passed": [True] * rows, "employer": nothing, "filing_number": nothing, "raw": cells,
            }
        )  # fmt: skip


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
