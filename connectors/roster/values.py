"""Cells as people fill them: dates, periods, hours, results. What can't be read for certain is refused, never guessed.

Every function takes a cell and returns a value, or raises `Unreadable`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from functools import cache, lru_cache

from connectors.records import Precision
from connectors.roster.reader import Cell

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Rosters are written in local time. China keeps one time without daylight saving since 1992."""

MOST_HOURS = 10_000

# A class has one period, one number of hours and a handful of results: what a cell means is worked out once. ``typed``,
# because True, 1 and 1.0 are one key otherwise and mean different things here.
_remembered = lru_cache(maxsize=4_096, typed=True)
_FIRST, _LAST = date(1990, 1, 1), date(2100, 1, 1)
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_SERIALS = (32_874, 73_051)  # the same years, as a spreadsheet counts days


class Unreadable(ValueError):
    """The cell can't be read for certain."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was completed.

    A day is given as its first instant here: its local date is that day, and a course of today isn't in the future.
    """

    at: datetime
    precision: Precision


@dataclass(frozen=True, slots=True)
class Length:
    """Either ``hundredths`` of an hour or ``minutes``."""

    hundredths: int | None = None
    minutes: int | None = None


def plain(cell: Cell) -> str:
    """A cell as text with full-width characters made narrow and outer spaces gone."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return unicodedata.normalize("NFKC", str(cell)).strip()


# --- dates -------------------------------------------------------------------------------------------------------
_DATE = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
_TIME = (
    r"(?:[T\s]*(上午|下午|中午|晚上|早上|凌晨|AM|PM)?\s*(\d{1,2})\s*[:时点]\s*(\d{1,2})\s*分?(?::?\s*(\d{1,2})(?:\.\d+)?\s*秒?)?"
    r"\s*(AM|PM)?)?"
)
_MOMENT = re.compile(_DATE + r"(?:\s*[(]?(?:星期|周)[一二三四五六日天][)]?)?" + _TIME, re.IGNORECASE)
_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)")
_CLOCK = r"(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?"  # a period counts days
_RANGE = re.compile(
    _DATE
    + _CLOCK
    + r"\s*(?:[-‐‑‒–—―−~〜]+|至|到)\s*(?:(?:(\d{4})\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*)?(\d{1,2})\s*日?止?"
    + _CLOCK,
)
_COMPACT = re.compile(r"\d{8}")
_AFTERNOON = {"下午", "晚上", "PM"}
_AFTER_MIDNIGHT = {"凌晨", "早上", "上午", "AM"}  # a Chinese Windows writes 00:05 as 上午12:05
_TWELVE = 12


@_remembered
def read_moment(cell: Cell) -> Moment:
    """The moment a cell names.

    A date cell, ``2024-05-13``, ``2024年6月3日``, ``2024/11/1 下午1:05``, ``20240513``, or a spreadsheet's number of
    days (45426.5). Two-digit years, days without a month and 5/13/2024 are not guessed at.
    """
    if isinstance(cell, datetime):
        return _moment(cell + timedelta(milliseconds=500), timed=cell.time() != time(0))
    if isinstance(cell, date):
        return _moment(datetime.combine(cell, time(0)), timed=False)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_number(cell)
    if not isinstance(cell, str):
        raise Unreadable
    text = plain(cell)
    if _ZONED.fullmatch(text):
        try:
            return _moment(datetime.fromisoformat(text).astimezone(SHANGHAI).replace(tzinfo=None), timed=True)
        except (ValueError, OverflowError) as error:
            raise Unreadable from error
    if found := _MOMENT.fullmatch(text):
        return _from_parts(*found.groups())
    if re.fullmatch(r"\d{5}(?:\.\d+)?|\d{8}", text):
        return _from_number(float(text))
    raise Unreadable


@_remembered
def read_period(cell: Cell) -> tuple[date | None, Moment]:
    """The first day and the end that a cell names.

    ``2024.6.3-2024.6.5``, ``2024年6月3日—6月5日``, ``2024.6.3-5``. One date alone is an end without a known beginning.
    """
    found = _RANGE.fullmatch(plain(cell)) if isinstance(cell, str) else None
    if found is None:
        return None, read_moment(cell)
    year, month, day, end_year, end_month, end_day = found.groups()
    first = _from_parts(year, month, day).at
    last = _from_parts(end_year or year, end_month or month, end_day)
    if last.at < first:
        raise Unreadable
    return first.date(), last


def _from_number(number: float) -> Moment:
    if _COMPACT.fullmatch(text := plain(float(number))):
        return _from_parts(text[:4], text[4:6], text[6:])
    if not _SERIALS[0] <= number <= _SERIALS[1]:
        raise Unreadable
    return read_moment(_DAY_ZERO + timedelta(seconds=round(number * 86_400)))


def _from_parts(year: str, month: str, day: str, *clock: str | None) -> Moment:
    before, hour, minute, second, after = clock or (None,) * 5
    try:
        at = datetime.combine(
            date(int(year), int(month), int(day)), time(int(hour or 0), int(minute or 0), int(second or 0))
        )
    except ValueError as error:
        raise Unreadable from error
    if half := (before or after or "").upper():
        if (before and after) or (half, at.hour) == ("晚上", _TWELVE):
            raise Unreadable
        if (half in _AFTERNOON and at.hour < _TWELVE) or (half == "中午" and at.hour < _TWELVE - 1):
            at += timedelta(hours=_TWELVE)
        elif half in _AFTER_MIDNIGHT and at.hour == _TWELVE:
            at -= timedelta(hours=_TWELVE)
    return _moment(at, timed=hour is not None)


def _moment(local: datetime, *, timed: bool) -> Moment:
    if not _FIRST <= local.date() < _LAST:
        raise Unreadable
    at = local.replace(microsecond=0, tzinfo=SHANGHAI)
    if not timed:
        return Moment(at, "day")
    return Moment(at, "second" if at.second else "minute")


# --- hours -------------------------------------------------------------------------------------------------------
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟贰两零〇", "一二三四五六七八九十百千二二零零")
_DIGITS = "零一二三四五六七八九"
_LENGTH = re.compile(
    r"(?:共|计|共计)?\s*([^\s个]+?)\s*个?\s*(学时|课时|小时|hours?|hrs?|h|分钟|分|minutes?|mins?|min)?[。.]?",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d+(?:\.\d+)?")


@_remembered
def read_hours(cell: Cell) -> Length:
    """The length that a cell names: 24, ``24.5``, ``24学时``, ``１６``, ``二十四``; ``45分钟`` comes as minutes.

    Hours have hundredths; what is finer is cut off, in favour of nobody. 小时 is taken as it stands: one hour reported.
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise Unreadable
    if not isinstance(cell, str):
        return Length(hundredths=_hundredths(cell))
    found = _LENGTH.fullmatch(plain(cell))
    if found is None:
        raise Unreadable
    figure, unit = found.groups()
    number = _figure(figure)
    if unit and unit.lower().startswith(("分", "min")):
        return _minutes(number)
    return Length(hundredths=_hundredths(number))


@_remembered
def read_minutes(cell: Cell) -> Length:
    """The length that a cell of a column of minutes names."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise Unreadable
    if isinstance(cell, str):
        found = _LENGTH.fullmatch(plain(cell))
        if found is None or not (found[2] or "分").lower().startswith(("分", "min")):
            raise Unreadable
        cell = float(_figure(found[1]))
    return _minutes(cell)


def _figure(text: str) -> float | Decimal:
    if _FIGURE.fullmatch(text):
        return Decimal(text)
    whole, point, rest = text.translate(_FORMAL).replace("廿", "二十").partition("点")
    number = Decimal(_chinese_numbers().get(whole, -1))
    if number < 0 or (point and not (rest and set(rest) <= set(_DIGITS))):
        raise Unreadable
    return number + Decimal("." + "".join(str(_DIGITS.index(digit)) for digit in rest)) if point else number


def _hundredths(number: float | Decimal) -> int:
    try:
        # a float that should be 24 may be 23.999999999
        found = int((Decimal(number).quantize(Decimal("0.000001")) * 100).to_integral_value(ROUND_FLOOR))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Unreadable from error
    if not 0 < found <= MOST_HOURS * 100:
        raise Unreadable
    return found


def _minutes(number: float | Decimal) -> Length:
    if not math.isfinite(number) or number != int(number) or not 0 < number <= MOST_HOURS * 60:
        raise Unreadable
    return Length(minutes=int(number))


@cache
def _chinese_numbers() -> dict[str, int]:
    """Every whole number up to ten thousand as it is correctly written: 一百零二, and not 一百二, which means 120."""
    found = {_chinese(number): number for number in range(1, MOST_HOURS)}
    found |= {f"十{_DIGITS[digit] if digit else ''}": 10 + digit for digit in range(10)}
    return found | {"一万": 10_000}


def _chinese(number: int) -> str:
    text = "".join(
        _DIGITS[int(digit)] + ("" if digit == "0" else unit)
        for digit, unit in zip(f"{number:04d}", ("千", "百", "十", ""), strict=True)
    )
    return re.sub("零+", "零", text).strip("零")


# --- results -----------------------------------------------------------------------------------------------------
_WORDS = {
    True: """合格 优秀 优 优良 良好 良 中等 及格 通过 已通过 考核合格 考试合格 考核通过 补考合格 补考通过 达标 已达标
        结业 已结业 准予结业 毕业 完成 已完成 是 √ ✓ ✔ pass passed completed complete yes y true""",
    False: """不合格 未合格 未通过 不通过 不及格 未及格 缺考 缺席 未考 未参加 缓考 未结业 不予结业 不达标 未达标 未完成
        旷课 旷考 作弊 取消 取消资格 肄业 退学 否 × ✗ ✘ fail failed incomplete notpassed no n false absent""",
}
_MEANING = {word: passed for passed, words in _WORDS.items() for word in words.split()}
_ASIDE = re.compile(r"[(\[].*?[)\]]")
_SCORE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*分?")
FULL_MARK = 100


@_remembered
def read_result(cell: Cell, passed_mark: float) -> bool:
    """Whether a cell says passed: a word (合格, 优秀, 通过 …; 不合格, 缺考 …) or a mark of 0 to 100.

    A mark above 0 and up to 1 may be a share of the whole or a mark, so it is refused.
    """
    if isinstance(cell, bool):
        return cell
    text = plain(cell)
    if found := _SCORE.fullmatch(text):
        mark = float(found[1])
        if mark > FULL_MARK or 0 < mark <= 1:
            raise Unreadable
        return mark >= passed_mark
    word = _ASIDE.sub("", text).replace(" ", "").strip("。.!").casefold()
    if word not in _MEANING:
        raise Unreadable
    return _MEANING[word]


# --- identity numbers --------------------------------------------------------------------------------------------
_SCIENTIFIC = re.compile(r"[+]?(\d(?:[.,]\d*)?)E[+]?(\d{1,2})", re.IGNORECASE)
_WHOLE_DIGITS = 15  # of a number as spreadsheets keep it (IEEE 754 double)


def read_id_number(cell: Cell) -> str:
    """An identity number as it stands. Text is untouched; it is judged by whoever knows the rule.

    :raises Unreadable: a spreadsheet made a number of it and lost what is beyond 15 digits.
    """
    if isinstance(cell, str):
        if _SCIENTIFIC.fullmatch(plain(cell).lstrip("'")):
            raise Unreadable
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not math.isfinite(cell):
        return str(cell)
    if abs(cell) >= 10**_WHOLE_DIGITS:
        raise Unreadable
    return plain(cell)


def mask(cell: Cell) -> str:
    """A cell that should have been an identity number, fit to be shown."""
    text = f"{cell:.14E}" if isinstance(cell, float) and abs(cell) >= 10**_WHOLE_DIGITS else plain(cell)
    mantissa, mark, exponent = text.upper().partition("E")
    kept = 3  # digits that stay readable: the province and the first of the city
    return "".join(c if not c.isdigit() or (kept := kept - 1) >= 0 else "*" for c in mantissa) + mark + exponent
