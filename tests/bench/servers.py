"""What is measured against: a fake Moodle in a process of its own, fresh homes, and a server for the peer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from agent.db.private import NAME, PrivatePostgres
from tests.bench.measure import ROOT, MeasurementFailed, environment


@dataclass(frozen=True, slots=True)
class Moodle:
    """Where a fake Moodle is served."""

    url: str
    token: str


@contextmanager
def fake_moodle(rows: int, *, plugin: bool = False, pause: float = 0) -> Iterator[Moodle]:
    """A fake Moodle with so many completed rows.

    :param plugin: with the companion plugin
    :param pause: seconds that it waits before each answer
    """
    command = [sys.executable, "-m", "connectors.testing.fake_moodle", "--rows", str(rows), "--until-eof"]
    command += ["--plugin"] if plugin else []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(None)
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            told = process.stdout.readline()
            if not told:
                raise MeasurementFailed(f"the fake Moodle did not come up: it ended with {process.wait()}")
            moodle = Moodle(**json.loads(told))
            if pause:
                _switch(moodle, {"kind": "slow", "seconds": pause})
            yield moodle
        finally:
            process.stdin.close()


def _switch(moodle: Moodle, fault: dict[str, object]) -> None:
    sent = Request(f"{moodle.url}/_fake/faults", json.dumps(fault).encode())  # noqa: S310 - our own, on this machine
    with urlopen(sent) as answer:  # noqa: S310
        answer.read()


@contextmanager
def fresh_home() -> Iterator[Path]:
    """An empty home; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="xueshi-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server_for_the_peer() -> Iterator[str]:
    """An empty database on a private PostgreSQL like ours, as a URL.

    Peers insist on a host, a port and a password; libpq takes the socket's folder out of the query all the same, so
    they speak through the same kind of socket as we do.
    """
    with fresh_home() as home, PrivatePostgres(home, say=lambda _: None) as server:
        socket = urlsplit(server.url()).query
        yield f"postgresql://{NAME}:unused@localhost:5432/{NAME}?{socket}"
