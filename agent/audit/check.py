"""Looking for what was tampered with: every hash is made again, and every column compared with what was hashed."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import transaction

from agent.audit.chain import START, hash_of, seal_of
from agent.audit.models import AuditEvent, AuditSeal

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and at which event."""

    index: int
    code: str  # gap, hash, seal, columns, head
    said: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event's place and hash: whoever keeps it can show later that nothing before it changed."""

    index: int
    hash: str  # hex

    def __str__(self) -> str:
        return f"{self.index}:{self.hash}"


class Checked(NamedTuple):
    """What a check came to: from which event on, how many, the head, and at most so many findings as were asked for."""

    first: int
    events: int
    head: Head
    findings: list[Finding]


def head() -> Head:
    """The newest event's; of an empty chain its start."""
    newest = AuditEvent.objects.order_by("-index").values_list("index", "hash").first()
    sealed = AuditSeal.objects.order_by("-through").values_list("through", "hash").first()
    index, made = max((one for one in (newest, sealed) if one), default=(0, START), key=lambda one: one[0])
    return Head(index, bytes(made).hex())


def check(kept: Head | None = None, *, most: int = 20) -> Checked:
    """Go through the whole chain.

    :param kept: a head of before: it must still be where it was
    """
    findings: list[Finding] = []
    with transaction.atomic():
        sealed = AuditSeal.objects.order_by("-through").first()
        last, previous = (sealed.through, bytes(sealed.hash)) if sealed else (0, START)
        heads = {last: previous.hex()}
        if sealed and not hmac.compare_digest(bytes(sealed.seal), seal_of(previous)):
            findings.append(Finding(last, "seal", "the sealed head was not made with this installation's key"))
        first, count = last + 1, 0
        for event in AuditEvent.objects.filter(index__gt=last).order_by("index").iterator(_CHUNK):
            count += 1
            findings += _wrong(event, last, previous)
            last, previous = event.index, bytes(event.hash)
            if kept and kept.index == last:
                heads[last] = previous.hex()
            if len(findings) >= most:
                break
        else:
            findings += _head(kept, heads, first)
    return Checked(first, count, Head(last, previous.hex()), findings[:most])


def _head(kept: Head | None, heads: dict[int, str], first: int) -> Iterator[Finding]:
    if kept is None or (kept.index < first - 1 and kept.index):
        return  # what it stands for was sealed and deleted; nothing can be said of it
    if kept.index and heads.get(kept.index) != kept.hash:
        yield Finding(kept.index, "head", "the kept head is not in the chain: events were changed or cut off")


def _wrong(event: AuditEvent, last: int, previous: bytes) -> Iterator[Finding]:
    if event.index != last + 1:
        yield Finding(last + 1, "gap", f"events {last + 1} to {event.index - 1} are missing")
    made = bytes(event.hash)
    if hash_of(previous, event.entry) != made:
        yield Finding(event.index, "hash", "the entry, or one before it, is not what was hashed")
    if not hmac.compare_digest(bytes(event.seal), seal_of(made)):
        yield Finding(event.index, "seal", "the hash was not sealed with this installation's key")
    if not _same(event):
        yield Finding(event.index, "columns", "a column says something else than the entry")


def _same(event: AuditEvent) -> bool:
    try:
        said: dict[str, Any] = orjson.loads(event.entry)
        at = datetime.fromisoformat(said["at"])
        columns = (event.index, event.at, event.actor, event.action, event.target, event.organisation_id)
        return columns == (
            said["index"], at, said["actor"], said["action"], said["target"], said["organisation"],
        )  # fmt: skip
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return False
