"""Times as a Moodle report writes them: text, to the minute, in the account's language, in UTC because we ask for that.

English (``Monday, 23 September 2024, 2:21 AM``, also month first) and Chinese (``2024年9月23日 星期一 02:21``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = (
    re.compile(r"(?:\w+,\s+)?(?P<day>\d{1,2})\s+(?P<month>[A-Za-z]+)\s+(?P<year>\d{4})"),
    re.compile(r"(?:\w+,\s+)?(?P<month>[A-Za-z]+)\s+(?P<day>\d{1,2}),\s+(?P<year>\d{4})"),
    re.compile(
        r"(?P<year>\d{4})年\s*(?P<month>\d{1,2})月\s*(?P<day>\d{1,2})日[,，]?\s*(?:(?:星期|周|礼拜)[一二三四五六日天])?"
    ),
)
_CLOCK = re.compile(
    r"(?P<early>上午|下午|AM|PM)?\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*(?P<late>上午|下午|AM|PM)?", re.IGNORECASE
)
_SPLIT = re.compile(r"(?P<day>.*(?:\d{4}|日|[一二三四五六日天]))[,，]?\s+(?P<clock>\S.*)")
_NOON, _LAST_MINUTE = 12, 59
_HOURS = 24


class ReportTimes:
    """Reads times quickly: days and times of day repeat, so each is understood once and then looked up."""

    def __init__(self) -> None:
        self._days: dict[str, int] = {}
        self._clocks: dict[str, int] = {}

    def epoch(self, text: str) -> int | None:
        """Seconds since 1970 of the minute that ``text`` names, None when it names none."""
        day, _, clock = text.rpartition(_joint(text))
        try:
            return self._days[day] + self._clocks[clock]
        except KeyError:
            return self._read(text)

    def epochs(self, texts: Sequence[str]) -> list[int] | None:
        """The same of many; None where one of them names no minute."""
        joint = _joint(texts[0])
        parts = [text.rpartition(joint) for text in texts]
        days, clocks = self._days, self._clocks
        try:
            return [days[day] + clocks[clock] for day, _, clock in parts]
        except KeyError:
            found = [one for one in map(self.epoch, texts) if one is not None]
            return found if len(found) == len(texts) else None

    def _read(self, text: str) -> int | None:
        found = _SPLIT.fullmatch(text.strip())
        if found is None:
            return None
        start, seconds = _day(found["day"].rstrip(",， ")), _clock(found["clock"])
        if start is None or seconds is None:
            return None
        day, joint, clock = text.rpartition(_joint(text))
        if joint and clock == found["clock"]:
            self._days[day] = start
            self._clocks[clock] = seconds
        return start + seconds


def _joint(text: str) -> str:
    """What stands between the day and the time of day."""
    return ", " if ", " in text else " "


def _day(text: str) -> int | None:
    """The first second (UTC) of the day that ``text`` names."""
    for form in _DAYS:
        if found := form.fullmatch(text):
            month = found["month"]
            number = int(month) if month.isdigit() else _month(month)
            try:
                return int(datetime(int(found["year"]), number, int(found["day"]), tzinfo=UTC).timestamp())
            except ValueError:
                return None
    return None


def _month(name: str) -> int:
    """The number of an English month, whole or shortened; 0 when it is none."""
    fitting = [place for place, month in enumerate(_MONTHS, 1) if month.startswith(name.casefold())]
    return fitting[0] if len(name) > 2 and fitting else 0  # noqa: PLR2004 - «Ma» could be two


def _clock(text: str) -> int | None:
    """Seconds after midnight."""
    found = _CLOCK.fullmatch(text)
    if found is None or (found["early"] and found["late"]):
        return None
    hour, minute = int(found["hour"]), int(found["minute"])
    half = (found["early"] or found["late"] or "").upper()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half in ("PM", "下午") else 0)
    if hour >= _HOURS or minute > _LAST_MINUTE:
        return None
    return hour * 3600 + minute * 60
