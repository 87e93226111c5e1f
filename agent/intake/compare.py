"""Truth by comparison: what a source showed once and shows no more is *missing upstream*, never revoked by itself.

A guard stands before it: a site that lost a good part of its rows at once has lost a disk, a right or a filter, and not
its learners.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from agent.intake.errors import TooManyMissing
from agent.intake.models import Source, SyncRun
from connectors.records import Block

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

FEW = 5
"""As many may always vanish: in a class of ten, one is more than five in a hundred and no disaster."""

_NOT_SEEN = """
CREATE TEMP TABLE not_seen ON COMMIT DROP AS
SELECT c.id FROM intake_completion c
WHERE c.source_id = %(source)s AND c.current AND c.run_id <> %(run)s
  AND (%(edges)s::bigint[] IS NULL OR width_bucket(c.serial, %(edges)s::bigint[]) = ANY(%(which)s::int[]))
  AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.id = c.id)
"""
_COUNTS = """
SELECT (SELECT count(*) FROM not_seen n WHERE NOT EXISTS (
            SELECT 1 FROM intake_missingupstream m WHERE m.completion_id = n.id)),
       (SELECT count(*) FROM intake_completion c WHERE c.source_id = %(source)s AND c.current
        AND (c.run_id <> %(run)s OR c.version > 1)  -- what this run only changed was known before
        AND NOT EXISTS (SELECT 1 FROM intake_missingupstream m WHERE m.completion_id = c.id))
"""
_MISSING = """
INSERT INTO intake_missingupstream (completion_id, run_id, since)
SELECT id, %(run)s, now() FROM not_seen ON CONFLICT (completion_id) DO NOTHING
"""
_BACK = """
DELETE FROM intake_missingupstream m USING intake_completion c
WHERE c.id = m.completion_id AND c.source_id = %(source)s
  AND (NOT c.current OR EXISTS (SELECT 1 FROM seen WHERE seen.id = c.id))
"""
_GONE = """
INSERT INTO intake_missingupstream (completion_id, run_id, since)
SELECT c.id, %(run)s, now() FROM unnest(%(gone)s::text[], %(serials)s::bigint[]) AS g(key, serial)
JOIN intake_completion c ON c.source_id = %(source)s AND c.current AND c.key = g.key
WHERE c.serial IS NULL OR g.serial IS NULL OR c.serial = g.serial  -- or it was completed anew, as another row there
ON CONFLICT (completion_id) DO NOTHING
"""
_STILL_MISSING = """
SELECT count(*) FROM intake_missingupstream m JOIN intake_completion c ON c.id = m.completion_id
WHERE c.source_id = %(source)s
"""
_OURS = """
SELECT width_bucket(c.serial, %(edges)s::bigint[]), count(*), sum(c.mark) FROM intake_completion c
WHERE c.source_id = %(source)s AND c.current
  AND NOT EXISTS (SELECT 1 FROM intake_missingupstream m WHERE m.completion_id = c.id)
GROUP BY 1
"""
_UNNUMBERED = """
SELECT EXISTS (SELECT 1 FROM intake_completion c WHERE source_id = %(source)s AND current AND serial IS NULL
               AND NOT EXISTS (SELECT 1 FROM intake_missingupstream m WHERE m.completion_id = c.id)),
       EXISTS (SELECT 1 FROM intake_completion WHERE source_id = %(source)s AND current)
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """The blocks of a source of which only some were read: ``which`` counts from 1."""

    blocks: list[Block]
    which: list[int]

    @property
    def edges(self) -> list[int]:
        """Where each block begins; the first begins before everything, so that no row of ours lies outside."""
        return [-1, *(block.first for block in self.blocks[1:])]

    @property
    def differing(self) -> list[Block]:
        """The blocks that were read, or are to be."""
        return [self.blocks[place - 1] for place in self.which]

    @property
    def equal(self) -> int:
        """Rows in the blocks that are equal."""
        return sum(block.rows for block in self.blocks) - sum(block.rows for block in self.differing)


def settle_missing(
    source: Source,
    run: SyncRun,
    seen: Iterable[int],
    *,
    gone: Mapping[str, int | None],
    whole: bool,
    parts: Parts | None = None,
    accept: bool = False,
) -> int:
    """Note what is missing and what is back; how many rows of the source are missing now.

    :param seen: ids of completions that the source showed again, unchanged
    :param gone: keys that the source itself says are there no more, with the numbers of the rows that bore them
    :param whole: everything (in ``parts``, when given) was read: what was not seen is missing
    :raises TooManyMissing: more than the share of rows would be; nothing is noted
    """
    params: dict[str, Any] = {
        "source": source.pk, "run": run.pk, "gone": list(gone), "serials": list(gone.values()),
        "edges": parts and parts.edges, "which": parts and parts.which,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE seen (id bigint PRIMARY KEY) ON COMMIT DROP")
        with cursor.copy("COPY seen (id) FROM STDIN") as copy:
            for completion in set(seen):
                copy.write_row((completion,))
        cursor.execute("ANALYZE seen")
        cursor.execute(_BACK, params)
        if whole:
            cursor.execute(_NOT_SEEN, params)
            if not accept:
                _guard(cursor, source, params)
            cursor.execute(_MISSING, params)
        if gone:
            cursor.execute(_GONE, params)
        cursor.execute(_STILL_MISSING, params)
        return int(cursor.fetchone()[0])


def note_gone(source: Source, run: SyncRun, gone: Mapping[str, int | None]) -> None:
    """Inside the transaction of the page that said so."""
    with connection.cursor() as cursor:
        cursor.execute(_GONE, {"source": source.pk, "run": run.pk, "gone": list(gone), "serials": list(gone.values())})


def _guard(cursor: CursorWrapper, source: Source, params: dict[str, Any]) -> None:
    cursor.execute(_COUNTS, params)
    lost, known = cursor.fetchone()
    if lost > FEW and lost * 100 > source.most_missing * known:
        raise TooManyMissing(name=source.name, lost=lost, known=known, share=source.most_missing)


def comparable(source: Source) -> bool:
    """Whether every row that we know of the source bears its number, so that digests can be compared."""
    with connection.cursor() as cursor:
        cursor.execute(_UNNUMBERED, {"source": source.pk})
        unnumbered, any_row = cursor.fetchone()
    return any_row and not unnumbered


def compared(source: Source, blocks: list[Block]) -> Parts:
    """Which of the source's blocks differ from ours, in number of rows or in marks."""
    with connection.cursor() as cursor:
        cursor.execute(_OURS, {"edges": Parts(blocks, []).edges, "source": source.pk})
        ours = {place: (rows, int(marks)) for place, rows, marks in cursor.fetchall()}
    which = [at for at, block in enumerate(blocks, 1) if ours.get(at, (0, 0)) != (block.rows, block.marks)]
    return Parts(blocks, which)
