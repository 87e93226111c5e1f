"""Locks between processes: flock on a file, which the kernel releases however a process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]
"""Takes a sentence for a person who waits."""

_PATIENCE = 3.0
"""Seconds of waiting that need no explanation."""


def open_lock(path: Path, owner: tuple[int, int] | None = None) -> int:
    """Open the lock file (made when missing, given to ``owner``); gives a descriptor that no child program inherits."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if owner is not None:
        os.fchown(descriptor, *owner)
    return descriptor


def acquire(descriptor: int, operation: int, say: Say, why: str) -> None:
    """Wait for the lock; ``why`` is said when it takes long. Polls, so that Ctrl-C and the saying work meanwhile."""
    start = time.monotonic()
    spoken = start + _PATIENCE
    while not try_acquire(descriptor, operation):
        if time.monotonic() >= spoken:
            say(f"{why} ({time.monotonic() - start:.0f} s)")
            spoken += 10
        time.sleep(0.03)


def try_acquire(descriptor: int, operation: int) -> bool:
    """Take the lock if nobody is in the way. A shared lock held before is lost when the exclusive one is refused."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path, owner: tuple[int, int] | None, say: Say, why: str) -> Iterator[None]:
    """Hold the lock file ``path`` alone."""
    descriptor = open_lock(path, owner)
    try:
        acquire(descriptor, fcntl.LOCK_EX, say, why)
        yield
    finally:
        os.close(descriptor)
