"""From a data row to a completion, or to the reason why it makes none."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from stdnum.iso7064 import mod_11_2

from connectors.records import Completion, Rejected
from connectors.roster import values
from connectors.roster.headings import Table, fold_title
from connectors.roster.keys import Trait, trait
from connectors.roster.reader import Cell, Row
from connectors.roster.values import Length, Moment, Unreadable

_TEXT = 500  # characters that a record's text may have
_FOOTER = re.compile(
    r"(?:合计|总计|小计|共计|总人数|人数|经办|审核|复核|审批|制表|填表|填报|制单|负责|班主任|签字|签名|盖章|公章"
    r"|主办单位|承办单位|举办单位|培训机构|单位|联系人|联系电话|日期|备注|说明|填写说明)"
    r"(?:人|员|者|领导|单位|时间|日期|签字|签名|盖章|[(].*?[)])*(?:[:_/]|共?\d|$)"
    r"|以下空白|第\d+页|共\d+(?:人|名|页)"
)
_NOTE = re.compile(r"\W*(?:注|备注|说明)\d*[::]")
_NUMBERISH = re.compile(r"[\d*X●×•-]", re.IGNORECASE)
_HAN = re.compile("[\u4e00-\u9fff]")
_ZEROED = re.compile(r"\d{15}000")
_T = TypeVar("_T")
_LEAST_DIGITS = 6
_WHOLE_NUMBER = 15
_LONGEST_NAME = 60
_FILLED = 3  # cells in a row that no signature or note has


@dataclass(frozen=True, slots=True)
class Defaults:
    """What was said of the whole file, for what a row doesn't say itself."""

    course: str = ""
    course_name: str = ""
    filing_number: str = ""
    date: date | None = None
    hours: int | None = None  # hundredths
    passed_mark: float = 60


@dataclass(frozen=True, slots=True)
class Habits:
    """What can only be known of a list once all of it has been seen."""

    judged: bool = False  # somebody filled the result or the mark: a row that doesn't is no longer simply passed
    zeroed: bool = False  # a spreadsheet zeroed tails in it: then no number that ends in 000 can be believed


class _Refused(Exception):
    """Carries a row's reason to `read_row`."""

    def __init__(self, code: str, column: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column


def data_rows(table: Table) -> Iterator[tuple[int, Row]]:
    """The rows beneath the headings that are about a person: not totals, signatures, notes, repeated headings."""
    for number, row in table.sheet.rows():
        if number >= table.first and _is_data(table, row):
            yield number, row


def _is_data(table: Table, row: Row) -> bool:
    id_number = table.cell(row, "id_number")
    if _digits(id_number) >= _WHOLE_NUMBER:
        return True
    filled = [cell for cell in row if str(cell).strip()]
    if not filled or (isinstance(filled[0], str) and _is_footer(filled[0])):
        return False
    name = table.cell(row, "name")
    if isinstance(name, str) and (title := fold_title(name)):
        if _is_footer(name) or title == fold_title(table.title("name")):
            return False
        if len(name) <= _LONGEST_NAME and not re.search(r"[\d:]", unicodedata.normalize("NFKC", name)):
            return True
    # neither a name nor a whole number, and yet more than a note: someone should look at it
    return _digits(id_number) >= _LEAST_DIGITS or (
        len({str(cell) for cell in filled}) >= _FILLED and bool(_dates(table, row))
    )


def _is_footer(cell: str) -> bool:
    text = unicodedata.normalize("NFKC", cell)
    return bool(_FOOTER.match("".join(text.split())) or _NOTE.match(text))


def _digits(cell: Cell) -> int:
    """How many characters of an identity number ``cell`` has, stars included; none in a cell with words."""
    if isinstance(cell, str):
        text = unicodedata.normalize("NFKC", cell)
        return 0 if _HAN.search(text) else len(_NUMBERISH.findall(text))
    return len(str(abs(int(cell)))) if isinstance(cell, int | float) and math.isfinite(cell) else 0


def _dates(table: Table, row: Row) -> list[Cell]:
    return [cell for column in ("completed_on", "period", "hours") if (cell := table.cell(row, column)) != ""]


def habits(table: Table) -> Habits:
    """What all the data rows of ``table`` have in common."""
    judged = zeroed = False
    for _, row in data_rows(table):
        judged = judged or _filled(table, row, "result") or _filled(table, row, "grade")
        tail = _zeroed(table.cell(row, "id_number"))
        zeroed = zeroed or (tail != "" and not mod_11_2.is_valid(tail))
    return Habits(judged, zeroed)


def _zeroed(cell: Cell) -> str:
    """The number, if it ends as one does that a spreadsheet kept 15 digits of. One real number in 1,200 does too."""
    text = values.plain(cell) if isinstance(cell, str) else ""
    return text if _ZEROED.fullmatch(text) else ""


def read_row(
    table: Table, number: int, row: Row, defaults: Defaults, known: Habits, *, whole: bool = True
) -> Completion | Rejected:
    """What ``row`` says. Its ``key`` is left to `keys.assign`; without ``whole`` the row as it came is left out."""
    raw = _raw(table, row) if whole else {}
    try:
        return _completion(table, number, row, defaults, known, raw=raw)
    except _Refused as refused:
        cell = table.cell(row, refused.column)
        return Rejected(
            key="",
            code=refused.code,
            field=table.title(refused.column),
            place=table.place(number, refused.column),
            value=values.mask(cell) if refused.column == "id_number" else _text(cell),
            raw=raw,
        )


def row_trait(table: Table, row: Row, defaults: Defaults, found: Completion | Rejected) -> Trait:
    """What tells ``row`` apart from others; of a refused one, as much as could be read."""
    if not isinstance(found, Rejected):
        content = [value for key, value in found.items() if key not in {"key", "place", "raw"}]
        at = found["completed_at"]
        programme = found["course"] or found["course_name"] or found["filing_number"]
        return trait(at.date() if at else None, programme, found["name"], found["id_number"], content)
    try:
        day = _when(table, row, defaults)[1].at.date()
    except _Refused:
        day = None
    programme = (
        _text(table.cell(row, "course")) or defaults.course
        or _text(table.cell(row, "course_name")) or defaults.course_name
        or _text(table.cell(row, "filing_number")) or defaults.filing_number
    )  # fmt: skip
    content = [found.code, *(table.cell(row, column) for column in table.columns if column != "index")]
    return trait(day, programme, _text(table.cell(row, "name")), _text(table.cell(row, "id_number")), content)


def _completion(
    table: Table, number: int, row: Row, defaults: Defaults, known: Habits, *, raw: dict[str, Any]
) -> Completion:
    name = _text(table.cell(row, "name"))
    if not name and _digits(table.cell(row, "id_number")) < _LEAST_DIGITS:
        raise _Refused("E_ROW_MALFORMED", "name")
    id_number = _take("E_ID_PRECISION_LOST", "id_number", values.read_id_number, table, row)
    if known.zeroed and _zeroed(id_number):
        raise _Refused("E_ID_PRECISION_LOST", "id_number")
    started_on, moment = _when(table, row, defaults)
    length = _length(table, row, defaults)
    return {
        "key": "",
        "user": "",
        "course": _text(table.cell(row, "course")) or defaults.course,
        "course_name": _text(table.cell(row, "course_name")) or defaults.course_name,
        "name": name,
        "id_number": id_number[:_TEXT],
        "completed_at": moment.at,
        "precision": moment.precision,
        "started_on": started_on,
        "hours": length.hundredths,
        "minutes": length.minutes,
        "passed": _passed(table, row, defaults) if known.judged else True,
        "active": True,
        "grade": _text(table.cell(row, "grade")) or _text(table.cell(row, "result")),
        "employer": _text(table.cell(row, "employer")),
        "filing_number": _text(table.cell(row, "filing_number")) or defaults.filing_number,
        "place": table.sheet.place(number),
        "raw": raw,
    }


def _when(table: Table, row: Row, defaults: Defaults) -> tuple[date | None, Moment]:
    started_on, moment = None, None
    if _filled(table, row, "period"):
        started_on, moment = _take("E_DATE_INVALID", "period", values.read_period, table, row)
    if _filled(table, row, "completed_on"):
        started, moment = _take("E_DATE_INVALID", "completed_on", values.read_period, table, row)
        started_on = started or started_on
    if _filled(table, row, "started_on"):
        started_on = _take("E_DATE_INVALID", "started_on", values.read_moment, table, row).at.date()
    if moment is None:
        if defaults.date is None:
            raise _Refused("E_DATE_INVALID", "completed_on" if "completed_on" in table.columns else "period")
        moment = values.read_moment(defaults.date)
    if started_on is not None and started_on > moment.at.date():
        raise _Refused("E_DATE_INVALID", "started_on" if "started_on" in table.columns else "period")
    return started_on, moment


def _length(table: Table, row: Row, defaults: Defaults) -> Length:
    if _filled(table, row, "hours"):
        return _take("E_HOURS_INVALID", "hours", values.read_hours, table, row)
    if _filled(table, row, "minutes"):
        return _take("E_HOURS_INVALID", "minutes", values.read_minutes, table, row)
    return Length(hundredths=defaults.hours)


def _passed(table: Table, row: Row, defaults: Defaults) -> bool:
    """The result, or else the mark. A cell left empty in a column that others filled says nothing of this person."""
    column = "result" if _filled(table, row, "result") or "grade" not in table.columns else "grade"

    def read(cell: Cell) -> bool:
        return values.read_result(cell, defaults.passed_mark)

    return _take("E_RESULT_INVALID", column, read, table, row)


def _filled(table: Table, row: Row, column: str) -> bool:
    return bool(str(table.cell(row, column)).strip())


def _take(code: str, column: str, read: Callable[[Cell], _T], table: Table, row: Row) -> _T:
    try:
        return read(table.cell(row, column))
    except Unreadable as error:
        raise _Refused(code, column) from error


def _text(cell: Cell) -> str:
    """A cell's text as it stands, without outer spaces; a whole number without ``.0``."""
    text = cell if isinstance(cell, str) else values.plain(cell)
    return text.strip()[:_TEXT]


def _raw(table: Table, row: Row) -> dict[str, Any]:
    """The row by its sender's headings. The running number is left out: a row inserted above changes nobody's row."""
    found: dict[str, Any] = {}
    for at, cell in enumerate(row):
        if at == table.columns.get("index"):
            continue
        title = (table.titles[at] if at < len(table.titles) else "") or f"#{at + 1 + table.sheet.first_column}"
        if title in found:
            title = f"{title} #{at + 1 + table.sheet.first_column}"
        found[title] = cell.isoformat() if isinstance(cell, date | datetime) else _json(cell)
    return found


def _json(cell: Cell) -> object:
    return cell if isinstance(cell, str | int | float) and cell == cell else str(cell)  # noqa: PLR0124 - NaN is no JSON
