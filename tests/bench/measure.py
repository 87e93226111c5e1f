"""Figures, child processes that measure, and what the machine is."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
_console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One result: the median of ``runs``, and that of a peer where there is one."""

    name: str
    what: str
    unit: str
    runs: Sequence[float]
    peer: str | None = None
    peer_runs: Sequence[float] = ()
    ask: str = ""
    met: bool | None = None

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.runs)

    @property
    def peer_value(self) -> float | None:
        """The peer's median."""
        return statistics.median(self.peer_runs) if self.peer_runs else None

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's, of medians."""
        return self.value / self.peer_value if self.peer_value else None

    def judged(self, least: float) -> Figure:
        """The same with whether the ratio is at least so much; without a peer nothing is said."""
        return replace(self, met=None if self.ratio is None else self.ratio >= least)


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure."""

    rows: int = 100_000
    runs: int = 3
    peers: bool = True


@dataclass(slots=True)
class Results:
    """What a part of the bench found, and what is to be said of it."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class MeasurementFailed(Exception):
    """A measuring process failed."""


def say(sentence: str) -> None:
    """Progress, for whoever waits."""
    _console.print(f"[dim]{sentence}[/dim]")


def measured(command: Sequence[str | Path], *, home: Path | None = None, label: str) -> dict[str, Any]:
    """Run a process that ends by printing one line of JSON, and return that.

    :raises MeasurementFailed: it did not; what it said is in the error
    """
    with _console.status(label):
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=environment(home),
        )
    if done.returncode:
        raise MeasurementFailed(f"{label}: ended with {done.returncode}\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ours(module: str, *arguments: object) -> list[str]:
    """The command that runs a module of the bench with our own Python."""
    return [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]


def environment(home: Path | None) -> dict[str, str]:
    """The environment of a measuring process: nothing of an installation that may be set up here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XUESHI_", "PG", "DJANGO_"))}
    kept.pop("DATABASE_URL", None)
    return kept | {"NO_PROXY": "127.0.0.1,localhost"} | ({"XUESHI_HOME": str(home)} if home else {})


def peak_megabytes() -> float:
    """The most memory that this process ever had. (`ru_maxrss` would count the parent's before exec, too.)"""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_seconds(pid: int) -> float:
    """Processor time of a process and of all that live below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        with suppress(OSError):
            found += processor_seconds(one)
        waiting += parents.get(one, [])
    return found


def machine() -> dict[str, str]:
    """What this was measured on."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "Python": platform.python_version(),
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    } | {name: version(name) for name in ("django", "psycopg", "pydantic", "typst", "cryptography", "pyhanko")}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """The commit that was measured."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
