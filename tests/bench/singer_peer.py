"""A tap of singer-sdk piped into target-postgres, as Meltano runs them. Runs in the peers' environment.

Usage: ``singer_peer.py SITE POSTGRESQL_URL``; SITE is JSON, see `singer_tap`. Its clock runs from before the two
processes are started until both have ended. The time that they take with nothing to read is told, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psycopg

_NEVER = 4_000_000_000  # a second from which on nothing is completed


def piped(site: list[object], database: str, folder: Path) -> float:
    """Run both; how many seconds it took."""
    config = folder / "target.json"
    config.write_text(json.dumps({"sqlalchemy_url": database, "default_target_schema": "peer", "use_copy": True}))
    scripts = Path(sys.executable).parent
    environment = os.environ | {"XUESHI_BENCH_SITE": json.dumps(site)}
    began = time.perf_counter()
    with (folder / "log").open("w+") as log:
        tap = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("singer_tap.py")],
            env=environment, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        target = subprocess.Popen(
            [scripts / "target-postgres", "--config", config], stdin=tap.stdout, stdout=subprocess.DEVNULL, stderr=log
        )
        assert tap.stdout
        tap.stdout.close()
        ends = target.wait(), tap.wait()
        seconds = time.perf_counter() - began
        log.seek(0)
        if any(ends):
            sys.exit(log.read()[-3000:])
    return seconds


def main(site: str, database: str) -> None:
    """Read nothing, then everything; print what it took."""
    url, token, size, since = json.loads(site)
    with tempfile.TemporaryDirectory() as folder:
        nothing = piped([url, token, size, _NEVER], database, Path(folder))
        seconds = piped([url, token, size, since], database, Path(folder))
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM peer.completion").fetchone()
    print(
        json.dumps(
            {
                "peer": f"singer-sdk {version('singer-sdk')} | target-postgres {version('meltanolabs-target-postgres')}",
                "rows": row and row[0],
                "seconds": seconds,
                "nothing_seconds": nothing,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
