"""Reads ahead: while PostgreSQL writes a page, the next ones are asked for and read."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

_T = TypeVar("_T")
_PAGES = 1  # that wait; another is in the reader's hands, another in the lander's
_PATIENCE = 5.0
"""Seconds to wait for the reader when the landing has failed, so that it reads on no connector that is closed."""


def read_ahead(pages: Iterator[_T]) -> Iterator[_T]:
    """The same pages in the same order; what reading one of them raises is raised in its place."""
    ready: Queue[_T | None] = Queue(_PAGES)
    failed: list[BaseException] = []
    stop = Event()

    def give(page: _T | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(page, timeout=0.2)
            except Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            if not all(map(give, pages)):
                return
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the page
            failed.append(error)
        give(None)

    # a daemon keeps nobody from leaving: a site may be silent for minutes
    reader = Thread(target=read, name="read ahead", daemon=True)
    reader.start()
    try:
        while (page := ready.get()) is not None:
            yield page
        if failed:
            raise failed[0]
    finally:
        stop.set()
        reader.join(_PATIENCE)
