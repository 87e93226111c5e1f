"""Measures the queue: ``sync_many_run SITES COUNT`` in a fresh ``XUESHI_HOME``.

SITES is JSON: the address and the token of each site; the sources are spread over them. The clock and two workers of
four jobs are `xueshi serve` as a person would start it, the workers first. No source was ever asked, so all fall due
when the clock looks; their usual jitter is taken from them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from agent.boot import start

_LOOK = 0.25  # seconds
_PATIENCE = 900.0
_WORKERS = ("--worker", "--concurrency", "4"), ("--worker", "--concurrency", "4")
_WAITS = """
SELECT greatest(extract(epoch FROM t.at - d.at), 0)::float, extract(epoch FROM t.at)::float,
       extract(epoch FROM d.at)::float, extract(epoch FROM e.at)::float
FROM procrastinate_jobs j
JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = j.id AND type = 'deferred') d ON true
JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = j.id AND type = 'started') t ON true
JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id AND type = 'succeeded') e ON true
WHERE j.task_name = 'pull' ORDER BY d.at, j.id
"""


def main(sites: str, count: str) -> None:
    """Wait until every source was served; print how it went."""
    start()
    from django.db import connection

    from agent.intake.models import Completion, Source, SyncRun
    from agent.intake.sources import save
    from agent.work import queue

    addresses = json.loads(sites)
    for place in range(int(count)):
        url, token = addresses[place % len(addresses)]
        save(f"base{place:03d}", kind="moodle", url=url, token=token, options={}, allow_private=True)
    Source.objects.update(recent_at="15m", full_at="", jitter=0)
    depth: list[int] = []
    with tempfile.TemporaryFile("w+") as log, _served(*_WORKERS, log=log):
        _until(lambda: queue.depth()["workers"] == len(_WORKERS))
        began = time.monotonic()
        with _served(("--clock",), log=log):
            while SyncRun.objects.exclude(state="running").values("source").distinct().count() < int(count):
                depth.append(sum(one["waiting"] for one in queue.depth()["tasks"] if one["task"] == "pull"))
                if time.monotonic() > began + _PATIENCE:
                    log.seek(0)
                    sys.exit(f"after {_PATIENCE:.0f} s the queue holds {queue.depth()}\n{log.read()[-2000:]}")
                time.sleep(_LOOK)
        watched = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute(_WAITS)
        jobs = [row for row in cursor.fetchall() if None not in row]
    waits = [wait for wait, *_ in jobs]
    # jobs stand in the order in which they were asked for; how far from it they were begun
    begun = sorted(range(len(jobs)), key=lambda at: jobs[at][1])
    print(
        json.dumps(
            {
                "served": SyncRun.objects.filter(state="done").values("source").distinct().count(),
                "failed": SyncRun.objects.filter(state="failed").count(),
                "rows": Completion.objects.filter(current=True).count(),
                "seconds": max(end for *_, end in jobs) - min(asked for *_, asked, _ in jobs),
                "shortest": min(waits), "middle": median(waits), "longest": max(waits),
                "out_of_turn": max(abs(turn - asked) for turn, asked in enumerate(begun)),
                "depth": depth, "watched": watched,
            }
        )
    )  # fmt: skip


@contextmanager
def _served(*parts: tuple[str, ...], log: Any) -> Iterator[None]:
    """`xueshi serve` with these options, each a process, as long as it is needed."""
    program = Path(sys.executable).with_name("xueshi")
    processes = [subprocess.Popen([program, "serve", *part], stdout=subprocess.DEVNULL, stderr=log) for part in parts]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()


def _until(fulfilled: Any) -> None:
    end = time.monotonic() + _PATIENCE
    while not fulfilled():
        if time.monotonic() > end:
            sys.exit("the workers did not come")
        time.sleep(_LOOK)


if __name__ == "__main__":
    main(*sys.argv[1:])
