"""Counting everything anew, in one look at the database, and keeping it. Only the lines that differ are written."""

from __future__ import annotations

from datetime import date, timedelta
from time import perf_counter

from django.db import connection, transaction

from agent.figures.models import Count
from agent.figures.questions import QUESTIONS
from agent.localtime import local_date, now

SHARE = 20
"""A count that took a second is not made again within twenty: it never costs more than a twentieth of the time."""
_MEMORY = "SET LOCAL work_mem = '64MB'"
"""Joins of a million rows stay in memory; each process of PostgreSQL may take it a few times, for these seconds."""
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('xueshi figures'))"
_COUNTED = "CREATE TEMPORARY TABLE counted ON COMMIT DROP AS " + " UNION ALL ".join(f"({each})" for each in QUESTIONS)
_GONE = """
DELETE FROM figures_figure f WHERE NOT EXISTS (
    SELECT FROM counted c WHERE (c.what, c.day, c.source, c.programme, c.name)
                              = (f.what, f.day, f.source, f.programme, f.name))
"""
_OTHERS = """
INSERT INTO figures_figure AS f (what, day, source, programme, name, n, amount)
SELECT what, day, source, programme, name, n, amount FROM counted
ON CONFLICT (what, day, source, programme, name) DO UPDATE SET n = excluded.n, amount = excluded.amount
WHERE (f.n, f.amount) <> (excluded.n, excluded.amount)
"""
_ROWS = "SELECT COALESCE(sum(abs(n)) FILTER (WHERE what NOT IN ('calls', 'rows')), 0) FROM counted"


def since_of(today: date) -> date:
    """The first day that is counted by itself: no desk looks further back than to the beginning of last year."""
    return date(today.year - 1, 1, 1)


def count() -> Count:
    """Count everything and keep it. Safe beside everything else: it reads, and writes only its own two tables."""
    at, began = now(), perf_counter()
    since = since_of(local_date(at))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALONE)
        cursor.execute(_MEMORY)
        cursor.execute(_COUNTED, {"since": since})  # one statement, so one look
        cursor.execute("ANALYZE counted")
        cursor.execute(_GONE)
        cursor.execute(_OTHERS)
        cursor.execute(_ROWS)
        (rows,) = cursor.fetchone()
        Count.objects.all().delete()
        return Count.objects.create(taken_at=at, since=since, rows=rows, seconds=perf_counter() - began)


def pause() -> timedelta:
    """How long to wait before the next count, so that counting costs its share at most."""
    last = Count.objects.first()
    if last is None:
        return timedelta(0)
    return max(last.taken_at + timedelta(seconds=SHARE * last.seconds) - now(), timedelta(0))
