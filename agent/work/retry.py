"""What becomes of a job that failed: a table by what its error asks for (`connectors.errors.Action`).

Procrastinate's own retry would put the failed job back into the queue, where another of its kind may wait already and
only one may. So a job that failed is over, and asks for another, which comes to nothing when one waits.
"""

from __future__ import annotations

from datetime import timedelta

from agent.errors import XueshiError
from agent.intake.budget import HOUR
from agent.intake.errors import Interrupted, SourceBusy, SyncFailed
from agent.work.errors import NoticeRefused

MOST = 5
"""Attempts after the first."""
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(minutes=30)


def pause(error: BaseException, attempts: int) -> timedelta | None:
    """How long until the next attempt after so many; None: a person, or the next due time, comes first.

    A site that is busy or away, and what nobody foresaw: 30 seconds, doubled, five times. A spent budget: an hour. A
    process that is told to end leaves its job to another at once.
    """
    if isinstance(error, Interrupted):
        return timedelta(0)
    if isinstance(error, SyncFailed) and error.code == "E_BUDGET":
        return HOUR
    again: bool = isinstance(error, SourceBusy | NoticeRefused) or (
        isinstance(error, SyncFailed) and error.action.again
    )
    if attempts >= MOST or (isinstance(error, XueshiError) and not again):
        return None
    wait: timedelta = min(_FIRST * 2**attempts, _LONGEST)
    return wait
