"""Measures re-evaluation in a process of its own: ``reevaluate_run LEARNERS COURSES`` in a fresh ``XUESHI_HOME``.

People and what they learned are written by SQL, their ledger by the stage itself; then a policy with another day cap.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from agent.boot import start
from tests.bench.measure import peak_megabytes, processor_seconds

_MORE = """
INSERT INTO matching_achievement (source_id, key, completion_id, learner_id, programme_version_id, name, learned_on,
    started_on, completed_at, reported, lateness, withdrawn, revision, matched_at)
SELECT a.source_id, a.key || '/' || n, a.completion_id, a.learner_id, v.id, a.name, d.day,
       d.day - ((a.id + n) %% 3)::int, d.day + time '04:00', 400 + 100 * ((a.id + n) %% 13), 'no', false, 1, now()
FROM matching_achievement a
CROSS JOIN generate_series(2, %(courses)s) n
CROSS JOIN LATERAL (SELECT date '2024-02-01' + ((a.id * 7 + n * 31) %% 300)::int AS day) d
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM programmes_programmeversion) v
    ON v.place = (a.completion_id + n - 1) %% %(courses)s
"""


def main(learners: str, courses: str) -> None:
    """Try, carry out, try again; print what each took."""
    start()
    from django.db import connection

    from agent.credit import stage
    from agent.credit.reevaluation import carry_out, try_out
    from agent.flow import policies
    from tests.bench import made

    made.learned(int(learners), programmes=int(courses))
    with connection.cursor() as cursor:
        cursor.execute(_MORE, {"courses": int(courses)})
        cursor.execute("ANALYZE")
    rules = policies()
    stage.run(rules)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    other = rules[2024].with_parameters({"R10": {"hours_per_day": 6, "without_sessions": "spread"}})
    found: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began, busy, server = time.perf_counter(), time.process_time(), processor_seconds(backend)
        result = work()
        found[f"{name}_seconds"] = time.perf_counter() - began
        found[f"{name}_cpu"] = time.process_time() - busy
        found[f"{name}_server_cpu"] = processor_seconds(backend) - server
        found[name] = result.figures()
        return result

    timed("tried", lambda: try_out(other, now_in_force=rules[2024]))
    done = timed("done", lambda: carry_out(other, by="bench", reason="bench"))
    timed("again", lambda: try_out(other))
    found["written"] = done.written.appended + done.written.reversed
    print(json.dumps(found | {"megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
