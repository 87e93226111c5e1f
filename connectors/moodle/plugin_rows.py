"""The companion plugin's rows as completions: like `rows`, passed by every row of a city, and written for that.

Looks in C at whole columns of a page tell whether every row of it makes a completion; only in a page of which that
leaves doubt are rows looked at one by one, and rejected alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from pydantic import ValidationError

from connectors.moodle.courses import CHINA, in_chinese
from connectors.moodle.names import person_names
from connectors.moodle.plugin_columns import TITLES, Row, Rows, Values, rows_of, rows_of_objects
from connectors.record_table import RecordTable
from connectors.records import A_FEW, LONGEST_KEY, LONGEST_TEXT, Completion, Completions, Rejected

_SERIALS, _MARKS = 1 << 63, 1 << 32  # as `Completion` has them
_YEAR_10000 = 253_402_300_800
_ACTIVE = 1  # of `enrolled`: 0 no more, 2 suspended
_HOUR = 3600


@dataclass(slots=True)
class Batch:
    """What rows came to."""

    completions: Sequence[Completion] = ()
    rejected: list[Rejected] = field(default_factory=list)


def a_few(rows: Rows) -> Iterator[tuple[Rows, bool]]:
    """The rows some at a time, and whether there are more; all at once where two have one key and have to be seen
    together.
    """
    whole = len(rows)
    size = A_FEW if len(set(rows.keys)) == whole else whole
    for start in range(0, whole, size or 1):
        yield rows.part(start, start + size), start + size < whole


def key_of(row: Row) -> str:
    """The key of a row: the report's too, so that a base can change from one to the other and no row doubles."""
    return f"{row['username']}|{row['courseshortname']}"


def read_objects(objects: Sequence[Row], *, idnumber: bool = False) -> Batch:
    """As `read_rows`, of rows that came as an object each.

    :raises Malformed: one has not the agreed form
    """
    return read_rows(rows_of_objects(objects), idnumber=idnumber)


def read_rows(rows: Rows, *, idnumber: bool = False) -> Batch:
    """The completions of rows, as strict as pydantic would have them.

    Of two rows with one key (an account that was deleted, and made anew under its name) the living one's is taken.

    :param idnumber: the identity number stands in the account's own ID number
    """
    batch = Batch()
    if rows and not _surely_fine(rows):
        rows = rows_of(_fitting(rows.values(), batch))
    if rows:
        batch.completions = _table(rows, idnumber=idnumber)
    return batch


def _surely_fine(rows: Rows) -> bool:
    """Whether every row makes a completion: known by the longest and the largest of a page, in C."""
    # fmt: off
    (numbers, _, _, users, staff_numbers, identities, lasts, firsts, _, _, _, courses, _, course_names, _, _, times,
     grades, _, marks) = rows.columns
    # fmt: on
    return (
        all(users)
        and all(courses)
        and _longest(rows.keys) <= LONGEST_KEY
        and _longest(lasts) + _longest(firsts) < LONGEST_TEXT
        and max(map(_longest, (staff_numbers, identities, course_names, grades))) <= LONGEST_TEXT
        and min(times) > 0
        and max(times) < _YEAR_10000
        and min(numbers) > 0
        and max(numbers) < _SERIALS
        and min(marks) >= 0
        and max(marks) < _MARKS
        and len(set(rows.keys)) == len(rows)
    )


def _longest(column: Sequence[str]) -> int:
    return max(map(len, column))


def _table(rows: Rows, *, idnumber: bool) -> RecordTable:
    """Rows of which that is known, as completions. Every row of a city passes here."""
    # fmt: off
    (numbers, _, _, users, staff_numbers, identities, lasts, firsts, deleted, suspended, enrolled, courses, _,
     course_names, enrolled_at, started_at, completed, grades, _, marks) = rows.columns
    # fmt: on
    moment, number = datetime.fromtimestamp, len(rows)
    nothing, unsaid = [""] * number, [None] * number
    return RecordTable(
        {
            "key": rows.keys,
            "user": users,
            "course": courses,
            "course_name": list(map(_course_name, course_names)),
            "name": person_names(lasts, firsts),
            "id_number": staff_numbers if idnumber else identities,
            "completed_at": [moment(second, UTC) for second in completed],
            "precision": ["second"] * number,
            "started_on": [
                _day(entered // _HOUR)  # as nearly everybody did, and needs no call
                if 0 < entered <= ended and not 0 < began < entered
                else _started_on(entered, began, ended)
                for entered, began, ended in zip(enrolled_at, started_at, completed, strict=True)
            ],
            "hours": unsaid,
            "minutes": unsaid,
            "passed": [True] * number,
            "active": [
                state == _ACTIVE and not (gone or barred)
                for state, gone, barred in zip(enrolled, deleted, suspended, strict=True)
            ],
            "grade": grades,
            "employer": nothing,
            "filing_number": nothing,
            "serial": numbers,
            "mark": marks,
            "raw": rows.values(),
        }
    )


def _started_on(enrolled_at: int, started_at: int, completed: int) -> date | None:
    """The local day of the earlier of the two; one that lies behind the completion says nothing of it."""
    if not (enrolled_at or started_at):
        return None
    began = enrolled_at if 0 < enrolled_at <= completed else 0
    if 0 < started_at <= completed and (not began or started_at < began):
        began = started_at
    return _day(began // _HOUR) if began else None


_course_name = lru_cache(5000)(in_chinese)


@lru_cache(20_000)
def _day(hour: int) -> date:
    """The day in China of an hour since 1970; its offset from UTC has always been whole hours since then."""
    return datetime.fromtimestamp(hour * _HOUR, CHINA).date()


def _fitting(values: Sequence[Values], batch: Batch) -> list[Values]:
    """The rows of which a completion can be made, by key; each of the others is rejected alone."""
    fitting: dict[str, Values] = {}
    for one in values:
        row = dict(zip(TITLES, one, strict=True))
        key = key_of(row)
        if problem := _problem(one, row):
            code, title, said = problem
            batch.rejected.append(Rejected(key[:LONGEST_KEY], code, title, f"row {row['id']}", said, row))
        elif key not in fitting or not row["deleted"]:
            fitting[key] = one
    return list(fitting.values())


def _problem(one: Values, row: Row) -> tuple[str, str, str] | None:
    """What is wrong with a row: code, which value, what it says."""
    for title in ("username", "courseshortname"):
        if not row[title]:
            return "E_ROW_MALFORMED", title, ""
    if not 0 < row["timecompleted"] < _YEAR_10000:
        return "E_DATE_INVALID", "timecompleted", str(row["timecompleted"])
    try:
        for idnumber in (False, True):
            Completions.validate_python(list(_table(rows_of([one]), idnumber=idnumber)), strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # the input may be somebody's number
        return "E_ROW_MALFORMED", str(first["loc"][-1]), first["msg"]
    return None
