"""`xueshi credit evaluate` for a city's year: a million achievements of 100,000 learners, beside a plain script."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench import years
from tests.bench.measure import ROOT, Figure, MeasurementFailed, Options, Results, environment, ours, say

_LEARNERS, _EACH = 100_000, 10
_SECONDS, _MEGABYTES = 60, 500


@dataclass(frozen=True)
class _Took:
    wall: float
    cpu: float
    megabytes: float


def run(options: Options) -> Results:
    """Ours and the baseline take turns over the same file."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "years.jsonl"), Path(folder, "answers.jsonl")
        years.write(file, _LEARNERS, _EACH)
        mine, plain = [], []
        xueshi = [str(Path(sys.executable).with_name("xueshi")), "credit", "evaluate", "--policy", "370400/2024"]
        for _ in range(options.runs):
            mine.append(_timed([*xueshi, str(file)], out))
            if _lines(out) != _LEARNERS:
                raise MeasurementFailed("evaluate: not every learner was answered")
            if options.peers:
                plain.append(_timed(ours("evaluate_plain", file), out))
            say(f"evaluate: {mine[-1].wall:.1f} s, {mine[-1].cpu:.1f} s of CPU, {mine[-1].megabytes:.0f} MB")
    return Results(_figures(mine, plain), [_note(mine, plain)])


def _timed(command: list[str], out: Path) -> _Took:
    """Run a command to its end, and look at all of its processes' memory meanwhile."""
    before, began, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0.0
    paths = {"PYTHONPATH": str(ROOT)}
    with out.open("wb") as answers, subprocess.Popen(
        command, stdout=answers, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment(None) | paths
    ) as process:  # fmt: skip
        while process.poll() is None:
            most = max(most, _family_megabytes(process.pid))
            time.sleep(0.2)
    if process.returncode:
        raise MeasurementFailed(f"evaluate: {command[0]} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Took(time.monotonic() - began, cpu, most)


def _family_megabytes(pid: int) -> float:
    """Resident memory of a process and all below it; what they share is counted for each."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    pages, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        with suppress(OSError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
        waiting += parents.get(one, [])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _lines(file: Path) -> int:
    with file.open("rb") as answers:
        return sum(1 for _ in answers)


def _figures(mine: list[_Took], plain: list[_Took]) -> list[Figure]:
    wall, cpu, memory = ([getattr(took, name) for took in mine] for name in ("wall", "cpu", "megabytes"))
    peer = "a plain script" if plain else None
    rows = _LEARNERS * _EACH
    slowest, largest = sorted(wall)[len(wall) // 2], max(memory)
    return [
        Figure(
            "evaluate", f"{rows:,} achievements of {_LEARNERS:,} learners, every rule, by the clock", "s", wall,
            peer, [took.wall for took in plain], ask=f"≤ {_SECONDS}", met=slowest <= _SECONDS,
        ),
        Figure("evaluate_cpu", "the same, processor time of all processes", "s", cpu, peer, [t.cpu for t in plain]),
        Figure(
            "evaluate_memory", "the same, memory of all processes at its most", "MB", memory, peer,
            [took.megabytes for took in plain], ask=f"≤ {_MEGABYTES}", met=largest <= _MEGABYTES,
        ),
    ]  # fmt: skip


def _note(mine: list[_Took], plain: list[_Took]) -> str:
    beside = ""
    if plain:
        beside = (
            " The plain script is what one writes in an afternoon: json and Decimal in one process, the day cap, the caps "
            "of a year and sums, for trainings and items; it checks nothing, knows no sessions, reasons, absences or "
            "working days, and holds no promise about order."
        )
    return (
        f"`xueshi credit evaluate` over {_LEARNERS:,} lines with {_EACH} achievements of all kinds each, "
        f"{len(os.sched_getaffinity(0))} processes; evidence is compared over all lines.{beside}"
    )
