"""Putting work into the queue, in the transaction of whoever asks, and looking at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from agent.intake.models import Source
from agent.localtime import now

ASKED, USUAL, AGAIN, IDLE = 10, 0, -10, -20
"""Priorities: somebody waits for it; the clock's; after a failure; what has time (backfills)."""


def defer(
    task: str,
    *,
    waiting: str,
    lock: str = "",
    priority: int = USUAL,
    after: timedelta | None = None,
    **arguments: Any,
) -> bool:
    """Put a job into the queue with the transaction that is open; whether it is new.

    :param waiting: of the jobs that bear this name only one waits; another is not needed then
    :param lock: of the jobs that bear this name only one runs at a time
    :param after: not before so long from now
    """
    due = now() + after if after else None
    job = app.configure_task(task, queueing_lock=waiting, lock=lock or waiting, priority=priority, schedule_at=due)
    try:
        with transaction.atomic():  # a savepoint: the refusal must not spoil the caller's transaction
            job.defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True


def defer_pull(source: Source, mode: str, because: str, *, priority: int = USUAL, unless_within: int = 0) -> bool:
    """Ask for a pull; whether none waited.

    :param unless_within: seconds; a pull of the kind that began so shortly before it is taken makes it needless
    """
    return defer(
        "pull", waiting=f"{mode}:{source.pk}", lock=f"source:{source.pk}", priority=priority,
        source=source.pk, mode=mode, because=because, unless_within=unless_within,
    )  # fmt: skip


def defer_look(source: Source, since: datetime, until: datetime) -> bool:
    """Ask for a span of a source to be read once: somebody waits for it; who asks for the same waits with them."""
    return defer(
        "look", waiting=f"look:{source.pk}:{since:%Y%m%d}", lock=f"source:{source.pk}", priority=ASKED,
        source=source.pk, since=since.isoformat(), until=until.isoformat(),
    )  # fmt: skip


def defer_backfill(source: Source) -> bool:
    """Ask for a backfill to be gone on with, when nothing else is to be done."""
    return defer(
        "backfill", waiting=f"backfill:{source.pk}", lock=f"source:{source.pk}", priority=IDLE, source=source.pk
    )


def defer_stages() -> bool:
    """Ask for the stages after a pull."""
    return defer("stages", waiting="stages", priority=USUAL)


def defer_archive(archive: int) -> bool:
    """Ask for the missing pages of an archive; somebody waits for them."""
    return defer("archive", waiting=f"archive:{archive}", archive=archive)


def defer_notices() -> bool:
    """Ask for learners to be told what they were not told yet."""
    return defer("notices", waiting="notices", priority=IDLE)


def defer_figures(after: timedelta | None = None) -> bool:
    """Ask for the figures of the desks to be counted anew, when there is time."""
    return defer("figures", waiting="figures", priority=IDLE, after=after)


_DEPTH = """
SELECT task_name, count(*) FILTER (WHERE status = 'todo' AND COALESCE(scheduled_at, now()) <= now()) AS waiting,
       count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()) AS later,
       count(*) FILTER (WHERE status = 'doing') AS running,
       count(*) FILTER (WHERE status = 'failed') AS failed
FROM procrastinate_jobs GROUP BY 1 ORDER BY 1
"""
_OLDEST = """
SELECT COALESCE(extract(epoch FROM now() - min(e.at)), 0)::int FROM procrastinate_jobs j
JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
WHERE j.status = 'todo' AND COALESCE(j.scheduled_at, now()) <= now()
"""
_WORKERS = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds'"


def depth() -> dict[str, Any]:
    """The queue now: jobs ``waiting``, to come ``later``, ``running`` and ``failed`` for each task; how long the oldest
    has waited, in seconds; how many workers gave a sign of life within the minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DEPTH)
        tasks = [
            dict(zip(("task", "waiting", "later", "running", "failed"), row, strict=True)) for row in cursor.fetchall()
        ]
        cursor.execute(_OLDEST)
        (oldest,) = cursor.fetchone()
        cursor.execute(_WORKERS)
        (workers,) = cursor.fetchone()
    return {"tasks": tasks, "oldest_seconds": oldest, "workers": workers}
