"""Under which account the private server runs, and what that account must be able to reach.

PostgreSQL refuses to run as root. An ordinary user runs it under its own account and nothing here applies
(``Account | None`` is None). For root another account is borrowed, which must be able to pass through the folders
above the data and the binaries: it gets o+x there, only where that is missing, and the log says so.
"""

from __future__ import annotations

import logging
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.db.errors import PrivatePostgresAsRoot, PrivatePostgresForeign

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """The account that root borrows for the server."""

    name: str
    uid: int
    gid: int

    def spawn(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a process as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, path: Path, wanted: int) -> bool:
        """Whether the account has the rights ``wanted`` (4 read, 2 write, 1 pass) on ``path``, by its mode bits."""
        status = path.stat()
        if status.st_uid == self.uid:
            return (status.st_mode >> 6) & wanted == wanted
        if status.st_gid == self.gid:
            return (status.st_mode >> 3) & wanted == wanted
        return status.st_mode & wanted == wanted


def choose(home: Path, data: Path, configured: str | None) -> Account | None:
    """The account for the server of ``home``, or None when we run as an ordinary user.

    In this order: who owns the data already, who is configured (``XUESHI_PG_USER``), who owns the home, ``nobody``.

    :raises PrivatePostgresForeign: the data belong to somebody else, and we are not root.
    :raises PrivatePostgresAsRoot: there is no such account.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise PrivatePostgresForeign(path=data, owner=_name(owner))
        return None
    try:
        if owner:
            entry = pwd.getpwuid(owner)
        elif configured:
            entry = pwd.getpwnam(configured)
        else:
            entry = pwd.getpwuid(home.stat().st_uid)
            if entry.pw_uid == 0:
                entry = pwd.getpwnam("nobody")
    except KeyError:
        raise PrivatePostgresAsRoot(account=configured or owner or "nobody", reason="it does not exist") from None
    if entry.pw_uid == 0:
        raise PrivatePostgresAsRoot(account=entry.pw_name, reason="it is root itself")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def open_way(account: Account, folder: Path) -> None:
    """Let ``account`` pass through ``folder`` and all above it.

    :raises PrivatePostgresAsRoot: a folder's mode can't be changed.
    """
    for step in reversed([folder, *folder.parents]):
        if not account.may(step, 1):
            _add(account, step, _pass_bit(account, step))


def open_tree(account: Account, folder: Path) -> None:
    """Let ``account`` read everything under ``folder``: needed for packages installed with a strict umask."""
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        if not account.may(path, 5 if runs else 4):
            _add(account, path, stat.S_IROTH | (stat.S_IXOTH if runs else 0), quiet=True)
    _log.warning("made %s readable for the account %s, which runs the private PostgreSQL", folder, account.name)


def _pass_bit(account: Account, folder: Path) -> int:
    """The single bit that is missing: which of the three applies depends on the owner."""
    status = folder.stat()
    if status.st_uid == account.uid:
        return stat.S_IXUSR
    return stat.S_IXGRP if status.st_gid == account.gid else stat.S_IXOTH


def _add(account: Account, path: Path, bits: int, *, quiet: bool = False) -> None:
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) | bits)
    except OSError as error:
        raise PrivatePostgresAsRoot(
            account=account.name, reason=f"it may not enter {path} ({error.strerror})"
        ) from None
    if not quiet:
        _log.warning("let the account %s, which runs the private PostgreSQL, pass through %s", account.name, path)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
