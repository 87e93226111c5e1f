"""Landing a page: its rows, the place that is reached and the work that follows commit together or not at all.

Unchanged rows write nothing. A page that PostgreSQL refuses is tried row by row, so that one row keeps out no others.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from agent.crypto import vault
from agent.intake.copying import HEADER, TRAILER, boolean, count, int4, int8, timestamp
from agent.intake.landing import COLUMNS, Lander, open_raw
from agent.intake.models import Completion, RawPage, Source, SyncRun
from agent.localtime import now
from agent.quarantine.settle import new_holding, settle
from connectors.record_table import RecordTable
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
_NEXT_RAW_PAGES = "SELECT nextval(pg_get_serial_sequence('intake_rawpage', 'id')) FROM generate_series(1, %s)"
_UNLANDABLE = (DataError, psycopg.DataError, struct.error, UnicodeEncodeError)
_NEVER_SEEN = (0, b"")
_LET_GO = RecordTable({})
UNLANDABLE = "E_ROW_REFUSED"
_T = TypeVar("_T")


@dataclass(slots=True)
class Ready:
    """A page as it is to be landed: the keys and digests that the database knows its records by.

    Where all of them are due there is all that is written, too, and the records are let go of: a row is touched
    while it lies in the processor's cache, and not again (ADR 17).
    """

    page: Page
    keys: Sequence[str]
    digests: list[bytes]
    rejected: dict[str, Rejected]
    records: RecordTable
    at: Sequence[int]  # the records' places among the raw rows
    rows: list[bytes]  # of COPY
    sealed: bytes = b""  # the raw rows
    places: list[str] = field(default_factory=list)  # where the records stand in a file, should one be refused

    def only(self, due: Sequence[int]) -> Ready:
        """The records in these places."""
        if len(due) == len(self.keys):
            return self

        def of(them: Sequence[_T]) -> list[_T]:
            return [them[at] for at in due] if them else []

        return replace(
            self, keys=of(self.keys), digests=of(self.digests), at=of(self.at), rows=of(self.rows),
            records=self.records.only(due) if self.records.columns else self.records, places=of(self.places),
        )  # fmt: skip


Move = Callable[[Ready], None]
"""Notes the place that is reached with a page, inside its transaction."""


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
        lander, records = self.lander, RecordTable.of(page.completions)
        keys = lander.keys(records.columns["key"])
        if len(set(keys)) < len(keys):  # of two that come to one key the later counts
            last = {key: at for at, key in enumerate(keys)}
            keys, records = list(last), records.only(list(last.values()))
        # a row that is too damaged to have a key is known by its place
        rejected = dict(zip(lander.keys([row.key or row.place for row in page.rejected]), page.rejected, strict=True))
        ready = Ready(page, keys, lander.digests(lander.said(records)), rejected, records, range(len(keys)), [])
        if self.fresh and keys:
            with suppress(*_UNLANDABLE):  # the records stay, and one is isolated when the page is landed
                ready.rows = lander.rows(keys, records, ready.digests)
                ready.sealed = lander.seal_page(page.titles, records.columns["raw"])
                ready.places = [place or "" for place in records.columns.get("place", ())]
                ready.page, ready.records = replace(page, completions=[]), _LET_GO
        return ready

    def take(self, pages: list[Ready], move: Move | None = None) -> None:
        """Land pages in one transaction; ``move`` notes the place that is reached with each, in the same one."""
        pages = _each_once(pages)
        try:
            self._land(pages, move)
        except (IntegrityError, psycopg.IntegrityError):
            if not self.fresh:
                raise
            self.fresh = False  # a row that an earlier page of this pull had already
            self._land(pages, move)
        except _UNLANDABLE:  # something in one row that no check of ours foresaw
            self._land(list(map(self._isolated, pages)), move)

    def _land(self, pages: list[Ready], move: Move | None) -> None:
        keys = [key for ready in pages for key in ready.keys]
        rejected = {key: row for ready in pages for key, row in ready.rejected.items()}
        outdated: list[int] = []
        seen: list[int] = []
        numbered: list[tuple[int, int, int]] = []
        known: dict[str, tuple[int, bytes]] = {}
        due = pages
        with transaction.atomic(), connection.cursor() as cursor:
            # Rows and the place that is reached can't come apart, in whatever moment the power fails; so a page need
            # not wait for the disk. The run's last word does, and with it all before.
            cursor.execute("SET LOCAL synchronous_commit = off")
            if not self.fresh:
                cursor.execute(_KNOWN, [self.source.pk, [*keys, *rejected]])
                known = {key: (completion, digest) for key, completion, digest in cursor.fetchall()}
                due = []
                for ready in pages:
                    of_page = _compared(ready, known)
                    seen += of_page.seen
                    numbered += of_page.numbered
                    outdated += of_page.outdated
                    due.append(ready.only(of_page.due))
            if numbered:  # the source began to number its rows: no change of what they say
                cursor.execute(_NUMBERED, [list(column) for column in zip(*numbered, strict=True)])
            landing = sum(len(ready.keys) for ready in due)
            if landing:
                self._write(cursor, [ready for ready in due if ready.keys], outdated)
            changed = len(outdated)
            self._tell(landing - changed, changed, len(seen), len(rejected))
            if move:
                for ready in pages:
                    move(ready)
            if self._follow_up and (landing or any(ready.page.gone for ready in pages)):
                self._follow_up()
        # a refused row is there all the same: what landed of it earlier is not missing upstream
        self.seen.extend(seen)
        self.seen.extend(known[key][0] for key in rejected if key in known)
        self._rejected |= rejected
        self.result.new += landing - changed
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

    def _write(self, cursor: CursorWrapper, due: list[Ready], outdated: list[int]) -> None:
        at = now()
        versions: dict[str, tuple[int, datetime]] = {}
        if outdated:
            cursor.execute(_OUTDATED, [outdated])
            versions = {key: (version, first) for key, version, first in cursor.fetchall()}
        cursor.execute(_NEXT_RAW_PAGES, [len(due)])
        raw_pages = [number for (number,) in cursor.fetchall()]
        first = int4(1) + timestamp(at)
        with cursor.copy(_COPY) as copy:
            copy.write(HEADER)
            for raw_page, ready in zip(raw_pages, due, strict=True):
                ours = int8(self.source.pk), int8(self.run.pk), boolean(True), int8(raw_page), timestamp(at)
                head = count(len(_HEAD) + len(COLUMNS)) + b"".join(ours)
                heads: Iterable[bytes] = repeat(head + first, len(ready.keys))
                if versions:
                    of_each = (versions.get(key, (1, at)) for key in ready.keys)
                    heads = (head + int4(version) + timestamp(landed) for version, landed in of_each)
                rows = ready.rows or self.lander.rows(ready.keys, ready.records, ready.digests)
                raw_places = map(int4, ready.at if ready.sealed else range(len(rows)))
                copy.write(b"".join(chain.from_iterable(zip(heads, raw_places, rows, strict=True))))
            copy.write(TRAILER)
        RawPage.objects.bulk_create(map(self._raw_page, raw_pages, due))

    def _raw_page(self, number: int, ready: Ready) -> RawPage:
        sealed = ready.sealed or self.lander.seal_page(ready.page.titles, ready.records.columns["raw"])
        return RawPage(pk=number, run=self.run, rows=len(ready.keys), sealed=sealed)

    def _isolated(self, ready: Ready) -> Ready:
        """The page without the rows that PostgreSQL refuses, each of them tried alone and taken back."""
        good: list[int] = []
        rejected = dict(ready.rejected)
        for at, key in enumerate(ready.keys):
            alone = ready.only([at])
            try:
                with transaction.atomic():
                    PageLander(self.source, self.run)._land([alone], None)  # noqa: SLF001 - a trial of ourselves
                    transaction.set_rollback(True)
                good.append(at)
            except _UNLANDABLE as error:
                place = alone.places[0] if alone.places else ready.page.window
                reason = str(error).splitlines()[0][:80]
                rejected[key] = Rejected(key, UNLANDABLE, "", place, reason, _raw_of(alone))
        return replace(ready.only(good), rejected=rejected)

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


class _Compared(NamedTuple):
    """A page beside what is known."""

    seen: list[int]  # completions that are as they were
    numbered: list[tuple[int, int, int]]  # those of them whose source says a number and a mark
    outdated: list[int]
    due: list[int]  # places of the records that are new or changed


def _compared(ready: Ready, known: Mapping[str, tuple[int, bytes]]) -> _Compared:
    found = _Compared([], [], [], [])
    numbers = ready.records.columns.get("serial"), ready.records.columns.get("mark")
    for at, (key, digest) in enumerate(zip(ready.keys, ready.digests, strict=True)):
        completion, old = known.get(key, _NEVER_SEEN)
        if old == digest:
            found.seen.append(completion)
            serial, mark = (column[at] if column else None for column in numbers)
            if serial is not None:
                found.numbered.append((completion, serial, mark or 0))
            continue
        if completion:
            found.outdated.append(completion)
        found.due.append(at)
    return found


def together(pages: Iterable[Ready]) -> Iterator[list[Ready]]:
    """The pages that are landed in one transaction: those of one answer; none behind one that says what is gone."""
    some: list[Ready] = []
    for ready in pages:
        some.append(ready)
        if ready.page.gone or not ready.page.more:
            yield some
            some = []
    if some:
        yield some


def _each_once(pages: list[Ready]) -> list[Ready]:
    """The pages without the rows that a later one of them has, too."""
    if len(pages) == 1 or len({key for ready in pages for key in ready.keys}) == sum(len(one.keys) for one in pages):
        return pages
    later: set[str] = set()
    once: list[Ready] = []
    for ready in reversed(pages):
        once.insert(0, ready.only([at for at, key in enumerate(ready.keys) if key not in later]))
        later.update(ready.keys)
    return once


def _raw_of(alone: Ready) -> dict[str, Any]:
    """The raw row of a page of one record, by its titles."""
    if not alone.records.columns:
        return open_raw(vault(), alone.sealed, alone.at[0])
    raw = alone.records.columns["raw"][0]
    return raw if isinstance(raw, dict) else dict(zip(alone.page.titles, raw, strict=True))
