"""One way for every stage to say what it holds now: open what is new, release what is gone, leave the rest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_RELEASE = """
UPDATE quarantine_held h SET released_at = now()
WHERE h.what = %(what)s AND h.released_at IS NULL AND {scope}
  AND NOT EXISTS (SELECT 1 FROM holding n WHERE n.key = h.key AND n.code = h.code)
"""
_OPEN = """
INSERT INTO quarantine_held (what, key, source, code, params, payload, opened_at)
SELECT %(what)s, n.key, n.source, n.code, n.params, n.payload, now() FROM holding n
-- nearly all are open already: a join finds out in a fifth of the time that trying to insert each takes
WHERE NOT EXISTS (SELECT 1 FROM quarantine_held h
                  WHERE h.what = %(what)s AND h.key = n.key AND h.code = n.code AND h.released_at IS NULL)
ON CONFLICT (what, key, code) WHERE released_at IS NULL DO NOTHING
"""


def new_holding(cursor: CursorWrapper) -> None:
    """Make the empty temporary table ``holding (key, source, code, params, payload)`` that a stage fills.

    Of what is open already, only key and code are looked at.
    """
    cursor.execute("DROP TABLE IF EXISTS holding")
    cursor.execute(
        "CREATE TEMP TABLE holding (key text, source text, code text, params jsonb, payload bytea) ON COMMIT DROP"
    )


def settle(cursor: CursorWrapper, what: str, *, source: str | None = None) -> tuple[int, int]:
    """Make the open items of kind ``what`` (of one ``source``, or of all) equal to the table ``holding``.

    :returns: how many items were opened, how many released.
    """
    scope = "h.source = %(source)s" if source is not None else "true"
    params = {"what": what, "source": source}
    cursor.execute(_RELEASE.format(scope=scope), params)
    released = cursor.rowcount
    cursor.execute(_OPEN, params)
    return cursor.rowcount, released
