"""The companion plugin's rows as completions: like `rows`, a loop that every row of a city passes through.

A row holds numbers, texts and booleans under fixed names. One comparison in C of the types of all its values tells
whether it has the form that was agreed; a row of another form fails its page, for then nobody knows what the plugin
means. What no completion can be made of is rejected alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from pydantic import ValidationError

from connectors.errors import Malformed
from connectors.moodle.courses import CHINA, in_chinese
from connectors.moodle.names import person_name
from connectors.records import Completion, Completions, Rejected

Row = dict[str, Any]

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
_values = itemgetter(*TITLES)
_mark = itemgetter("mark")
_SURELY_SHORT = 299  # all texts of a row together: then none breaks the lengths of a `Completion`, its key neither
_SERIALS, _MARKS, _LONGEST_KEY = 1 << 63, 1 << 32, 300
_ACTIVE = 1  # of `enrolled`: 0 no more, 2 suspended
_HOUR = 3600


@dataclass(slots=True)
class Batch:
    """What rows came to."""

    completions: list[Completion] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def marks_of(rows: Sequence[Row]) -> int:
    """The sum of the rows' marks, as a digest has it."""
    return sum(map(_mark, rows))


def key_of(row: Row) -> str:
    """The key of a row: the report's too, so that a base can change from one to the other and no row doubles."""
    return f"{row['username']}|{row['courseshortname']}"


def read_rows(rows: Sequence[Row], *, idnumber: bool = False) -> Batch:  # noqa: C901 - as `rows.read_rows`: one loop
    """The completions of rows, as strict as pydantic would have them.

    Of two rows with one key (an account that was deleted and made anew under its name) the living one's is taken.

    :param idnumber: the identity number stands in the account's own ID number
    :raises Malformed: a row has not the agreed form
    """
    values_of, types, moment, started = _values, _TYPES, datetime.fromtimestamp, _day
    batch = Batch()
    found: dict[str, Completion] = {}
    doubtful: list[str] = []
    for row in rows:
        try:
            values = values_of(row)
        except (KeyError, TypeError):
            raise malformed(row) from None
        if tuple(map(type, values)) != types:
            raise malformed(row)
        # fmt: off
        (number, _, _, user, staff_number, identity, last, first, deleted, suspended, enrolled, course, _, course_name,
         enrolled_at, started_at, completed, grade, _, mark) = values
        # fmt: on
        key = f"{user}|{course}"
        if idnumber:
            identity = staff_number
        try:
            completed_at = moment(completed, UTC)
        except (ValueError, OverflowError, OSError):
            batch.rejected.append(_rejected(row, "E_DATE_INVALID", "timecompleted", str(completed)))
            continue
        if not user or not course:
            batch.rejected.append(_rejected(row, "E_ROW_MALFORMED", "courseshortname" if user else "username", ""))
            continue
        if deleted and key in found:
            continue
        began = enrolled_at if 0 < enrolled_at <= completed else 0
        if 0 < started_at <= completed and (not began or started_at < began):
            began = started_at
        if (
            len(user) + len(course) + len(course_name) + len(last) + len(first) + len(identity) + len(grade)
            > _SURELY_SHORT
            or not 0 <= mark < _MARKS
            or not 0 < number < _SERIALS
        ):
            doubtful.append(key)
        found[key] = {
            "key": key,
            "user": user,
            "course": course,
            "course_name": _course_name(course_name),
            "name": person_name(last, first),
            "id_number": identity,
            "completed_at": completed_at,
            "precision": "second",
            "started_on": started(began // _HOUR) if began else None,
            "hours": None,
            "minutes": None,
            "passed": True,
            "active": enrolled == _ACTIVE and not (deleted or suspended),
            "grade": grade,
            "employer": "",
            "filing_number": "",
            "serial": number,
            "mark": mark,
            "raw": list(values),
        }
    for key in dict.fromkeys(doubtful):
        _validate(key, found, batch)
    batch.completions = list(found.values())
    return batch


_course_name = lru_cache(5000)(in_chinese)


@lru_cache(100_000)
def _day(hour: int) -> date:
    """The day in China of an hour since 1970; its offset from UTC has always been whole hours since then."""
    return datetime.fromtimestamp(hour * _HOUR, CHINA).date()


def _validate(key: str, found: dict[str, Completion], batch: Batch) -> None:
    """Reject the record alone, when it is not what a completion has to be."""
    record = found[key]
    try:
        Completions.validate_python([record], strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # the input may be somebody's number
        raw = dict(zip(TITLES, record["raw"], strict=True))
        batch.rejected.append(_rejected(raw, "E_ROW_MALFORMED", str(first["loc"][-1]), first["msg"]))
        del found[key]


def _rejected(row: Row, code: str, title: str, value: str) -> Rejected:
    return Rejected(
        key_of(row)[:_LONGEST_KEY], code, title, f"row {row['id']}", value, {one: row[one] for one in TITLES}
    )


def malformed(row: Any) -> Malformed:
    """What is wrong with the form of a row, without saying what stands in it."""
    reason = "a row is none"
    if isinstance(row, dict):
        wrong = [name for name, kind in FORM.items() if type(row.get(name)) is not kind]
        reason = f"a row has no {FORM[wrong[0]].__name__} as {wrong[0]}" if wrong else reason
    return Malformed(what="The companion plugin", url="the site", reason=reason)
