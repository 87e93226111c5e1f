"""One pull of one source, page by page: each page is landed whole or not at all, and unchanged rows write nothing."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from agent.crypto import vault
from agent.intake.ahead import read_ahead
from agent.intake.errors import SourceBusy, SyncFailed
from agent.intake.landing import COLUMNS, Lander
from agent.intake.models import Source, SyncRun
from agent.intake.sources import connector
from agent.localtime import now
from agent.quarantine.settle import new_holding, settle
from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from connectors.records import Page, Rejected

Progress = Callable[[int, int | None], None]
"""Told after each page: rows so far, and rows in all when the source says so."""


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


def pull(source: Source, progress: Progress | None = None) -> Landed:
    """Land everything that ``source`` shows, and note what it shows no more.

    :raises SourceBusy: another process syncs this source.
    :raises SyncFailed: the source failed; pages landed before stay, they are whole.
    """
    with _alone(source):
        SyncRun.objects.filter(source=source, state=SyncRun.State.RUNNING).update(
            state=SyncRun.State.FAILED, error_code="E_INTERRUPTED", error="The process ended in mid-run."
        )
        run = SyncRun.objects.create(source=source)
        landing = _Run(source, run)
        try:
            with connector(source) as reader:
                try:
                    for page in read_ahead(reader.completions()):
                        landing.take(page)
                        if progress:
                            progress(landing.result.landed, page.total)
                finally:
                    landing.result.calls = reader.calls
            landing.finish()
        except ConnectorError as error:
            landing.close(SyncRun.State.FAILED, error.code, error.message)
            raise SyncFailed(error, name=source.name, landed=landing.result.landed) from error
        landing.close(SyncRun.State.DONE)
        return landing.result


@contextmanager
def _alone(source: Source) -> Iterator[None]:
    """One run a source at a time, whoever starts it; the lock goes with the connection, so a kill frees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('xueshi sync'), %s)", [source.pk])
        if not cursor.fetchone()[0]:
            raise SourceBusy(name=source.name)
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext('xueshi sync'), %s)", [source.pk])


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Rows come by the thousand and hold no cycles: looking for some among them took a fifth of the time (measured)."""
    usual = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


_COLLECT_AFTER = 100_000
_KNOWN = "SELECT key, id, digest FROM intake_completion WHERE source_id = %s AND current AND key = ANY(%s)"
_OUTDATED = """
UPDATE intake_completion SET current = false WHERE id = ANY(%s) RETURNING key, version + 1, first_landed_at
"""
_COLUMNS = {
    "source_id": "int8", "run_id": "int8", "version": "int4", "current": "bool",
    "first_landed_at": "timestamptz", "landed_at": "timestamptz", **COLUMNS,
}  # fmt: skip
_COPY = f"COPY intake_completion ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)"
_MISSING = """
INSERT INTO intake_missingupstream (completion_id, run_id, since)
SELECT c.id, %(run)s, now() FROM intake_completion c
WHERE c.source_id = %(source)s AND c.current AND c.run_id <> %(run)s
  AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.id = c.id)
ON CONFLICT (completion_id) DO NOTHING
"""
_BACK = """
DELETE FROM intake_missingupstream m USING intake_completion c
WHERE c.id = m.completion_id AND c.source_id = %(source)s
  AND (NOT c.current OR EXISTS (SELECT 1 FROM seen WHERE seen.id = c.id))
"""
_STILL_MISSING = """
SELECT count(*) FROM intake_missingupstream m JOIN intake_completion c ON c.id = m.completion_id
WHERE c.source_id = %(source)s
"""


_NEVER_SEEN = (0, b"")


class _Run:
    """What one run knows while it lasts: eight bytes a row that was there already, and the rows that were refused."""

    def __init__(self, source: Source, run: SyncRun) -> None:
        self.source, self.run = source, run
        self.result = Landed()
        self._lander = Lander(vault())
        self._seen = array("q")
        self._rejected: dict[str, Rejected] = {}

    def take(self, page: Page) -> None:
        """Land one page in one transaction."""
        plain = self._lander.plain
        records = {plain(record["key"]): record for record in page.completions}
        # a row that is too damaged to have a key is known by its place
        rejected = {plain(row.key or row.place): row for row in page.rejected}
        at = now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_KNOWN, [self.source.pk, [*records, *rejected]])
            known = {key: (completion, digest) for key, completion, digest in cursor.fetchall()}
            due, outdated, seen = [], [], []
            for key, record in records.items():
                digest = self._lander.digest(record)
                completion, old_digest = known.get(key, _NEVER_SEEN)
                if old_digest == digest:
                    seen.append(completion)
                    continue
                if completion:
                    outdated.append(completion)
                due.append((key, record, digest))
            versions: dict[str, tuple[int, datetime]] = {}
            if outdated:
                cursor.execute(_OUTDATED, [outdated])
                versions = {key: (version, first) for key, version, first in cursor.fetchall()}
            if due:
                with cursor.copy(_COPY) as copy:  # PostgreSQL writes a row while the next one is made
                    copy.set_types(list(_COLUMNS.values()))
                    for key, record, digest in due:
                        version, first = versions.get(key, (1, at))
                        row = self._lander.row(record, digest)
                        copy.write_row((self.source.pk, self.run.pk, version, True, first, at, *row))
        # a refused row is there all the same: what landed of it earlier is not missing upstream
        self._seen.extend(seen)
        self._seen.extend(known[key][0] for key in rejected if key in known)
        self._rejected |= rejected
        self.result.new += len(due) - len(outdated)
        self.result.changed += len(outdated)
        self.result.unchanged += len(seen)
        self.result.rejected += len(rejected)

    def finish(self) -> None:
        """After the last page: what is missing upstream, what is back, which refused rows wait and which are mended."""
        params = {"source": self.source.pk, "run": self.run.pk}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE seen (id bigint PRIMARY KEY) ON COMMIT DROP")
            with cursor.copy("COPY seen (id) FROM STDIN") as copy:
                for completion in set(self._seen):
                    copy.write_row((completion,))
            cursor.execute(_BACK, params)
            cursor.execute(_MISSING, params)
            cursor.execute(_STILL_MISSING, params)
            self.result.missing_upstream = cursor.fetchone()[0]
            self._hold_rejected(cursor)

    def _hold_rejected(self, cursor: CursorWrapper) -> None:
        new_holding(cursor)
        with cursor.copy("COPY holding (key, source, code, params, payload) FROM STDIN") as copy:
            plain = self._lander.plain
            for key, row in self._rejected.items():
                said = {"place": row.place, "field": row.field, "value": row.value, "row": key}
                params = Jsonb({name: plain(text) for name, text in said.items()})
                payload = self._lander.seal_payload(row.raw)
                copy.write_row((f"{self.source.pk}:{key}", self.source.name, row.code, params, payload))
        settle(cursor, "row", source=self.source.name)

    def close(self, state: str, code: str = "", message: str = "") -> None:
        """Write down how it went."""
        result = self.result
        SyncRun.objects.filter(pk=self.run.pk).update(
            state=state, finished_at=now(), new=result.new, changed=result.changed, unchanged=result.unchanged,
            rejected=result.rejected, missing_upstream=result.missing_upstream, calls=result.calls,
            error_code=code, error=message,
        )  # fmt: skip
