"""What tests stand on: a real PostgreSQL from the wheel, a fresh database for each test that asks, real programs.

Nothing is mocked of our own: a test that takes ``house`` has a migrated database of its own, committed like in life.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

# Django is set up before tests are collected, so that they may import models; no database is touched by that
_HOME = Path(tempfile.mkdtemp(prefix="xt"))
_ROOM = 4 << 30  # bytes that are free where servers of all workers find room
os.environ.update(
    XUESHI_HOME=str(_HOME),
    XUESHI_DATA_KEY=base64.b64encode(b"k" * 32).decode(),
    XUESHI_SECRET_KEY="only for tests",
    DATABASE_URL="postgresql:///not-yet",
    DJANGO_SETTINGS_MODULE="agent.settings",
)
for _name in (
    "XUESHI_BASE_URL",
    "XUESHI_SIGNING_P12",
    "XUESHI_MAPPINGS",
    "XUESHI_REGION",
    "XUESHI_FONTS",
    "XUESHI_TSA_URL",
):
    os.environ.pop(_name, None)

import django  # noqa: E402 - the environment comes first
import psycopg  # noqa: E402

django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.db import connection, connections  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from agent.certificates import status  # noqa: E402
from agent.db.private import PrivatePostgres  # noqa: E402
from tests.migrated import migrate  # noqa: E402

# a password costs a fifth of a second on purpose: here the same hash is made with the least work that it allows
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1

# a new status list sorts its 131,072 places by a seed: of two seeds a worker does so twice, and not in each house
_seeds = cycle((b"1" * 32, b"2" * 32))
status.token_bytes = lambda length: next(_seeds)[:length]

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose programs are not on this machine, and say so; in CI they stay in, and fail."""
    if os.environ.get("CI"):
        return
    left_out = [i for i in items if any(_missing(p) for m in i.iter_markers("needs") for p in m.args)]
    if left_out:
        missing = {p for i in left_out for m in i.iter_markers("needs") for p in m.args if _missing(p)}
        config.hook.pytest_deselected(items=left_out)
        items[:] = [i for i in items if i not in left_out]
        if not hasattr(config, "workerinput") or config.workerinput["workerid"] == "gw0":  # type: ignore[attr-defined]
            print(f"\nleft out {len(left_out)} tests: no {', '.join(sorted(missing))} here (apt-packages.txt)")  # noqa: T201


def _missing(program: str) -> bool:
    """Whether a program, or a file that is named by its whole path (a font), is not on this machine."""
    return shutil.which(program) is None and not Path(program).is_file()


def _memory() -> str | None:
    """A folder in memory, where there is one with room. A copy of a database is 700 files that are gone a second later:
    there they cost 0.03 s, on a disk 0.05 to 0.6 (measured).
    """
    folder = Path("/dev/shm")  # noqa: S108 - the folder of `mkdtemp` in it has a name that nobody foresees
    return str(folder) if folder.is_dir() and shutil.disk_usage(folder).free > _ROOM else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL of this worker; its database ``xueshi`` is migrated, and copied for each test."""
    home = Path(tempfile.mkdtemp(prefix="xp", dir=_memory()))
    server = PrivatePostgres(home, durable=False)
    try:
        _point_at(url := server.start())
        migrate(url)
        connections.close_all()
        yield server
    finally:
        connections.close_all()
        server.release()
        shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True)
class Databases:
    """Databases of this worker's server, and Django pointed at them while they are used."""

    server: PrivatePostgres

    @contextmanager
    def copy(self, template: str, *, keep: str = "") -> Iterator[str]:
        """A copy of the database ``template``; its URL. It is dropped afterwards, or kept under a name."""
        name = keep or f"t{os.urandom(6).hex()}"
        # copying the files takes a fifth of writing every page to the log, which is what it does otherwise
        self.say(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER xueshi STRATEGY file_copy')
        with self.at(name) as url:
            yield url
        if not keep:
            self.say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextmanager
    def at(self, name: str) -> Iterator[str]:
        """The database ``name``; its URL."""
        before, url = os.environ["DATABASE_URL"], self.server.url(name)
        os.environ["DATABASE_URL"] = url
        _point_at(url)
        try:
            yield url
        finally:
            connections.close_all()
            os.environ["DATABASE_URL"] = before

    def say(self, statement: str) -> None:
        """Tell the server something, as its owner."""
        connections.close_all()
        with psycopg.connect(self.server.url("postgres", "postgres"), autocommit=True) as server:
            server.execute(statement)


@pytest.fixture(scope="session")
def databases(postgres: PrivatePostgres) -> Databases:
    """Makes databases; for fixtures that prepare one and tests that copy it."""
    return Databases(postgres)


@pytest.fixture
def house(databases: Databases) -> Iterator[str]:
    """A fresh migrated database with Django pointed at it; its URL."""
    with databases.copy("xueshi") as url:
        yield url


@dataclass(frozen=True)
class Demo:
    """What one demo run printed, and the token that the fake Moodle asked for."""

    result: dict[str, Any]
    token: str


@pytest.fixture(scope="session")
def demo_run(databases: Databases) -> Demo:
    """The demo's work, done once for each worker, in a database that nobody writes to afterwards."""
    from agent.cli import demo
    from agent.crypto import vault
    from agent.intake.models import Source

    with databases.copy("xueshi", keep="demo"):
        result = demo._work({})
        token = vault().open(bytes(Source.objects.get().token), b"source token").decode()
    databases.say("ALTER DATABASE demo SET default_transaction_read_only = on")
    return Demo(result, token)


@pytest.fixture
def demo_house(databases: Databases, demo_run: Demo) -> Iterator[Demo]:
    """The database after a demo run, to look at: the database itself refuses every write."""
    with databases.at("demo"):
        yield demo_run


@pytest.fixture
def demo_copy(databases: Databases, demo_run: Demo) -> Iterator[Demo]:
    """The same, to go on from: a copy of its own for each test."""
    with databases.copy("demo"):
        yield demo_run


@dataclass(frozen=True)
class Said:
    """What a command said: exit code, standard output, standard error."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def xueshi(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command line in this process, through the same rim as the console script."""
    from agent.cli import main

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        monkeypatch.setattr("sys.argv", ["xueshi", *map(str, arguments)])
        status = 0
        try:
            main.main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        out, err = capfd.readouterr()
        return Said(status, out, err)

    return run


def _point_at(url: str) -> None:
    from agent.db.url import settings_of

    connections.close_all()
    # Django read its settings at set-up: what differs is taken over into the connection that it keeps
    connection.settings_dict.update(settings_of(url))
