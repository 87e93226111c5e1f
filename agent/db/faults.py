"""What an exception of the database means for a person.

`explain` is asked at the program's rim. It follows the chain of causes, so it sees through Django's own exceptions
without knowing Django. What is our own mistake (a violated constraint, a wrong statement) stays unexplained, and its
text, which may quote a person's data, is not passed on.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

import psycopg

from agent.db import errors
from agent.errors import XueshiError

_REASON_LENGTH = 200

# By SQLSTATE, the longest prefix first (PostgreSQL's manual, appendix A).
_BY_STATE: dict[str, type[errors.DatabaseError]] = {
    "53100": errors.DiskFull,
    "53300": errors.DatabaseBusy,
    "57P": errors.DatabaseStopped,  # administrator's shutdown, crash of another process, starting up
    "57P04": errors.DatabaseMissing,
    "08": errors.DatabaseUnreachable,
    "08006": errors.DatabaseStopped,
    "28": errors.DatabaseRefusesLogin,
    "3D000": errors.DatabaseMissing,
    "25006": errors.DatabaseReadOnly,
    "42501": errors.DatabaseRights,
}

# libpq gives no SQLSTATE for what happens before or beside a session: its words are all there is.
_BY_WORDS: tuple[tuple[str, type[errors.DatabaseError]], ...] = (
    ("no space left on device", errors.DiskFull),
    ("too many clients", errors.DatabaseBusy),
    ("too many connections", errors.DatabaseBusy),
    ("remaining connection slots", errors.DatabaseBusy),
    ("authentication failed", errors.DatabaseRefusesLogin),
    ("no password supplied", errors.DatabaseRefusesLogin),
    ("no pg_hba.conf entry", errors.DatabaseRefusesLogin),
    ("is not permitted to log in", errors.DatabaseRefusesLogin),
    ("fatal:  role ", errors.DatabaseRefusesLogin),
    ("fatal:  database ", errors.DatabaseMissing),
    ("the database system is ", errors.DatabaseStopped),  # … starting up, in recovery mode, shutting down
    ("server closed the connection", errors.DatabaseStopped),
    ("connection already closed", errors.DatabaseStopped),
    ("connection is closed", errors.DatabaseStopped),
    ("connection is lost", errors.DatabaseStopped),
    ("connection not open", errors.DatabaseStopped),
    ("no connection to the server", errors.DatabaseStopped),
    ("connection has been closed", errors.DatabaseStopped),
    ("could not receive data from server", errors.DatabaseStopped),
    ("could not send data to server", errors.DatabaseStopped),
    ("consuming input failed", errors.DatabaseStopped),
    ("sending query failed", errors.DatabaseStopped),
    # Last: psycopg begins whatever happens while connecting with these words.
    ("connection failed", errors.DatabaseUnreachable),
    ("connection is bad", errors.DatabaseUnreachable),
    ("connection timeout", errors.DatabaseUnreachable),
    ("failed to resolve host", errors.DatabaseUnreachable),
    ("couldn't get a connection", errors.DatabaseUnreachable),
)


def explain(exc: BaseException) -> XueshiError | None:
    """The error to show for ``exc``, or None when it is not the database's or the disk's fault.

    The innermost known cause wins: a closed connection is the consequence, the shutdown before it the cause. An error
    of ours in the chain is the explanation itself.
    """
    found: XueshiError | None = None
    for each in _chain(exc):
        if isinstance(each, XueshiError):
            return each  # somebody has explained it already
        if isinstance(each, psycopg.Error) or _is_djangos(each):
            found = _of_database(each) or found
        elif isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT):
            found = errors.DiskFull(where=each.filename or "while writing a file")
    return found


def _of_database(exc: BaseException) -> XueshiError | None:
    state = getattr(exc, "sqlstate", None)
    text = str(exc)
    if state:
        for length in (5, 3, 2):
            if (kind := _BY_STATE.get(state[:length])) is not None:
                return kind(reason=_first_line(text), where=_where(text))
        words = _BY_WORDS[:1] if state.startswith("58") else ()
    else:
        words = _BY_WORDS
    lowered = text.lower()
    for part, kind in words:
        if part in lowered:
            return kind(reason=_first_line(text), where=_where(text))
    return None


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The exception and its causes, outermost first; a context that was suppressed on purpose is no cause."""
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _is_djangos(exc: BaseException) -> bool:
    """Django raises «connection already closed» by itself, without a cause in psycopg."""
    kind = type(exc)
    return kind.__module__ == "django.db.utils" and kind.__name__ in {"OperationalError", "InterfaceError"}


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _REASON_LENGTH else f"{line[:_REASON_LENGTH]}…"


def _where(text: str) -> str:
    if "shared memory" in text:
        return "the server's shared memory, /dev/shm"
    return _first_line(text)
