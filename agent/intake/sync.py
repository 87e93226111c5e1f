"""A pull of one source: everything, compared with what is known (*full*), what is new since the last one (*recent*), or
a range of time (*backfill*). Each page is landed whole or not at all, together with the place that is reached with it.

Vocabulary: *reached* is the moment before which everything has landed; a recent pull begins an *overlap* earlier, for
completions are entered late, and ends at its own start, so that a date in the future never moves it.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, zip_longest
from threading import Lock

from django.db import connection

from agent.intake import circuit
from agent.intake.compare import Parts, comparable, compared, note_gone, settle_missing
from agent.intake.errors import (
    DoubtfulPull,
    Interrupted,
    NothingCame,
    NotReplayable,
    SourceBusy,
    SpansUnknown,
    SyncFailed,
)
from agent.intake.models import Source, SourceState, SyncRun
from agent.intake.pages import Landed, Move, PageLander, Ready, together
from agent.intake.sources import connector
from agent.localtime import now
from connectors.ahead import read_ahead
from connectors.base import Connector
from connectors.errors import BudgetSpent, ConnectorError, LogCut
from connectors.records import Page, Span

Progress = Callable[[int, int | None], None]
"""Told after each page: rows so far, and rows in all when the source says so. Raises `Interrupted` to stop there."""

OVERLAP = timedelta(days=int(os.environ.get("XUESHI_OVERLAP_DAYS") or 7))
_USUAL_RUNS, _USUAL_ROWS = 3, 100


class Mode(StrEnum):
    """What a pull asks for."""

    FULL = "full"
    RECENT = "recent"


def pull(
    source: Source,
    mode: Mode = Mode.FULL,
    progress: Progress | None = None,
    *,
    because: str = "hand",
    accept_missing: bool = False,
    follow_up: Callable[[], None] | None = None,
) -> Landed:
    """Land what ``source`` shows, and after a full pull note what it shows no more.

    :param because: hand, clock or push; kept with the run. Only by hand is a source asked whose circuit is open.
    :param accept_missing: skip the guard against a site that lost its rows, this once
    :param follow_up: called inside the transaction of each page that changed something
    :raises SourceBusy: another process syncs this source.
    :raises SourceResting: it failed too often, and nobody asked by hand.
    :raises SyncFailed: the source failed, or what it showed is not to be believed; pages landed before stay.
    """
    with running(source, mode, because) as run:
        one = Pull(source, run, progress, follow_up, accept_missing=accept_missing)
        return one.go(lambda reader: one.read(reader, mode))


@contextmanager
def running(source: Source, mode: str, because: str, span: Span | None = None) -> Iterator[SyncRun]:
    """A run of a source, the only one at this time; what was left running by a process that died is written down.

    :raises SourceBusy: another process syncs this source.
    :raises SourceResting: it failed too often, and nobody asked by hand.
    """
    with _alone(source), _UNHINDERED:
        _widen()
        SyncRun.objects.filter(source=source, state=SyncRun.State.RUNNING).update(
            state=SyncRun.State.FAILED, error_code="E_INTERRUPTED", error="The process ended in mid-run."
        )
        if because != "hand":
            circuit.require_closed(source)
        given = span or Span()
        run = SyncRun.objects.create(source=source, mode=mode, because=because, since=given.since, until=given.until)
        # by the one clock that all machines share: a machine whose own is wrong must not move the place that is reached
        run.started_at = _database_now()
        run.save(update_fields=["started_at"])
        yield run


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
        return at


@contextmanager
def _alone(source: Source) -> Iterator[None]:
    """One run a source at a time, whoever starts it; the lock goes with the connection, so a kill frees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('xueshi sync'), %s)", [source.pk])
        if not cursor.fetchone()[0]:
            raise SourceBusy(name=source.name)
        try:
            source.refresh_from_db(fields=["name"])  # it may have been called otherwise a moment ago
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext('xueshi sync'), %s)", [source.pk])


class _Unhindered:
    """Rows come by the thousand and hold no cycles: looking for some among them took a fifth of the time. And the
    thread that speaks with the database waits a millisecond for its turn beside the one that reads, and not five.

    Both are the process's: of the runs that overlap in it the first sets them, and the last sets them back.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs = 0

    def __enter__(self) -> None:
        with self._lock:
            self._runs += 1
            if self._runs == 1:
                self._usual = gc.get_threshold(), sys.getswitchinterval()
                gc.set_threshold(_COLLECT_AFTER, *self._usual[0][1:])
                sys.setswitchinterval(_TURN)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1
            if not self._runs:
                gc.set_threshold(*self._usual[0])
                sys.setswitchinterval(self._usual[1])


def _widen() -> None:
    """Let a page's rows leave in one piece. By the kernel's usual 200 kB PostgreSQL waited twenty times a page until
    the thread that sends had its turn beside the one that reads (a third of a page's time, measured). The kernel gives
    as much as it allows; a connection by TCP finds its own measure.
    """
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as rows:
        if rows.family == socket.AF_UNIX:
            rows.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)


_TURN = 0.001  # seconds
_UNHINDERED = _Unhindered()
_ROOM = 4 << 20  # bytes: a page of the usual size has half of it
_COLLECT_AFTER = 1_000_000  # objects more than were let go of: a few pages come nowhere near, a leak would


class Pull:
    """One pull, from the first page to the last word in the run's row."""

    def __init__(
        self,
        source: Source,
        run: SyncRun,
        progress: Progress | None,
        follow_up: Callable[[], None] | None = None,
        *,
        accept_missing: bool = False,
    ) -> None:
        self.source, self.run = source, run
        self._progress, self._accept = progress, accept_missing
        self.state = circuit.state_of(source)
        self.lander = PageLander(source, run, follow_up)
        self.gone: dict[str, int | None] = {}

    def go(self, read: Callable[[Connector], None]) -> Landed:
        """``read`` from the source's connector, and write down how it went.

        :raises SyncFailed: the source failed, or what it showed is not to be believed; pages landed before stay.
        """
        result = self.lander.result
        try:
            with connector(self.source) as reader:
                try:
                    read(reader)
                finally:
                    result.calls = reader.calls
        except (SpansUnknown, NotReplayable, Interrupted) as error:
            self._write_down(SyncRun.State.FAILED, error.code, error.message)
            raise
        except (ConnectorError, DoubtfulPull) as error:
            if not isinstance(error, BudgetSpent):  # that is our own doing, and no fault of the source
                circuit.note_failure(self.source, error.code, error.action)
            self._write_down(SyncRun.State.FAILED, error.code, error.message)
            raise SyncFailed(error, name=self.source.name, landed=result.landed) from error
        if result.calls:  # a replay asks nobody, so it tells nothing of the source
            circuit.close(self.source)
        self._write_down(SyncRun.State.DONE)
        return result

    def read(self, reader: Connector, mode: Mode) -> None:
        """What ``mode`` asks for, as well as the source can."""
        reader.look()
        can = reader.capabilities
        if mode == Mode.RECENT and can.changes and self.state.sequence is not None:
            try:
                self._changes(reader)
            except LogCut:
                self._full(reader)
        elif mode == Mode.RECENT and can.spans and self.state.reached is not None:
            self._recent(reader)
        else:
            self._full(reader)

    def take(self, pages: Iterator[Page], move: Move | None = None) -> None:
        """Land the pages; ``move`` notes the place that is reached with each, in its transaction."""
        # closed before the connector is, so that no thread reads on from it
        with closing(read_ahead(together(map(self.lander.ready, pages)), ahead=1)) as made:
            for ready in made:
                if self.run.counted is None:
                    self.run.counted = next((one.page.total for one in ready if one.page.total is not None), None)
                self._land(ready, move)
                if self._progress:
                    self._progress(self.lander.result.landed, self.run.counted)

    def _land(self, pages: list[Ready], move: Move | None) -> None:
        """Land pages, and in their transaction note what is gone by the last: the place that is reached moves with
        both.
        """
        page, plain = pages[-1].page, self.lander.lander.plain
        serials = zip_longest(page.gone, page.gone_serials[: len(page.gone)])
        gone = {plain(key): serial for key, serial in serials}

        def moved(ready: Ready) -> None:
            if ready.page.gone:
                note_gone(self.source, self.run, gone)
            if move:
                move(ready)

        self.lander.take(pages, moved)
        if self.gone:  # a later page shows it again
            for key in chain.from_iterable(ready.keys for ready in pages):
                self.gone.pop(key, None)
        self.gone |= gone

    # --- the three ways ----------------------------------------------------------------------------------------
    def _full(self, reader: Connector) -> None:
        can = reader.capabilities
        sequence: list[int] = []
        parts: Parts | None = None
        if can.blocks and comparable(self.source):
            parts = compared(self.source, list(reader.blocks()))
            sequence += [block.sequence for block in parts.blocks[:1] if block.sequence is not None]
            self.run.counted = sum(block.rows for block in parts.blocks)
            self.lander.result.unchanged += parts.equal
            self.take(chain.from_iterable(map(reader.block, parts.differing)))
        else:

            def note(ready: Ready) -> None:
                if ready.page.sequence is not None:
                    sequence.append(ready.page.sequence)

            self.take(reader.completions(), note)
        self.settle(whole=True, parts=parts)
        self._reach(
            reached=self.run.started_at if reader.capabilities.spans else None,
            # where the log stood before the first page: what happened meanwhile is read again, and is the same
            sequence=sequence[0] if sequence else self.state.sequence,
            compared_at=self.run.started_at,
        )

    def _recent(self, reader: Connector) -> None:
        assert self.state.reached  # noqa: S101 - `read` looked
        start = self.run.started_at
        # a clock that was ahead once, and was put right, leaves no gap
        self.run.since, self.run.until = min(self.state.reached, start) - OVERLAP, start
        self.take(reader.completions(Span(self.run.since, start)), lambda ready: self._move(ready.page.through))
        result = self.lander.result
        if not result.landed + result.rejected:
            self._doubt_nothing()
        self.settle(whole=False)
        self._reach(reached=start)

    def _changes(self, reader: Connector) -> None:
        assert self.state.sequence is not None  # noqa: S101 - `read` looked

        def move(ready: Ready) -> None:
            if ready.page.sequence is not None:
                self._reach(sequence=max(ready.page.sequence, self.state.sequence or 0))

        self.take(reader.changes(self.state.sequence), move)
        self.settle(whole=False)

    # --- what is reached ---------------------------------------------------------------------------------------
    def _move(self, through: datetime | None) -> None:
        """Inside the page's transaction. Never back, and never beyond the start of the run."""
        if through and self.state.reached and self.state.reached < through <= self.run.started_at:
            self._reach(reached=through)

    def _reach(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self.state, name, value)
        SourceState.objects.filter(pk=self.state.pk).update(**values)

    def _doubt_nothing(self) -> None:
        """No row at all, where the last pulls of this kind had hundreds each in their overlap.

        :raises NothingCame: so the place that was reached stays
        """
        last = SyncRun.objects.filter(source=self.source, mode=self.run.mode, state=SyncRun.State.DONE)
        rows = [run.new + run.changed + run.unchanged for run in last.order_by("-started_at")[:_USUAL_RUNS]]
        if len(rows) == _USUAL_RUNS and min(rows) >= _USUAL_ROWS:
            raise NothingCame(name=self.source.name, runs=_USUAL_RUNS, usual=min(rows))

    # --- the end -----------------------------------------------------------------------------------------------
    def settle(self, *, whole: bool, parts: Parts | None = None) -> None:
        """After the last page: what is missing, what is back, which rows are held."""
        if not self.lander.fresh:
            self.lander.result.missing_upstream = settle_missing(
            self.source, self.run, self.lander.seen, gone=self.gone, whole=whole, parts=parts,
            accept=self._accept,
        )  # fmt: skip
        self.lander.hold_rejected(whole=whole and parts is None)

    def _write_down(self, state: str, code: str = "", message: str = "") -> None:
        close_run(self.run, self.lander.result, state, code, message)


def close_run(run: SyncRun, result: Landed, state: str, code: str = "", message: str = "") -> None:
    """Write down how a run went."""
    SyncRun.objects.filter(pk=run.pk).update(
        state=state, finished_at=now(), since=run.since, until=run.until, counted=run.counted, new=result.new,
        changed=result.changed, unchanged=result.unchanged, rejected=result.rejected,
        missing_upstream=result.missing_upstream, calls=result.calls, error_code=code, error=message,
    )  # fmt: skip
