"""What is asked of the rules: a learner's year as others write it, the input of `xueshi credit evaluate`.

The same shape stands in the examples of a policy file. What is not named here is not read, so that a file of another
system may bring along what it has. Days are local (Asia/Shanghai): an instant with its zone is turned into one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from agent.credit.policy_kinds import Kind, NotLearning
from agent.credit.policy_types import Category, Hours, Word
from agent.localtime import local_date

Fault = tuple[tuple[str | int, ...], str, str]
"""Place, sentence, fix."""
_DAY = 10  # characters of 2024-06-03


@dataclass(frozen=True, slots=True)
class Moment:
    """A local day, and the instant where it is known."""

    day: date
    at: datetime | None = None


def _moment(value: object) -> Moment:
    if isinstance(value, Moment):
        return value
    try:
        if type(value) is str:
            return _read(value)
    except ValueError:
        pass
    kind, sentence = "day", "not a day, nor an instant with its time zone"
    raise PydanticCustomError(kind, sentence)


@lru_cache(maxsize=4096)  # a year has 366 days
def _read(value: str) -> Moment:
    if len(value) == _DAY:
        return Moment(date.fromisoformat(value))
    at = datetime.fromisoformat(value)
    return Moment(local_date(at), at)


def _day(value: object) -> date:
    return _moment(value).day


def _list(value: object) -> object:
    """One thing, where a list is expected."""
    return [value] if isinstance(value, str | dict) else value


def _proof(value: object) -> object:
    """The hash alone."""
    return {"sha256": value} if isinstance(value, str) else value


def _id(value: object) -> object:
    return str(value) if type(value) is int else value


_DAYS = {
    "type": "string",
    "description": "A local day (2024-06-03), or an instant with its time zone (2024-06-03T11:30:00+08:00)",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$",
}
_NAME = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "integer"}]}
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(_DAYS)]
Instant = Annotated[Moment, BeforeValidator(_moment), WithJsonSchema(_DAYS)]
Short = Annotated[str, StringConstraints(max_length=200)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_id), WithJsonSchema(_NAME)]
More = Annotated[Hours, Field(gt=0)]


class Part(BaseModel):
    """A part of what is asked: unknown names are left unread."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)


class AskedSession(Part):
    """Hours of one day."""

    date: Day
    hours: More
    what: Literal["learning", NotLearning] = Field("learning", description="ceremonies, travel and rest do not count")


class Proof(Part):
    """A file that proves it."""

    type: Word | None = Field(None, description="As the policy's rule of evidence (R23) calls it")
    sha256: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="The same value twice is the same file: it counts once in the whole system"
    )
    parts: tuple[Word, ...] = ()


_PROOF: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 200, "description": "its SHA-256"},
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "pattern": "^[a-z][a-z_]{0,39}$", "description": "as the policy (R23) says"},
                "sha256": {"type": "string", "minLength": 1, "maxLength": 200},
                "parts": {"type": "array", "items": {"type": "string", "pattern": "^[a-z][a-z_]{0,39}$"}},
            },
        },
    ]
}
_PROOFS = {
    "description": "Files that prove it; the same hash twice is the same file, and one file counts once in the system",
    "anyOf": [_PROOF, {"type": "array", "items": _PROOF}],
}
Proofs = Annotated[
    tuple[Annotated[Proof, BeforeValidator(_proof)], ...], BeforeValidator(_list), WithJsonSchema(_PROOFS)
]


class AskedAchievement(Part):
    """Something learned or done."""

    id: Name
    kind: Kind
    category: Category | None = Field(None, description="training and transfer have to say it; it is never guessed")
    hours: More | None = Field(None, description="As the source or the proof says")
    minutes: Annotated[int, Field(gt=0, le=527_040, strict=True)] | None = Field(
        None, description="Where it counts minutes"
    )
    half_days: Annotated[int, Field(gt=0, le=732, strict=True)] | None = Field(
        None, description="Where the policy has them"
    )
    filed_hours: More | None = Field(None, description="As the programme was filed; without it the hours")
    filed: bool = Field(True, strict=True, description="Whether a training's programme is on record (R11)")
    start: Day | None = Field(None, description="Its first day")
    end: Instant | None = Field(None, description="When it was done; for a certificate its date")
    sessions: tuple[AskedSession, ...] = Field((), max_length=1000, description="Those attended")
    source: Short = ""
    subject: Short = ""
    course: Short = Field("", description="The same word twice is the same course")
    item: Short = Field("", description="Number of the certificate, patent or paper: one of them counts once")
    counted_before: bool = Field(False, strict=True, description="The item counted already, in another year or place")
    level: Word | None = Field(None, description="national or provincial, where a rule of theirs prevails (R15)")
    passed: bool = Field(True, strict=True)
    evidence: Proofs = ()
    auditor: Word | None = Field(None, description="Who audited it (R24)")
    synced_on: Day | None = Field(None, description="When it arrived (R20)")
    covers: tuple[Name, ...] = Field(
        (), max_length=2000, description="Of a transfer: achievements that its hours hold already"
    )


class AskedAbsence(Part):
    """Time not in post."""

    kind: Word = Field(description="As the policy's rule (R18) calls it")
    start: Day
    end: Day


class AskedLearner(Part):
    """Who it is about; nothing of it is repeated in the answer."""

    id: Name | None = None
    series: Short = Field("", description="Title series (R27)")
    freelancer: bool = Field(False, strict=True)


class AskedApplication(Part):
    """An application for a title."""

    filing_date: Day


class Asked(Part):
    """A learner's year."""

    learner: AskedLearner = AskedLearner()
    achievements: tuple[AskedAchievement, ...] = Field((), max_length=2000)
    absences: tuple[AskedAbsence, ...] = Field((), max_length=366)
    title_application: AskedApplication | None = None
    carried_over: dict[Category, Hours] = Field({}, description="Last year's surplus (R25)")


def last_day(each: AskedAchievement) -> date | None:
    """The day that decides its year, where any day is known."""
    if each.end is not None:
        return each.end.day
    return max((session.date for session in each.sessions), default=each.start)


_WORKED: Any = frozenset({"training", "study", "expert_activity"})
"""Kinds whose hours are spent on their days."""
_WHOLE_DAY = 24 * 100


def faults(asked: Asked) -> list[Fault]:
    """Place, sentence and fix of everything that can't be true, whatever the policy."""
    found: list[Fault] = []
    ids: set[str] = set()
    proofs: set[str] = set()
    for number, each in enumerate(asked.achievements):
        place = ("achievements", number)
        if each.id in ids:
            found.append(((*place, "id"), "this id stands there twice", "Give each achievement an id of its own."))
        ids.add(each.id)
        for position, proof in enumerate(each.evidence):
            if proof.sha256 in proofs:
                fix = "One file proves one achievement: remove it here, or where it stands before."
                found.append(((*place, "evidence", position, "sha256"), "evidence used twice", fix))
            if proof.sha256:
                proofs.add(proof.sha256)
        found += [((*place, *more), sentence, fix) for more, sentence, fix in _days(each)]
    for number, absence in enumerate(asked.absences):
        if absence.end < absence.start:
            fix = "Exchange the two, or correct one."
            found.append((("absences", number, "end"), f"it ends before it starts ({absence.start})", fix))
    return found


def _days(each: AskedAchievement) -> list[Fault]:
    last = last_day(each)
    if last is None:
        return [(("end",), "it says no day", "Give its end: the day it was done, or of its certificate.")]
    found: list[Fault] = []
    if each.start is not None and last < each.start:
        field = "end" if each.end else "sessions"
        found.append(((field,), f"it ends before it starts ({each.start})", "Exchange the two, or correct one."))
    a_day: dict[date, int] = {}
    for number, session in enumerate(each.sessions):
        a_day[session.date] = a_day.get(session.date, 0) + session.hours
        if not (each.start or session.date) <= session.date <= last:
            found.append((("sessions", number, "date"), "a session outside of start and end", "Correct one of them."))
        if a_day[session.date] > _WHOLE_DAY:
            found.append((("sessions", number, "hours"), "more than 24 hours on one day", "Correct the hours."))
    if found or each.kind not in _WORKED or each.sessions or each.start is None:
        return found
    days = (last - each.start).days + 1
    if each.hours is not None and each.hours > _WHOLE_DAY * days:
        found.append((("hours",), f"more than 24 hours a day ({days} day(s))", "Correct the hours, or the days."))
    if each.minutes is not None and each.minutes >= 24 * 60 * days:
        fix = "Nobody learns the clock round: correct the minutes, or the days."
        found.append((("minutes",), f"24 hours a day or more ({days} day(s))", fix))
    return found
