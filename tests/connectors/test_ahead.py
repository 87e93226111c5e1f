"""Reading ahead: the same items in the same order, a few had before they are wanted, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from connectors.ahead import read_ahead


def readers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "read ahead"]


def test_the_same_items_come_in_the_same_order():
    assert list(read_ahead(iter(range(100)), ahead=3)) == list(range(100))
    assert list(read_ahead(iter([None, 0, ""]))) == [None, 0, ""]
    assert list(read_ahead(iter(()))) == []


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_so_many_are_had_before_they_are_asked_for_and_no_more(ahead):
    had = threading.Semaphore(0)
    count = 0

    def items() -> Iterator[int]:
        nonlocal count
        for number in range(20):
            count += 1
            had.release()
            yield number

    with closing(read_ahead(items(), ahead)) as given:
        assert next(given) == 0
        for _ in range(1 + ahead):
            assert had.acquire(timeout=30)
        assert not had.acquire(timeout=0.05)
        assert count == 1 + ahead


def test_what_fails_is_told_behind_all_that_came_before_it():
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    given = read_ahead(items(), ahead=9)
    assert [next(given), next(given)] == [1, 2]
    with pytest.raises(LookupError, match="third"):
        next(given)
    assert not readers()


def test_who_leaves_early_leaves_nothing_open_and_nothing_running():
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    with closing(read_ahead(items())) as given:
        next(given)
    assert closed.is_set()
    assert not readers()
