"""A worker of the queue, in a thread of its own with its own event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
import psycopg_pool
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as Procrastinate

from agent import boot
from agent.errors import XueshiError
from agent.work.clock import STALLED
from agent.work.tasks import STOPPING

_log = logging.getLogger(__name__)
_GRACE = 30.0
"""Seconds that a page may still take when the worker is told to end."""
_PAUSE = 5.0
_LOOK_EVERY = 2.0  # seconds; what is put in is heard of at once, what is put back only by looking


class Worker:
    """Takes jobs between `start` and `stop`. A database that goes away is waited for."""

    def __init__(self, concurrency: int = 2) -> None:
        self._concurrency = concurrency
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._stopping = threading.Event()
        self._engine: _Engine | None = None

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, end what runs after its page, and hand its job back."""
        self._stopping.set()
        end = monotonic() + _GRACE + 10
        while self._thread.is_alive() and monotonic() < end:
            if self._engine:  # told again and again: what it hears before its first step, it forgets with that step
                self._engine.stop()  # type: ignore[no-untyped-call]
            self._thread.join(0.1)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._work())
            except Exception as error:  # noqa: BLE001 - whatever it was: jobs wait, and the next try may go well
                _log.warning("The worker lost its database (%s) and tries again.", type(error).__name__)
            if not self._stopping.wait(_PAUSE):
                _revive()

    async def _work(self) -> None:
        # an application of its own with the same tasks: what they defer, and what the pages of this process defer, has
        # to go through Django's connection, into the transaction that is open there
        working = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
        options = working.worker_defaults | {
            "name": f"{socket.gethostname()}-{os.getpid()}", "concurrency": self._concurrency,
            "additional_context": {STOPPING: self._stopping}, "install_signal_handlers": False,
            "shutdown_graceful_timeout": _GRACE, "update_heartbeat_interval": STALLED / 6,
            "stalled_worker_timeout": STALLED, "fetch_job_polling_interval": _LOOK_EVERY,
            "task_middleware": [_on_its_own_session],
        }  # fmt: skip
        async with working.open_async():
            self._engine = _Engine(working, **options)
            await self._engine.run()  # type: ignore[no-untyped-call]


class _Engine(Procrastinate):
    """Procrastinate's worker, that does not forget to say how a job ended because the database was away just then:
    nobody would take that job over, for its worker lives.
    """

    async def _persist_job_status(self, *args: Any, **how: Any) -> None:
        while True:
            try:
                await super()._persist_job_status(*args, **how)
            except ConnectorException as error:
                if not isinstance(error.__cause__, _AWAY) or self._stop_event.is_set():
                    raise  # whoever ends with it is seen to be gone, and what it held is taken over
                await asyncio.to_thread(_revive)
                await asyncio.sleep(1)
            else:
                return


_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout)


def _on_its_own_session(go_on: Callable[[], Any], *_: object) -> Any:
    """Threads live long, and would keep a session that the database has ended."""
    try:
        return go_on()
    finally:
        connection.close()


def _revive() -> None:
    with suppress(XueshiError):  # tried again, and said by whoever needs it
        boot.revive()
