"""Asks the npm verifiers of tests/verifiers, with the network closed where the machine lets us close it."""

from __future__ import annotations

import atexit
import fcntl
import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "verifiers"


def install() -> None:
    """`npm ci` from the lock file, once; of several workers one does it and the others wait."""
    with (FOLDER / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = FOLDER / "node_modules" / ".package-lock.json"
        if done.exists() and done.stat().st_mtime >= (FOLDER / "package-lock.json").stat().st_mtime:
            return
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, check=True
        )


def _closed() -> list[str]:
    """A network namespace of its own, with nothing in it; where that is not allowed, the loader alone refuses."""
    unshare = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0:
        return unshare
    return []


@lru_cache(maxsize=1)
def _started() -> subprocess.Popen[str]:
    """The verifiers, started once for all tests of this process; they end with it, as their standard input does."""
    process = subprocess.Popen(
        [*_closed(), "node", "verify.mjs"], cwd=FOLDER, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes its standard input, which ends it, and waits
        pass


def ask(
    documents: dict[str, str], *, proofs: dict[str, Any] | None = None, jwts: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the verifiers say of each credential; ``documents`` is all that they can fetch."""
    process = _started()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"documents": documents, "proofs": proofs or {}, "jwts": jwts or {}}) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "the verifiers ended; what they said is on standard error"
    return json.loads(answer)
