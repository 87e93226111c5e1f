"""Landing a page: its rows, the place that is reached and the work that follows commit together or not at all.

Unchanged rows write nothing. A page that PostgreSQL refuses is tried row by row, so that one row keeps out no others.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from agent.crypto import vault
from agent.intake.copying import HEADER, TRAILER, boolean, count, int4, int8, timestamp
from agent.intake.landing import COLUMNS, Lander
from agent.intake.models import Completion, RawPage, Source, SyncRun
from agent.localtime import now
from agent.quarantine.settle import new_holding, settle
from connectors.records import Completion as Record
from connectors.records import Page, Rejected

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


@dataclass(slots=True)
class Landed:
    """What a run brought, in rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    missing_upstream: int = 0
    calls: int = 0

    @property
    def landed(self) -> int:
        """Rows that the source showed and that stand in the house now."""
        return self.new + self.changed + self.unchanged


_KNOWN = "SELECT key, id, digest FROM intake_completion WHERE source_id = %s AND current AND key = ANY(%s)"
_OUTDATED = """
UPDATE intake_completion SET current = false WHERE id = ANY(%s) RETURNING key, version + 1, first_landed_at
"""
_NUMBERED = """
UPDATE intake_completion c SET serial = t.serial, mark = t.mark
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS t(id, serial, mark)
WHERE c.id = t.id AND (c.serial, c.mark) IS DISTINCT FROM (t.serial, t.mark)
"""
_HEAD = ("source_id", "run_id", "current", "raw_page_id", "landed_at", "version", "first_landed_at", "raw_place")
_COPY = f"COPY intake_completion ({', '.join((*_HEAD, *COLUMNS))}) FROM STDIN (FORMAT binary)"
_NEXT_RAW_PAGE = "SELECT nextval(pg_get_serial_sequence('intake_rawpage', 'id'))"
_UNLANDABLE = (DataError, psycopg.DataError, struct.error, UnicodeEncodeError)
_NEVER_SEEN = (0, b"")
UNLANDABLE = "E_ROW_REFUSED"


@dataclass(slots=True)
class Ready:
    """A page as it is to be landed: its records with the keys and digests that the database knows them by."""

    page: Page
    keys: list[str]
    records: list[Record]
    rejected: dict[str, Rejected]
    digests: list[bytes]
    rows: list[bytes] | None = None  # of COPY; made beforehand where all of them are due

    def only(self, due: Sequence[int]) -> Ready:
        """The records in these places."""
        if len(due) == len(self.keys):
            return self
        return Ready(
            self.page,
            [self.keys[at] for at in due],
            [self.records[at] for at in due],
            self.rejected,
            [self.digests[at] for at in due],
            [self.rows[at] for at in due] if self.rows else None,
        )


class PageLander:
    """What one run knows while it lasts: eight bytes a row that was there already, and the rows that were refused."""

    def __init__(self, source: Source, run: SyncRun, follow_up: Callable[[], None] | None = None) -> None:
        self.source, self.run = source, run
        self.result = Landed()
        self.seen = array("q")
        self.lander = Lander(vault())
        self._rejected: dict[str, Rejected] = {}
        self._follow_up = follow_up
        self.fresh = not Completion.objects.filter(source=source, current=True).exists()
        """Nothing is known of the source: no row has to be looked up, and none can be missing."""

    def ready(self, page: Page) -> Ready:
        """What of landing a page asks no database, so that it can be done while another page is being written."""
        keyed = self.lander.by_key((record["key"], record) for record in page.completions)
        keys, records = list(keyed), list(keyed.values())
        # a row that is too damaged to have a key is known by its place
        rejected = self.lander.by_key((row.key or row.place, row) for row in page.rejected)
        ready = Ready(page, keys, records, rejected, self.lander.digests(records))
        if self.fresh:
            with suppress(*_UNLANDABLE):  # it comes again when the page is landed, and is isolated there
                ready.rows = self.lander.rows(keys, records, ready.digests)
        return ready

    def take(self, ready: Ready, move: Callable[[Page], None] | None = None) -> None:
        """Land one page in one transaction; ``move`` notes the place that is reached with it, in the same one."""
        try:
            self._land(ready, move)
        except (IntegrityError, psycopg.IntegrityError):
            if not self.fresh:
                raise
            self.fresh = False  # a row that an earlier page of this pull had already
            self._land(ready, move)
        except _UNLANDABLE:  # something in one row that no check of ours foresaw
            self._land(self.ready(self._isolated(ready.page)), move)

    def _land(self, ready: Ready, move: Callable[[Page], None] | None) -> None:
        page, rejected = ready.page, ready.rejected
        outdated: list[int] = []
        seen: list[int] = []
        numbered: list[tuple[int, int, int]] = []
        known: dict[str, tuple[int, bytes]] = {}
        due: Sequence[int] = range(len(ready.keys))
        with transaction.atomic(), connection.cursor() as cursor:
            # Rows and the place that is reached can't come apart, in whatever moment the power fails; so a page need
            # not wait for the disk. The run's last word does, and with it all before.
            cursor.execute("SET LOCAL synchronous_commit = off")
            if not self.fresh:
                cursor.execute(_KNOWN, [self.source.pk, [*ready.keys, *rejected]])
                known = {key: (completion, digest) for key, completion, digest in cursor.fetchall()}
                due = []
                for at, (key, digest) in enumerate(zip(ready.keys, ready.digests, strict=True)):
                    completion, old = known.get(key, _NEVER_SEEN)
                    if old == digest:
                        seen.append(completion)
                        record = ready.records[at]
                        if "serial" in record:
                            numbered.append((completion, record["serial"], record.get("mark", 0)))
                        continue
                    if completion:
                        outdated.append(completion)
                    due.append(at)
            if numbered:  # the source began to number its rows: no change of what they say
                cursor.execute(_NUMBERED, [list(column) for column in zip(*numbered, strict=True)])
            if due:
                self._write(cursor, ready.only(due), outdated)
            changed = len(outdated)
            self._tell(len(due) - changed, changed, len(seen), len(rejected))
            if move:
                move(page)
            if self._follow_up and (due or page.gone):
                self._follow_up()
        # a refused row is there all the same: what landed of it earlier is not missing upstream
        self.seen.extend(seen)
        self.seen.extend(known[key][0] for key in rejected if key in known)
        self._rejected |= rejected
        self.result.new += len(due) - changed
        self.result.changed += changed
        self.result.unchanged += len(seen)
        self.result.rejected += len(rejected)

    def _tell(self, new: int, changed: int, unchanged: int, rejected: int) -> None:
        """How far the run is with this page, for whoever looks at it while it goes on."""
        far = self.result
        SyncRun.objects.filter(pk=self.run.pk).update(
            counted=self.run.counted, new=far.new + new, changed=far.changed + changed,
            unchanged=far.unchanged + unchanged, rejected=far.rejected + rejected,
        )  # fmt: skip

    def _write(self, cursor: CursorWrapper, due: Ready, outdated: list[int]) -> None:
        at = now()
        rows = due.rows or self.lander.rows(due.keys, due.records, due.digests)
        versions: dict[str, tuple[int, datetime]] = {}
        if outdated:
            cursor.execute(_OUTDATED, [outdated])
            versions = {key: (version, first) for key, version, first in cursor.fetchall()}
        cursor.execute(_NEXT_RAW_PAGE)
        raw_page = cursor.fetchone()[0]
        ours = int8(self.source.pk), int8(self.run.pk), boolean(True), int8(raw_page), timestamp(at)
        head = count(len(_HEAD) + len(COLUMNS)) + b"".join(ours)
        heads: Iterable[bytes] = repeat(head + int4(1) + timestamp(at), len(rows))
        if versions:
            of_each = (versions.get(key, (1, at)) for key in due.keys)
            heads = (head + int4(version) + timestamp(first) for version, first in of_each)
        with cursor.copy(_COPY) as copy:
            table = zip(heads, map(int4, range(len(rows))), rows, strict=True)
            copy.write(b"".join((HEADER, *chain.from_iterable(table), TRAILER)))
        sealed = self.lander.seal_page(due.page.titles, [record["raw"] for record in due.records])
        RawPage.objects.bulk_create([RawPage(pk=raw_page, run=self.run, rows=len(rows), sealed=sealed)])

    def _isolated(self, page: Page) -> Page:
        """The page without the rows that PostgreSQL refuses, each of them tried alone and taken back."""
        good: list[Record] = []
        bad = list(page.rejected)
        for record in page.completions:
            trial = Page([record], titles=page.titles)
            try:
                with transaction.atomic():
                    alone = PageLander(self.source, self.run)  # a trial of ourselves
                    alone._land(alone.ready(trial), None)
                    transaction.set_rollback(True)
                good.append(record)
            except _UNLANDABLE as error:
                raw = record["raw"]
                named = raw if isinstance(raw, dict) else dict(zip(page.titles, raw, strict=True))
                reason = str(error).splitlines()[0][:80]
                bad.append(Rejected(record["key"], UNLANDABLE, "", record.get("place", page.window), reason, named))
        return Page(**{**_fields(page), "completions": good, "rejected": bad})

    def hold_rejected(self, *, whole: bool) -> None:
        """Hold the rows that were refused. After a ``whole`` pull the ones that were not are released."""
        with transaction.atomic(), connection.cursor() as cursor:
            new_holding(cursor)
            if not whole:  # what waits from before and was not asked for now, waits on
                cursor.execute(_STILL_HELD, [self.source.name, list(map(self._held_key, self._rejected))])
            with cursor.copy("COPY holding (key, source, code, params, payload) FROM STDIN") as copy:
                plain = self.lander.plain
                for key, row in self._rejected.items():
                    said = {"place": row.place, "field": row.field, "value": row.value, "row": key}
                    params = Jsonb({name: plain(text) for name, text in said.items()})
                    copy.write_row(
                        (self._held_key(key), self.source.name, row.code, params, self.lander.seal_row(row.raw))
                    )
            settle(cursor, "row", source=self.source.name)

    def _held_key(self, key: str) -> str:
        return f"{self.source.pk}:{key}"


_STILL_HELD = """
INSERT INTO holding (key, source, code, params, payload)
SELECT h.key, h.source, h.code, h.params, h.payload FROM quarantine_held h
WHERE h.what = 'row' AND h.released_at IS NULL AND h.source = %s AND NOT h.key = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM intake_completion c WHERE c.current AND c.source_id || ':' || c.key = h.key
                  AND c.landed_at > h.opened_at)
"""


def _fields(page: Page) -> dict[str, Any]:
    return {name: getattr(page, name) for name in Page.__dataclass_fields__}
