"""The figures on the desks beside the charts: each function is one question, asked of the database as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.models import Count, Q, Sum

from agent.audit.check import Head, head
from agent.audit.models import AuditEvent, AuditSeal
from agent.figures.look import Look
from agent.figures.questions import What
from agent.intake.models import SyncRun
from agent.localtime import SHANGHAI, local_date, now
from agent.organisations.models import Organisation
from agent.portal.spans import Choice
from agent.programmes.models import Programme
from agent.programmes.transitions import WAITING, State

PROGRAMMES = 20
"""Programmes that stand on a department's desk: those that something happened to last."""


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme with what became of it. Hours in hundredths."""

    pk: int
    name: str  # region/year/KEY: what a command takes
    state: str
    filing_number: str
    title: str
    category: str
    hours: int
    starts_on: date
    ends_on: date
    since: datetime | None
    remark: str
    completions: int = 0
    certificates: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole installation in six figures. Hours in hundredths."""

    learners: int
    completions: int
    public: int
    professional: int
    certificates: int
    held: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The audit log, for who watches over it: its head, its seals, and in the span the ``looks`` at full identity
    numbers and the ``exports`` of the log.
    """

    head: Head
    last_at: datetime | None
    looks: int
    exports: int
    seal: AuditSeal | None
    seals: int


def arrived_today(sources: Collection[int]) -> int:
    """New and changed rows that landed since midnight (Asia/Shanghai)."""
    midnight = _midnight(local_date(now()))
    runs = SyncRun.objects.filter(source__in=sources, started_at__gte=midnight, started_at__lt=midnight + timedelta(1))
    sums = runs.aggregate(new=Sum("new"), changed=Sum("changed"))
    return (sums["new"] or 0) + (sums["changed"] or 0)


def filings_of(bodies: Sequence[Organisation]) -> tuple[int, int, int]:
    """How many programmes that ``bodies`` organise were returned, wait for the bureau, and are there at all."""
    found = Programme.objects.filter(organiser__in=bodies).aggregate(
        returned=Count("pk", filter=Q(state=State.RETURNED)), waiting=Count("pk", filter=Q(state__in=WAITING)),
        total=Count("pk"),
    )  # fmt: skip
    return found["returned"], found["waiting"], found["total"]


_PROGRAMMES = """
SELECT p.id, p.region || '/' || p.year || '/' || p.key, p.state, COALESCE(p.filing_number, ''), v.title, v.category,
       v.hours, v.starts_on, v.ends_on, e.at, COALESCE(e.reason, '')
FROM programmes_programme p
JOIN LATERAL (SELECT * FROM programmes_programmeversion x WHERE x.programme_id = p.id
              ORDER BY x.version DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (SELECT id, at, reason FROM programmes_filingevent x WHERE x.programme_id = p.id
                   ORDER BY x.id DESC LIMIT 1) e ON true
WHERE p.organiser_id = ANY(%s) ORDER BY e.id DESC NULLS LAST, p.id DESC LIMIT %s
"""


def programmes_of(
    bodies: Sequence[Organisation], figures: Mapping[int, Mapping[str, tuple[int, int]]]
) -> list[ProgrammeRow]:
    """The programmes that ``bodies`` organise, those first that something happened to last.

    :param figures: by programme, as `Look.by_programme` counts them
    """
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMMES, [[body.pk for body in bodies], PROGRAMMES])
        rows = cursor.fetchall()
    nothing: Mapping[str, tuple[int, int]] = {}
    return [
        ProgrammeRow(
            *row, *(figures.get(row[0], nothing).get(what, (0, 0))[0] for what in (What.LANDED, What.CERTIFICATES))
        )
        for row in rows
    ]


def totals(look: Look) -> Totals:
    """All that there ever was, as of the look."""
    found = look.whole()
    return Totals(
        learners=found.get(What.LEARNERS, (0, 0))[0], completions=found.get(What.LANDED, (0, 0))[0],
        public=found.get(What.PUBLIC, (0, 0))[1], professional=found.get(What.PROFESSIONAL, (0, 0))[1],
        certificates=found.get(What.CERTIFICATES, (0, 0))[0], held=found.get(What.HELD, (0, 0))[0],
    )  # fmt: skip


def chain_of(choice: Choice) -> Chain:
    """How the audit log stands."""
    since, until = _midnight(choice.span.first), _midnight(choice.span.last) + timedelta(1)
    events = AuditEvent.objects.filter(at__gte=since, at__lt=until)
    return Chain(
        head(), AuditEvent.objects.order_by("-index").values_list("at", flat=True).first(),
        events.filter(action="identity.seen").count(), events.filter(action="audit.exported").count(),
        AuditSeal.objects.order_by("-through").first(), AuditSeal.objects.count(),
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
