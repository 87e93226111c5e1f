"""Measures the stages when nothing is to be done, in a process of its own: ``rest_run ROWS EARNED`` in a fresh
``XUESHI_HOME``, with so many rows that wait and so many certificates.
"""

from __future__ import annotations

import json
import sys
import time

from agent.boot import start
from tests.bench.measure import processor_seconds


def main(rows: str, earned: str) -> None:
    """Go through the house until there is nothing to do; print what the last pass took, and the rest after it."""
    start()
    from django.db import connection

    from agent.flow import run_stages
    from tests.bench import made

    made.earned(int(earned))
    made.waiting(int(rows))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    found = {}
    for name in ("first", "second", "pass", "rest"):
        began, server = time.perf_counter(), processor_seconds(backend)
        through = run_stages()
        found[f"{name}_seconds"] = time.perf_counter() - began
        found[f"{name}_server_cpu"] = processor_seconds(backend) - server
        if name == "second":  # it found nothing either; one more, so that what is measured is warm
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO changes_change (what) VALUES ('bench')")
    print(json.dumps(found | {"held": sum(through.matched.held.values()), "rested": through.rested}))


if __name__ == "__main__":
    main(*sys.argv[1:])
