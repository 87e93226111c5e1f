"""What people finished: the rows that the suite carries into every source, and what it must tell of each.

Everybody is invented: no administrative division has the number 990001. Names and times are the ones that break things.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stdnum.iso7064 import mod_11_2

SHANGHAI = ZoneInfo("Asia/Shanghai")
COURSES = {"AQSC": "安全生产", "RGZN": "人工智能（基础）", "YFGL": '研发管理 R&D  "案例"'}
"""The courses that the source teaches, by code."""

EXACT = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "day": timedelta(days=1)}
"""How much a time may leave out, by its precision."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One learner's finished course. ``user`` and ``course`` together tell it from any other."""

    user: str
    name: str  # family name first, as it must come
    id_number: str
    course: str  # one of `COURSES`
    at: datetime  # in Asia/Shanghai
    grade: str = "85"
    hours: int = 24_00  # hundredths

    @property
    def told(self) -> tuple[str, str]:
        """What any source tells of it, and of no other."""
        return self.id_number, self.course

    def when(self, precision: str) -> datetime | date | None:
        """Its time as a source tells it that knows it so exactly."""
        match precision:
            case "second":
                return self.at
            case "minute":
                return self.at.replace(second=0)
            case "day":
                return self.at.date()
        return None


def told(row: Any) -> tuple[str, str]:
    """The same of a record."""
    return row["id_number"], row["course"]


def number(place: int) -> str:
    """An invented identity number, its check digit right."""
    body = f"99000119900101{place:03d}"
    return f"{body}{mod_11_2.calc_check_digit(body)}"


def local(text: str) -> datetime:
    """A moment in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


NAMES = (
    "欧阳𠮷",  # beyond the BMP
    "买买提 阿卜杜拉·艾合买提",
    "阿依古丽·艾合买提",
    "Nguye\u0302\u0303n Thi\u0323",  # combining marks stay as they came
    "Ｗａｎｇ　Ｗｅｉ",  # full-width, and its blank too
    "مەمەتئېلى",  # written from right to left
    'Tom & "Jerry" <T&J>',  # looks like markup, and is none
    "O'Neil, Ann-Marie",
    "李\u200b雷",  # a joiner that nobody sees
    "㐂𬱖龘",
)
TIMES = (
    "2024-06-05 23:59:59",  # two sides of a midnight that is none in UTC
    "2024-06-06 00:00:00",
    "2024-12-31 23:59:59",
    "2025-01-01 00:00:00",
    "2024-02-29 12:00:30",
    "1995-06-01 08:00:00",  # before any of this existed, and ahead of time: clocks are wrong
    "2089-06-01 08:00:00",
    "2024-06-05 08:00:00",  # midnight in UTC
    "2024-06-05 07:59:59",
    "2024-09-23 10:21:07",
)
CROWD = "2024-11-23 20:31"
"""A class is marked complete at once: more rows in a minute than a page holds."""


def _cohort() -> tuple[Finished, ...]:
    courses = list(COURSES)
    odd = [
        Finished(f"xs{at:02d}", name, number(100 + at), courses[at % 3], local(time))
        for at, (name, time) in enumerate(zip(NAMES, TIMES, strict=True))
    ]
    crowd = [
        Finished(f"bj{at:02d}", f"赵{one}", number(200 + at), "AQSC", local(f"{CROWD}:{at * 5:02d}"), f"{60 + at}")
        for at, one in enumerate("一二三四五六七八九")
    ]
    twins = [Finished(f"lw{at}", "李伟", number(300 + at), "RGZN", local("2024-07-01 09:30:15")) for at in (1, 2)]
    again = Finished(odd[0].user, odd[0].name, odd[0].id_number, "YFGL", local("2024-08-01 17:45:00"), hours=12_00)
    return (*odd, *crowd, *twins, again)


COHORT = _cohort()
NEWCOMER = Finished("xs90", "钱新", number(900), "RGZN", local("2024-10-10 10:10:10"))
"""Somebody who completes later."""
