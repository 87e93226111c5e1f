"""Everything of one run: what it landed by course, what was refused and why, what waits, what is missing upstream."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from agent.intake.models import SourceState, SyncRun
from agent.learners.identity import mask_name
from agent.localtime import now
from agent.portal.run_rows import BackfillRow, RunRow, backfills_of, rows_of
from agent.portal.words import readable
from agent.quarantine.codes import fix, sentence

SHOWN = 100
"""Rows that a list on the page has at most; the figure above it says how many there are."""
_LONG = re.compile(r"[0-9]{9,}[0-9Xx]")


@dataclass(frozen=True, slots=True)
class CourseRow:
    """What a run landed of one course, in versions of rows."""

    course: str
    name: str
    new: int
    changed: int
    not_passed: int


@dataclass(frozen=True, slots=True)
class HeldItem:
    """Something that waits, or waited: its code and where it stands in the source. Numbers and names masked."""

    code: str
    params: dict[str, Any]
    opened_at: datetime
    released_at: datetime | None

    @property
    def place(self) -> str:
        """Where it stands in the source."""
        return masked(str(self.params.get("place") or self.params.get("row") or ""))

    @property
    def sentence_zh(self) -> str:
        """Why it waits, in Chinese."""
        return sentence(self.code, self._shown)

    @property
    def sentence_en(self) -> str:
        """Why it waits, in English."""
        return sentence(self.code, self._shown, english=True)

    @property
    def fix_zh(self) -> str:
        """What releases it, in Chinese."""
        return fix(self.code)

    @property
    def fix_en(self) -> str:
        """What releases it, in English."""
        return fix(self.code, english=True)

    @property
    def _shown(self) -> dict[str, Any]:
        said = readable(self.params)
        for name in ("name", "known"):
            if isinstance(said.get(name), str):
                said[name] = mask_name(said[name])
        return {name: masked(value) if isinstance(value, str) else value for name, value in said.items()}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One code among what a run landed: how many wait under it, and one as an example."""

    count: int
    item: HeldItem


@dataclass(frozen=True, slots=True)
class MissingRow:
    """A row that the source shows no more. Masked."""

    course: str
    name: str
    id_masked: str
    learned_on: date | None
    since: datetime


@dataclass(frozen=True, slots=True)
class OneRun:
    """What the page of a run shows."""

    row: RunRow
    state: SourceState | None
    resting: bool
    courses: list[CourseRow]
    courses_total: int
    refused: list[HeldItem]
    refused_total: int
    waiting: list[WaitingRow]
    missing: list[MissingRow]
    missing_total: int
    backfill: BackfillRow | None
    previous: int | None
    next: int | None


def masked(text: str) -> str:
    """``text`` in which what may be an identity number or a telephone's shows its first and last figures only."""
    return _LONG.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 5) + found[0][-2:], text)


_COURSES = """
SELECT course, max(course_name), count(*) FILTER (WHERE version = 1), count(*) FILTER (WHERE version > 1),
       count(*) FILTER (WHERE NOT passed), count(*) OVER ()
FROM intake_completion WHERE run_id = %s GROUP BY course ORDER BY count(*) DESC, course LIMIT %s
"""
# What was held when the run ended. It is known by time: an item that waited already keeps its own date.
_REFUSED = """
SELECT code, params::text, opened_at, released_at, count(*) OVER ()
FROM quarantine_held
WHERE what = 'row' AND source = %(source)s AND opened_at BETWEEN %(began)s AND %(ended)s
ORDER BY opened_at, id LIMIT %(shown)s
"""
_WAITING = """
SELECT h.code, count(*), (array_agg(h.params ORDER BY h.id))[1]::text, min(h.opened_at)
FROM intake_completion c
JOIN quarantine_held h ON h.what = 'completion' AND h.key = c.id::text AND h.released_at IS NULL
WHERE c.current AND c.run_id = %s
GROUP BY h.code ORDER BY 2 DESC, 1
"""
_MISSING = """
SELECT c.course_name, c.name, c.id_masked, c.learned_on, m.since, count(*) OVER ()
FROM intake_missingupstream m JOIN intake_completion c ON c.id = m.completion_id
WHERE m.run_id = %s ORDER BY c.course, c.id LIMIT %s
"""


def run_page(run: SyncRun) -> OneRun:
    """Everything of ``run``, whose source is at hand."""
    (row,) = rows_of([run], [run.source])
    state = SourceState.objects.filter(source=run.source).first()
    others = SyncRun.objects.filter(source=run.source).exclude(pk=run.pk)
    before = others.filter(started_at__lte=run.started_at).order_by("-started_at", "-pk").first()
    after = others.filter(started_at__gte=run.started_at).order_by("started_at", "pk").first()
    # rows are held by runs alone, and one at a time: what was held before the next began is this one's
    ended = after.started_at if after else now()
    courses = _asked(_COURSES, [run.pk, SHOWN])
    params = {"source": run.source.name, "began": run.started_at, "ended": ended, "shown": SHOWN}
    refused = _asked(_REFUSED, params)
    missing = _asked(_MISSING, [run.pk, SHOWN])
    backfill = backfills_of([run.source]) if run.mode == SyncRun.Mode.BACKFILL else []
    return OneRun(
        row=row,
        state=state,
        resting=bool(state and state.open_until and state.open_until > now()),
        courses=[CourseRow(*each[:-1]) for each in courses],
        courses_total=courses[0][-1] if courses else 0,
        refused=[HeldItem(code, orjson.loads(said), *times) for code, said, *times, _ in refused],
        refused_total=refused[0][-1] if refused else 0,
        waiting=[
            WaitingRow(count, HeldItem(code, orjson.loads(said), since, None))
            for code, count, said, since in _asked(_WAITING, [run.pk])
        ],
        missing=[
            MissingRow(course, mask_name(name), number, day, since) for course, name, number, day, since, _ in missing
        ],
        missing_total=missing[0][-1] if missing else 0,
        backfill=backfill[0] if backfill else None,
        previous=before.pk if before else None,
        next=after.pk if after else None,
    )


def _asked(question: str, params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question, params)
        return list(cursor.fetchall())
