"""What the register says of one certificate, asked once and as a prepared statement.

The verify page is asked more often than all others together, by whole halls of people at the same minute. Its answer
is never kept: a state may change within the second.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import LiteralString, NamedTuple

from django.db import connection
from psycopg import Cursor, InterfaceError, OperationalError


class Row(NamedTuple):
    """A certificate with all that is said of it."""

    id: int
    number: str
    token: str
    state: str
    holder: str
    id_masked: str
    hours: int
    learned_from: date | None
    learned_on: date
    issued_at: datetime
    verify_url: str
    credential: str
    predecessor: int | None
    programme: str
    category: str
    series: str
    filing_number: str
    organiser: str
    implementer: str
    ended_at: datetime | None
    ended_reason: str | None
    ended_class: str | None
    entry: int | None  # place of its newest step in the log, as far as the newest head covers it
    uncovered: bool  # a step of it is newer than that head
    head_size: int | None
    head_at: datetime | None
    keys: list[str]  # published keys and their ends: another list says that the trust list is another
    ends: list[str]


_ROW: LiteralString = """
SELECT c.id, c.number, c.token, c.state, c.holder, c.id_masked, c.hours, c.learned_from, c.learned_on, c.issued_at,
       c.verify_url, c.credential, c.predecessor_id, v.title, v.category, v.series, COALESCE(p.filing_number, ''),
       o.name, COALESCE(i.name, ''), e.at, e.reason, e.reason_class, l.entry, COALESCE(l.uncovered, false),
       h.size, h.at,
       (SELECT COALESCE(array_agg(k.kid::text ORDER BY k.kid), '{}') FROM certificates_publishedkey k),
       (SELECT COALESCE(array_agg(concat_ws(' ', r.id, r.key_id, r.until) ORDER BY r.id), '{}')
          FROM certificates_keyretirement r)
FROM certificates_certificate c
JOIN programmes_programme p ON p.id = c.programme_id
JOIN programmes_programmeversion v ON v.id = c.programme_version_id
JOIN organisations_organisation o ON o.id = p.organiser_id
LEFT JOIN organisations_organisation i ON i.id = p.implementer_id
LEFT JOIN LATERAL (
    SELECT x.at, x.reason, x.reason_class FROM certificates_certificateevent x
    WHERE c.state <> 'issued' AND x.certificate_id = c.id AND x.state = c.state ORDER BY x.at DESC, x.id DESC LIMIT 1
) e ON true
LEFT JOIN LATERAL (SELECT size, at FROM certificates_loghead ORDER BY id DESC LIMIT 1) h ON true
LEFT JOIN LATERAL (
    SELECT max(g.index) FILTER (WHERE g.index < h.size) AS entry, bool_or(g.index >= h.size) AS uncovered
    FROM certificates_certificateevent x JOIN certificates_logleaf g ON g.event_id = x.id
    WHERE x.certificate_id = c.id
) l ON true
"""
_BY_NUMBER: LiteralString = _ROW + "WHERE c.number = %s"
_BY_TOKEN: LiteralString = _ROW + "WHERE c.token = %s"


def by_number(number: str) -> Row | None:
    """The certificate with that number."""
    return _asked(_BY_NUMBER, number if number.isascii() and number.isdigit() else "")


def by_token(token: str) -> Row | None:
    """The certificate whose address has that token, in upper case."""
    return _asked(_BY_TOKEN, token if token.isascii() and token.isalnum() else "")


def _asked(query: LiteralString, key: str) -> Row | None:
    # The question itself shows whether a connection that was kept still lives: one way less for every page.
    kept = connection.connection is not None
    connection.health_check_done = True  # type: ignore[attr-defined] # its stubs do not know it
    try:
        return _answer(query, key)
    except (OperationalError, InterfaceError):
        if not kept or connection.in_atomic_block:
            raise
        connection.close()
    with connection.wrap_database_errors:
        return _answer(query, key)


def _answer(query: LiteralString, key: str) -> Row | None:
    connection.ensure_connection()
    raw = connection.connection
    raw.prepare_threshold = 0  # only for this cursor: Django's own bind on this side, and prepare nothing
    with Cursor(raw) as cursor:
        found = cursor.execute(query, [key], prepare=True).fetchone()
    return Row._make(found) if found else None
