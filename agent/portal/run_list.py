"""A page of runs: the rows, the sums of the whole view, and the days behind the chart: a few queries, however many runs
there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext

from agent.intake.models import Source, SyncRun
from agent.portal import run_words
from agent.portal.progress import rate
from agent.portal.run_filter import RunFilter
from agent.portal.run_rows import RunRow, rows_of
from agent.portal.stops import Stop, stop_of

PAGE = 50
FIGURES = ("new", "changed", "unchanged", "rejected", "missing_upstream", "calls")
_COUNTED = ("runs", "failed", *FIGURES)
_SUMS = [Sum(figure) for figure in FIGURES]


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the whole view, or of one day of it."""

    runs: int = 0
    failed: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    missing_upstream: int = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def rows(self) -> int:
        """Rows that came."""
        return self.new + self.changed + self.unchanged + self.rejected

    @property
    def rate(self) -> float | None:
        """Rows a second, over all."""
        return rate(self.rows, self.seconds)


@dataclass(frozen=True, slots=True)
class RunPage:
    """What the page of runs shows."""

    filter: RunFilter
    rows: list[RunRow]
    sums: Sums
    days: list[tuple[date, Sums]]
    newer: RunFilter | None
    older: RunFilter | None

    @property
    def running(self) -> bool:
        """Whether one of its runs goes on."""
        return any(row.state == "running" for row in self.rows)


def matching(sources: Collection[Source], wanted: RunFilter) -> QuerySet[SyncRun]:
    """The runs of ``sources`` that ``wanted`` asks for, newest first."""
    start, end = wanted.span
    found = SyncRun.objects.filter(started_at__gte=start, started_at__lt=end, source__in=_named(sources, wanted))
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.mode:
        found = found.filter(mode=wanted.mode)
    return found.order_by("-started_at", "-pk")


def _named(sources: Collection[Source], wanted: RunFilter) -> list[Source]:
    return [source for source in sources if not wanted.source or source.name == wanted.source]


def page_of(sources: Collection[Source], wanted: RunFilter) -> RunPage:
    """The page that ``wanted`` names, of runs of ``sources``."""
    found = matching(sources, wanted)
    days = _days(found)
    runs, newer, older = _cut(found, wanted)
    return RunPage(wanted, rows_of(runs, sources), sum((each for _, each in days), Sums()), days, newer, older)


def _cut(found: QuerySet[SyncRun], wanted: RunFilter) -> tuple[list[SyncRun], RunFilter | None, RunFilter | None]:
    """Fifty runs at the edge that the address names, and the pages on both sides: by key, so that runs that begin
    meanwhile move nothing.
    """
    edge = SyncRun.objects.filter(pk=wanted.before or wanted.after or 0).values_list("started_at", "pk").first()
    back = bool(edge and wanted.after)
    if edge:
        at, pk = edge
        side = "gt" if back else "lt"
        found = found.filter(Q(**{f"started_at__{side}": at}) | Q(**{"started_at": at, f"pk__{side}": pk}))
    if back:
        found = found.order_by("started_at", "pk")
    runs = list(found[: PAGE + 1])
    more, runs = len(runs) > PAGE, runs[:PAGE]
    if back:
        runs.reverse()
    if not runs:
        return [], wanted.whole if edge else None, None
    first, last = runs[0].pk, runs[-1].pk
    newer = replace(wanted.whole, after=first) if (more if back else edge) else None
    older = replace(wanted.whole, before=last) if (more or back) else None
    return runs, newer, older


def _days(found: QuerySet[SyncRun]) -> list[tuple[date, Sums]]:
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    failed = Count("pk", filter=Q(state=SyncRun.State.FAILED))
    days = found.order_by().annotate(day=TruncDate("started_at")).values("day").order_by("day")
    rows = days.annotate(took=Sum(took), failed=failed).values_list("day", "took", Count("pk"), "failed", *_SUMS)
    found_sums = []
    for day, lasted, *counts in rows:
        seconds = (lasted or timedelta()).total_seconds()
        found_sums.append((day, Sums(**dict(zip(_COUNTED, counts, strict=True)), seconds=seconds)))
    return found_sums


# --- to take away --------------------------------------------------------------------------------------------------
def exported(sources: Collection[Source], wanted: RunFilter) -> Iterator[list[Any]]:
    """All runs of the view, newest first, as rows of a file."""
    by_pk = {source.pk: source for source in sources}
    for run in matching(sources, wanted).iterator(chunk_size=2000):
        run.source = by_pk[run.source_id]
        stop = stop_of(run)
        rows = run.new + run.changed + run.unchanged + run.rejected
        speed = rate(rows, run.seconds)
        yield [
            run.pk, run.source.name, run.started_at, run.finished_at, gettext(run.get_mode_display()),
            run_words.because(run.because), gettext(run.get_state_display()), run.counted, run.new, run.changed,
            run.unchanged, run.rejected, run.missing_upstream, run.calls,
            None if run.seconds is None else round(run.seconds, 3), None if speed is None else round(speed, 1),
            run.error_code, _why(run, stop), stop.fix if stop else "",
        ]  # fmt: skip


def _why(run: SyncRun, stop: Stop | None) -> str:
    if stop:
        return stop.sentence
    return "" if run.state == SyncRun.State.RUNNING else run_words.brought(run)
