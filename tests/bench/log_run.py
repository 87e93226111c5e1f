"""Fills the public log with steps of certificates, in a fresh ``XUESHI_HOME``: ``log_run URL TOKEN ENTRIES``."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.measure import peak_megabytes
from tests.bench.stages_run import main as issue


def main(url: str, token: str, entries: str) -> None:
    """Issue, let all certificates be suspended and resumed until there are so many entries, and measure."""
    issue(url, token)
    from django.db import connection, transaction

    from agent.certificates import events, merkle, transparency
    from agent.certificates.audit import audit
    from agent.certificates.models import Certificate, LogHead
    from agent.certificates.transitions import Kind
    from agent.localtime import now

    append, busy, count = transparency.append, 0.0, 0

    def timed(*arguments: Any) -> None:
        nonlocal busy
        began = time.process_time()
        append(*arguments)
        busy += time.process_time() - began

    events.append = timed
    reasons = {Kind.SUSPENDED: "under_review", Kind.RESUMED: "cleared"}
    issued = list(Certificate.objects.filter(state="issued").values_list("pk", flat=True))
    began = time.perf_counter()
    while transparency.size() < int(entries):
        for kind, reason in reasons.items():
            with transaction.atomic(), connection.cursor() as cursor:
                happened = [events.Happened(one, "a step of the bench", reason) for one in issued]
                events.record(cursor, kind, happened, now())
                count += len(happened)
        transparency.publish()
    record = count / (time.perf_counter() - began)

    size, chance = transparency.size(), random.Random(7)  # noqa: S311 - which proofs are asked for
    began, busy_before = time.perf_counter(), time.process_time()
    findings = audit()
    audited, audited_cpu = time.perf_counter() - began, time.process_time() - busy_before
    print(
        json.dumps(
            {
                "entries": size,
                "findings": [f"{each.kind} {each.about}" for each in findings[:5]],
                "heads": LogHead.objects.count(),
                "append": count / busy,
                "record": record,
                "audit": audited,
                "audit_cpu": audited_cpu,
                "proof": _each(lambda: merkle.inclusion(chance.randrange(size), size, transparency.read)),
                "consistency": _each(lambda: transparency.consistency_proof(chance.randrange(1, size), size)),
                "megabytes": peak_megabytes(),
            }
        )
    )


def _each(work: Callable[[], object], times: int = 300) -> float:
    """Milliseconds, the median."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    main(*sys.argv[1:])
