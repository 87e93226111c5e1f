"""The folder where one installation keeps what it can't lose: data key, signing keys, private database, PDFs."""

from __future__ import annotations

import os
from pathlib import Path

from agent.errors import XueshiError


class HomeUnusable(XueshiError):
    """The folder {path} (XUESHI_HOME) can't be used: {reason}."""

    code = "E_HOME"
    fix = "Set XUESHI_HOME to a folder that this account may write, or give this one the rights."


def home() -> Path:
    """``XUESHI_HOME`` (default ``./var``), made with mode 0700 when it is not there."""
    path = Path(os.environ.get("XUESHI_HOME") or "var").expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o711)
    except OSError as error:
        raise HomeUnusable(path=path, reason=error.strerror) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise HomeUnusable(path=path, reason="no right to write")
    return path


def mappings_folder() -> Path | None:
    """The folder that replaces the shipped policies, when one is set."""
    given = os.environ.get("XUESHI_MAPPINGS")
    return Path(given) if given else None


def region() -> str:
    """The administrative division that this installation serves; its policies are in force here."""
    return os.environ.get("XUESHI_REGION") or "370400"
