"""`kill -9` of worker, clock and database in mid-sync; afterwards the house equals its twin, row for row."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent.db import postmaster
from agent.db.private import PrivatePostgres
from agent.intake.models import Source, SyncRun
from agent.intake.sync import Mode
from agent.work import queue
from agent.work.lasting import AWAY
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import one, sql
from tests.migrated import migrate
from tests.trials import truth
from tests.trials.hasty import COMMAND
from tests.trials.outcome import Outcome, Tell
from tests.trials.places import SOURCE, at, fresh, furnish, steady, undisturbed
from tests.trials.script import REPORT, Route, Script
from tests.work.processes import Fleet, wait_for

_BUSY = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_TARGETS = ("worker", "worker", "worker", "clock", "database", "database")
STALLED = "3"  # seconds of silence after which a worker is taken for dead
_REST = 120.0


@dataclass
class Crew:
    """Two workers and a clock on a private database of their own, all of which may be killed."""

    server: PrivatePostgres
    fleet: Fleet
    roles: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def muster(self) -> None:
        """Start whoever is not there."""
        for role in ("worker", "worker 2", "clock"):
            process = self.roles.get(role)
            if process is None or process.poll() is not None:
                option = ["--worker", "--concurrency", "2"] if role.startswith("worker") else ["--clock"]
                self.roles[role] = self.fleet.start(*option)

    def kill(self, target: str, chance: random.Random) -> None:
        """As a power cut would."""
        if target == "database":
            kill_database(self.server)
            if chance.random() < 0.5:  # a service manager starts it again; or else those who live on it have to
                self.server.start()
            return
        role = chance.choice(["worker", "worker 2"]) if target == "worker" else target
        self.fleet.kill(self.roles[role])
        self.muster()


def kill_database(server: PrivatePostgres) -> None:
    """The postmaster and all its children at once."""
    claim = postmaster.read(server.data)
    if claim is None:
        return
    for pid in (claim.pid, *_children(claim.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not postmaster.alive(claim.pid, postmaster.mark(server.data)), "the database is dead")


def _children(pid: int) -> list[int]:
    shown = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in shown.stdout.split()]


def busy() -> bool:
    """Whether a pull or the stages go on in a living process: they hold a lock."""
    return bool(steady(lambda: one(_BUSY)))


def ask() -> None:
    """Ask for a whole pull, as an operator would."""
    steady(lambda: queue.defer_pull(Source.objects.get(name=SOURCE), Mode.FULL, "push", priority=queue.ASKED))


def at_rest(since: object) -> bool:
    """Whether a whole pull began and ended well after ``since`` and nothing is left to do. Time is made to pass for
    what waits for its next attempt.
    """

    def look() -> bool:
        if one("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"):
            return False
        if sql("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' RETURNING 1"):
            return False
        return SyncRun.objects.filter(mode=Mode.FULL, state="done", started_at__gt=since).exists() and not one(_BUSY)

    return steady(look)


def stays_at_rest(since: object) -> bool:
    """Whether it is still so a second later: a pull whose job was taken over meanwhile asks for the stages at its end,
    and bears no job any more.
    """
    if not at_rest(since):
        return False
    time.sleep(1)
    return at_rest(since)


@contextmanager
def crew(site: FakeMoodle, route: Route) -> Iterator[Crew]:
    """A furnished house with its crew; Django speaks to its database."""
    home = Path(tempfile.mkdtemp(prefix="xk"))
    environment = {
        "DATABASE_URL": "", "XUESHI_STALLED_SECONDS": STALLED, "XUESHI_CLOCK_SECONDS": "1",
    }  # fmt: skip
    server = PrivatePostgres(home)
    fleet = Fleet("", home, environment, command=COMMAND)
    try:
        with at(url := server.start()):
            migrate(url)
            furnish(site, route)
            ours = Crew(server, fleet)
            ours.muster()
            yield ours
    finally:
        for process in fleet.running:
            if process.poll() is None:
                fleet.kill(process)
        server.release()
        shutil.rmtree(home, ignore_errors=True)


def run(
    quiet: PrivatePostgres, seed: int, kills: int, tell: Tell, *, each: int = 5, people: int = 60, route: Route = REPORT
) -> Outcome:
    """``kills`` kills, ``each`` in an act; after each act the house is compared with its twin on ``quiet``."""
    outcome, began = Outcome("kill -9"), time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    with FakeMoodle(rows=0) as site, fresh(quiet) as twin:
        script = Script(site, seed)
        script.begin(people)
        with at(twin):
            furnish(site, route)
        with crew(site, route) as ours:
            while outcome.done.total() < kills and len(outcome.faults) < _ENOUGH:
                acted = script.act()
                with at(twin):
                    undisturbed()
                    expected = truth.said()
                found = _act(ours, chance, min(each, kills - outcome.done.total()), expected, outcome)
                outcome.faults += [f"act {script.acts} ({acted}): {one}" for one in found]
                for one in found:
                    tell(one)
                tell(f"act {script.acts}: {outcome.done.total()} of {kills} kills, {len(outcome.faults)} faults")
            ours.fleet.stop()
            codes = {process.returncode for process in ours.roles.values()}
            if not codes <= {0, -signal.SIGTERM}:  # the signal: it had not begun yet
                outcome.faults.append(f"they did not end well when asked to: {codes}")
            logs = [ours.fleet.logs(), *(p.read_text("utf-8", "replace") for p in ours.server.pg.rglob("*.log"))]
            outcome.faults += truth.leaks(logs, site.token)
            if outcome.faults and os.environ.get("XUESHI_TRIAL_LOGS"):
                Path(os.environ["XUESHI_TRIAL_LOGS"]).write_text("\n".join(logs), "utf-8")
    outcome.seconds = time.monotonic() - began
    return outcome


def _act(ours: Crew, chance: random.Random, kills: int, expected: truth.Said, outcome: Outcome) -> list[str]:
    """Disturb one act and let the house come to rest; what is wrong then."""
    since = steady(_database_now)
    try:
        _disturb(ours, chance, kills, since, outcome)
        wait_for(lambda: ours.muster() or stays_at_rest(since), "the house is at rest", _REST)
    except AssertionError as error:
        return [f"{error}; the queue: {steady(lambda: sql(_QUEUE))}"]
    except AWAY as error:
        ours.server.start()
        return [f"the database did not come back: {error}"]
    return truth.differences(truth.said(), expected) + truth.wrong()


def _database_now() -> object:
    return one("SELECT clock_timestamp()")


_ENOUGH = 20  # faults
_QUEUE = """SELECT id, task_name, status, attempts, scheduled_at::text FROM procrastinate_jobs
WHERE status IN ('todo', 'doing')"""


def _disturb(ours: Crew, chance: random.Random, kills: int, since: object, outcome: Outcome) -> None:
    """Kill so many, each while a pull or the stages go on, or at once after the one before."""
    ask()
    for _ in range(kills):
        if chance.random() < 0.75:

            def underway() -> bool:
                ours.muster()
                if at_rest(since):
                    ask()
                return busy()

            wait_for(underway, "a sync is under way", _REST)
        time.sleep(chance.uniform(0, 0.6))
        target = chance.choice(_TARGETS)
        ours.kill(target, chance)
        outcome.done[target] += 1
    if at_rest(since):
        ask()
