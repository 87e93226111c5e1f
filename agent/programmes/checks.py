"""What is wrong with a filing, or should be looked at: pure, and the same while somebody types, when it is submitted
and for the bureau. No Django, no clock: what has to be known beside the form comes in `About`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.programmes.content import Said, Typed, figure, parse
from agent.programmes.findings import Finding
from agent.programmes.workdays import between

_ALIKE = 0.75
"""From where on two titles resemble each other: a word more or another year does, another subject does not."""
_NO_QUALIFICATION = ("职业资格", "岗位合格")
_WIDE = ("中国", "全国", "国家")
_REQUIRED = ("title", "category", "mode", "audience", "capacity", "hours", "starts_on", "ends_on", "fee", "implementer",
             "teachers")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Other:
    """A filing of the same department, to be compared with."""

    key: str
    title: str
    state: str  # in words
    starts_on: dt.date
    ends_on: dt.date


@dataclass(frozen=True, slots=True)
class Body:
    """A body that may carry a programme out."""

    name: str
    uscc: str
    status_until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a policy says of filings: the catalogue of public subjects, its year, whether it is open (等), and the most
    that a day has, in hundredths. Without a policy nothing is compared with a catalogue.
    """

    subjects: Sequence[str] = ()
    year: int = 0
    open: bool = True
    day_cap: int = 800


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class About:
    """What the checks have to know beside the form."""

    today: dt.date
    year: int
    organiser: str
    entitled: bool  # a sector department (R08)
    bodies: Sequence[Body] = ()
    others: Sequence[Other] = ()
    other_names: Sequence[str] = ()  # of other departments
    rules: Rules = NO_RULES
    lead_days: int = 10
    begun: bool = False  # it is on record: what is changed needs no lead time any more
    named: str = ""  # how a sheet calls the organiser


def check_typed(typed: Typed, about: About) -> tuple[Said, list[Finding]]:
    """The form as values and everything that the checks find, in the order of the form."""
    said, unreadable = parse(typed)
    bad = {found.field for found in unreadable}
    found = [each for each in check(said, about) if not (each.code == "F_MISSING" and each.field in bad)]
    return said, unreadable + found


def check(said: Said, about: About) -> list[Finding]:
    """What a form as values has against it."""
    parts = (_title, _similar, _category, _dates, _timetable, _implementer)
    return [*_missing(said), *(found for part in parts for found in part(said, about))]


def _missing(said: Said) -> Iterator[Finding]:
    for name in _REQUIRED:
        if getattr(said, name) in (None, "", ()):
            yield Finding("F_MISSING", name)
    if said.mode in ("in_person", "mixed") and not said.place:
        yield Finding("F_MISSING", "place")


def _title(said: Said, about: About) -> Iterator[Finding]:
    if about.named and about.named != about.organiser:
        yield Finding("F_ORGANISER_NAME", "title", {"value": about.named, "organiser": about.organiser})
    for word in _NO_QUALIFICATION:
        if word in said.title:
            yield Finding("F_WORD", "title", {"word": word})
    for word in _WIDE:
        if word in said.title:
            yield Finding("F_WORD_WIDE", "title", {"word": word})
            break
    for name in about.other_names:
        if name in said.title and name not in about.organiser:
            yield Finding("F_TITLE_BODY", "title", {"body": name, "organiser": about.organiser})


def _category(said: Said, about: About) -> Iterator[Finding]:
    if said.category == "professional":
        if not about.entitled:
            yield Finding("F_ENTITLED", "category", {"organiser": about.organiser})
        if not said.series:
            yield Finding("F_MISSING", "series")
    if said.category == "public":
        if not said.subject:
            yield Finding("F_MISSING", "subject")
        elif about.rules.subjects and said.subject not in about.rules.subjects:
            code = "F_SUBJECT_OTHER" if about.rules.open else "F_SUBJECT"
            yield Finding(code, "subject", {"value": said.subject, "year": about.rules.year})


def _dates(said: Said, about: About) -> Iterator[Finding]:
    first, last = said.starts_on, said.ends_on
    if first and last and last < first:
        yield Finding("F_DATES_ORDER", "ends_on")
    if any(day and day.year != about.year for day in (first, last)):
        yield Finding("F_DATES_YEAR", "starts_on", {"year": about.year})
    if first and last and first <= last and said.hours:
        days = (last - first).days + 1
        if said.hours > days * about.rules.day_cap:
            params = {"days": days, "most": figure(days * about.rules.day_cap), "hours": figure(said.hours)}
            yield Finding("F_DAYS_SHORT", "hours", params)
    if first and not about.begun:
        counted = between(about.today, first)
        if counted.days < about.lead_days:
            code = "F_LEAD_WAIVER" if said.late_reason else "F_LEAD_TIME"
            yield Finding(code, "starts_on", {"days": max(counted.days, 0), "needed": about.lead_days})
        if counted.assumed and counted.days < about.lead_days * 2:  # else it makes no difference
            yield Finding("F_CALENDAR", "starts_on", {"year": counted.assumed})


def _timetable(said: Said, about: About) -> Iterator[Finding]:
    rows = said.timetable
    if not rows:
        if said.whole_timetable:
            yield Finding("F_TIMETABLE_MISSING", "timetable")
        return
    total = sum(row.hours for row in rows)
    if said.whole_timetable and said.hours is not None and total != said.hours:
        yield Finding("F_TIMETABLE_SUM", "timetable", {"sum": figure(total), "hours": figure(said.hours)})
    for number, row in enumerate(rows, 1):
        if row.date is None and said.mode != "online":
            yield Finding("F_SESSION_DATE", "timetable", {"row": number})
    yield from _lesson_days(said, about)
    known = {teacher.name for teacher in said.teachers}
    for name in dict.fromkeys(row.teacher for row in rows if row.teacher and row.teacher not in known):
        yield Finding("F_TEACHER", "timetable", {"teacher": name})


def _lesson_days(said: Said, about: About) -> Iterator[Finding]:
    by_day: dict[dt.date, int] = defaultdict(int)
    for row in said.timetable:
        if row.date:
            by_day[row.date] += row.hours
    for day, hours in sorted(by_day.items()):
        if hours > about.rules.day_cap:
            params = {"date": day.isoformat(), "hours": figure(hours), "cap": figure(about.rules.day_cap)}
            yield Finding("F_DAY_CAP", "timetable", params)
        first, last = said.starts_on, said.ends_on
        if first and last and not first <= day <= last:
            params = {"date": day.isoformat(), "starts_on": first.isoformat(), "ends_on": last.isoformat()}
            yield Finding("F_OUTSIDE", "timetable", params)


def _implementer(said: Said, about: About) -> Iterator[Finding]:
    if not said.implementer:
        return
    body = next((each for each in about.bodies if each.uscc == said.implementer), None)
    if body is None:
        yield Finding("F_IMPLEMENTER", "implementer", {"value": said.implementer})
    elif body.status_until and said.starts_on and body.status_until < said.starts_on and not about.begun:
        yield Finding("F_BASE_ENDED", "implementer", {"until": body.status_until.isoformat()})


def _similar(said: Said, about: About) -> Iterator[Finding]:
    first, last = said.starts_on, said.ends_on
    if not (said.title and first and last):
        return
    for other in about.others:
        overlap = first <= other.ends_on and other.starts_on <= last
        if overlap and alike(said.title, other.title) >= _ALIKE:
            params = {
                "title": other.title, "key": other.key, "state": other.state,
                "starts_on": other.starts_on.isoformat(), "ends_on": other.ends_on.isoformat(),
            }  # fmt: skip
            yield Finding("F_SIMILAR", "title", params)


def alike(one: str, other: str) -> float:
    """How much two titles resemble each other, 0 to 1, whatever year or number they bear."""
    one, other = _bare(one), _bare(other)
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0


def _bare(title: str) -> str:
    return "".join(each for each in title.casefold() if each.isalpha()).replace("年", "")
