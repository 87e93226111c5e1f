"""Invented people and completions in any number, the same on every run, for measuring.

The recorded courses stay and 28 are added; a person finishes ten of the forty. Identity numbers have a real date and a
valid check digit (GB 11643) and belong to nobody. Times are spread evenly over 2024, in UTC and in Beijing alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from connectors.testing._site import Enrolment, Person, Site, Taught, same_name

_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂红玉文辉力建"
_EMPLOYERS = ("枣庄市第一医院（示例）", "枣庄市实验学校（示例）", "鲁南机械厂（示例）", "滕州建筑公司（示例）")
_ADDED_COURSES = 28
_EACH = 10  # courses that a person finishes
_STRIDE = 3  # without a common divisor with 40, so that ten steps meet ten courses
_FIRST_BIRTH, _BIRTHDAYS = date(1964, 1, 1), 13_000
_START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
_SPAN = int(datetime(2024, 12, 31, 15, 59, tzinfo=UTC).timestamp()) - _START
_SCATTER = 2_654_435_761  # Knuth's multiplier: neighbours land far from each other
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def fill(site: Site, rows: int) -> None:
    """Fill ``site`` with so many completed rows (its courses are there already)."""
    categories = [one["id"] for one in site.facts["categories"][1:]]
    for number in range(_ADDED_COURSES):
        name, category = f"KC{number + 1:03d}", categories[number % len(categories)]
        site.courses[name] = Taught(
            101 + number,
            name,
            f"ZZ-2024-1{number:03d}",
            same_name(f"示例课程{number + 1:03d}"),
            category,
            sortorder=category * 10_000 + 500 + number,
            hours=8 + number,
        )
    for number in range(-(-rows // _EACH)):
        person = _person(number)
        site.people[person.username] = person
    site.enrol(_enrolments(list(site.courses), rows))


def identity_number(number: int) -> str:
    """The identity number of the ``number``-th invented person: 370402, a birth date, a sequence, the check digit."""
    cycle, day = divmod(number * 37, _BIRTHDAYS)
    born = _FIRST_BIRTH + timedelta(days=day)
    head = f"370402{born:%Y%m%d}{cycle % 1000:03d}"
    return head + _CHECK[sum(int(digit) * weight for digit, weight in zip(head, _WEIGHTS, strict=True)) % 11]


def _person(number: int) -> Person:
    family = _FAMILY[number % len(_FAMILY)]
    rest = number // len(_FAMILY)
    given = _GIVEN[rest % len(_GIVEN)] + _GIVEN[rest // len(_GIVEN) % len(_GIVEN)]
    employer = _EMPLOYERS[number % len(_EMPLOYERS)]
    username = f"xs{number + 1:07d}"
    return Person(10_001 + number, username, family, given, f"YG{number + 1:07d}", identity_number(number), employer)


def _enrolments(courses: list[str], rows: int) -> Iterator[Enrolment]:
    user = ""
    for row in range(rows):
        number, step = divmod(row, _EACH)
        if step == 0:
            user = f"xs{number + 1:07d}"
        course = courses[(number + step * _STRIDE) % len(courses)]
        time = _START + row * _SCATTER % (1 << 32) * _SPAN // (1 << 32)
        yield Enrolment(user, course, time, f"{60 + row % 41}.00" if row % 4 == 0 else "")
