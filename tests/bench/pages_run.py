"""Asks every address of the portal as everybody who may, in a process of its own: ``pages_run ROWS`` in a ``XUESHI_HOME``.

A home that has its rows already is asked as it stands: whoever tunes a page need not make a million rows each time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from agent.boot import start
from tests.bench.measure import say

_HOST = "127.0.0.1"
_TIMES = 5
_SLOW = 1.0  # seconds; what takes longer is asked once more, and not five times


def main(rows: str) -> None:
    """Make the city, ask its pages, and print what each took."""
    began = time.perf_counter()
    start()
    from agent.intake.models import Completion

    if not Completion.objects.exists():
        _make(int(rows))
    made = time.perf_counter() - began
    from tests.bench import city_things

    print(json.dumps({"made": made, "size": _size(), "pages": list(_asked(city_things.things()))}))


def _make(rows: int) -> None:
    from agent.certificates import transparency
    from agent.figures import stage as figures
    from agent.flow import run_stages
    from agent.intake.models import Source
    from agent.mapping.courses import refresh
    from agent.reconciliation import stage as reconciliation
    from tests.bench import city

    at = time.perf_counter()

    def told(what: str) -> None:
        nonlocal at
        say(f"{what}: {time.perf_counter() - at:.0f} s")
        at = time.perf_counter()

    city.landed(rows)
    told("rows landed")
    told(f"stages {run_stages().seconds}")
    transparency.publish()
    for source in Source.objects.all():
        refresh(source)
    told("courses counted")
    reconciliation.run()
    city.days_of_reconciliation(29)
    city.lived_in()
    told("lived in")
    figures.count()  # as the clock does
    told("figures counted")


_SIZE = """
SELECT (SELECT count(*) FROM intake_completion), (SELECT count(*) FROM learners_learner),
       (SELECT count(*) FROM certificates_certificate), (SELECT count(*) FROM quarantine_held WHERE released_at IS NULL),
       (SELECT count(*) FROM intake_syncrun), (SELECT count(*) FROM audit_auditevent)
"""


def _size() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        names = ("completions", "learners", "certificates", "held", "runs", "events")
        return dict(zip(names, cursor.fetchone(), strict=True))


def _asked(things: Any) -> Iterator[dict[str, Any]]:
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from tests.portal.doors import ANYBODY, DOORS, EVERYBODY

    for place, who in enumerate(sorted(EVERYBODY)):
        # each from a place of their own: whoever opens many links that are over is made to wait
        client = Client(headers={"host": _HOST}, REMOTE_ADDR=f"127.0.1.{place}")
        if who != ANYBODY:
            client.force_login(User.objects.get(username=who))
        for name, doors in DOORS.items():
            for door in doors:
                if door.post is None and who in door.opens:
                    address = reverse(f"portal:{name}", kwargs=door.kwargs(things)) + door.query
                    timed = _timed(client, address)
                    right = timed["status"] in {200, 302, door.status}
                    yield {"name": name, "who": who, "address": address, "right": right, **timed}


def _timed(client: Any, address: str) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        took = [_once(client, address)]
    asked = len(queries)  # now: the next request forgets them
    for _ in range(_TIMES):
        took.append(_once(client, address))
        if took[-1][0] > _SLOW:
            break
    ms = [round(seconds * 1000, 1) for seconds, _, _ in took[1:]]
    return {"queries": asked, "status": took[-1][1], "page": took[-1][2] == "text/html", "ms": ms}


def _once(client: Any, address: str) -> tuple[float, int, str]:
    began = time.perf_counter()
    answer = client.get(address)
    if answer.streaming:
        for _ in answer.streaming_content:
            pass
    took = time.perf_counter() - began
    answer.close()
    return took, answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
