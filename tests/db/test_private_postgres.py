"""The private PostgreSQL under real kills: nothing here is simulated but the full disk's words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from agent.db import account as accounts
from agent.db import cluster, postmaster
from agent.db.errors import DiskFull, PrivatePostgresFailed, PrivatePostgresForeign, PrivatePostgresVersion
from agent.db.private import PrivatePostgres, ensure
from agent.db.url import database_settings
from agent.home import HomeUnusable

START = """
import os, sys
from pathlib import Path
from agent.db.private import PrivatePostgres
server = PrivatePostgres(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
"""
HOLD = START + "sys.stdin.read()"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cluster is there already: a copy takes a tenth of making one."""
    folder = tmp_path_factory.mktemp("made") / "h"
    with PrivatePostgres(folder, durable=False):
        pass
    return folder


@pytest.fixture
def home(tmp_path: Path, made: Path) -> Iterator[Path]:
    folder = tmp_path / "h"
    subprocess.run(["cp", "-a", made, folder], check=True)
    yield from stopped_at_last(folder)


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    yield from stopped_at_last(tmp_path / "h")


def stopped_at_last(folder: Path) -> Iterator[Path]:
    yield folder
    data = folder / "pg" / "18"
    if data.exists():
        assert postmaster.stop(data, print)


@contextmanager
def running(home: Path, script: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that uses the server until its input ends."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == 0


def server_pid(home: Path) -> int | None:
    """The number of the living server of this home."""
    data = home / "pg" / "18"
    claim = postmaster.read(data)
    return claim.pid if claim and postmaster.alive(claim.pid, postmaster.mark(data)) else None


def kill_server(home: Path) -> None:
    pid = server_pid(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server_pid(home) is None)


def wait_until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


@contextmanager
def bystander(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A living process of the server's own account that has nothing to do with it."""
    owner = (home / "pg" / "18").stat()
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/sleep", "60"], **identity) as process:
        try:
            yield process
        finally:
            process.kill()


def claim_pid(home: Path, pid: int) -> None:
    file = home / "pg" / "18" / "postmaster.pid"
    file.write_text("\n".join([str(pid), *file.read_text().split("\n")[1:]]))


def fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS n")


def content(url: str) -> tuple[int, ...] | None:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT n FROM t").fetchone()


# --- a life without accidents ------------------------------------------------------------------------------------
def test_a_restart_keeps_the_data_and_the_last_user_stops_the_server(new_home: Path) -> None:
    with PrivatePostgres(new_home, durable=False) as server:
        fill(server.url())
    assert server_pid(new_home) is None
    with PrivatePostgres(new_home, durable=False) as server:
        assert content(server.url()) == (42,)
    assert server_pid(new_home) is None


def test_only_a_unix_socket_is_open_and_the_cluster_is_utf8_with_checksums(new_home: Path) -> None:
    with PrivatePostgres(new_home) as server, psycopg.connect(server.url()) as connection:
        settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        assert settings["listen_addresses"] == ""
        assert settings["data_checksums"] == settings["fsync"] == settings["synchronous_commit"] == "on"
        assert settings["TimeZone"] == "UTC"
        row = connection.execute("SELECT current_user::text, datlocale FROM pg_database WHERE datname = 'xueshi'")
        assert row.fetchone() == ("xueshi", "C.UTF-8")
        assert connection.info.encoding == "utf-8"
        assert (new_home / "pg" / "18").stat().st_mode & 0o077 == 0
        assert Path(connection.info.host).stat().st_mode & 0o077 == 0


def test_the_server_is_in_a_session_that_no_terminal_reaches(home: Path) -> None:
    with PrivatePostgres(home, durable=False):
        pid = server_pid(home)
        assert pid is not None
        assert os.getsid(pid) == pid != os.getsid(0)


def test_asking_twice_gives_the_same_server(home: Path) -> None:
    url = ensure(home)
    assert ensure(home) == url
    assert database_settings({}, home, start=False)["HOST"] == database_settings({}, home)["HOST"]
    with running(home) as other:
        assert answer(other) == url
        end(other)
    assert server_pid(home) is not None


def test_a_database_for_each_worker(home: Path) -> None:
    with PrivatePostgres(home, durable=False) as server:
        fill(server.create_database("worker_1"))
        assert content(server.url("worker_1")) == (42,)
        with psycopg.connect(server.create_database("worker_1")) as connection:
            assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_two_starters_at_once_share_one_server_until_both_have_ended(new_home: Path) -> None:
    with running(new_home) as first, running(new_home) as second:
        assert answer(first) == answer(second) != ""
        pid = server_pid(new_home)
        end(first)
        assert server_pid(new_home) == pid
        end(second)
    assert server_pid(new_home) is None


def test_a_forked_child_ends_without_stopping_the_server(home: Path) -> None:
    script = START + "child = os.fork()\nif child == 0: sys.exit(0)\nprint(os.waitpid(child, 0)[1], flush=True)\n"
    with running(home, script + "sys.stdin.read()") as parent:
        url = answer(parent)
        assert answer(parent) == "0"
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        end(parent)
    assert server_pid(home) is None


# --- accidents ---------------------------------------------------------------------------------------------------
def test_after_kill_9_of_the_program_the_next_one_takes_the_server_over_and_stops_it(home: Path) -> None:
    with running(home) as victim:
        answer(victim)
        pid = server_pid(home)
        victim.kill()
        victim.wait()
    assert pid is not None
    assert server_pid(home) == pid
    with PrivatePostgres(home, durable=False):
        assert server_pid(home) == pid
    assert server_pid(home) is None


def test_after_kill_9_of_the_server_start_brings_it_back_with_all_that_was_committed(home: Path) -> None:
    with PrivatePostgres(home) as server:
        fill(server.url())
        kill_server(home)
        assert content(server.start()) == (42,)
    assert server_pid(home) is None


def test_a_stale_claim_on_a_living_stranger_neither_hinders_the_start_nor_harms_the_stranger(home: Path) -> None:
    with PrivatePostgres(home) as server:
        fill(server.url())
        kill_server(home)
        with bystander(home) as stranger:
            claim_pid(home, stranger.pid)
            assert content(server.start()) == (42,)
            assert stranger.poll() is None


def test_stopping_never_signals_a_stranger(home: Path) -> None:
    server = PrivatePostgres(home, durable=False)
    server.start()
    kill_server(home)
    with bystander(home) as stranger:
        claim_pid(home, stranger.pid)
        server.release()
        time.sleep(0.1)
        assert stranger.poll() is None


def test_a_server_that_cannot_write_its_last_checkpoint_is_stopped_all_the_same_and_loses_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmaster, "_STOP_PATIENCE", 0.2)
    with PrivatePostgres(home) as server:
        fill(server.url())
        with psycopg.connect(server.url("postgres", "postgres")) as connection:
            row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)
    assert server_pid(home) is None
    with PrivatePostgres(home) as server:
        assert content(server.url()) == (42,)


def test_a_claim_cut_short_by_a_full_disk_is_cleared(home: Path) -> None:
    with PrivatePostgres(home, durable=False) as server:
        kill_server(home)
        (home / "pg" / "18" / "postmaster.pid").write_text("")
        server.start()


def test_a_half_made_cluster_is_made_anew(new_home: Path) -> None:
    part = new_home / "pg" / "18.part"
    (part / "base").mkdir(parents=True)
    (part / "PG_VERSION").write_text("18\n")
    with PrivatePostgres(new_home, durable=False) as server:
        fill(server.url())
    assert not part.exists()


# --- homes -------------------------------------------------------------------------------------------------------
def test_a_home_too_deep_for_a_socket_gets_a_short_folder_elsewhere(tmp_path: Path) -> None:
    with (
        PrivatePostgres(tmp_path / ("deep" * 30), durable=False) as server,
        psycopg.connect(server.url()) as connection,
    ):
        folder = Path(connection.info.host)
        assert len(str(folder)) < 100
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_a_foreign_folder_in_the_socket_folders_place_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    monkeypatch.setattr("agent.db.private.expected_socket_folder", lambda _home: taken)
    with PrivatePostgres(tmp_path / "h", durable=False) as server, psycopg.connect(server.url()) as connection:
        assert connection.info.host != str(taken)
        assert Path(connection.info.host).stat().st_mode & 0o077 == 0


def test_a_home_may_be_called_anything(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path / "学时 $(touch x) `y` \"q\" 'a', b", durable=False) as server:
        fill(server.url())
        kill_server(server.home)
        server.start()
    assert server_pid(server.home) is None


def test_data_of_another_version_are_left_alone(new_home: Path) -> None:
    (new_home / "pg" / "17").mkdir(parents=True)
    with pytest.raises(PrivatePostgresVersion, match="written by PostgreSQL 17, and this program brings 18"):
        PrivatePostgres(new_home).start()
    (new_home / "pg" / "18").mkdir()
    (new_home / "pg" / "18" / "PG_VERSION").write_text("19\n")
    if os.geteuid() == 0:
        os.chown(new_home / "pg" / "18", 65534, 65534)
    with pytest.raises(PrivatePostgresVersion, match="PostgreSQL 19"):
        PrivatePostgres(new_home).start()
    assert sorted(path.name for path in (new_home / "pg").iterdir() if path.is_dir()) == ["17", "18", "log"]


def test_a_home_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match="can't be used"):
        PrivatePostgres(tmp_path / "file" / "home").start()


def test_a_broken_setting_of_the_operator_is_named(home: Path) -> None:
    (home / "pg" / "local.conf").write_text("max_connections = many\n")
    with pytest.raises(PrivatePostgresFailed, match="max_connections"):
        PrivatePostgres(home, durable=False).start()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('initdb: error: could not create directory "base": No space left on device', DiskFull),
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', DiskFull),
        ("FATAL:  could not create shared memory segment: No space left on device", PrivatePostgresFailed),
        ('initdb: error: could not create directory "18": Read-only file system', HomeUnusable),
        ("FATAL:  something else", PrivatePostgresFailed),
    ],
)
def test_what_the_programs_say_becomes_an_error_with_a_fix(words: str, kind: type[Exception]) -> None:
    assert type(cluster.failure("it ended", words, Path("home"))) is kind


# --- privacy -----------------------------------------------------------------------------------------------------
def test_no_content_of_a_row_reaches_the_log(home: Path) -> None:
    number = "110101199003074514"
    with PrivatePostgres(home, durable=False) as server:
        for user in ("xueshi", "postgres"):
            with psycopg.connect(server.url(user=user), autocommit=True) as connection:
                connection.execute("CREATE TEMPORARY TABLE p (n text PRIMARY KEY)")
                connection.execute("INSERT INTO p VALUES (%s)", (number,))
                for statement in ("INSERT INTO p VALUES (%s)", "SELECT %s::text::date", "SELECT 1/0, %s"):
                    with pytest.raises(psycopg.Error):
                        connection.execute(statement, (number,))
    written = "".join(path.read_text() for path in (home / "pg" / "log").iterdir())
    assert "ready to accept connections" in written
    assert number not in written


# --- accounts ----------------------------------------------------------------------------------------------------
def test_the_way_is_opened_only_where_it_is_shut(tmp_path: Path) -> None:
    shut, open_ = tmp_path / "shut", tmp_path / "shut" / "open"
    open_.mkdir(parents=True)
    shut.chmod(0o700)
    open_.chmod(0o751)
    accounts.open_way(accounts.Account("somebody", 64999, 64999), open_)
    assert shut.stat().st_mode & 0o777 == 0o701
    assert open_.stat().st_mode & 0o777 == 0o751


def test_an_ordinary_user_does_not_touch_anothers_data(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (new_home / "pg" / "18").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 64999)
    with pytest.raises(PrivatePostgresForeign, match="belong to the account"):
        accounts.choose(new_home, new_home / "pg" / "18", None)
