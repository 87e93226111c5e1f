"""How a line of the log looks: one line, also for an exception, and never what an exception says of the data."""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath
from types import TracebackType

from agent.db.faults import explain

_DEEPEST = 6


class OneLine(logging.Formatter):
    """An exception that has an explanation gives its code and sentence; any other its type and where it arose.

    Its own text stays out: it may quote a row. `--debug` shows all of it to whoever runs a command by hand.
    """

    def formatException(  # noqa: N802 - logging calls it so
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The line that stands for an exception."""
        error = ei[1]
        if error is None:
            return ""
        known = explain(error)
        if known is not None:
            return f"{known.code}: {known.message}"
        frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
        places = " < ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
        return f"E_BUG: {type(error).__name__} at {places or 'an unknown place'}"
