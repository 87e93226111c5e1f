"""Each way in which a database can fail us ends in a sentence and a fix, and our own mistakes stay ours."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import django.db.utils
import psycopg
import psycopg_pool
import pytest

from agent.db import errors
from agent.db.faults import explain
from agent.db.private import PrivatePostgres
from agent.home import HomeUnusable


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    with PrivatePostgres(tmp_path_factory.mktemp("faults") / "h", durable=False) as running:
        yield running


def caught(action: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as info:  # noqa: PT011 - which exception it is, is the question
        action()
    return info.value


def test_a_session_ended_by_the_administrator(server: PrivatePostgres) -> None:
    with psycopg.connect(server.url()) as victim, psycopg.connect(server.url("postgres", "postgres")) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,))
        fault = caught(lambda: victim.execute("SELECT 1"))
        assert type(explain(fault)) is errors.DatabaseStopped
        after = caught(lambda: victim.execute("SELECT 1"))
        assert type(explain(after)) is errors.DatabaseStopped


@pytest.mark.parametrize(
    ("database", "user", "kind"),
    [("nowhere", "xueshi", errors.DatabaseMissing), ("xueshi", "nobody", errors.DatabaseRefusesLogin)],
)
def test_a_login_that_fails(server: PrivatePostgres, database: str, user: str, kind: type[Exception]) -> None:
    fault = caught(lambda: psycopg.connect(server.url(database, user)))
    assert type(explain(fault)) is kind


@pytest.mark.parametrize(
    "target",
    ["postgresql://u:hush@127.0.0.1:1/d", "postgresql://u:hush@no.invalid/d", "postgresql://u:hush@/d?host=/nil"],
)
def test_nobody_answers(target: str) -> None:
    error = explain(caught(lambda: psycopg.connect(target, connect_timeout=3)))
    assert type(error) is errors.DatabaseUnreachable
    assert "hush" not in str(error)


def test_a_server_that_is_still_recovering_was_stopped() -> None:
    fault = psycopg.OperationalError("connection failed: … failed: FATAL:  the database system is in recovery mode")
    assert type(explain(fault)) is errors.DatabaseStopped


def test_no_more_connections(server: PrivatePostgres) -> None:
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE narrow OWNER xueshi CONNECTION LIMIT 0")
    fault = caught(lambda: psycopg.connect(server.url("narrow")))
    assert type(explain(fault)) is errors.DatabaseBusy


def test_a_missing_right_and_a_read_only_database(server: PrivatePostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        fault = caught(lambda: connection.execute("SELECT * FROM pg_authid"))
        assert type(explain(fault)) is errors.DatabaseRights
        connection.execute("SET default_transaction_read_only = on")
        fault = caught(lambda: connection.execute("CREATE TABLE t ()"))
        assert type(explain(fault)) is errors.DatabaseReadOnly


def test_a_full_disk_of_the_server_or_of_ours() -> None:
    full = psycopg.errors.DiskFull('could not extend file "base/5/1": No space left on device')
    assert type(explain(full)) is errors.DiskFull
    shared = explain(psycopg.errors.DiskFull("could not resize shared memory segment: No space left on device"))
    assert "/dev/shm" in str(shared)  # noqa: S108 - the name in a sentence
    written = psycopg.errors.IoError('could not write to file "x": No space left on device')
    assert type(explain(written)) is errors.DiskFull
    ours = OSError(errno.ENOSPC, "No space left on device", "a.pdf")
    assert "a.pdf" in str(explain(ours))


def test_djangos_wrapping_is_seen_through() -> None:
    wrapped = django.db.utils.OperationalError("the connection is closed")
    wrapped.__cause__ = psycopg.OperationalError("the connection is closed")
    wrapped.__cause__.__context__ = psycopg.errors.AdminShutdown("terminating connection")
    assert "terminating connection" in str(explain(wrapped))
    assert type(explain(django.db.utils.InterfaceError("connection already closed"))) is errors.DatabaseStopped
    assert (
        type(explain(psycopg_pool.PoolTimeout("couldn't get a connection after 30.00 sec")))
        is errors.DatabaseUnreachable
    )


def test_an_explanation_in_the_chain_is_kept() -> None:
    error = HomeUnusable(path=Path("x"), reason="y")
    outer = RuntimeError()
    outer.__cause__ = error
    assert explain(outer) is error


@pytest.mark.parametrize(
    "mistake",
    [ValueError("x"), psycopg.errors.UniqueViolation("Key (n)=(1) already exists"), OSError(errno.ENOENT, "x")],
)
def test_our_own_mistakes_are_not_explained_away(mistake: Exception) -> None:
    assert explain(mistake) is None
