"""Is our server running? What ``postmaster.pid`` says, checked against what really lives.

After a crash or a reboot the number in that file may belong to any other program, and both `pg_ctl` and `postgres`
take it for a server: the first would even send it a signal. So every server of ours carries a *mark* in its command
line, made of the data folder's inode, and only a process with that mark counts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from agent.db.locks import Say

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"

_NO_PROCESS = 99_999_999
"""A number that is above every process number a kernel gives."""
_WAL_SEGMENT = 16 * 1024 * 1024
_STOP_PATIENCE = 60.0
_FULL_PATIENCE = 3.0
_STOP_LIMIT = 30.0


class Answer(Enum):
    """What the socket says."""

    READY = "ready"
    REJECTS = "starting, recovering or stopping"
    SILENT = "nobody there"


@dataclass(frozen=True)
class Postmaster:
    """The claim in ``postmaster.pid``: a process and the folder of its socket."""

    pid: int
    socket_folder: Path | None


def mark(data: Path) -> str:
    """What a server of this data folder carries in its command line: the folder's inode, which survives a move."""
    status = data.stat()
    return f"xueshi-{status.st_dev:x}-{status.st_ino:x}"


def read(data: Path) -> Postmaster | None:
    """The claim, or None when there is none or it can't be read (cut short by a full disk)."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = abs(int(lines[0]))
    except (OSError, ValueError, IndexError):
        return None
    folder = lines[4].strip() if len(lines) > 4 else ""  # noqa: PLR2004 - the file's fifth line
    return Postmaster(pid, Path(folder) if folder else None)


def ask(socket_folder: Path | None) -> Answer:
    """Knock at the socket."""
    if socket_folder is None:
        return Answer.SILENT
    target = make_conninfo(host=str(socket_folder), port=PORT, user="postgres", dbname="postgres", connect_timeout=5)
    answer = pq.PGconn.ping(os.fsencode(target))
    if answer == pq.Ping.OK:
        return Answer.READY
    return Answer.REJECTS if answer == pq.Ping.REJECT else Answer.SILENT


def alive(pid: int, marked: str) -> bool:
    """Whether ``pid`` is a living server with this mark. A zombie does not live."""
    command = _command_line(pid)
    return command is not None and marked in command


def lives(pid: int) -> bool:
    """Whether any process has this number (a zombie, too)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def clear_stale(data: Path, socket_folder: Path) -> None:
    """Take away what a dead server left and a new one would stumble over. Only under the start lock, when none runs.

    The claim's number is replaced rather than the file removed: its shared-memory line lets the new server find
    orphaned children of the old one, and wait for them.
    """
    file = data / "postmaster.pid"
    claim = read(data)
    if claim is None:
        file.unlink(missing_ok=True)
    elif lives(claim.pid):
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "r+b") as stream:
            rest = stream.read().partition(b"\n")[2]
            stream.seek(0)
            stream.write(b"%d\n" % _NO_PROCESS + rest)
            stream.truncate()
    for name in (SOCKET, f"{SOCKET}.lock"):
        (socket_folder / name).unlink(missing_ok=True)


def disk_is_full(data: Path) -> bool:
    """Whether the server could not write another segment of its log, so that neither start nor stop can end well."""
    room = os.statvfs(data)
    return room.f_bavail * room.f_frsize < _WAL_SEGMENT


def stop(data: Path, say: Say) -> bool:
    """Stop the server (fast: open transactions are rolled back) and wait; True when none runs any more.

    The signal is what ``pg_ctl stop -m fast`` sends, but only ever to a process with our mark. A server that can't
    write (the disk is full) would never end that way: it gets the signal of ``-m immediate`` then, which loses
    nothing either, since the next start repairs from the log.
    """
    claim = read(data)
    marked = mark(data)
    if claim is None or not alive(claim.pid, marked):
        return True
    _signal(claim.pid, signal.SIGINT)
    start = time.monotonic()
    spoken, pressed = start + 3, False
    while alive(claim.pid, marked):
        waited = time.monotonic() - start
        if not pressed and (waited > _STOP_PATIENCE or (waited > _FULL_PATIENCE and disk_is_full(data))):
            say("the database can't finish its writing and is stopped at once; the next start repairs it")
            _signal(claim.pid, signal.SIGQUIT)
            pressed = True
        if waited > _STOP_PATIENCE + _STOP_LIMIT:
            return False
        if time.monotonic() >= spoken:
            say(f"the database writes out what is in memory and stops ({waited:.0f} s)")
            spoken += 10
        time.sleep(0.01)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _command_line(pid: int) -> str | None:
    folder = Path("/proc")
    if (folder / "self").exists():
        try:
            return (folder / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return None
    # No /proc (macOS): ask ps.
    shown = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return shown.stdout if shown.returncode == 0 else None
