"""Writing down what happened to certificates: the event, what the learner is told, and the public log, in one go.

Every step of every certificate goes through `record`, in the transaction that takes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from agent.certificates.transitions import STEP, Kind
from agent.certificates.transparency import Entry, append

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


class Happened(NamedTuple):
    """One step of one certificate. ``reason_class`` is one of those that the step needs."""

    certificate: int
    reason: str
    reason_class: str = ""
    successor: int | None = None


# A successor's own issue is told with the step that made it necessary, not a second time.
_RECORD = """
WITH step AS (
    INSERT INTO certificates_certificateevent
        (certificate_id, at, kind, state, reason_class, reason, successor_id, by)
    SELECT h.certificate_id, %(at)s, %(kind)s, %(state)s, h.reason_class, h.reason, h.successor_id, %(by)s
    FROM unnest(%(certificates)s::bigint[], %(classes)s::text[], %(reasons)s::text[], %(successors)s::bigint[])
        AS h(certificate_id, reason_class, reason, successor_id)
    RETURNING id, certificate_id
), known AS (
    SELECT s.id, c.id AS certificate_id, c.number, c.credential, c.predecessor_id
    FROM step s JOIN certificates_certificate c ON c.id = s.certificate_id
), told AS (
    INSERT INTO certificates_certificatenotice (certificate_id, event_id, kind, created_at)
    SELECT certificate_id, id, %(kind)s, %(at)s FROM known
    WHERE NOT (%(kind)s = 'issued' AND predecessor_id IS NOT NULL)
)
SELECT id, number, encode(sha256(convert_to(credential, 'UTF8')), 'hex') FROM known ORDER BY id
"""


def record(cursor: CursorWrapper, kind: Kind, happened: Iterable[Happened], at: datetime, by: str = "") -> None:
    """Write down that ``kind`` happened to certificates at ``at``; their new state is written by the caller.

    :param by: who did it; empty: the stage, by itself
    """
    rows = list(happened)
    if not rows:
        return
    certificates, reasons, classes, successors = map(list, zip(*rows, strict=True))
    cursor.execute(
        _RECORD,
        {
            "kind": kind.value, "state": STEP[kind].target.value, "at": at, "by": by, "certificates": certificates,
            "reasons": reasons, "classes": classes, "successors": successors,
        },
    )  # fmt: skip
    entries = [Entry(event, number, kind.value, at, digest) for event, number, digest in cursor.fetchall()]
    append(cursor, entries)
