"""Classes that begin and end by the calendar: filed → running on the first day, running → delivered when the last is
over. The steps are those of `transitions`, for all filings at once; nothing is taken twice, and what a person is
deciding on at that moment is taken by the next pass.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

from agent.audit.chain import record
from agent.localtime import local_date, now
from agent.programmes.transitions import STEP, Kind

CLOCK = "clock"
"""Who it was, where it was no person."""
_MOVE = """
WITH due AS (
    SELECT p.id, p.state, v.version
    FROM programmes_programme p
    JOIN LATERAL (SELECT version, starts_on, ends_on FROM programmes_programmeversion
                  WHERE programme_id = p.id ORDER BY version DESC LIMIT 1) v ON true
    WHERE p.state = ANY(%(sources)s)
        AND CASE WHEN %(ended)s THEN v.ends_on < %(today)s ELSE v.starts_on <= %(today)s END
    ORDER BY p.id
    FOR UPDATE OF p SKIP LOCKED
), moved AS (
    UPDATE programmes_programme p SET state = %(target)s FROM due WHERE p.id = due.id
    RETURNING p.id, due.state AS before, due.version
)
INSERT INTO programmes_filingevent (programme_id, at, kind, from_state, to_state, actor, reason, version)
SELECT id, now(), %(kind)s, before, %(target)s, %(actor)s, '', version FROM moved ORDER BY id
"""


class Moved(NamedTuple):
    """How many classes began and ended."""

    begun: int
    ended: int


@transaction.atomic
def advance(today: date | None = None) -> Moved:
    """Take every step that is due; a class that was never begun and is over takes both.

    :param today: in China; without it the day that it is there
    """
    day = today or local_date(now())
    done = Moved(_move(Kind.START, day), _move(Kind.DELIVER, day))
    if any(done):  # each step is an event of its filing; the audit log tells that the clock was there
        record(CLOCK, "filings.by_clock", on=f"filings due {day}", after=done._asdict())
    return done


def _move(kind: Kind, today: date) -> int:
    step = STEP[kind]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {
            "sources": [str(each) for each in step.sources], "target": str(step.target), "kind": str(kind),
            "ended": kind is Kind.DELIVER, "today": today, "actor": CLOCK,
        })  # fmt: skip
        return int(cursor.rowcount)
