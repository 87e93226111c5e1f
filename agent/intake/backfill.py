"""Reads a range of time again, from its beginning, and goes on where it was stopped: a year before the source was
connected, or one in which something was wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import F

from agent.intake.errors import BackfillOpen, RangeInvalid, SpansUnknown
from agent.intake.models import Backfill, Source
from agent.intake.pages import Landed, Ready
from agent.intake.sync import Mode, Progress, Pull, running
from agent.localtime import SHANGHAI, now
from connectors.base import Connector
from connectors.records import Span


def begin(source: Source, since: date, until: date) -> Backfill:
    """The backfill of the local days from ``since`` up to before ``until``; the one that was stopped, if the same.

    :raises RangeInvalid: it is empty
    :raises BackfillOpen: another range of this source is not done yet
    """
    if until <= since:
        raise RangeInvalid(since=since, until=until, reason="it has no day")
    start, end = (datetime.combine(day, time(), SHANGHAI) for day in (since, until))
    waiting = pending(source)
    if waiting is None:
        return Backfill.objects.create(source=source, since=start, until=end, reached=start)
    if (waiting.since, waiting.until) != (start, end):
        raise BackfillOpen(name=source.name, range=str(waiting))
    return waiting


def pending(source: Source) -> Backfill | None:
    """The backfill of ``source`` that is not done yet."""
    return Backfill.objects.filter(source=source, finished_at=None).first()


def look(
    source: Source,
    span: Span,
    progress: Progress | None = None,
    *,
    because: str = "hand",
    follow_up: Callable[[], None] | None = None,
) -> Landed:
    """Read ``span`` once, because somebody waits for it, and keep no place; of a source that can't read a range,
    what is new.

    :raises SourceBusy: another process syncs this source.
    :raises SourceResting: it failed too often, and nobody asked by hand.
    :raises SyncFailed: the source failed; what has landed stays.
    """
    with running(source, "backfill", because, span) as run:
        pull = Pull(source, run, progress, follow_up)

        def read(reader: Connector) -> None:
            reader.look()
            if reader.capabilities.spans:
                pull.take(reader.completions(span))
                pull.settle(whole=False)
            else:
                pull.read(reader, Mode.RECENT)

        return pull.go(read)


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a backfill is: rows landed, the share of its span that is read (0 to 1), rows a second since it began,
    and the seconds that are left at that pace (None: nobody knows yet).
    """

    rows: int
    share: float
    rows_a_second: float
    seconds_left: float | None


def progress(backfill: Backfill) -> Progressed:
    """How far ``backfill`` is now."""
    whole = (backfill.until - backfill.since).total_seconds()
    share = (backfill.reached - backfill.since).total_seconds() / whole
    took = max(((backfill.finished_at or now()) - backfill.created_at).total_seconds(), 0.001)
    left = took * (1 - share) / share if share else None
    return Progressed(backfill.rows, share, backfill.rows / took, left)


def go_on(
    backfill: Backfill,
    progress: Progress | None = None,
    *,
    because: str = "hand",
    follow_up: Callable[[], None] | None = None,
) -> Landed:
    """Read what is left of it.

    :param follow_up: called inside the transaction of each page that changed something

    :raises SpansUnknown: the source can't read a range
    :raises SourceBusy: another process syncs this source.
    :raises SyncFailed: the source failed; what has landed stays, and the next time goes on there.
    """
    source = backfill.source
    span = Span(backfill.reached, backfill.until)

    def move(ready: Ready) -> None:
        """Inside the page's transaction."""
        through = ready.page.through
        place = {"reached": min(through, backfill.until)} if through else {}
        Backfill.objects.filter(pk=backfill.pk).update(rows=F("rows") + len(ready.keys), **place)

    with running(source, "backfill", because, span) as run:
        pull = Pull(source, run, progress, follow_up)

        def read(reader: Connector) -> None:
            reader.look()
            if not reader.capabilities.spans:
                raise SpansUnknown(kind=source.kind, name=source.name)
            pull.take(reader.completions(span), move)
            pull.settle(whole=False)

        landed = pull.go(read)
        Backfill.objects.filter(pk=backfill.pk).update(reached=backfill.until, finished_at=now())
    return landed
