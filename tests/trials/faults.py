"""Everything that may go wrong on the way to an LMS, done to a sync by hand and by a worker.

During a fault: a stable code, a run written down, the place that is reached where it was, nothing half-written. When it
is gone, the next sync makes the house equal to its twin.
"""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.db.private import PrivatePostgres
from agent.intake.models import Source, SourceState, SyncRun
from agent.intake.sync import Mode
from agent.work import queue
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import one, sql
from tests.trials import truth
from tests.trials.hasty import COMMAND
from tests.trials.outcome import Outcome, Tell
from tests.trials.places import SOURCE, at, fresh, furnish, undisturbed
from tests.trials.script import REPORT, Route, Script
from tests.work.processes import Fleet, fleet, wait_for

Break = Callable[[FakeMoodle, int], AbstractContextManager[None]]
"""Breaks the way to the site after so many calls, and mends it at the end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, and the codes that may tell it."""

    name: str
    codes: frozenset[str]
    broken: Break


def switch(kind: str, **options: Any) -> Break:
    """One of the fake Moodle's switches."""

    @contextmanager
    def broken(site: FakeMoodle, after: int) -> Iterator[None]:
        site.faults.add(kind, after=after, **options)
        try:
            yield
        finally:
            site.clear_faults()

    return broken


@contextmanager
def elsewhere(url: str) -> Iterator[None]:
    """The source's address is another one."""
    source = Source.objects.get(name=SOURCE)
    Source.objects.filter(pk=source.pk).update(url=url)
    try:
        yield
    finally:
        Source.objects.filter(pk=source.pk).update(url=source.url)


@contextmanager
def unknown_name(_site: FakeMoodle, _after: int) -> Iterator[None]:
    """A name that no name server knows (RFC 6761)."""
    with elsewhere("https://lms.invalid"):
        yield


@contextmanager
def self_signed(_site: FakeMoodle, _after: int) -> Iterator[None]:
    """A server whose certificate nobody vouches for."""
    with tempfile.TemporaryDirectory(prefix="xc") as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(Path(folder)))

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        with elsewhere(f"https://127.0.0.1:{listening.getsockname()[1]}"):
            yield
        listening.shutdown(socket.SHUT_RDWR)


def _certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    since = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(since)
    certificate = made.not_valid_after(since + timedelta(days=9)).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(encoding, form, plain) + certificate.public_bytes(encoding))
    return file


_CUT, _AWAY = frozenset({"E_TRUNCATED"}), frozenset({"E_UNREACHABLE"})
FAULTS = (
    Fault("answers cut in the middle", _CUT, switch("truncated")),
    Fault("JSON cut in the middle", _CUT, switch("broken_json")),
    Fault("slow drip", _AWAY, switch("drip", seconds=0.2, bytes=4)),
    Fault("time-out", _AWAY, switch("slow", seconds=30)),
    Fault("503 with HTML", frozenset({"E_MAINTENANCE"}), switch("maintenance")),
    Fault("wrong JSON", frozenset({"E_MALFORMED"}), switch("wrong_json")),
    Fault("connection reset", _AWAY, switch("reset")),
    Fault("429", frozenset({"E_BUSY"}), switch("rate_limited")),
    Fault("expired token", frozenset({"E_TOKEN_INVALID", "E_TOKEN_EXPIRED", "E_ACCESS"}), switch("expired_token")),
    Fault("DNS failure", _AWAY, unknown_name),
    Fault("TLS error", frozenset({"E_CERTIFICATE"}), self_signed),
)


@dataclass
class Trial:
    """A house on the quiet server, its twin, and what happens at the LMS of both."""

    site: FakeMoodle
    script: Script
    twin: str
    fleet: Fleet
    chance: random.Random
    outcome: Outcome
    expected: truth.Said = field(default_factory=dict)

    def act(self) -> None:
        """Something happens at the LMS; the twin sees it in peace."""
        self.script.act()
        with at(self.twin):
            undisturbed()
            self.expected = truth.said()

    def blame(self, name: str, *found: str) -> None:
        """Write down what is wrong."""
        self.outcome.faults += [f"{name}: {one}" for one in found]

    def equal(self, name: str) -> None:
        """After the fault: the house says what its twin says."""
        self.blame(name, *truth.differences(truth.said(), self.expected), *truth.wrong())

    def by_hand(self, **environment: str) -> tuple[int, dict[str, Any]]:
        """`xueshi sync`: its exit code and what it says."""
        done = subprocess.run(
            [*COMMAND, "sync", SOURCE, "--json"], capture_output=True, text=True, check=False, timeout=300,
            env=os.environ | environment,
        )  # fmt: skip
        self.blame("sync by hand", *truth.leaks([done.stdout, done.stderr], self.site.token))
        return done.returncode, json.loads(done.stdout or "{}")

    def by_worker(self) -> SyncRun:
        """A pull that the clock asked for, done by a worker; its run."""
        before = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        # time passes: the circuit has closed, and what waits for another attempt gives way to this one
        SourceState.objects.update(open_until=None)
        sql("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        queue.defer_pull(Source.objects.get(name=SOURCE), Mode.FULL, "clock")
        ended = SyncRun.objects.filter(pk__gt=before).exclude(state="running")
        run: SyncRun = wait_for(ended.first, "the worker's pull ended")
        return run

    def rest(self) -> None:
        """Until nothing is left to do; time is made to pass for what waits for its next attempt."""
        SourceState.objects.update(open_until=None)

        def look() -> bool:
            sql("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND scheduled_at > now()")
            return not one("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")

        wait_for(look, "the queue is empty")


@contextmanager
def trial(quiet: PrivatePostgres, seed: int, *, people: int, route: Route = REPORT) -> Iterator[Trial]:
    """A house and its twin after their first sync; a worker stands by, Django speaks to the house."""
    with (
        FakeMoodle(rows=0) as site,
        fresh(quiet) as twin,
        fresh(quiet) as house,
        fleet(house, XUESHI_HOME=os.environ["XUESHI_HOME"]) as ours,
    ):
        ours.command = COMMAND
        script = Script(site, seed)
        script.begin(people)
        for url in (twin, house):
            with at(url):
                furnish(site, route)
                undisturbed()
        with at(house):
            ours.start("--worker", "--concurrency", "1")
            yield Trial(site, script, twin, ours, random.Random(seed), Outcome("faults"))  # noqa: S311


def suffer(the: Trial, fault: Fault) -> None:
    """One fault, from its coming to its end."""
    the.act()
    reached = SourceState.objects.get().reached
    with fault.broken(the.site, the.chance.randrange(2, 8)):
        exit_code, answer = the.by_hand()
        code = answer.get("error", {}).get("code", "")
        if exit_code != 1 or code not in fault.codes:
            the.blame(fault.name, f"by hand: exit code {exit_code}, {answer}")
        if fault.name == "expired token":
            the.site.clear_faults()
            the.site.token_deleted = True
        run = the.by_worker()
        if (run.state, run.error_code in fault.codes) != ("failed", True):
            the.blame(fault.name, f"by a worker: {run.state} {run.error_code} {run.error}")
        wait_for(lambda: not one("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"), "the job ended")
        if SourceState.objects.get().reached != reached:
            the.blame(fault.name, "the place that is reached moved")
        half = truth.said()
        # whole pages may have landed; nothing else than what the twin knows
        invented = [found for found in truth.differences(half, the.expected) if found.startswith("completions: ")]
        the.blame(fault.name, *(x for x in invented if "invented" in x and not _outdated(half, the.expected)))
        the.blame(fault.name, *truth.wrong(at_rest=False))
    again = one("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'pull'")
    if not again:  # it waits for a person, who comes now
        exit_code, answer = the.by_hand()
        if exit_code:
            the.blame(fault.name, f"afterwards: {answer}")
    the.rest()
    the.equal(fault.name)
    the.outcome.done[fault.name] += 1


def _outdated(half: truth.Said, whole: truth.Said) -> bool:
    """Whether each row that only the half-way house shows is one whose newer version has not come yet."""
    known = {(row[0], row[1], row[2], row[4]) for row in whole["completions"]}
    return all((row[0], row[1], row[2], row[4]) in known for row in half["completions"])


def jumped(the: Trial, days: int) -> None:
    """The agent's clock is wrong by so many days during a pull; the next one, with the right clock, goes on rightly."""
    name = f"clock {days:+d} days"
    the.act()
    before = SourceState.objects.get().reached
    exit_code, answer = the.by_hand(XUESHI_TRIAL_CLOCK=str(days))
    if exit_code:
        the.blame(name, f"exit code {exit_code}, {answer}")
    reached = SourceState.objects.get().reached
    if not before or not reached or not before <= reached <= datetime.now(UTC):
        the.blame(name, f"reached went from {before} to {reached}, and it is {datetime.now(UTC)}")
    the.equal(name)
    the.act()
    the.by_hand()
    the.equal(f"after {name}")
    the.outcome.done["clock jump"] += 1


def two_with_one_token(the: Trial, rounds: int = 3) -> None:
    """Two sources with the same site, account and report at once: each sets the other's filter."""
    name = "two agents with one token"
    furnish(the.site, REPORT, "other")
    Source.objects.filter(name="other").update(options=Source.objects.get(name=SOURCE).options | {"page_size": "13"})
    the.act()
    true = {row[1]: row[4] for row in the.expected["completions"] if row[3]}
    for _ in range(rounds):
        both = [
            subprocess.Popen(
                [*COMMAND, "sync", source, "--json"], text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for source in (SOURCE, "other")
        ]  # fmt: skip
        for process in both:
            out, err = process.communicate(timeout=300)
            code = json.loads(out or "{}").get("error", {}).get("code", "")
            if process.returncode and code not in _NOTICED:
                the.blame(name, f"exit code {process.returncode}, {out}")
            the.blame(name, *truth.leaks([out, err], the.site.token))
            the.outcome.done[f"races: {code or 'none felt'}"] += 1
        shown = {f"{row.user}|{row.course}" for row in the.site.rows}
        if false := [key for (key,) in sql(_MISSING) if key in shown]:
            the.blame(name, f"{len(false)} rows were taken for missing that are there")
    for source in (SOURCE, "other"):
        subprocess.run([*COMMAND, "sync", source], check=False, capture_output=True, timeout=300)
        landed = dict(sql(
            "SELECT c.key, encode(c.digest, 'hex') FROM intake_completion c JOIN intake_source s ON s.id = c.source_id"
            " WHERE s.name = %s AND c.current AND NOT EXISTS (SELECT 1 FROM intake_missingupstream m"
            " WHERE m.completion_id = c.id)", [source],
        ))  # fmt: skip
        if landed != {key: true[key] for key in shown}:
            the.blame(name, f"{source}: {len(landed)} rows, the site shows {len(shown)}")
    the.blame(name, *truth.wrong())
    the.outcome.done[name] += 1


_NOTICED = {"E_FILTER_IGNORED", "E_TOTALS", "E_PAGE_REPEATED", "E_TOO_MANY_MISSING"}
_MISSING = (
    "SELECT c.key FROM intake_missingupstream m JOIN intake_completion c ON c.id = m.completion_id WHERE c.current"
)


def run(quiet: PrivatePostgres, seed: int, tell: Tell, *, people: int = 60) -> list[Outcome]:
    """All faults, one after the other."""
    began = time.monotonic()
    with trial(quiet, seed, people=people) as the:
        for fault in FAULTS:
            suffer(the, fault)
            tell(f"{fault.name}: {len(the.outcome.faults)} faults so far")
        for days in (3, -3, 40, -40):
            jumped(the, days)
            tell(f"clock jump of {days:+d} days: {len(the.outcome.faults)} faults so far")
        two_with_one_token(the)
        tell(f"two agents with one token: {len(the.outcome.faults)} faults so far")
        if the.fleet.stop() != [0]:
            the.blame("worker", "it did not end well when asked to")
        the.blame("worker", *truth.leaks([the.fleet.logs()], the.site.token))
        the.outcome.seconds = time.monotonic() - began
        return [the.outcome]
