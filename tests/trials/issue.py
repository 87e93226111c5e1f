"""`kill -9` of processes that issue, at any moment; afterwards every number from 1 on is there once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.certificates import stage
from agent.certificates.credential import read_credential
from agent.certificates.numbers import is_number
from agent.certificates.signer import signing_keys
from agent.db.private import PrivatePostgres
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from tests.house.houses import file_programmes, filing_number, line, number, one, roster, sql
from tests.trials import truth
from tests.trials.outcome import Outcome, Tell
from tests.trials.places import at, fresh
from tests.work.processes import wait_for

_BATCHES = (7, 50, 200, 1000)
_LONGEST = 0.6  # seconds from the beginning of an issue to the kill
_READ_BACK = 200


@contextmanager
def _nursery() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.trials.issuer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _bear(nursery: subprocess.Popen[str], batch: int) -> int:
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(f"{batch}\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


def _gone(pid: int) -> bool:
    """Whether the process is no more. It is nobody's child here, so that its number is free when it has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _at_work() -> bool:
    """Whether a session of somebody else is in a transaction, or is about to be."""
    return bool(
        one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    )


def prepare(people: int) -> None:
    """The house that Django speaks to: ``people`` have earned a certificate of P1, and none was issued."""
    file_programmes()
    folder = Path(tempfile.mkdtemp(prefix="xi"))
    try:
        filed = filing_number("P1")
        # born in many years: an identity number has room for 999 people of one day
        rows = [
            line(f"王{chr(0x4E00 + n % 3000)}", 1, filed, 身份证号=number(n % 900 + 1, f"{1950 + n // 900}0101"))
            for n in range(people)
        ]
        pull(roster(folder / "people.csv", *rows))
    finally:
        shutil.rmtree(folder)
    issue, stage.run = stage.run, lambda *_: stage.Issued()
    try:
        run_stages()
    finally:
        stage.run = issue


def run(quiet: PrivatePostgres, seed: int, kills: int, tell: Tell, *, people: int = 5000) -> Outcome:
    """``kills`` kills in as many issues of ``people`` certificates as that takes, each looked at when it is whole."""
    outcome, began = Outcome("issue"), time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    while outcome.done["kill"] < kills and not outcome.faults:
        with fresh(quiet) as url, at(url):
            prepare(people)
            _issue(chance, kills, people, outcome)
            outcome.faults += _wrong(people)
            outcome.done["whole issue"] += 1
            tell(f"issue: {outcome.done['kill']} of {kills} kills, {len(outcome.faults)} faults")
    outcome.seconds = time.monotonic() - began
    return outcome


def _issue(chance: random.Random, kills: int, people: int, outcome: Outcome) -> None:
    """Issue, be killed, and issue again, until everybody has a certificate or enough were killed; then in peace."""
    with _nursery() as nursery:
        while outcome.done["kill"] < kills and one("SELECT count(*) FROM certificates_certificate") < people:
            at_once = chance.choice((1, 1, 2, 3))
            pids = [_bear(nursery, chance.choice(_BATCHES)) for _ in range(at_once)]
            time.sleep(chance.uniform(0, _LONGEST))
            for pid in pids:
                with suppress(ProcessLookupError):  # it had come to its end
                    os.kill(pid, signal.SIGKILL)
                    outcome.done["kill"] += 1
            wait_for(lambda pids=pids: all(map(_gone, pids)), "they are gone")
            # the server may still be at the statement of somebody who is no more
            wait_for(lambda: not _at_work(), "their sessions are gone")
            outcome.faults += _gaps()
    stage.run(policies())


def _gaps() -> list[str]:
    """What is wrong with the numbers at any moment."""
    serials = [int(number[20:25]) for (number,) in sql("SELECT number FROM certificates_certificate ORDER BY 1")]
    found = []
    if serials != list(range(1, len(serials) + 1)):
        found.append(f"numbers with gaps or doubled: {len(serials)} up to {max(serials)}")
    if (last := sql("SELECT last FROM certificates_serial")) not in ([], [(len(serials),)]):
        found.append(f"the last serial is said to be {last}, of {len(serials)}")
    if one(_EVENTS):
        found.append("certificates and their events are not one to one")
    return found


_EVENTS = """
SELECT count(*) FROM certificates_certificate c FULL JOIN certificates_certificateevent e ON e.certificate_id = c.id
WHERE c.id IS NULL OR e.id IS NULL OR e.state <> 'issued' OR e.at <> c.issued_at
"""


def _wrong(people: int) -> list[str]:
    """What is wrong when everybody should have one."""
    found = _gaps() + truth.wrong()
    rows = sql("SELECT number, learner_id, token, credential FROM certificates_certificate ORDER BY 1")
    for what, kept in (("certificates", 0), ("learners with one", 1), ("tokens", 2), ("credentials", 3)):
        if (count := len({row[kept] for row in rows})) != people:
            found.append(f"{count} {what} for {people} people")
    trusted = signing_keys().trusted
    for issued, _, _, credential in rows[:: max(1, people // _READ_BACK)]:
        said = read_credential(credential, trusted)["credentialSubject"]["licenseNumber"]
        if not is_number(issued) or said != issued:
            found.append(f"{issued} has the credential of {said}")
    return found
