"""Measures issuing in a process of its own: ``issue_run COUNT`` in a fresh ``XUESHI_HOME``.

So many people have earned a certificate; the stage issues to all of them, with events, notices, places in the status
lists and the transparency log, in the private PostgreSQL as it is shipped.
"""

from __future__ import annotations

import json
import sys
import time

from agent.boot import start
from tests.bench.measure import peak_megabytes, processor_seconds


def main(count: str) -> None:
    """Issue, and print what it took."""
    start()
    from django.db import connection

    from agent.certificates import stage
    from agent.certificates.signer import signing_keys
    from agent.flow import policies
    from tests.bench import made

    made.earned(int(count))
    rules, _ = policies(), signing_keys()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    began, busy, server = time.perf_counter(), time.process_time(), processor_seconds(backend)
    issued = stage.run(rules)
    found = {
        "issued": issued.issued, "seconds": time.perf_counter() - began, "cpu": time.process_time() - busy,
        "server_cpu": processor_seconds(backend) - server, "megabytes": peak_megabytes(),
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
