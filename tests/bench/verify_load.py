"""The page behind the QR code under load: so many certificates, so many requests a second, how long each answer took.

Run as ``verify_load PORT PATHS RATE SECONDS CONNECTIONS`` it is the load, open-loop and over connections that are kept.
Each request has its moment; what it waited for a free connection counts, so a server that stalls can't hide it by being asked less.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from agent.db.cluster import MAJOR
from tests.bench.measure import (
    ROOT,
    Figure,
    MeasurementFailed,
    Options,
    Results,
    environment,
    family_seconds,
    measured,
    ours,
    say,
)
from tests.bench.servers import fake_moodle, fresh_home

_ROWS, _CERTIFICATES = 20_000, 10_000
_RATE, _SECONDS, _CONNECTIONS = 300, 20, 16
_ASKED = 50  # milliseconds at the 99th percentile


def run(options: Options) -> Results:
    """Percentiles of the verify page as `xueshi serve --web` answers it."""
    with fresh_home() as home:
        with fake_moodle(_ROWS) as moodle:
            made = measured(ours("verify_run", moodle.url, moodle.token), home=home, label="certificates to look at")
        if (count := len(made["paths"])) < _CERTIFICATES:
            raise MeasurementFailed(f"only {count} certificates were issued")
        paths = home / "paths.json"
        paths.write_text(json.dumps(made["paths"]))
        with _served(home) as (port, server):
            database = int((home / "pg" / str(MAJOR) / "postmaster.pid").read_text().split()[0])
            _load(port, paths, 4)  # templates are read, connections open
            found = []
            for _ in range(options.runs):
                busy = [family_seconds(server), family_seconds(database)]
                found.append(_load(port, paths, _SECONDS))
                used = [family_seconds(server) - busy[0], family_seconds(database) - busy[1]]
                found[-1] |= {"pages": used[0] / found[-1]["sent"], "database": used[1] / found[-1]["sent"]}
    p50, p99 = [one["p50"] for one in found], [one["p99"] for one in found]
    errors = [float(one["errors"]) for one in found]
    met = sorted(p99)[len(p99) // 2] <= _ASKED and not any(errors)
    busy = {part: [one[part] * 1000 for one in found] for part in ("pages", "database")}
    load = os.getloadavg()[0]
    what = f"verify page at {_RATE} requests/s, {count:,} certificates"
    return Results([
        Figure("verify_p99", f"{what}: 99 % within", "ms", p99, ask=f"≤ {_ASKED}", met=met),
        Figure("verify_p50", f"{what}: half within", "ms", p50),
        Figure("verify_cpu", "verify page: processor time of a request", "ms", busy["pages"]),
        Figure("verify_database_cpu", "verify page: processor time of the database for it", "ms", busy["database"]),
        Figure("verify_errors", f"{what}: answers other than 200", "", errors, ask="0", met=not any(errors)),
    ], [f"While the verify page was asked, the machine's load was {load:.1f} (the database and who asks are on it too)."])  # fmt: skip


def _load(port: int, paths: Path, seconds: int) -> dict[str, Any]:
    found = measured(
        ours("verify_load", port, paths, _RATE, seconds, _CONNECTIONS), label=f"verify: {_RATE}/s for {seconds} s"
    )
    say(f"verify: p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms, {found['errors']} errors of {found['sent']}")
    return found


@contextlib.contextmanager
def _served(home: Path) -> Iterator[tuple[int, int]]:
    """`xueshi serve --web` on a free port, and its process; stopped afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = int(place.getsockname()[1])
    command = [sys.executable, "-c", "from agent.cli.main import main; main()", "serve", "--web", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 120
            while not _answers(port):
                if server.poll() is not None or time.monotonic() > until:
                    raise MeasurementFailed("the server did not come up")
                time.sleep(0.1)
            yield port, server.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGTERM)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


async def _drive(port: int, paths: list[str], rate: int, seconds: int, connections: int) -> dict[str, Any]:
    waiting: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
    took: list[float] = []
    errors = 0

    async def connection() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (due := await waiting.get()) is not None:
            at, path = due
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            took.append((time.perf_counter() - at) * 1000)
            errors += not head.startswith(b"HTTP/1.1 200 ")
        writer.close()

    workers = [asyncio.create_task(connection()) for _ in range(connections)]
    began = time.perf_counter()
    for number in range(rate * seconds):
        at = began + number / rate
        if (pause := at - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        waiting.put_nowait((at, paths[number * 7919 % len(paths)]))
    for _ in workers:
        waiting.put_nowait(None)
    await asyncio.gather(*workers)
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "errors": errors, "sent": len(took)}


def main(port: str, paths: str, rate: str, seconds: str, connections: str) -> None:
    """Ask, and print what it took."""
    addresses = json.loads(Path(paths).read_text())
    print(json.dumps(asyncio.run(_drive(int(port), addresses, int(rate), int(seconds), int(connections)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
