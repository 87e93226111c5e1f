"""Measures our intake in a process of its own: ``intake_run URL TOKEN OPTIONS`` in a fresh ``XUESHI_HOME``.

OPTIONS are the source's, as JSON.
"""

from __future__ import annotations

import json
import sys
import time

from agent.boot import start
from tests.bench.measure import peak_megabytes, processor_seconds


def main(url: str, token: str, options: str) -> None:
    """Pull everything twice; print what it took."""
    start()
    from django.db import connection

    from agent.intake.sources import save
    from agent.intake.sync import pull

    source, _ = save("bench", kind="moodle", url=url, token=token, options=json.loads(options), allow_private=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    at_rest = peak_megabytes()
    found = {"at_rest_megabytes": at_rest}
    for name in ("first", "second"):
        began, busy, server = time.perf_counter(), time.process_time(), processor_seconds(backend)
        landed = pull(source)
        found |= {
            f"{name}_seconds": time.perf_counter() - began,
            f"{name}_cpu": time.process_time() - busy,
            f"{name}_server_cpu": processor_seconds(backend) - server,
            f"{name}_rows": landed.landed,
            f"{name}_new": landed.new,
            f"{name}_calls": landed.calls,
        }
        found.setdefault("megabytes", peak_megabytes())
    found["second_megabytes"] = peak_megabytes()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
