"""What the pages of course mapping show: the courses with what they may be, and what a form wants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import Http404

from agent.intake.models import Source
from agent.mapping.courses import MAPPED, PARTLY, UNMAPPED, Course, courses, states
from agent.mapping.links import Wanted
from agent.mapping.suggestions import Suggestion, suggest_all
from agent.organisations.rights import Right
from agent.portal.people import EVERYTHING, Person
from agent.programmes.models import Programme, ProgrammeVersion, State

PAGE = 50
MOST = 200
"""Courses that one form may map."""
_LONGEST = 100
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """A course and the likeliest programmes for it."""

    course: Course
    suggestions: list[Suggestion] = field(default_factory=list)

    @property
    def best(self) -> Suggestion | None:
        """The likeliest."""
        return next(iter(self.suggestions), None)

    @property
    def value(self) -> str:
        """What a form sends back when the likeliest is ticked."""
        return value_of(self.course, self.best) if self.best else ""


@dataclass(frozen=True, slots=True)
class MappingPage:
    """What the list shows."""

    rows: list[Row]
    total: int
    number: int
    counts: dict[str, tuple[int, int]]
    source: str
    state: str
    text: str

    @property
    def unmapped(self) -> int:
        """Courses that are mapped to nothing."""
        return self.counts.get(UNMAPPED, (0, 0))[0]

    @property
    def learners(self) -> int:
        """Learners of the unmapped courses."""
        return self.counts.get(UNMAPPED, (0, 0))[1]

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.source or self.state or self.text)

    @property
    def newer(self) -> str:
        """The address of the page before."""
        return self._query(self.number - 1) if self.number > 1 else ""

    @property
    def older(self) -> str:
        """The address of the page behind."""
        return self._query(self.number + 1) if self.number * PAGE < self.total else ""

    def _query(self, number: int) -> str:
        named = {"source": self.source, "state": self.state, "q": self.text, "page": str(number)}
        return urlencode({name: value for name, value in named.items() if value})


def sources_with(person: Person, right: Right) -> QuerySet[Source]:
    """The sources that ``right`` reaches, without their tokens."""
    return Source.objects.filter(person.within(right, "organisation")).defer("token", "push_secret").order_by("name")


def mapping_page(sources: Sequence[Source], asked: Mapping[str, str]) -> MappingPage:
    """The courses that the address asks for.

    :raises Http404: a source that one may not see is unknown
    """
    name = asked.get("source", "")
    chosen = [source for source in sources if not name or source.name == name]
    if name and not chosen:
        raise Http404
    state = asked.get("state", "") if asked.get("state", "") in (UNMAPPED, PARTLY, MAPPED) else ""
    text = asked.get("q", "")[:_LONGEST].replace("\0", "").strip()
    number = _number(asked.get("page", "")) or 1
    found = courses(chosen, state=state, text=text, limit=PAGE, offset=(number - 1) * PAGE)
    likely = suggest_all([each for each in found.courses if each.state != MAPPED])
    rows = [Row(each, likely.get((each.source.pk, each.course), [])) for each in found.courses]
    return MappingPage(rows, found.total, number, states(chosen), name, state, text)


def value_of(course: Course, each: Suggestion) -> str:
    """A suggestion as a form sends it back."""
    return f"{course.source.pk}:{each.programme}:{each.valid_from}:{each.valid_to}:{course.course}"


def programmes_for(person: Person, source: Source) -> list[ProgrammeVersion]:
    """The programmes that a course of ``source`` can be mapped to: filed, and open to its base; the newest first."""
    programmes = Programme.objects.filter(state=State.FILED)
    if person.bodies_with(Right.MAPPING_DECIDE) is not EVERYTHING:
        programmes = programmes.filter(Q(implementer=None) | Q(implementer=source.organisation))
    versions = ProgrammeVersion.objects.filter(programme__in=programmes).select_related("programme__organiser")
    return sorted(
        versions.order_by("programme", "-version").distinct("programme"), key=lambda v: (-v.starts_on.year, v.title)
    )


def wanted_of(person: Person, values: Sequence[str], because: str) -> list[tuple[Source, list[Wanted]]]:
    """What a form wants, by source, in a fixed order.

    :raises Http404: it names a source or a programme that one may not map, or nothing that makes sense
    """
    by_source: dict[int, list[Wanted]] = defaultdict(list)
    may = {source.pk: source for source in sources_with(person, Right.MAPPING_DECIDE)}
    open_to: dict[int, dict[int, Programme]] = {}
    for value in values[:MOST]:
        source, programme, first, last, course = _parts(value)
        if source not in may or not course:
            raise Http404
        if source not in open_to:
            open_to[source] = {v.programme_id: v.programme for v in programmes_for(person, may[source])}
        if programme not in open_to[source]:
            raise Http404
        by_source[source].append(Wanted(course, open_to[source][programme], first, last, because))
    return [(may[pk], wanted) for pk, wanted in sorted(by_source.items())]


def day_of(text: str) -> date | None:
    """A day as a form sends it; None: none, or none that there is."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _parts(value: str) -> tuple[int, int, date | None, date | None, str]:
    parts = value.split(":", 4)
    if len(parts) != 5 or "\0" in value:  # noqa: PLR2004 - as `value_of` makes them
        raise Http404
    source, programme = _number(parts[0]), _number(parts[1])
    if source is None or programme is None:
        raise Http404
    return source, programme, day_of(parts[2]), day_of(parts[3]), parts[4]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
