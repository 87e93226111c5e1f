"""Reads ahead: while what came is worked on, a thread of its own has the next one come.

A site takes longer to answer than we to read its answer, and a database to write than we to prepare: a pull lasts as
long as the slowest of them, and not as long as their sum.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar

_T = TypeVar("_T")
_PATIENCE = 5.0
"""Seconds to wait for the thread when the caller has given up, so that it asks no site whose connector is closed."""


def read_ahead(items: Iterator[_T], ahead: int = 1) -> Generator[_T, None, None]:
    """The same items in the same order; what getting one of them raises is raised in its place.

    Close it when it is left before its end, as ``with closing(…)`` does: no later than what ``items`` reads from.

    :param ahead: so many are had before they are asked for
    """
    ready: SimpleQueue[tuple[_T] | None] = SimpleQueue()
    room = Semaphore(ahead)
    failed: list[BaseException] = []
    stop = Event()

    def read() -> None:
        try:
            while room.acquire() and not stop.is_set():
                ready.put((next(items),))
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the item
            failed.append(error)
        if stop.is_set() and isinstance(items, Generator):
            items.close()
        ready.put(None)

    # a daemon keeps nobody from leaving: a site may be silent for minutes
    reader = Thread(target=read, name="read ahead", daemon=True)
    reader.start()
    try:
        while one := ready.get():
            room.release()
            yield one[0]
            del one  # nothing keeps it while the next is waited for
        if failed:
            raise failed[0]
    finally:
        stop.set()
        room.release()
        reader.join(_PATIENCE)
