"""Workers, clocks and pages as processes of their own on one database, as machines would be; for tests and trials."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.intake.models import Source, SyncRun
from agent.intake.sources import save
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import one

COMMAND = (sys.executable, "-c", "from agent.cli.main import main; main()")
PATIENCE = float(os.environ.get("XUESHI_TEST_PATIENCE") or 60)
"""Seconds to wait for what must come; machines may be slow."""


@dataclass
class Fleet:
    """Processes of ``xueshi serve``; whatever still runs at the end is killed."""

    database: str
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = COMMAND
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """``xueshi serve`` with ``options``."""
        log = (self.home / f"process-{len(self.running)}.log").open("wb")
        environment = os.environ | {"DATABASE_URL": self.database, "XUESHI_HOME": str(self.home)} | self.environment
        process = subprocess.Popen([*self.command, "serve", *options], env=environment, stdout=log, stderr=log)
        log.close()
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As a power cut would."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> list[int]:
        """Ask all to end, as a service manager does; their exit codes."""
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        return [process.wait(PATIENCE) for process in self.running]

    def logs(self) -> str:
        """What they said."""
        return "\n".join(path.read_text("utf-8") for path in sorted(self.home.glob("process-*.log")))


@contextmanager
def fleet(database: str, **environment: str) -> Iterator[Fleet]:
    """A fleet on ``database``; ends with whatever is left of it killed."""
    with tempfile.TemporaryDirectory(prefix="xf") as home:
        ours = Fleet(database, Path(home), environment)
        try:
            yield ours
        finally:
            for process in ours.running:
                if process.poll() is None:
                    ours.kill(process)


@contextmanager
def sites(count: int, rows: int) -> Iterator[list[FakeMoodle]]:
    """So many fake Moodles with so many rows each, connected as sources ``s0``, ``s1`` …, asked by nobody's clock."""
    open_sites: list[FakeMoodle] = []
    try:
        for at in range(count):
            site = FakeMoodle(rows=rows).__enter__()
            open_sites.append(site)
            source, _ = save(
                f"s{at}", kind="moodle", url=site.url, token=site.token, options={"report_id": "1"}, allow_private=True
            )
            Source.objects.filter(pk=source.pk).update(scheduled=False)
        yield open_sites
    finally:
        for site in open_sites:
            site.__exit__(None, None, None)


def wait_for(what: Callable[[], Any], sentence: str, seconds: float = PATIENCE) -> Any:
    """Wait until ``what`` is true; its value.

    :raises AssertionError: it never was
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.05)
    raise AssertionError(f"after {seconds:g} s still not: {sentence}")


def idle() -> bool:
    """Whether nothing waits that is due, and nothing runs."""
    return not one(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
        " OR (status = 'todo' AND COALESCE(scheduled_at, now()) <= now())"
    )


def done_runs() -> int:
    """Runs that went well."""
    return SyncRun.objects.filter(state=SyncRun.State.DONE).count()


def overlapping() -> list[tuple[Any, ...]]:
    """Pairs of runs of one source that went on at the same time, of those that ended by themselves; none is right."""
    from tests.house.houses import sql

    return sql(
        "SELECT a.id, b.id FROM intake_syncrun a JOIN intake_syncrun b ON b.source_id = a.source_id AND b.id > a.id"
        " AND b.started_at < a.finished_at WHERE a.error_code <> 'E_INTERRUPTED'"
    )
