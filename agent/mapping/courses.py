"""The courses of a source: what each was taught to, and which programmes it is mapped to; the unmapped first.

Counting a million rows takes a second, so it is done once after each pull that wrote something (`refresh`, by the
worker; whoever looks earlier does it); the list itself reads a few hundred rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection, transaction

from agent.intake.models import Source
from agent.mapping.models import Counted
from agent.programmes.models import CourseLink

UNMAPPED, PARTLY, MAPPED = "unmapped", "partly", "mapped"

# sources with a pull that wrote something since they were counted (index run_wrote), and those never counted
_STALE = """
SELECT r.source_id, r.upto FROM (
    SELECT s.id AS source_id,
           (SELECT max(finished_at) FROM intake_syncrun w
            WHERE w.source_id = s.id AND (w.new > 0 OR w.changed > 0)) AS upto
    FROM unnest(%s::bigint[]) s (id)
) r LEFT JOIN mapping_counted k ON k.source_id = r.source_id
WHERE k.source_id IS NULL OR k.upto IS DISTINCT FROM r.upto
"""
_COUNT = """
INSERT INTO mapping_coursefigure (source_id, course, name, completions, learners, first_on, last_on)
SELECT %(source)s, course, max(name), sum(rows), count(*), min(first_on), max(last_on) FROM (
    -- by account first: counting distinct ones would sort all rows
    SELECT course, account, max(course_name) AS name, count(*) AS rows, min(learned_on) AS first_on,
           max(learned_on) AS last_on
    FROM intake_completion
    WHERE source_id = %(source)s AND current AND passed AND filing_number = ''
    GROUP BY course, account
) person GROUP BY course
"""
_COURSES = """
WITH link AS (
    SELECT source_id, course, count(*) AS n, min(valid_from) AS first_on, max(valid_to) AS last_on
    FROM programmes_courselink WHERE source_id = ANY(%(sources)s) AND withdrawn_at IS NULL GROUP BY 1, 2
), found AS (
    SELECT f.source_id, f.course, f.name, f.completions, f.learners, f.first_on, f.last_on,
           CASE WHEN k.n IS NULL THEN 'unmapped'
                WHEN f.first_on < k.first_on OR f.last_on > k.last_on THEN 'partly' ELSE 'mapped' END AS state
    FROM mapping_coursefigure f LEFT JOIN link k USING (source_id, course)
    WHERE f.source_id = ANY(%(sources)s)
)
SELECT *, count(*) OVER () FROM found
WHERE (%(state)s = '' OR state = %(state)s)
  AND (%(text)s = '' OR position(lower(%(text)s) IN lower(course || ' ' || name)) > 0)
ORDER BY array_position(ARRAY['unmapped', 'partly', 'mapped'], state), learners DESC, source_id, course
LIMIT %(limit)s OFFSET %(offset)s
"""
_STATES = """
SELECT CASE WHEN k.course IS NULL THEN 'unmapped'
            WHEN f.first_on < k.first_on OR f.last_on > k.last_on THEN 'partly' ELSE 'mapped' END,
       count(*), sum(f.learners)
FROM mapping_coursefigure f LEFT JOIN (
    SELECT source_id, course, min(valid_from) AS first_on, max(valid_to) AS last_on
    FROM programmes_courselink WHERE withdrawn_at IS NULL GROUP BY 1, 2
) k USING (source_id, course)
WHERE f.source_id = ANY(%s) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Course:
    """One course of a source. ``learners`` are accounts there; the dates are those of its completions."""

    source: Source
    course: str
    name: str
    completions: int
    learners: int
    first_on: date | None
    last_on: date | None
    state: str  # unmapped | partly (some completions lie outside of the mapped dates) | mapped
    links: list[CourseLink] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """Some courses of all that were asked for."""

    courses: list[Course]
    total: int


def refresh(source: Source) -> bool:
    """Count the courses of ``source`` when a pull wrote something since; whether it did."""
    return bool(refresh_all([source]))


def refresh_all(sources: Collection[Source]) -> int:
    """The same for each of ``sources``; how many were counted. One look tells which have to be."""
    with connection.cursor() as cursor:
        cursor.execute(_STALE, [[source.pk for source in sources]])
        stale = cursor.fetchall()
    for pk, upto in stale:
        _count(pk, upto)
    return len(stale)


@transaction.atomic
def _count(source: int, upto: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi courses'), %s)", [source])
        cursor.execute("DELETE FROM mapping_coursefigure WHERE source_id = %s", [source])
        cursor.execute(_COUNT, {"source": source})
    Counted.objects.update_or_create(source_id=source, defaults={"upto": upto})


def courses(
    sources: Collection[Source], *, state: str = "", text: str = "", limit: int | None = None, offset: int = 0
) -> Found:
    """Courses of ``sources``, the unmapped first and then by number of learners, each with its links in force."""
    refresh_all(sources)
    by_pk = {source.pk: source for source in sources}
    with connection.cursor() as cursor:
        asked = {"sources": list(by_pk), "state": state, "text": text, "limit": limit, "offset": offset}
        cursor.execute(_COURSES, asked)
        rows = cursor.fetchall()
    found = [Course(by_pk[pk], *facts) for pk, *facts, _ in rows]
    links = (
        CourseLink.objects.filter(source__in=list(by_pk), course__in=[each.course for each in found], withdrawn_at=None)
        .select_related("programme__organiser")
        .prefetch_related("programme__versions")
    )
    mine = {(each.source.pk, each.course): each.links for each in found}
    for link in links.order_by("valid_from", "pk"):
        if link.source_id is not None and (link.source_id, link.course) in mine:
            mine[link.source_id, link.course].append(link)
    return Found(found, rows[0][-1] if rows else 0)


def course_of(source: Source, code: str) -> Course | None:
    """One course, with its links in force; None: no completion names it."""
    return next((each for each in courses([source], text=code).courses if each.course == code), None)


def unmapped(sources: Collection[Source]) -> int:
    """How many courses of ``sources`` are mapped to nothing."""
    refresh_all(sources)
    return states(sources).get(UNMAPPED, (0, 0))[0]


def states(sources: Collection[Source]) -> dict[str, tuple[int, int]]:
    """How many courses there are in each state, and how many learners have them."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [[source.pk for source in sources]])
        return {state: (number, int(learners)) for state, number, learners in cursor.fetchall()}
