"""The daily reconciliation: counted in one look at the database, kept, and told."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter

from django.db import connection, transaction

from agent.flow import policies
from agent.localtime import local_date, now
from agent.reconciliation.equations import Equation
from agent.reconciliation.figures import count, name
from agent.reconciliation.models import Line, Snapshot

PATIENCE = timedelta(hours=1)
"""What came to a stage within so long, and waits for it, is on the way and no difference."""
_MEMORY = "SET LOCAL work_mem = '64MB'"
"""A hash of a million rows stays in memory; each process of PostgreSQL may take it a few times, for these seconds."""


def run(*, patience: timedelta = PATIENCE) -> Snapshot:
    """Count every equation of every source and keep the snapshot. Safe beside everything else: it only reads.

    :param patience: zero after all stages have run, when nothing can be on the way
    """
    rules = policies()
    began, at = perf_counter(), now()
    # one look: what lands or is credited meanwhile belongs to tomorrow's
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(_MEMORY)
        figures = count(cursor, rules, at - patience)
        name(cursor, figures)
        snapshot = Snapshot.objects.create(day=local_date(at), taken_at=at, seconds=perf_counter() - began)
        Line.objects.bulk_create(
            Line(
                snapshot=snapshot,
                source_id=each.source,
                equation=each.equation,
                left=each.left,
                right=each.right,
                on_the_way=each.on_the_way,
                differing=each.differing,
                named=each.named,
                run_id=each.run,
            )
            for each in figures
        )
    return snapshot


def lines_of(snapshot: Snapshot) -> list[Line]:
    """Its lines by source, in the order of the way through the house."""
    order = {each.value: place for place, each in enumerate(Equation)}
    return sorted(snapshot.lines.select_related("source"), key=lambda line: (line.source.name, order[line.equation]))
