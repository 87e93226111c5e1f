"""Asks the npm verifiers of tests/verifiers, with the network closed where the machine lets us close it."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
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


def ask(
    documents: dict[str, str], *, proofs: dict[str, Any] | None = None, jwts: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the verifiers say of each credential; ``documents`` is all that they can fetch."""
    request = {"documents": documents, "proofs": proofs or {}, "jwts": jwts or {}}
    done = subprocess.run(
        [*_closed(), "node", "verify.mjs"], cwd=FOLDER, input=json.dumps(request), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
