"""The figures on the desks: each function is one question, asked of the database as a whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import ExtractMonth

from agent.intake.models import Completion, Source, SyncRun
from agent.localtime import SHANGHAI, local_date, now
from agent.organisations.models import Organisation
from agent.portal.words import readable
from agent.programmes.transitions import WAITING
from agent.quarantine.codes import fix, sentence

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source and its last run, when it had one."""

    source: Source
    run: SyncRun | None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One code: how many wait under it, and one of them as an example."""

    code: str
    count: int
    since: datetime
    example: dict[str, Any]

    @property
    def sentence_zh(self) -> str:
        """The example's sentence, in Chinese."""
        return sentence(self.code, readable(self.example))

    @property
    def sentence_en(self) -> str:
        """The example's sentence, in English."""
        return sentence(self.code, readable(self.example), english=True)

    @property
    def fix_zh(self) -> str:
        """What releases them, in Chinese."""
        return fix(self.code)

    @property
    def fix_en(self) -> str:
        """What releases them, in English."""
        return fix(self.code, english=True)


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme with what became of it. Hours in hundredths."""

    pk: int
    name: str  # region/year/KEY: what a command takes
    state: str
    filing_number: str
    organiser: str
    title: str
    category: str
    hours: int
    starts_on: date
    ends_on: date
    since: datetime | None
    remark: str
    learners: int
    certificates: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole installation in six figures. Hours in hundredths."""

    learners: int
    completions: int
    public: int
    professional: int
    certificates: int
    held: int


def sources_of(bodies: Collection[Organisation]) -> list[SourceRow]:
    """The sources of ``bodies`` with their last runs: two queries."""
    sources = list(Source.objects.filter(organisation__in=bodies).defer("token").order_by("name"))
    last = SyncRun.objects.filter(source__in=sources).order_by("source", "-started_at").distinct("source")
    by_pk = {source.pk: source for source in sources}
    runs = {run.source_id: run for run in last}
    for pk, run in runs.items():
        run.source = by_pk[pk]
    return [SourceRow(source, runs.get(source.pk)) for source in sources]


def runs_of(sources: Collection[Source], limit: int = 10) -> list[SyncRun]:
    """The newest runs of ``sources``, newest first."""
    return list(SyncRun.objects.filter(source__in=sources).select_related("source").order_by("-started_at")[:limit])


def arrived_today(sources: Collection[Source]) -> int:
    """New and changed rows that landed since midnight (Asia/Shanghai)."""
    today = local_date(now())
    midnight = datetime(today.year, today.month, today.day, tzinfo=SHANGHAI)
    runs = SyncRun.objects.filter(source__in=sources, started_at__gte=midnight, started_at__lt=midnight + timedelta(1))
    sums = runs.aggregate(new=Sum("new"), changed=Sum("changed"))
    return (sums["new"] or 0) + (sums["changed"] or 0)


_HELD = """
SELECT code, count(*), min(opened_at), (array_agg(params ORDER BY id))[1]::text
FROM quarantine_held WHERE released_at IS NULL AND source = ANY(%s)
GROUP BY code ORDER BY 2 DESC, 1
"""


def held_by_code(sources: Collection[Source]) -> list[HeldRow]:
    """What waits, by code, most first."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [[source.name for source in sources]])
        return [HeldRow(code, n, since, orjson.loads(example)) for code, n, since, example in cursor.fetchall()]


def by_month(sources: Collection[Source] | None, year: int) -> list[int]:
    """How many completions each month of ``year`` has; ``None``: of all sources."""
    rows = Completion.objects.filter(current=True, learned_on__range=(date(year, 1, 1), date(year, 12, 31)))
    if sources is not None:
        rows = rows.filter(source__in=sources)
    counted = dict(rows.values_list(ExtractMonth("learned_on")).annotate(n=Count("pk")).order_by())
    return [counted.get(month, 0) for month in range(1, _MONTHS + 1)]


_PROGRAMMES = """
SELECT p.id, p.region || '/' || p.year || '/' || p.key, p.state, COALESCE(p.filing_number, ''), o.name,
       v.title, v.category,
       v.hours, v.starts_on, v.ends_on, e.at, COALESCE(e.reason, ''),
       (SELECT count(DISTINCT a.learner_id) FROM programmes_programmeversion w
        JOIN matching_achievement a ON a.programme_version_id = w.id AND NOT a.withdrawn
        JOIN credit_creditentry c ON c.achievement_id = a.id AND c.reverses_id IS NULL AND c.credited > 0
        WHERE w.programme_id = p.id AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = c.id)),
       (SELECT count(*) FROM certificates_certificate c WHERE c.programme_id = p.id AND c.state = 'issued'),
       (SELECT count(*) FROM quarantine_held h WHERE h.code = 'E_PROGRAMME_NOT_FILED' AND h.released_at IS NULL
        AND h.params ->> 'programme' = v.title)
FROM programmes_programme p
JOIN organisations_organisation o ON o.id = p.organiser_id
JOIN LATERAL (SELECT * FROM programmes_programmeversion x WHERE x.programme_id = p.id
              ORDER BY x.version DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (SELECT at, reason FROM programmes_filingevent x WHERE x.programme_id = p.id
                   ORDER BY x.id DESC LIMIT 1) e ON true
WHERE {which} ORDER BY p.year DESC, p.key
"""


def programmes_of(bodies: Sequence[Organisation]) -> list[ProgrammeRow]:
    """The programmes that ``bodies`` organise."""
    return _programmes("p.organiser_id = ANY(%s)", [[body.pk for body in bodies]])


def programmes_submitted() -> list[ProgrammeRow]:
    """The filings that wait for the bureau."""
    return _programmes("p.state = ANY(%s)", [[str(state) for state in WAITING]])


def _programmes(which: str, params: list[Any]) -> list[ProgrammeRow]:
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMMES.format(which=which), params)
        return [ProgrammeRow(*row) for row in cursor.fetchall()]


_TOTALS = """
SELECT (SELECT count(*) FROM learners_learner), (SELECT count(*) FROM intake_completion WHERE current),
       (SELECT COALESCE(sum(credited), 0) FROM credit_creditentry WHERE category = 'public'),
       (SELECT COALESCE(sum(credited), 0) FROM credit_creditentry WHERE category = 'professional'),
       (SELECT count(*) FROM certificates_certificate WHERE state = 'issued'),
       (SELECT count(*) FROM quarantine_held WHERE released_at IS NULL)
"""


def totals() -> Totals:
    """The whole installation."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        return Totals(*cursor.fetchone())
