"""Measures several sources at once: ``sync_slow_run SITES ROWS_A_CALL`` in a fresh ``XUESHI_HOME``.

SITES is JSON: the address and the token of each source. They are pulled as workers do it, by two processes of four
threads; the clock runs from when all stand ready until the last has ended.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from agent.boot import start

_PROCESSES, _THREADS = 2, 4


def main(sites: str, size: str) -> None:
    """Pull; print what it took."""
    start()
    from agent.intake.sources import save

    names = [f"bench{place}" for place in range(len(json.loads(sites)))]
    for name, (url, token) in zip(names, json.loads(sites), strict=True):
        save(name, kind="moodle", url=url, token=token, options={"page_size": size}, allow_private=True)
    context = get_context("spawn")
    ready, results = context.Barrier(_PROCESSES + 1), context.Queue()
    workers = [
        context.Process(target=_work, args=(names[place::_PROCESSES], ready, results)) for place in range(_PROCESSES)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    rows = sum(results.get() for _ in names)
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    print(json.dumps({"rows": rows, "seconds": seconds}))


def _work(names: list[str], ready: Any, results: Any) -> None:
    start()
    from agent.intake.models import Source
    from agent.intake.sync import pull

    sources = list(Source.objects.filter(name__in=names))
    with ThreadPoolExecutor(_THREADS) as pool:
        ready.wait()
        for landed in pool.map(pull, sources):
            results.put(landed.new)


if __name__ == "__main__":
    main(*sys.argv[1:])
