"""What a filing says: the form as somebody typed it, the same as values, and as it is kept in a version. No database.

*Typed* is the form word for word, right or wrong, so that nothing that somebody wrote is ever lost. `parse` makes
values of it and says of each field what is none. `Details` is how a version keeps what has no column of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.programmes.findings import Finding

FIELDS = (
    "title", "category", "subject", "series", "specialty", "mode", "capacity", "audience", "hours", "starts_on",
    "ends_on", "implementer", "place", "fee", "teachers", "remarks", "late_reason",
)  # fmt: skip
"""The form's fields, but for the timetable, which has rows of `COLUMNS`."""
COLUMNS = ("date", "topic", "teacher", "hours")
MOST_ROWS = 180
"""Rows of a timetable: each is four fields of a form, and Django takes no more than a thousand."""
_LONGEST = {"title": 200, "subject": 100, "series": 100, "specialty": 100, "audience": 500, "place": 200,
            "teachers": 4000, "remarks": 4000, "late_reason": 500}  # fmt: skip
_LONGEST_OTHER = 100
_LONGEST_TOPIC = 200
_MOST_HOURS = 1000
_MOST_PEOPLE = 1_000_000
_MOST_YUAN = 1_000_000
_DAY = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．－／：，", "0123456789.-/:,")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")

Typed = dict[str, Any]
"""``FIELDS`` as texts, and ``timetable``: a list of rows of texts by ``COLUMNS``."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Session(_Kept):
    """A row of the timetable. ``hours`` in hundredths; an online part may have no date."""

    date: dt.date | None
    topic: str
    teacher: str
    hours: int


class Teacher(_Kept):
    """Somebody who teaches."""

    name: str
    title: str = ""
    employer: str = ""


class Attached(_Kept):
    """A file as it was part of the form."""

    name: str
    kind: str
    size: int
    sha256: str


class Details(_Kept):
    """What a version keeps beside its columns. A version of before the form existed has all of it empty."""

    specialty: str = ""
    mode: Literal["in_person", "online", "mixed", ""] = ""
    audience: str = ""
    capacity: int | None = None
    place: str = ""
    fee: int | None = None  # fen
    implementer: str = ""  # uscc
    timetable: tuple[Session, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    remarks: str = ""
    late_reason: str = ""
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A form as values: None, or empty, where nothing was said that can be understood."""

    title: str = ""
    category: str = ""
    subject: str = ""
    series: str = ""
    specialty: str = ""
    mode: str = ""
    audience: str = ""
    capacity: int | None = None
    hours: int | None = None  # hundredths
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    place: str = ""
    fee: int | None = None  # fen
    implementer: str = ""  # uscc
    teachers: tuple[Teacher, ...] = ()
    remarks: str = ""
    late_reason: str = ""
    timetable: tuple[Session, ...] = ()
    whole_timetable: bool = field(default=True)  # False: a row of it could not be understood

    def columns(self) -> dict[str, Any]:
        """What the version's own columns keep."""
        names = ("title", "category", "hours", "starts_on", "ends_on")
        only = {"subject": self.subject if self.category == "public" else "",
                "series": self.series if self.category == "professional" else ""}  # fmt: skip
        return {name: getattr(self, name) for name in names} | only

    def details(self, attachments: Iterable[Attached] = ()) -> Details:
        """What the version keeps beside them."""
        names = set(Details.model_fields) - {"attachments", "specialty"}
        specialty = self.specialty if self.category == "professional" else ""
        return Details.model_validate(
            {name: getattr(self, name) for name in names} | {"specialty": specialty, "attachments": tuple(attachments)}
        )


def clean(given: Mapping[str, Any]) -> Typed:
    """What a form or a sheet brought, as a draft keeps it: texts only, no longer than is kept, empty rows left out."""
    typed: Typed = {name: _text(given.get(name), _LONGEST.get(name, _LONGEST_OTHER)) for name in FIELDS}
    rows = given.get("timetable")
    kept = [{name: _text(row.get(name), _LONGEST_TOPIC) for name in COLUMNS} for row in rows or () if row]
    typed["timetable"] = [row for row in kept if any(row.values())][:MOST_ROWS]
    return typed


def _text(value: object, longest: int) -> str:
    text = "" if value is None else str(value)
    return _CONTROL.sub("", text.replace("\r\n", "\n")).strip()[:longest]


def parse(typed: Typed) -> tuple[Said, list[Finding]]:
    """The form as values, and what of it can't be understood."""
    found: list[Finding] = []
    values: dict[str, Any] = {name: typed.get(name, "") for name in FIELDS}

    def take(name: str, code: str, value: object) -> None:
        if values[name] and value is None:
            found.append(Finding(code, name, {"value": values[name]}))
        values[name] = value

    take("hours", "F_HOURS", hundredths(values["hours"]))
    take("starts_on", "F_DATE", day(values["starts_on"]))
    take("ends_on", "F_DATE", day(values["ends_on"]))
    take("capacity", "F_NUMBER", whole(values["capacity"]))
    take("fee", "F_FEE", fen(values["fee"]))
    for name, choices in (("category", ("public", "professional")), ("mode", ("in_person", "online", "mixed"))):
        if values[name] and values[name] not in choices:
            found.append(Finding("F_CHOICE", name, {"value": values[name]}))
            values[name] = ""
    values["teachers"] = teachers(values["teachers"])
    rows, bad = _timetable(typed.get("timetable", []))
    return Said(**values, timetable=rows, whole_timetable=not bad), found + bad


def _timetable(rows: list[dict[str, str]]) -> tuple[tuple[Session, ...], list[Finding]]:
    good: list[Session] = []
    bad: list[Finding] = []
    for number, row in enumerate(rows, 1):
        worth, when = hundredths(row["hours"]), day(row["date"])
        if worth is None or (row["date"] and when is None) or not row["topic"]:
            bad.append(Finding("F_TIMETABLE_ROW", "timetable", {"row": number}))
        else:
            good.append(Session(date=when, topic=row["topic"], teacher=row["teacher"], hours=worth))
    return tuple(good), bad


def hundredths(text: str) -> int | None:
    """Hours as people write them, in hundredths; None: they are none."""
    number = _number(text.removesuffix("学时"))
    if number is None or not 0 < number <= _MOST_HOURS or number * 100 % 1:
        return None
    return int(number * 100)


def fen(text: str) -> int | None:
    """Yuan as people write them, in fen; 免费 and 无 are nothing to pay."""
    number = Decimal(0) if text in ("免费", "无", "不收费") else _number(text.removesuffix("元").removeprefix("¥"))
    return int(number * 100) if number is not None and 0 <= number <= _MOST_YUAN and not number * 100 % 1 else None


def whole(text: str) -> int | None:
    """A number of people."""
    number = _number(text.removesuffix("人"))
    return int(number) if number is not None and 0 < number <= _MOST_PEOPLE and not number % 1 else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.translate(_FULL_WIDTH).replace(",", "").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def day(text: str) -> dt.date | None:
    """A date as people write it: 2026-01-05, 2026/1/5, 2026年1月5日."""
    match = _DAY.fullmatch(text.translate(_FULL_WIDTH).strip())
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def teachers(text: str) -> tuple[Teacher, ...]:
    """One a line: name, title, employer, with commas between."""
    found = []
    for line in text.splitlines():
        name, title, employer, *_ = [part.strip() for part in re.split(r"[，,、\t]", line, maxsplit=2)] + ["", ""]
        if name:
            found.append(Teacher(name=name, title=title, employer=employer))
    return tuple(found)


def typed_of(columns: Mapping[str, Any], details: Details) -> Typed:
    """The form that says what a version says."""
    plain = {
        "hours": figure(columns["hours"]), "starts_on": columns["starts_on"].isoformat(),
        "ends_on": columns["ends_on"].isoformat(),
    }  # fmt: skip
    more = {
        "capacity": "" if details.capacity is None else str(details.capacity),
        "fee": "" if details.fee is None else figure(details.fee),
        "teachers": "\n".join("，".join(filter(None, (t.name, t.title, t.employer))) for t in details.teachers),
    }
    same = {name: columns[name] for name in ("title", "category", "subject", "series")}
    kept = {name: getattr(details, name) for name in FIELDS if name in Details.model_fields and name not in more}
    rows = [
        {"date": s.date.isoformat() if s.date else "", "topic": s.topic, "teacher": s.teacher, "hours": figure(s.hours)}
        for s in details.timetable
    ]
    return kept | same | plain | more | {"timetable": rows}


def figure(value: int) -> str:
    """Hundredths as people write them: 800 is 8, 750 is 7.5."""
    return f"{value // 100}.{value % 100:02d}".rstrip("0").rstrip(".")


def different(one: Typed, other: Typed) -> list[str]:
    """The fields that two forms say differently, in the form's order."""
    return [name for name in (*FIELDS, "timetable") if (one.get(name) or "") != (other.get(name) or "")]
