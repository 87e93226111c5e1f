"""``python -m tests.trials.hasty …``: the command `xueshi` in a process whose patience is short and whose clock is off.

``XUESHI_TRIAL_CLOCK`` moves the process's clock by so many days. The machine's own stays: others live on it.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from tests.trials.hasty import main; main()",
)
LIMITS = {"connect": 3, "read": 2, "deadline": 4, "attempts": 2, "backoff": 0.01, "longest_wait": 2}


def main() -> None:
    """Run the command."""
    days = float(os.environ.get("XUESHI_TRIAL_CLOCK") or 0)
    if days:
        _move(timedelta(days=days))
    from connectors import http

    http.Limits = partial(http.Limits, **LIMITS)  # type: ignore[misc,assignment]
    from agent.cli import main as command

    command.main()


def _move(by: timedelta) -> None:
    """Before anybody has taken the names over."""
    from django.utils import timezone

    from agent import localtime

    ours, djangos = localtime.now, timezone.now
    localtime.now = lambda: ours() + by
    timezone.now = lambda: djangos() + by
