"""Changing a source that is connected: its address, token, options or file after a live look, its schedule at once.

Nobody overwrites what somebody else changed meanwhile: a change names the revision that it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import connection, transaction

from agent.crypto import vault
from agent.home import home
from agent.intake.drafts import FILES, check_found, discard
from agent.intake.errors import SourceBusy, SourceNameTaken, SourceStale
from agent.intake.models import Source, SourceDraft
from agent.intake.noted import changing
from agent.intake.sources import TOKEN, save
from agent.quarantine.models import Held

_LONGEST_NAME = 100
# the locks of a pull and of the stages, both of which write the name down
_FREE = """
SELECT pg_try_advisory_xact_lock(hashtext('xueshi sync'), %s), pg_try_advisory_xact_lock(hashtext('xueshi stages'))
"""


@dataclass(frozen=True, slots=True)
class Times:
    """When the clock asks a source, and how often at most. The caller looked at the words."""

    recent_at: str
    full_at: str
    budget: int
    scheduled: bool


@transaction.atomic
def begin(source: Source, *, by: str) -> SourceDraft:
    """A draft that says what ``source`` says, without its token and its file; somebody else's older one is given up."""
    source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    for old in SourceDraft.objects.filter(source=source):
        discard(old)
    return SourceDraft.objects.create(
        source=source, revision=source.revision, organisation=source.organisation, kind=source.kind, name=source.name,
        url="" if source.kind == FILES else source.url, options=source.options, allow_private=source.allow_private,
        by=by,
    )  # fmt: skip


def apply(draft: SourceDraft, *, by: str) -> Source:
    """Let a change take effect whose look was well; what was stored of a token stays where none was typed.

    :raises SourceStale: somebody changed the source since the change was typed
    :raises NotLookedAt: it was not looked at as it is now, or something is to be mended
    """
    more = {"file": draft.file} if draft.file else {}
    with changing(draft.name, by=by, **more):
        draft = SourceDraft.objects.select_for_update(of=("self",)).select_related("source").get(pk=draft.pk)
        source = draft.source
        assert source is not None  # noqa: S101 - a draft of a change has its source
        if source.revision != draft.revision:
            raise SourceStale(name=source.name)
        check_found(draft)
        old = Path(source.url) if source.kind == FILES else None
        token = vault().open(bytes(draft.token), TOKEN).decode() if draft.token else None
        source, _ = save(
            source.name, kind=source.kind, url=draft.url, token=token, options=draft.options,
            allow_private=draft.allow_private,
        )  # fmt: skip
        draft.delete()
        if old and old != Path(source.url) and old.parent == home() / "rosters":  # never a file that a command named
            transaction.on_commit(partial(old.unlink, missing_ok=True))
    return source


def set_times(source: Source, times: Times, *, revision: int, by: str) -> None:
    """When the clock asks.

    :raises SourceStale: somebody changed the source since ``revision`` was read
    """
    with changing(source.name, "source.schedule", by=by):
        _write(source, revision, recent_at=times.recent_at, full_at=times.full_at, budget=times.budget,
               scheduled=times.scheduled)  # fmt: skip


def pause(source: Source, *, paused: bool, revision: int, by: str) -> None:
    """Let the clock leave it alone, or ask again.

    :raises SourceStale: as above
    """
    with changing(source.name, "source.paused" if paused else "source.resumed", by=by):
        _write(source, revision, scheduled=not paused)


def rename(source: Source, name: str, *, revision: int, by: str) -> None:
    """Call it otherwise, everywhere: what is held bears the name, too. Not while it is read, or the stages are at work.

    :raises SourceNameTaken: another is called so, or nothing can be
    :raises SourceBusy: one moment; nothing was changed
    :raises SourceStale: as above
    """
    name = name.strip()[:_LONGEST_NAME]
    with changing(source.name, "source.renamed", by=by), connection.cursor() as cursor:
        if not name or "/" in name or Source.objects.filter(name__iexact=name).exclude(pk=source.pk).exists():
            raise SourceNameTaken(name=name)
        cursor.execute(_FREE, [source.pk])
        if not all(cursor.fetchone()):
            raise SourceBusy(name=source.name)
        _write(source, revision, name=name)
        Held.objects.filter(source=source.name).update(source=name)
        SourceDraft.objects.filter(source=source).update(name=name)


def _write(source: Source, revision: int, **values: object) -> None:
    if not Source.objects.filter(pk=source.pk, revision=revision).update(**values):
        raise SourceStale(name=source.name)
