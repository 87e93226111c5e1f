"""«Where is my hour?»: what the sources said of a course that a learner names, and when they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Max, Q
from django.utils.translation import gettext

from agent.certificates.facts import hours_text
from agent.intake.models import Source, SyncRun
from agent.learners.identity import mask_name
from agent.learners.models import Learner
from agent.lti.linking import unnumbered_rows
from agent.mapping.models import CourseFigure
from agent.portal import track_words
from agent.portal.reads import next_reads
from agent.portal.track import drawn, of_waiting
from agent.portal.words import english, for_learners, readable
from agent.quarantine.codes import fix, sentence

SHORTEST, LONGEST = 2, 100
"""Characters of a course's name: less finds everything."""
_MOST = 20

# By the person's own number, and by the rows of the LMS account that they came with.
_ROWS = """
SELECT c.course, c.course_name, s.name, c.learned_on, c.passed, c.grade, c.hours, c.landed_at,
       h.code, h.params::text, a.id IS NOT NULL AND NOT a.withdrawn, extract(year FROM a.learned_on)::int, m.since
FROM intake_completion c
JOIN intake_source s ON s.id = c.source_id
LEFT JOIN quarantine_held h ON h.what = 'completion' AND h.released_at IS NULL AND h.key = c.id::text
LEFT JOIN matching_achievement a ON a.source_id = c.source_id AND a.key = c.key
LEFT JOIN intake_missingupstream m ON m.completion_id = c.id
WHERE c.current AND (c.id_fingerprint = %(number)s OR c.id = ANY(%(own)s))
  AND position(lower(%(text)s) IN lower(c.course || ' ' || c.course_name)) > 0
ORDER BY c.learned_on DESC NULLS LAST, c.id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the learner's own: what its source said, when it was read, and what became of it."""

    course: str
    source: str
    said: str
    read_at: datetime
    became: str
    year: int | None  # where it counts
    can: str
    expected: str
    track: str
    step: str


@dataclass(frozen=True, slots=True)
class Place:
    """A source that may be asked: whether it knows such a course, and when it was read and is read next."""

    source: Source
    courses: list[str]
    read_at: datetime | None
    next_at: datetime | None


def found(learner: Learner, user: User, text: str) -> list[Found]:
    """The learner's own rows whose course is called like ``text``."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {
            "number": bytes(learner.fingerprint), "own": unnumbered_rows(user), "text": text, "most": _MOST,
        })  # fmt: skip
        rows = cursor.fetchall()
    reads = next_reads({row[2] for row in rows if row[8]})
    return [_found(row, learner, reads) for row in rows]


def places(text: str) -> list[Place]:
    """The sources, those first that teach a course that is called like ``text``."""
    like = Q(name__icontains=text) | Q(course__icontains=text)
    courses: dict[int, list[str]] = {}
    for source, name in CourseFigure.objects.filter(like).order_by("-completions").values_list("source", "name")[:60]:
        courses.setdefault(source, []).append(name)
    done = SyncRun.objects.filter(state=SyncRun.State.DONE).values("source").annotate(at=Max("finished_at"))
    read = dict(done.values_list("source", "at"))
    sources = list(Source.objects.defer("token").exclude(kind="roster").order_by("name"))
    known = [each for each in sources if each.pk in courses]
    reads = next_reads([each.name for each in (known or sources)])
    return [
        Place(each, courses.get(each.pk, [])[:3], read.get(each.pk), reads.get(each.name)) for each in known or sources
    ]


def _found(row: tuple[Any, ...], learner: Learner, reads: Mapping[str, datetime]) -> Found:
    course, name, source, learned_on, passed, grade, hours, landed, code, params, counts, year, missing = row
    became, can, expected, track, step = "", "", "", "", ""
    if code:
        way = of_waiting(code)
        shown = {
            key: mask_name(str(value)) if key in {"name", "known"} and value != learner.name else value
            for key, value in readable(orjson.loads(params)).items()
        }
        became = sentence(code, shown, english=english())
        can, step = track_words.you_can(code), track_words.said(way)
        expected = f"{for_learners(fix(code, english=english()))} {track_words.expected(way, reads.get(source))}"
        track = drawn(way, step)
    elif not passed:
        became = gettext("平台说参加了，没有通过，所以不计学时。")
        can = gettext("在平台上补考或重修，通过以后会自动计入；已经通过的，请基地更正结果。")
    elif counts:
        became = gettext("已经计入。")
    else:
        became = gettext("刚刚到达，几分钟内有结果。")
    if missing:
        became += gettext("平台后来不再显示这一条；已计的学时不会因此取消。")
    return Found(
        name or course, source, _said(learned_on, passed, grade, hours), landed, became,
        year if counts else None, can, expected, track, step,
    )  # fmt: skip


def _said(learned_on: date | None, passed: bool, grade: str, hours: int | None) -> str:
    """What the source said of it, in a clause."""
    day = f"{learned_on:%Y-%m-%d}" if learned_on else gettext("日期不详")
    said = [gettext("%(day)s完成") % {"day": day} if passed else gettext("%(day)s未通过") % {"day": day}]
    if grade:
        said.append(gettext("成绩%(grade)s") % {"grade": grade})
    if hours:
        said.append(gettext("报%(hours)s学时") % {"hours": hours_text(hours)})
    return gettext("，").join(said)
