"""The clock: asks for pulls when they are due, and does nothing else. Two clocks ask for nothing twice.

Its plan lives in memory and is made from the sources' table, which it looks at again and again: a changed schedule
needs no restart, and what fell due while no clock ran is asked for when one comes.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from django.db import connection

from agent.intake.models import Source, SourceState, SyncRun
from agent.intake.sync import Mode
from agent.localtime import now
from agent.work import queue
from agent.work.errors import ScheduleInvalid, ZoneUnknown
from agent.work.lasting import AWAY, persistently
from agent.work.schedule import period, trigger, zone_of

_log = logging.getLogger(__name__)
_LOOK_EVERY = float(os.environ.get("XUESHI_CLOCK_SECONDS") or 20)
STALLED = float(os.environ.get("XUESHI_STALLED_SECONDS") or 60)
_HOUSE = ZoneInfo("Asia/Shanghai")
_FORGIVEN = 3600  # seconds that a due time may be late, after a pause of the machine


@dataclass(frozen=True, slots=True)
class Due:
    """When one kind of pull of one source falls due."""

    source: int
    mode: str
    at: str
    zone: str
    jitter: int

    @property
    def name(self) -> str:
        """What the plan knows it by."""
        return f"{self.mode}:{self.source}"


class Clock:
    """A plan that runs in a thread of its own between `start` and `stop`."""

    def __init__(self) -> None:
        usual = {"coalesce": True, "max_instances": 1, "misfire_grace_time": _FORGIVEN}
        self._scheduler = BackgroundScheduler(
            timezone=_HOUSE, job_defaults=usual, executors={"default": ThreadPoolExecutor(2)}
        )
        self._planned: dict[str, Due] = {}
        self._stopping = Event()

    def start(self) -> None:
        """Begin to ask."""
        add = self._scheduler.add_job
        add(self._lasting(self.look), "interval", seconds=_LOOK_EVERY, next_run_time=datetime.now(_HOUSE), id="look")
        add(self._asking("rescue", seconds=STALLED), "interval", seconds=STALLED / 2, id="rescue")
        add(self._asking("tidy"), "cron", hour=4, minute=10, id="tidy")
        # at once, too: a house that slept over midnight is not a day late
        add(self._asking("classes"), "cron", hour=0, minute=5, next_run_time=datetime.now(_HOUSE), id="classes")
        add(self._asking("reminders"), "cron", hour=8, minute=30, id="reminders")
        add(self._asking("reconcile"), "cron", hour=5, minute=0, id="reconcile")
        add(self._asking("tree_head"), "cron", minute=0, id="tree_head")
        # at once, too: until they were counted, whoever looks counts
        add(self._asking("figures"), "cron", minute=20, next_run_time=datetime.now(_HOUSE), id="figures")
        self._scheduler.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)

    def look(self) -> None:
        """Make the plan equal to the sources' table."""
        wanted = {due.name: due for due in planned()}
        for name in self._planned.keys() - wanted.keys():
            self._scheduler.remove_job(name)
            del self._planned[name]
        for name, due in wanted.items():
            if self._planned.get(name) == due:
                continue
            try:
                when = trigger(due.at, zone_of(due.zone), due.jitter)
            except (ScheduleInvalid, ZoneUnknown) as error:  # the others' plan must not suffer
                _log.error("source %s is not asked: %s", due.source, error)
                continue
            soon = {"next_run_time": datetime.now(_HOUSE) + by_chance(due.jitter)} if overdue(due) else {}
            self._scheduler.add_job(self._lasting(partial(ask, due)), when, id=name, replace_existing=True, **soon)
            self._planned[name] = due

    def _asking(self, task: str, **arguments: Any) -> Callable[[], None]:
        return self._lasting(partial(queue.defer, task, waiting=task, **arguments))

    def _lasting(self, ask: Callable[[], object]) -> Callable[[], None]:
        """What was due while the database was away is asked for when it is back, and not forgotten."""

        def put() -> None:
            with suppress(*AWAY):  # told to stop, and it is still away
                persistently(ask, self._stopping)
            connection.close()

        return put

    def next_due(self) -> dict[str, datetime]:
        """When each planned pull falls due next."""
        jobs = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        return {name: jobs[name] for name in self._planned if jobs.get(name)}


def planned() -> list[Due]:
    """What the sources' table asks for."""
    return [
        Due(source.pk, mode, at, source.time_zone, source.jitter)
        for source in Source.objects.filter(scheduled=True).order_by("pk")
        for mode, at in ((Mode.RECENT, source.recent_at), (Mode.FULL, source.full_at))
        if at
    ]


def overdue(due: Due) -> bool:
    """Whether no such pull, nor a whole one, began within the period that lies between two due times."""
    since = now() - period(due.at, zone_of(due.zone), now())
    return not SyncRun.objects.filter(source=due.source, mode__in={due.mode, Mode.FULL}, started_at__gt=since).exists()


def by_chance(seconds: int) -> timedelta:
    """Up to so many seconds."""
    return timedelta(seconds=random.uniform(0, seconds))  # noqa: S311 - a spread, no secret


def ask(due: Due) -> None:
    """Put the pull into the queue, unless the source is left alone for a while. Another clock may have done it."""
    resting = SourceState.objects.filter(source=due.source, open_until__gt=now()).exists()
    source = Source.objects.filter(pk=due.source, scheduled=True).first()
    if source and not resting:
        every = period(due.at, zone_of(due.zone), now())
        queue.defer_pull(source, due.mode, "clock", unless_within=int(every.total_seconds() / 2))
