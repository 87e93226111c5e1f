"""Measures the wall in a process of its own: ``sync_wall URL TOKEN`` in a fresh ``XUESHI_HOME``.

The same pages of the same rows as `agent.intake.pages` writes them, made into bytes of COPY before the clock starts;
page by page they go into a temporary table and from there into the product's own table, unless they are there already
as they are. Nothing that brings rows into that table safely twice does less.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from agent.boot import start
from tests.bench.measure import processor_seconds


def main(url: str, token: str) -> None:
    """Read, make ready, write; print what the writing took."""
    start()
    from django.db import connection, transaction

    from agent.intake.landing import COLUMNS
    from agent.intake.pages import _COPY, _HEAD
    from agent.intake.sources import save

    source, _ = save("bench", kind="moodle", url=url, token=token, options={}, allow_private=True)
    blocks = ready(source)
    columns = ", ".join((*_HEAD, *COLUMNS))
    made = f"CREATE TEMP TABLE wall ON COMMIT DELETE ROWS AS SELECT {columns} FROM intake_completion LIMIT 0"  # noqa: S608 - our own names
    copied = _COPY.replace("intake_completion", "wall", 1)
    upserted = f"""
        INSERT INTO intake_completion ({columns}) SELECT {columns} FROM wall
        ON CONFLICT (source_id, key) WHERE current DO UPDATE SET digest = excluded.digest
        WHERE intake_completion.digest IS DISTINCT FROM excluded.digest
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
        cursor.execute(made)
        began, server = time.perf_counter(), processor_seconds(backend)
        for block in blocks:
            with transaction.atomic():
                cursor.execute("SET LOCAL synchronous_commit = off")  # as our pages are written
                with cursor.copy(copied) as copy:
                    copy.write(block)
                cursor.execute(upserted)
        seconds, server = time.perf_counter() - began, processor_seconds(backend) - server
        cursor.execute("SELECT count(*) FROM intake_completion")
        rows = cursor.fetchone()[0]
    print(json.dumps({"rows": rows, "seconds": seconds, "server_cpu": server}))


def ready(source: Any) -> list[bytes]:
    """The source's pages as bytes of COPY."""
    from agent.crypto import vault
    from agent.intake.copying import HEADER, TRAILER, boolean, count, int4, int8, timestamp
    from agent.intake.landing import COLUMNS, Lander
    from agent.intake.models import SyncRun
    from agent.intake.pages import _HEAD
    from agent.intake.sources import connector
    from agent.localtime import now
    from connectors.record_table import RecordTable

    run, lander, at = SyncRun.objects.create(source=source), Lander(vault()), timestamp(now())
    in_order = int8(source.pk), int8(run.pk), boolean(True), int8(1), at, int4(1), at  # the row's place is the last
    head = count(len(_HEAD) + len(COLUMNS)) + b"".join(in_order)
    blocks: list[bytes] = []
    rows: list[bytes] = []
    with connector(source) as reader:
        for page in reader.completions():
            records = RecordTable.of(page.completions)
            made = lander.rows(records.columns["key"], records, lander.digests(lander.said(records)))
            rows += [part for at, row in enumerate(made) for part in (head, int4(at), row)]
            if not page.more:
                blocks.append(HEADER + b"".join(rows) + TRAILER)
                rows = []
    return blocks


if __name__ == "__main__":
    main(*sys.argv[1:])
