"""Asking a source again, and whether it has answered: by the first run after the question that looked at those days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agent.asking.models import Ask
from agent.intake.models import Source, SyncRun
from agent.learners.models import Learner
from agent.localtime import SHANGHAI, now

AROUND = timedelta(days=1)
"""Days before and after that are looked at, too: people remember the day on which they learned, or the next."""
FRESH = timedelta(seconds=60)
"""A run that began so shortly before the question answers it."""
_SHOWN = 5
_LONGEST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and the run that answered it; None: none has yet."""

    ask: Ask
    run: SyncRun | None

    @property
    def waits(self) -> bool:
        """Whether an answer may still come by itself."""
        return self.run is None or self.run.state == SyncRun.State.RUNNING


def ask(learner: Learner, source: Source, course: str, day: date | None) -> Ask:
    """Write a question down. The caller has braked it, and puts the pull into the queue."""
    return Ask.objects.create(learner=learner, source=source, course=course[:200], day=day, asked_at=now())


def window(day: date) -> tuple[datetime, datetime]:
    """The moments between which a source is looked at for ``day``."""
    return (
        datetime.combine(day - AROUND, time(), SHANGHAI),
        datetime.combine(day + AROUND + timedelta(1), time(), SHANGHAI),
    )


def newest(learner: Learner) -> list[Answered]:
    """The questions of ``learner`` of these days, the newest first, each with its answer: two queries."""
    recent = Ask.objects.filter(learner=learner, asked_at__gt=now() - _LONGEST)
    asks = list(recent.select_related("source").order_by("-asked_at")[:_SHOWN])
    if not asks:
        return []
    since = min(each.asked_at for each in asks) - FRESH
    runs = list(
        SyncRun.objects.filter(source__in={each.source_id for each in asks}, started_at__gte=since)
        .defer("error").order_by("started_at")
    )  # fmt: skip
    return [Answered(each, _best([run for run in runs if _answers(run, each)])) for each in asks]


def _best(runs: list[SyncRun]) -> SyncRun | None:
    """The first that was done, else the one that goes on, else the last that failed: the worker tries again."""
    done = [run for run in runs if run.state == SyncRun.State.DONE][:1]
    return next(iter([*done, *(run for run in runs if run.state == SyncRun.State.RUNNING), *runs[-1:]]), None)


def _answers(run: SyncRun, question: Ask) -> bool:
    if run.source_id != question.source_id or run.started_at < question.asked_at - FRESH:
        return False
    if question.day is None or run.mode == SyncRun.Mode.FULL:
        return run.mode in {SyncRun.Mode.FULL, SyncRun.Mode.RECENT} or question.day is None
    since, until = window(question.day)
    if run.since is None or run.until is None:  # it follows the source's log of changes, whatever their day
        return run.mode == SyncRun.Mode.RECENT
    return run.since <= since and min(until, run.started_at) <= run.until
