"""Which programme a course may be, with every reason for thinking so. Likely is not decided: a person does that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from agent.mapping.courses import Course
from agent.mapping.titles import Titles, kernel

MOST = 5
"""Suggestions for one course."""
SAME_CODE, HISTORY, TITLE = "code", "history", "title"
_WORTH = {SAME_CODE: 3.0, HISTORY: 2.0, TITLE: 1.0}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the same code was mapped so (``code``), last year's course of the like name was (``history``), or course and
    programme are called alike (``title``). ``of`` is what it rests on: the earlier programme's title, or the own one.
    """

    kind: str
    of: str
    likeness: float = 1.0


@dataclass(slots=True)
class Suggestion:
    """A programme that the course may be, and the days on which it would be: those of the programme that are free."""

    programme: int
    title: str
    category: str
    organiser: str
    filing_number: str
    valid_from: date
    valid_to: date
    reasons: list[Reason] = field(default_factory=list)

    @property
    def worth(self) -> float:
        """Only for their order: the best reason, and a little for each other one."""
        return sum(_WORTH[each.kind] * each.likeness for each in self.reasons)


# Filed programmes that may be taught at all, and by whom; drafts are nobody's business yet.
_PROGRAMMES = """
SELECT p.id, v.title, v.category, o.name, COALESCE(p.filing_number, ''), v.starts_on, v.ends_on, p.implementer_id
FROM programmes_programme p
JOIN organisations_organisation o ON o.id = p.organiser_id
JOIN LATERAL (SELECT * FROM programmes_programmeversion x WHERE x.programme_id = p.id
              ORDER BY x.version DESC LIMIT 1) v ON true
WHERE p.state = 'filed' AND (%(all)s OR p.implementer_id IS NULL OR p.implementer_id = ANY(%(bodies)s))
  AND v.ends_on >= %(first)s AND v.starts_on <= %(last)s
"""
# What was mapped before at these bases: by any of their sources.
_EARLIER = """
SELECT s.id, s.organisation_id, l.course, COALESCE(f.name, ''), l.programme_id, v.title, l.valid_from
FROM programmes_courselink l
JOIN intake_source s ON s.id = l.source_id
JOIN LATERAL (SELECT * FROM programmes_programmeversion x WHERE x.programme_id = l.programme_id
              ORDER BY x.version DESC LIMIT 1) v ON true
LEFT JOIN mapping_coursefigure f ON f.source_id = l.source_id AND f.course = l.course
WHERE l.withdrawn_at IS NULL AND (s.id = ANY(%(sources)s) OR s.organisation_id = ANY(%(bodies)s))
ORDER BY l.valid_from, l.id
"""


def suggest(courses: Collection[Course]) -> dict[str, list[Suggestion]]:
    """For each of ``courses``, all of one source, by its code, the likely programmes, the likeliest first."""
    return {course: found for (_, course), found in suggest_all(courses).items()}


def suggest_all(courses: Collection[Course]) -> dict[tuple[int, str], list[Suggestion]]:
    """The same of any sources, by source and code. Two queries, however many courses and sources."""
    days = [day for each in courses for day in (each.first_on, each.last_on) if day]
    if not days:
        return {(each.source.pk, each.course): [] for each in courses}
    sources = {each.source.pk: each.source for each in courses}
    bodies = {source.organisation_id for source in sources.values()}
    asked: dict[str, Any] = {
        "all": None in bodies, "bodies": [body for body in bodies if body], "sources": list(sources),
        "first": min(days) - timedelta(1), "last": max(days) + timedelta(1),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMMES, asked)
        programmes: list[_Row] = cursor.fetchall()
        cursor.execute(_EARLIER, asked)
        earlier = cursor.fetchall()
    titles = Titles((row[0], row[1]) for row in programmes)
    alike: dict[str, list[int]] = defaultdict(list)
    for row in programmes:
        alike[kernel(row[1])].append(row[0])
    houses: dict[int, _House] = {}
    for pk, source in sources.items():
        body = source.organisation_id
        mine = {row[0]: row for row in programmes if body is None or row[7] in (None, body)}
        of_it = [_Earlier(*row[2:]) for row in earlier if row[0] == pk or (body and row[1] == body)]
        houses[pk] = _House(mine, of_it, titles, alike)
    return {(each.source.pk, each.course): houses[each.source.pk].of(each) for each in courses}


_Row = tuple[int, str, str, str, str, date, date, int | None]


@dataclass(frozen=True, slots=True)
class _Earlier:
    course: str
    name: str
    programme: int
    title: str
    valid_from: date


class _House:
    """What is on record for a source, arranged to be asked for each course; ``titles``, and the programmes that
    are called ``alike`` (by kernel), may be of more programmes.
    """

    def __init__(
        self, programmes: dict[int, _Row], earlier: list[_Earlier], titles: Titles, alike: Mapping[str, list[int]]
    ) -> None:
        self._programmes = programmes
        self._titles, self._alike = titles, alike
        self._earlier = earlier
        self._names = Titles((place, each.name) for place, each in enumerate(earlier) if each.name)

    def of(self, course: Course) -> list[Suggestion]:
        found: dict[int, Suggestion] = {}
        told = set()  # a year of courses rests on few programmes: each is looked up once, by whoever is most like
        for each in self._earlier:
            if each.course == course.course:
                self._add(found, course, self._todays(each), Reason(SAME_CODE, each.title))
        for place, likeness in self._names.like(course.name):
            each = self._earlier[place]
            rests_on = (each.title, each.programme if each.programme in self._programmes else None)
            if each.course != course.course and rests_on not in told:
                told.add(rests_on)
                self._add(found, course, self._todays(each), Reason(HISTORY, each.title, likeness))
        for number, likeness in self._titles.like(course.name):
            if number not in self._programmes:
                continue
            self._add(found, course, [number], Reason(TITLE, self._programmes[number][1], likeness))
        return sorted(found.values(), key=lambda each: (-each.worth, each.programme))[:MOST]

    def _todays(self, each: _Earlier) -> Iterable[int]:
        """The programme of an earlier mapping, or what is filed under its title by now."""
        if each.programme in self._programmes:
            return [each.programme]
        return [number for number in self._alike.get(kernel(each.title), ()) if number in self._programmes]

    def _add(self, found: dict[int, Suggestion], course: Course, numbers: Iterable[int], reason: Reason) -> None:
        for number in numbers:
            mine = found.get(number)
            if mine is None:
                _, title, category, organiser, filing, starts_on, ends_on, _ = self._programmes[number]
                days = _free(course, starts_on, ends_on)
                if days is None:
                    continue
                mine = found[number] = Suggestion(number, title, category, organiser, filing, *days)
            if all((each.kind, each.of) != (reason.kind, reason.of) for each in mine.reasons):
                mine.reasons.append(reason)


def _free(course: Course, first: date, last: date) -> tuple[date, date] | None:
    """The days of a programme on which the course has completions, and is not mapped: the first run of them. None:
    there is no such day.
    """
    if course.first_on is None or course.last_on is None or course.first_on > last or course.last_on < first:
        return None
    for link in sorted(course.links, key=lambda each: each.valid_from):
        if link.valid_to < first or link.valid_from > last:
            continue
        if link.valid_from > first and course.first_on < link.valid_from:
            return first, link.valid_from - timedelta(1)
        first = link.valid_to + timedelta(1)
    return (first, last) if first <= last and course.last_on >= first else None
