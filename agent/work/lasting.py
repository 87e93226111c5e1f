"""What is asked of the queue is asked, though the database be away: a job that is forgotten is nobody's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from django.db import InterfaceError, OperationalError, connection

from agent import boot
from agent.db.faults import explain
from agent.errors import XueshiError

_log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)
"""What Django raises when a session was ended, or none can be had."""
_PAUSE = 1.0  # seconds


def persistently(ask: Callable[[], object], stopping: Event | None = None) -> None:
    """Do ``ask``, on a new session again and again while the database is away, until ``stopping``.

    A private database that was killed is started again.

    :raises OperationalError: the database was still away when told to stop
    """
    said = False
    while True:
        try:
            ask()
        except AWAY as error:
            if stopping and stopping.is_set():
                raise
            if not said:
                known = explain(error)
                _log.warning("%s; waiting for it.", known.message if known else type(error).__name__)
                said = True
        else:
            return
        connection.close()
        with suppress(XueshiError):
            boot.revive()
        (stopping or Event()).wait(_PAUSE)
