"""The private PostgreSQL under ``XUESHI_HOME``: many processes share it, the last one stops it.

Every user holds a shared flock on ``pg/users.lock`` while it lives; who gets that lock alone at its end stops the
server. The kernel releases the lock of a killed process, so the next user finds the server and stops it at its end.
Making and starting happen under ``pg/start.lock``, held alone.

    home/pg/          18/ data · run/ socket · log/ · start.log · postgresql.conf · local.conf (the operator's)
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import hashlib
import logging
import os
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from agent.db import account as accounts
from agent.db import cluster, locks, postmaster
from agent.db.account import Account
from agent.db.cluster import MAJOR
from agent.db.errors import DiskFull, PrivatePostgresFailed, PrivatePostgresVersion
from agent.db.locks import Say
from agent.db.postmaster import PORT, SOCKET, Answer
from agent.home import HomeUnusable

NAME = "xueshi"
"""The database, and the role that owns it."""

_log = logging.getLogger(__name__)
_SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
_AWKWARD = frozenset(",\"'\\@\n")
"""Characters that mean something else in a list of hosts or of socket folders."""
_SILENCE_LIMIT = 120.0
_REFUSAL_LIMIT = 5.0
_FULL_LIMIT = 5.0


class PrivatePostgres:
    """The server of one home. `start` may be called again at any time: it starts what was killed meanwhile.

    ``durable=False`` is for tests: it writes without waiting for the disk. ``say`` takes sentences for a person who
    waits (a log line otherwise).
    """

    def __init__(self, home: Path, *, durable: bool = True, say: Say | None = None) -> None:
        self.home = home.resolve()
        self.pg = self.home / "pg"
        self.data = self.pg / str(MAJOR)
        self._durable = durable
        self._say: Say = say or (lambda sentence: _log.warning("%s", sentence))
        self._socket_folder: Path | None = None
        self._users: int | None = None
        self._process = os.getpid()
        self._account: Account | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.release()

    def url(self, database: str = NAME, user: str = NAME) -> str:
        """The libpq URL of a database of the started server; ``user="postgres"`` is the superuser."""
        folder = self._socket_folder or expected_socket_folder(self.home)
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(folder), safe='/')}&port={PORT}"

    def start(self) -> str:
        """Make, start or join the server; gives the URL of the database ``xueshi``, which is there then.

        :raises DiskFull: no room.
        :raises HomeUnusable: the home can't be written.
        :raises DatabaseError: anything else, with what to do.
        """
        if self._process != os.getpid():  # we are a forked child: the lock we carry is our parent's
            self._close_users()
            self._process = os.getpid()
        try:
            owner = self._make_folders()
            with locks.exclusive(self.pg / "start.lock", owner, self._say, "another process starts the database"):
                self._join(owner)
                try:
                    self._socket_folder = self._running() or self._boot()
                    self._set_up()
                except BaseException:
                    self.release()
                    raise
        except OSError as error:
            raise _unusable(self.home, error) from None
        return self.url()

    def release(self) -> None:
        """Be no user any more; the last user stops the server. A forked child's release does nothing."""
        if self._users is None or self._process != os.getpid():
            return
        atexit.unregister(self._at_exit)
        try:
            if locks.try_acquire(self._users, fcntl.LOCK_EX) and self.data.exists():
                stopped = postmaster.stop(self.data, self._say)
                if stopped and self._socket_folder and self._socket_folder.parent != self.pg:
                    _remove_empty(self._socket_folder)
        finally:
            self._close_users()

    def create_database(self, name: str) -> str:
        """Make an empty database (an old one of that name is dropped) owned by ``xueshi``; gives its URL."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            named = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(named, sql.Identifier(NAME)))
        return self.url(name)

    def _at_exit(self) -> None:
        try:
            self.release()
        except KeyboardInterrupt:
            pass  # the server has its signal already and stops without us
        except Exception:  # noqa: BLE001 - at exit nobody can catch it any more
            _log.exception("the private PostgreSQL could not be stopped")

    def _join(self, owner: tuple[int, int] | None) -> None:
        if self._users is not None:
            return
        self._users = locks.open_lock(self.pg / "users.lock", owner)
        locks.acquire(self._users, fcntl.LOCK_SH, self._say, "another process stops the database")
        atexit.register(self._at_exit)

    def _close_users(self) -> None:
        if self._users is not None:
            os.close(self._users)  # never unlocked by hand: a forked child's unlock would be its parent's, too
            self._users = None

    def _make_folders(self) -> tuple[int, int] | None:
        """Make what is missing; gives the owner for files of ours when root works in somebody's home."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._account = accounts.choose(self.home, self.data, os.environ.get("XUESHI_PG_USER"))
        self.pg.mkdir(exist_ok=True, mode=0o700 if self._account is None else 0o711)
        if self._account is None:
            (self.pg / "log").mkdir(exist_ok=True, mode=0o700)
            return None
        status = self.home.stat()
        owner = (status.st_uid, status.st_gid)
        os.chown(self.pg, *owner)
        (self.pg / "log").mkdir(exist_ok=True, mode=0o700)
        os.chown(self.pg / "log", self._account.uid, self._account.gid, follow_symlinks=False)
        accounts.open_way(self._account, self.pg)
        return owner

    def _running(self) -> Path | None:
        """The socket's folder if the server runs; waits while it is on its way up or down."""
        start = time.monotonic()
        spoken = start + 3
        while (claim := postmaster.read(self.data)) is not None:
            answer = postmaster.ask(claim.socket_folder)
            waited = time.monotonic() - start
            if answer is Answer.READY and claim.socket_folder:
                try:
                    if self._is_ours(claim.socket_folder):
                        return claim.socket_folder
                except psycopg.OperationalError:
                    # It may have begun to stop since; if it goes on answering, the refusal is meant.
                    if waited > _REFUSAL_LIMIT:
                        raise
            if answer is not Answer.REJECTS and not postmaster.alive(claim.pid, postmaster.mark(self.data)):
                return None
            if answer is Answer.REJECTS and waited > _FULL_LIMIT and postmaster.disk_is_full(self.data):
                raise DiskFull(where=self.data)
            if answer is Answer.SILENT and waited > _SILENCE_LIMIT:
                raise PrivatePostgresFailed(reason=f"process {claim.pid} lives but does not answer", tail="nothing")
            if time.monotonic() >= spoken:
                self._say(f"the database is {answer.value} ({waited:.0f} s)")
                spoken += 10
            time.sleep(min(1.0, 0.03 + waited / 10))  # each knock is a line in the server's log
        return None

    def _is_ours(self, socket_folder: Path) -> bool:
        """A home that was copied with its ``postmaster.pid`` points at the original's server."""
        self._socket_folder = socket_folder
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            row = connection.execute("SHOW cluster_name").fetchone()
        return row == (postmaster.mark(self.data),)

    def _boot(self) -> Path:
        folder = cluster.binaries()
        if self._account is not None:
            cluster.open_binaries(self._account, folder)
        self._check_version()
        if not self.data.exists():
            _log.info("making the private database in %s", self.data)
            cluster.initialise(self.data, self._account, durable=self._durable)
        socket_folder = _make_socket_folder(self.home, self._account)
        cluster.write_configuration(self.pg, socket_folder, durable=self._durable)
        cluster.start(self.pg, self.data, socket_folder, self._account, self._say)
        return socket_folder

    def _check_version(self) -> None:
        if self.data.exists():
            file = self.data / "PG_VERSION"
            found = file.read_text().strip() if file.exists() else "unknown (PG_VERSION is missing)"
            if found != str(MAJOR):
                raise PrivatePostgresVersion(path=self.data, found=found, wanted=MAJOR)
            return
        others = [path for path in self.pg.iterdir() if path.name.isdecimal()]
        if others:
            raise PrivatePostgresVersion(path=others[0], found=others[0].name, wanted=MAJOR)

    def _set_up(self) -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            role = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (NAME,)).fetchone()
            named = sql.Identifier(NAME)
            if role is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(named))
                # A client's error quotes the value it stumbled over («invalid input syntax … "…"»): not for the log.
                for each in (named, sql.Identifier("postgres")):
                    connection.execute(sql.SQL("ALTER ROLE {} SET log_min_messages = 'fatal'").format(each))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(named))


_servers: dict[Path, PrivatePostgres] = {}
_guard = threading.Lock()


def ensure(home: Path, say: Say | None = None) -> str:
    """The URL of the private database of ``home``, running until this process ends (or its last fellow user).

    :raises XueshiError: it can't be had; the error says what to do.
    """
    with _guard:
        server = _servers.setdefault(home.resolve(), PrivatePostgres(home, say=say))
        return server.start()


def expected_socket_folder(home: Path) -> Path:
    """Where the socket of ``home`` goes: inside, or a short folder named after it when the path would be too long."""
    inside = home.resolve() / "pg" / "run"
    if _fits(inside):
        return inside
    name = f"xueshi-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR") if os.geteuid() != 0 else None
    for parent in (runtime, tempfile.gettempdir()):
        if parent and os.access(parent, os.W_OK | os.X_OK) and _fits(Path(parent, name)):
            return Path(parent, name)
    return Path("/tmp", name)  # noqa: S108 - the only short place that every Unix has; made 0700 and checked


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET)) <= _SOCKET_PATH_LIMIT and not _AWKWARD & set(str(folder))


def _make_socket_folder(home: Path, account: Account | None) -> Path:
    folder = expected_socket_folder(home)
    uid = account.uid if account else os.geteuid()
    folder.mkdir(exist_ok=True, mode=0o700)
    if account is not None and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid or status.st_mode & 0o077:
        # Somebody was there first: take a name that nobody can foresee. Others read it from postmaster.pid.
        folder = Path(tempfile.mkdtemp(prefix="xueshi-", dir=folder.parent))
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    return folder


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        _log.debug("%s stays: %s", folder, error.strerror)


def _unusable(home: Path, error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(where=home)
    return HomeUnusable(path=error.filename or home, reason=error.strerror or type(error).__name__)
