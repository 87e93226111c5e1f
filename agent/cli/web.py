"""The pages, in as many processes as wanted. One Python process answers on one processor core at a time.

The parent listens, and hands the listening sockets to its children: whoever is free takes the next connection. A child
ends when its standard input does, so none is left behind even where the parent was killed.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from agent.boot import start

_LARGEST_BODY = 56_000_000  # what is larger than a page takes is told so by the page, up to here
"""Bytes of a request: what is larger is refused before it fills the disk."""
_THREADS = 8
_PAUSE = 1.0
"""Seconds until a child that died is replaced: one that can't live is not started a thousand times a minute."""
_log = logging.getLogger(__name__)


def cores() -> int:
    """Processes that use this machine well."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


def answer(sockets: Sequence[socket.socket]) -> None:
    """Serve WSGI on ``sockets`` in this process; returns when told to stop."""
    from django.conf import settings  # noqa: PLC0415 - needs Django
    from django.db import connections  # noqa: PLC0415
    from waitress import create_server  # noqa: PLC0415

    from agent.wsgi import application  # noqa: PLC0415

    # a connection for each request would take longer than the page; a thread keeps its own, and looks whether it lives
    connections["default"].settings_dict.update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
    # a queue that is longer than the threads are many is a busy second and no incident: the log would be all there is
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        application, sockets=list(sockets), threads=_THREADS, ident=None, max_request_body_size=_LARGEST_BODY,
        # headers of proxies are forged by anyone, unless one stands in front and is said to
        clear_untrusted_proxy_headers=not settings.CLIENT_HEADER,
    )  # fmt: skip
    # What is here now stays: looking through all of it again would stop every page for a tenth of a second.
    gc.collect()
    gc.freeze()
    try:
        server.run()
    finally:
        server.close()


@contextmanager
def children(sockets: Sequence[socket.socket], count: int) -> Iterator[None]:
    """``count`` processes that serve ``sockets`` while this is open; one that dies is replaced."""
    ending = threading.Event()
    keepers = [threading.Thread(target=_keep, args=(sockets, ending), daemon=True) for _ in range(count)]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        ending.set()
        for keeper in keepers:
            keeper.join()


def _keep(sockets: Sequence[socket.socket], ending: threading.Event) -> None:
    descriptors = [one.fileno() for one in sockets]
    while not ending.is_set():
        command = [sys.executable, "-m", __name__, *map(str, descriptors)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=descriptors) as child:  # noqa: S603 - ourselves
            while child.poll() is None and not ending.wait(0.2):
                pass
            if not ending.is_set():
                _log.warning("a process that answers pages ended with %s, and is replaced", child.returncode)
        # leaving the block closed its standard input, which asks it to end, and waited for it
        ending.wait(_PAUSE)


def main(descriptors: Sequence[str]) -> None:
    """Be a child: serve the sockets that were inherited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to all; the parent says when
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_watch_parent, daemon=True).start()
    start()
    answer([socket.socket(fileno=int(one)) for one in descriptors])


def _watch_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # not through a buffer: its lock, held at the end, would be a fatal error
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
