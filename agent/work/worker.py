"""A worker of the queue, in a thread of its own with its own event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from typing import Any

from procrastinate.contrib.django import app

from agent.work.clock import STALLED
from agent.work.tasks import STOPPING

_log = logging.getLogger(__name__)
_GRACE = 30.0
"""Seconds that a page may still take when the worker is told to end."""
_PAUSE = 5.0


class Worker:
    """Takes jobs between `start` and `stop`. A database that goes away is waited for."""

    def __init__(self, concurrency: int = 2) -> None:
        self._concurrency = concurrency
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, end what runs after its page, and hand its job back."""
        self._stopping.set()
        if self._loop and self._task and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(_GRACE + 10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._work())
            except asyncio.CancelledError:
                return
            except Exception as error:  # noqa: BLE001 - whatever it was: jobs wait, and the next try may go well
                _log.warning("The worker lost its database (%s) and tries again.", type(error).__name__)
            self._stopping.wait(_PAUSE)

    async def _work(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        # an application of its own with the same tasks: what they defer, and what the pages of this process defer, has
        # to go through Django's connection, into the transaction that is open there
        working = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
        async with working.open_async():
            await working.run_worker_async(
                name=f"{socket.gethostname()}-{os.getpid()}", concurrency=self._concurrency,
                additional_context={STOPPING: self._stopping}, install_signal_handlers=False,
                shutdown_graceful_timeout=_GRACE, update_heartbeat_interval=STALLED / 6,
                stalled_worker_timeout=STALLED,
            )  # fmt: skip
