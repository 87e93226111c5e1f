"""Reads one page ahead: while PostgreSQL writes a page, the next one is asked for and read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")


def read_ahead(pages: Iterator[_T]) -> Iterator[_T]:
    """The same pages in the same order; what reading one of them raises is raised in its place."""
    coming = _next(pages)
    while (page := coming.result()) is not None:
        coming = _next(pages)
        yield page


def _next(pages: Iterator[_T]) -> Future[_T | None]:
    coming: Future[_T | None] = Future()

    def take() -> None:
        try:
            coming.set_result(next(pages, None))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the page
            coming.set_exception(error)

    # a daemon keeps nobody from leaving: a site may be silent for minutes
    Thread(target=take, name="read ahead", daemon=True).start()
    return coming
