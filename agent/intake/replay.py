"""Rows that were refused, read again from what was kept of them: after an update that understands more than before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from agent.crypto import vault
from agent.intake.errors import NotReplayable
from agent.intake.landing import PAYLOAD_PURPOSE
from agent.intake.models import Source
from agent.intake.pages import Ready
from agent.intake.sync import Pull, running
from agent.localtime import now
from agent.quarantine.models import Held
from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.records import Completion, Page


@dataclass(slots=True)
class Replayed:
    """What a replay came to, in rows."""

    landed: int = 0
    held: int = 0


def waiting(source: Source | None) -> list[Source]:
    """The sources of which refused rows wait: ``source``, or all."""
    names = Held.objects.filter(what="row", released_at=None, payload__isnull=False).values_list("source", flat=True)
    found = Source.objects.filter(name__in=set(names)).order_by("name")
    return list(found if source is None else found.filter(pk=source.pk))


def replay(source: Source) -> Replayed:
    """Read the refused rows of ``source`` again; those that make sense now are landed and released.

    :raises NotReplayable: its kind can't read a row by itself
    :raises SourceBusy: another process syncs it.
    """
    done = Replayed()
    held = Held.objects.filter(what="row", source=source.name, released_at=None, payload__isnull=False).order_by("pk")
    with running(source, "replay", "hand") as run:
        pull = Pull(source, run, None)

        def read(reader: Connector) -> None:
            good: list[Completion] = []
            mended: list[int] = []
            for item in held:
                raw = orjson.loads(vault().open(bytes(item.payload or b""), PAYLOAD_PURPOSE))
                page = _read_again(source, reader, raw)
                if not page.completions:
                    done.held += 1
                    continue
                # each with its own titles: a report may have changed between two of them
                good += [Completion(**{**record, "raw": raw}) for record in page.completions]
                mended.append(item.pk)

            def release(_: Ready) -> None:
                Held.objects.filter(pk__in=mended).update(released_at=now())

            if good:
                pull.take(iter([Page(good, window="replay")]), release)
            done.landed = len(good)

        pull.go(read)
    return done


def _read_again(source: Source, reader: Connector, raw: dict[str, Any]) -> Page:
    try:
        return reader.reread(raw)
    except NotImplementedError:
        raise NotReplayable(name=source.name, kind=source.kind) from None
    except ConnectorError:
        return Page([])  # it lacks a column that is needed by now
