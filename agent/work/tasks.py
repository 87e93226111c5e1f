"""What workers do. Each task may be stopped anywhere, by a kill too, and be done again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from agent.certificates import transparency
from agent.certificates.models import Archive
from agent.db.faults import explain
from agent.errors import XueshiError
from agent.figures import stage as figures
from agent.flow import run_stages
from agent.intake import backfill as backfills
from agent.intake.errors import Interrupted, SourceResting
from agent.intake.models import Source, SyncRun
from agent.intake.sync import Mode, pull
from agent.localtime import now
from agent.mapping.courses import refresh
from agent.programmes import by_clock
from agent.reconciliation import stage as reconciliation
from agent.work import reminding, telling
from agent.work.lasting import persistently
from agent.work.queue import AGAIN, defer, defer_backfill, defer_figures, defer_notices, defer_stages
from agent.work.retry import pause
from connectors.records import Span

_log = logging.getLogger(__name__)
TURN = 60.0
"""Seconds that a backfill goes on before others of its source get a turn."""
KEPT_HOURS = 7 * 24
"""How long finished jobs are kept to be looked at."""
LEARNER = "learner"
"""Because of whom a source is looked at again."""
STOPPING = "stopping"
"""The name in a job's context of the event that says: end after this page."""


@app.task(name="pull", pass_context=True)
def pull_source(
    context: JobContext, *, source: int, mode: str, because: str, unless_within: int = 0, attempts: int = 0
) -> None:
    """Pull a source; each page that brings something asks for the stages, in its own transaction."""
    found = Source.objects.get(pk=source)
    if unless_within and not attempts and _began(found, mode, unless_within):
        return
    with _again(context, attempts), suppress(SourceResting):  # resting: the run before wrote down why
        pull(found, Mode(mode), _Progress(context, found), because=because, follow_up=_ask_for_stages)
        defer_stages()  # rows that were missing or refused may have come back without a new one
        refresh(found)  # so that nobody waits for it at the page of the courses


@app.task(name="look", pass_context=True)
def look_again(context: JobContext, *, source: int, since: str, until: str, attempts: int = 0) -> None:
    """Read a span of a source once: a learner waits for a course of it."""
    found = Source.objects.get(pk=source)
    span = Span(*map(datetime.fromisoformat, (since, until)))
    with _again(context, attempts), suppress(SourceResting):
        backfills.look(found, span, _Progress(context, found), because=LEARNER, follow_up=_ask_for_stages)
        defer_stages()


@app.task(name="backfill", pass_context=True)
def go_on_backfill(context: JobContext, *, source: int, attempts: int = 0) -> None:
    """Go on with a source's backfill for a turn; what is left is asked for again behind everything else."""
    found = Source.objects.get(pk=source)
    work = backfills.pending(found)
    if work is None:
        return
    progress = _Progress(context, found, turn=TURN)
    with _again(context, attempts), suppress(SourceResting):
        try:
            backfills.go_on(work, progress, because="backfill", follow_up=_ask_for_stages)
        except Interrupted:
            if not progress.turn_is_over:
                raise
            defer_backfill(found)


@app.task(name="stages", pass_context=True)
def stages(context: JobContext, *, attempts: int = 0) -> None:
    """Match, credit, issue: everything that waits."""
    with _again(context, attempts):
        through = run_stages()
        if not through.rested:
            defer_figures(figures.pause() or None)
        if telling.waiting():
            defer_notices()


@app.task(name="figures", pass_context=True)
def count_figures(context: JobContext, *, attempts: int = 0) -> None:
    """Count the figures of the desks."""
    with _again(context, attempts):
        figures.count()


@app.task(name="notices", pass_context=True)
def notices(context: JobContext, *, attempts: int = 0) -> None:
    """Tell learners what happened to their certificates."""
    with _again(context, attempts):
        telling.tell_all()


@app.task(name="archive", pass_context=True)
def make_archive(context: JobContext, *, archive: int, attempts: int = 0) -> None:
    """Make the pages of an archive that are missing."""
    # every process knows the tasks, and hardly any draws pages: what draws them takes 40 MB and half a second
    from agent.certificates import archive_work  # noqa: PLC0415

    found = Archive.objects.select_related("programme").get(pk=archive)
    stopping = context.additional_context.get(STOPPING)

    def stop() -> None:
        if stopping and stopping.is_set():
            raise Interrupted(name=str(found))

    with _again(context, attempts):
        archive_work.work(found, stop)


@app.task(name="reconcile", pass_context=True)
def reconcile_all(context: JobContext, *, attempts: int = 0) -> None:
    """The daily reconciliation."""
    with _again(context, attempts):
        reconciliation.run()


@app.task(name="classes", pass_context=True)
def classes(context: JobContext, *, attempts: int = 0) -> None:
    """Classes begin and end by the calendar."""
    with _again(context, attempts):
        by_clock.advance()


@app.task(name="reminders", pass_context=True)
def reminders(context: JobContext, *, attempts: int = 0) -> None:
    """The bureau hears of filings that come due."""
    with _again(context, attempts):
        reminding.remind()


@app.task(name="tree_head", pass_context=True)
def tree_head(context: JobContext, *, attempts: int = 0) -> None:
    """The hourly signed head of the transparency log."""
    with _again(context, attempts):
        transparency.publish()


@app.task(name="rescue", pass_context=True)
async def rescue(context: JobContext, *, seconds: float) -> None:
    """Hand out again what workers held that gave no sign of life for so many seconds."""
    # by the worker's own sessions, which are made anew; Django would use one of a thread that lives on with it
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=seconds):
        _log.warning("Job %s (%s) is taken over from a worker that is gone.", job.id, job.task_name)
        try:
            await jobs.retry_job(job)
        except UniqueViolation:  # another of its kind waits already
            await jobs.finish_job(job, Status.FAILED, delete_job=False)


@app.task(name="tidy", pass_context=True)
async def tidy(context: JobContext) -> None:
    """Forget finished jobs, the failed ones too, after a week."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


def _ask_for_stages() -> None:
    defer_stages()


def _began(source: Source, mode: str, seconds: int) -> bool:
    """Whether a pull of that kind, or a whole one, began so shortly before."""
    since = now() - timedelta(seconds=seconds)
    runs = SyncRun.objects.filter(source=source, started_at__gte=since, mode__in={mode, Mode.FULL})
    return runs.exclude(state=SyncRun.State.FAILED).exists()


@contextmanager
def _again(context: JobContext, attempts: int) -> Iterator[None]:
    """Ask for the job again when its error says so. What a person can read of it stands in the run already; what
    nobody foresaw goes on to the worker, which writes it down.
    """
    try:
        yield
    except Exception as error:
        after, job = pause(error, attempts), context.job
        if after is not None:
            ended = isinstance(error, Interrupted)
            again = partial(
                defer, job.task_name, waiting=str(job.queueing_lock), lock=str(job.lock), after=after,
                priority=job.priority if ended else min(job.priority, AGAIN),
                **{**job.task_kwargs, "attempts": attempts + (not ended)},
            )  # fmt: skip
            # the error may be that the database went away, and then this comes to nothing at first, too
            persistently(again, context.additional_context.get(STOPPING))
        known = error if isinstance(error, XueshiError) else explain(error)
        if known is None:
            raise
        _log.warning("%s: %s", known.code, known.message)


class _Progress:
    """Called after each page: whether to end there."""

    def __init__(self, context: JobContext, source: Source, *, turn: float | None = None) -> None:
        self._stopping = context.additional_context.get(STOPPING)
        self._source = source
        self._until = None if turn is None else monotonic() + turn

    @property
    def turn_is_over(self) -> bool:
        """Whether others get a turn now; not so when the worker was told to end."""
        return not self._told_to_end and self._until is not None and monotonic() > self._until

    @property
    def _told_to_end(self) -> bool:
        return bool(self._stopping and self._stopping.is_set())

    def __call__(self, _done: int, _total: int | None) -> None:
        if self._told_to_end or self.turn_is_over:
            raise Interrupted(name=self._source.name)
