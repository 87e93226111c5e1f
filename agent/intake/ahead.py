"""Three at once: while PostgreSQL writes a page, another is made ready, and the site is asked for the next.

A site takes longer to answer than we to read (a real Moodle by the companion plugin: 85 µs a row, we 30), so a pull
lasts as long as the slowest of the three, and not as long as their sum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from threading import Condition, Event, Thread
from typing import Generic, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")
_ROWS = 2_500  # that wait at each of the two places, in one page or in many: below that another page may come
_WAKE = 0.2  # seconds after which who waits looks whether all is over
_PATIENCE = 5.0
"""Seconds to wait for the threads when the landing has failed: none shall read on from a connector that is closed."""


def read_ahead(
    pages: Iterator[_T],
    work: Callable[[Iterator[_T]], Iterator[_U]],
    *,
    of_page: Callable[[_T], int],
    of_work: Callable[[_U], int],
) -> Generator[_U]:
    """What ``work`` makes of ``pages``, in their order; one thread reads, another works, the caller has what is made.

    What either raises is raised in its place, behind all that came before.

    :param of_page: the rows of a page
    :param of_work: the rows of what is made
    """
    stop = Event()
    read = _Belt(pages, of_page, stop)
    made = _Belt(work(iter(read)), of_work, stop)
    try:
        yield from made
    finally:
        stop.set()
        made.thread.join(_PATIENCE)
        read.thread.join(_PATIENCE)


class _Belt(Generic[_T]):
    """The same items, taken by a thread of its own, which goes on while not too many rows wait."""

    def __init__(self, items: Iterator[_T], rows: Callable[[_T], int], stop: Event) -> None:
        self._items, self._rows, self._stop = items, rows, stop
        self._ready: deque[_T] = deque()
        self._changed = Condition()
        self._waiting = 0
        self._ended = False
        self._failed: BaseException | None = None
        # a daemon keeps nobody from leaving: a site may be silent for minutes
        self.thread = Thread(target=self._run, name="read ahead", daemon=True)
        self.thread.start()

    def __iter__(self) -> Iterator[_T]:
        while True:
            with self._changed:
                self._until(lambda: bool(self._ready) or self._ended)
                if self._stop.is_set() or not self._ready:
                    break
                item = self._ready.popleft()
                self._waiting -= self._rows(item)
                self._changed.notify()
            yield item
        if self._failed:
            raise self._failed

    def _run(self) -> None:
        try:
            if not all(map(self._give, self._items)) and hasattr(self._items, "close"):
                self._items.close()  # here and now, while the connector is open
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the item
            self._failed = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _give(self, item: _T) -> bool:
        with self._changed:
            self._until(lambda: self._waiting < _ROWS)
            if self._stop.is_set():
                return False
            self._ready.append(item)
            self._waiting += self._rows(item)
            self._changed.notify()
        return True

    def _until(self, so: Callable[[], bool]) -> None:
        while not so() and not self._stop.is_set():
            self._changed.wait(_WAKE)
