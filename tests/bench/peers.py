"""The environment in which the peers live: `.bench/`, pinned with hashes, installed by the bench alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.bench.measure import ROOT, say

_FOLDER = ROOT / ".bench"
_LOCK = Path(__file__).with_name("requirements-peers.lock")


def environment() -> Path:
    """The Python that has the peers, installed on first use and whenever the lock file changed.

    :raises subprocess.CalledProcessError: it can't be installed (`--no-peer` measures without)
    """
    python, mark = _FOLDER / "bin" / "python", _FOLDER / "installed"
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if not (mark.exists() and mark.read_text() == wanted):
        say("Installing the peers into .bench/ (once) …")
        subprocess.run([sys.executable, "-m", "venv", "--clear", _FOLDER], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", _LOCK]
        subprocess.run([python, *install], check=True, stderr=subprocess.DEVNULL)
        mark.write_text(wanted)
    return python
