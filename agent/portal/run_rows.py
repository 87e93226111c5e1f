"""Runs as they are shown: how each went, or how far it is, and the backfills that are not done yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from agent.intake.models import Backfill, Source, SyncRun
from agent.localtime import now
from agent.portal import run_words
from agent.portal.progress import Progress, of_range, of_rows, rate
from agent.portal.stops import Stop, stop_of


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is shown: ``state`` is running, done, failed or interrupted; ``waiting`` counts what it landed and
    what is held today; ``rows`` have come so far.
    """

    run: SyncRun
    state: str
    rows: int
    waiting: int
    seconds: float
    progress: Progress | None
    stop: Stop | None
    says: str

    @property
    def rate(self) -> float | None:
        """Rows a second."""
        return rate(self.rows, self.seconds)

    @property
    def title(self) -> str:
        """What it says, as a heading."""
        return self.says.rstrip("。.")

    @property
    def because(self) -> str:
        """What made it run."""
        return run_words.because(self.run.because)


# What a run landed and what waits today. The span of runs is what the index completion_run can look up (a BRIN): of the
# newest runs it leaves a few pages of the table.
_WAITING = """
SELECT c.run_id, count(*)
FROM intake_completion c
JOIN quarantine_held h ON h.what = 'completion' AND h.key = c.id::text AND h.released_at IS NULL
WHERE c.current AND c.run_id BETWEEN %s AND %s AND c.run_id = ANY(%s)
GROUP BY 1
"""
# A pull holds its source by an advisory lock (agent/intake/sync.py), which goes with its process.
_ALIVE = """
SELECT l.objid::bigint FROM pg_locks l
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = hashtext('xueshi sync')::bigint & 4294967295
"""
_SO_FAR = "SELECT run_id, sum(rows)::bigint FROM intake_rawpage WHERE run_id = ANY(%s) GROUP BY 1"


def rows_of(runs: Sequence[SyncRun], sources: Collection[Source]) -> list[RunRow]:
    """The runs as they are shown; ``sources`` are theirs."""
    by_pk = {source.pk: source for source in sources}
    for run in runs:
        run.source = by_pk[run.source_id]
    pks = [run.pk for run in runs]
    waiting = _counted(_WAITING, [min(pks), max(pks), pks]) if runs else {}
    going = [run for run in runs if run.state == SyncRun.State.RUNNING]
    alive: set[int] = set()
    so_far: dict[int, int] = {}
    ranges: dict[int, Backfill] = {}
    if going:
        with connection.cursor() as cursor:
            cursor.execute(_ALIVE)
            alive = {pk for (pk,) in cursor.fetchall()}
        so_far = _counted(_SO_FAR, [[run.pk for run in going]])
        of = [run.source_id for run in going if run.mode == SyncRun.Mode.BACKFILL]
        ranges = {each.source_id: each for each in Backfill.objects.filter(source__in=of, finished_at=None)}
    at = now()
    return [
        _row(run, alive=run.source_id in alive, so_far=so_far.get(run.pk, 0), range_=ranges.get(run.source_id),
             waiting=waiting.get(run.pk, 0), at=at)
        for run in runs
    ]  # fmt: skip


def _counted(question: str, params: list[Any]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(question, params)
        return dict(cursor.fetchall())


def _row(run: SyncRun, *, alive: bool, so_far: int, range_: Backfill | None, waiting: int, at: datetime) -> RunRow:
    rows = run.new + run.changed + run.unchanged + run.rejected
    if run.state != SyncRun.State.RUNNING:
        stop = stop_of(run)
        seconds = run.seconds or 0.0  # one that was found interrupted has no end
        return RunRow(
            run, run.state, rows, waiting, seconds, None, stop, stop.sentence if stop else run_words.brought(run)
        )
    rows = max(rows, so_far)
    seconds = (at - run.started_at).total_seconds()
    if not alive:
        says = gettext("进程已经不在了：停电、重启或被终止。到达的页都是完整的，下次同步会接着读。")
        return RunRow(run, "interrupted", rows, waiting, 0.0, None, None, says)
    if run.mode == SyncRun.Mode.BACKFILL and range_:
        done, before = share_of(range_, range_.reached), share_of(range_, run.since or range_.since)
        progress = of_range(rows, seconds, done=done, done_before=before)
    else:
        progress = of_rows(rows, run.counted, seconds)
    return RunRow(run, "running", rows, waiting, seconds, progress, None, run_words.going(progress))


def share_of(backfill: Backfill, moment: datetime) -> float:
    """Which share of the backfill's span lies before ``moment`` (0 to 1)."""
    return (moment - backfill.since) / (backfill.until - backfill.since)


# --- backfills -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BackfillRow:
    """A backfill that is not done yet. ``run`` is the one that reads it now; None: it waits to be gone on with."""

    backfill: Backfill
    run: SyncRun | None
    progress: Progress
    says: str


def backfills_of(sources: Collection[Source]) -> list[BackfillRow]:
    """The backfills of ``sources`` that are not done yet: the figure on the page."""
    waiting = list(Backfill.objects.filter(source__in=sources, finished_at=None).order_by("created_at"))
    if not waiting:
        return []
    by_pk = {source.pk: source for source in sources}
    going = SyncRun.objects.filter(
        source__in=[each.source_id for each in waiting], state=SyncRun.State.RUNNING, mode=SyncRun.Mode.BACKFILL
    )
    live = {row.run.source_id: row for row in rows_of(list(going), sources) if row.state == "running"}
    found = []
    for each in waiting:
        each.source = by_pk[each.source_id]
        row = live.get(each.source_id)
        done = share_of(each, each.reached)
        if row and row.progress:
            progress = Progress(each.rows, row.progress.seconds, None, done, row.progress.left)
            spoken = Progress(row.rows, row.progress.seconds, None, done, row.progress.left)
            says = run_words.going(spoken)
        else:
            progress = Progress(each.rows, 0.0, None, done, None)
            says = gettext("停在这里，会从这里接着读")
        found.append(BackfillRow(each, row.run if row else None, progress, says))
    return found
