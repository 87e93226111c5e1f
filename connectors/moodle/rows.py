"""A report's rows as completions: the one loop here that every row of a city passes through, so it is written tightly.

A row that makes no sense is rejected alone, with what it said. A page whose form is wrong fails as a whole: then nobody
knows what its columns mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

from pydantic import ValidationError

from connectors.errors import FilterIgnored, TimesUnreadable
from connectors.moodle.columns import Columns
from connectors.moodle.names import person_name
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.records import A_FEW, Completion, Completions, Rejected

_SUSPENDED = frozenset({"suspended", "已暂停", "暂停", "已挂起", "挂起"})
_SHOWN, _LONGEST_KEY = 60, 300
_SURELY_SHORT = 299  # a key is two cells and a bar: shorter rows break none of the lengths of a `Completion`
_NEVER = 1 << 62


@dataclass(slots=True)
class Batch:
    """What a page's rows came to."""

    completions: list[Completion] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    counted: int = 0  # rows of the window; the ones on its far edge belong to the next

    def in_parts(self) -> Iterator[tuple[list[Completion], list[Rejected], bool]]:
        """A few completions at a time, what was rejected with the first of them, and whether there are more; let go of
        as they are given.
        """
        rejected, self.rejected = self.rejected, []
        while self.completions or rejected:
            some = self.completions[:A_FEW]
            del self.completions[:A_FEW]
            yield some, rejected, bool(self.completions)
            rejected = []


def read_rows(  # noqa: C901 - every row of a city passes here: one loop, no calls
    rows: list[dict[str, list[Any]]], columns: Columns, times: ReportTimes, window: Window
) -> Batch:
    """The completions of a page, each within the window, as strict as pydantic would have them.

    Joining a row's cells is one call in C that tells at once whether all are text, whether one may be too long, and
    whether an entity is among them; only rows of which that leaves doubt are validated by pydantic, one by one. It
    halves the time of the loop (measured).

    :raises FilterIgnored: a row dated outside the window
    :raises TimesUnreadable: no time on the whole page can be read
    """
    width = len(columns.headers)
    at_user, at_course, at_time, at_identity = columns.username, columns.course, columns.time, columns.identity
    at_last, at_first, at_grade = columns.lastname, columns.firstname, columns.grade
    at_name, at_status = columns.coursename, columns.status
    start, end = window.start, _NEVER if window.end is None else window.end
    epoch, moment, join, batch = times.epoch, datetime.fromtimestamp, "".join, Batch()
    found: dict[str, Completion] = {}
    states = {"": True}
    doubtful: list[str] = []
    for place, row in enumerate(rows):
        cells = row["columns"]
        try:
            text = join(cells)
        except TypeError:
            if len(cells) != width or any(not isinstance(cells[at], str) for at in columns.needed):
                batch.rejected.append(_rejected(cells, columns, f"row {place + 1} of {window}"))
                continue
            text = join(map(str, cells))  # a cell that nobody needs may be what it likes
        whole = len(cells) == width and cells[at_user] and cells[at_course]
        completed = epoch(cells[at_time]) if whole else None
        if completed is None:
            batch.rejected.append(_rejected(cells, columns, f"row {place + 1} of {window}"))
            continue
        if not start <= completed < end:
            if completed == end:
                continue
            raise FilterIgnored(window=window, found=cells[at_time][:_SHOWN])
        user, course, identity = cells[at_user], cells[at_course], cells[at_identity]
        name = person_name(cells[at_last], cells[at_first])
        course_name = cells[at_name] if at_name >= 0 else ""
        if "&" in text:
            user, course, course_name, name, identity = map(unescape, (user, course, course_name, name, identity))
        state = cells[at_status] if at_status >= 0 else ""
        if state not in states:
            states[state] = state.strip().casefold() not in _SUSPENDED
        key = f"{user}|{course}"
        if key in found:
            # enrolled twice in the same course, which the report tells by two rows: one of them active is enough
            found[key]["active"] |= states[state]
            batch.counted += 1
            continue
        if len(text) > _SURELY_SHORT:
            doubtful.append(key)
        found[key] = {
            "key": key,
            "user": user,
            "course": course,
            "course_name": course_name,
            "name": name,
            "id_number": identity,
            "completed_at": moment(completed, UTC),
            "precision": "minute",
            "started_on": None,
            "hours": None,
            "minutes": None,
            "passed": True,
            "active": states[state],
            "grade": cells[at_grade] if at_grade >= 0 else "",
            "employer": "",
            "filing_number": "",
            "raw": cells,
        }
    undated = [one.value for one in batch.rejected if one.code == "E_DATE_INVALID"]
    if len(undated) == len(rows) > 1:
        raise TimesUnreadable(found=undated[-1])
    batch.counted += len(found) + len(batch.rejected)
    for key in doubtful:
        _validate(found[key], found, batch, columns, window)
    batch.completions = list(found.values())
    return batch


def _validate(record: Completion, found: dict[str, Completion], batch: Batch, columns: Columns, window: Window) -> None:
    """Reject the record alone, when it is not what a completion has to be."""
    try:
        Completions.validate_python([record], strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # the input may be somebody's number
        key, where = record["key"], str(first["loc"][-1])
        raw = dict(zip(columns.titles, record["raw"], strict=True))
        batch.rejected.append(Rejected(key[:_LONGEST_KEY], "E_ROW_MALFORMED", where, str(window), first["msg"], raw))
        del found[key]


def _rejected(cells: list[Any], columns: Columns, place: str) -> Rejected:
    """A row that can't be read: too few or too many cells, no text, no account or course, or no time."""
    if len(cells) != len(columns.headers):
        return Rejected("", "E_ROW_MALFORMED", "", place, f"{len(cells)} cells", {"columns": cells})
    key = f"{cells[columns.username]}|{cells[columns.course]}"[:_LONGEST_KEY]
    raw = dict(zip(columns.titles, cells, strict=True))
    needed = {columns.titles[at] for at in columns.needed}
    for title, cell in raw.items():
        if title in needed and not isinstance(cell, str):
            return Rejected(key, "E_ROW_MALFORMED", title, place, f"no text but {type(cell).__name__}", raw)
    for column in (columns.username, columns.course):
        if not cells[column]:
            return Rejected(key, "E_ROW_MALFORMED", columns.titles[column], place, "", raw)
    return Rejected(key, "E_DATE_INVALID", columns.titles[columns.time], place, cells[columns.time][:_SHOWN], raw)
