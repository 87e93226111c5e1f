"""An empty database gets its tables as `migrate` makes them.

Django makes them in eight seconds of work, most of which is drawing each model again after each step. What came of it
is kept as SQL under `.pytest_cache`, by the code that it came of: the next run, and trials in this one, take it from
there in half a second.
"""

from __future__ import annotations

import gc
import os
import subprocess
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from agent.db import cluster

_ROOT = Path(__file__).parents[1]
_KEPT = _ROOT / ".pytest_cache" / "migrated"


def migrate(url: str) -> None:
    """Make the tables in the empty database of ``url``, which is Django's meanwhile."""
    kept = _KEPT / f"{_code()}.sql"
    connections.close_all()
    if kept.exists():
        whole = ("--single-transaction", "--set=ON_ERROR_STOP=1")
        _program("psql", "--quiet", "--no-psqlrc", *whole, f"--file={kept}", url)
        return
    gc.disable()  # of what migrations make nearly all is in use until their end, and looked through again and again
    try:
        call_command("migrate", verbosity=0)
    finally:
        gc.enable()
    connections.close_all()
    _KEPT.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    _program("pg_dump", "--no-owner", f"--file={part}", url)
    for old in _KEPT.glob("*.sql"):
        old.unlink(missing_ok=True)
    part.rename(kept)


@lru_cache(maxsize=1)
def _code() -> str:
    """Names all that migrations may use: code and shipped templates, and the exact versions of what others wrote."""
    found = sha256()
    used = (path for path in (_ROOT / "agent").rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in (_ROOT / "requirements.lock", *sorted(used)):
        found.update(b"%s\0%d\0" % (str(path.relative_to(_ROOT)).encode(), path.stat().st_size) + path.read_bytes())
    return found.hexdigest()[:32]


def _program(name: str, *arguments: str) -> None:
    subprocess.run([cluster.binaries() / name, *arguments], check=True, capture_output=True)
