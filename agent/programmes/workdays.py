"""Working days in China: official holidays, and the weekends that are worked for them.

The calendar comes with `chinesecalendar` and ends with the year whose holidays are published. Beyond it Monday to
Friday are counted, and whoever asks is told so; only `before` refuses, for a deadline is not guessed.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import chinese_calendar

from agent.errors import XueshiError

LAST_YEAR = max(day.year for day in chinese_calendar.constants.holidays)
"""The last year whose holidays are known."""
_FIRST_YEAR = min(day.year for day in chinese_calendar.constants.holidays)
_SATURDAY = 5


class CalendarUnknown(XueshiError):
    """The working days of {year} are not known: the calendar goes from {first} to {last}."""

    code = "E_CALENDAR_UNKNOWN"
    fix = "Update chinesecalendar when the holidays of {year} are published, or ask about another day."


class Counted(NamedTuple):
    """A number of working days, and the first year for which it had to be assumed (None: it is exact)."""

    days: int
    assumed: int | None


def is_working(day: dt.date) -> bool:
    """Whether people work on ``day``; of years that are not known Monday to Friday."""
    if _FIRST_YEAR <= day.year <= LAST_YEAR:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


def between(first: dt.date, last: dt.date) -> Counted:
    """The working days after ``first`` up to ``last``, both never counted on the same day; negative when ``last`` lies
    before.
    """
    if last < first:
        days, assumed = between(last, first)
        return Counted(-days, assumed)
    days = sum(is_working(first + dt.timedelta(n)) for n in range(1, (last - first).days + 1))
    unknown = [year for year in range(first.year, last.year + 1) if not _FIRST_YEAR <= year <= LAST_YEAR]
    return Counted(days, unknown[0] if unknown else None)


def after(day: dt.date, days: int) -> dt.date:
    """The working day that is ``days`` working days after ``day``."""
    while days > 0:
        day += dt.timedelta(1)
        days -= is_working(day)
    return day


def before(day: dt.date, days: int) -> dt.date:
    """The working day that is ``days`` working days before ``day``.

    :raises CalendarUnknown: it would have to be guessed
    """
    while True:
        if not _FIRST_YEAR <= day.year <= LAST_YEAR:
            raise CalendarUnknown(year=day.year, first=_FIRST_YEAR, last=LAST_YEAR)
        if days == 0:
            return day
        day -= dt.timedelta(1)
        days -= is_working(day) if day.year >= _FIRST_YEAR else 0
