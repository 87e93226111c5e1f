"""The pages in several processes: they share one port, one that dies is replaced, and none is left behind."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.work.processes import PATIENCE, Fleet, fleet, wait_for


def parents() -> dict[int, int]:
    """Whose child each living process is."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def below(pid: int) -> set[int]:
    """Children of a process that live."""
    return {child for child, parent in parents().items() if parent == pid}


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
def served(house):
    """Two processes of pages: the fleet, their parent's number, the port."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    with fleet(house) as ours:
        parent = ours.start("--web", "--processes", "2", "--port", str(port)).pid
        wait_for(lambda: answers(port) and len(below(parent)) == 2, "two processes of pages")
        yield ours, parent, port


def test_one_that_dies_is_replaced_and_all_end_with_their_parent(served: tuple[Fleet, int, int]):
    ours, parent, port = served
    killed = min(before := below(parent))
    os.kill(killed, signal.SIGKILL)

    def replaced() -> set[int]:
        now = below(parent)  # looked at once: the killed one may go between two looks
        return now if len(now) == len(before) and killed not in now else set()

    after = wait_for(replaced, "replaced")
    assert answers(port)
    assert ours.stop() == [0]
    assert not after & parents().keys()
    assert "ended with -9, and is replaced" in ours.logs()
    assert "Traceback" not in ours.logs()


def test_none_is_left_behind_where_the_parent_was_killed(served: tuple[Fleet, int, int]):
    ours, parent, port = served
    children = below(parent)
    ours.kill(ours.running[0])
    wait_for(lambda: not children & parents().keys(), "gone")
    assert not answers(port)
