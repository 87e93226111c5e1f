"""The chain: an event is hashed together with the one before, and the hash is sealed with the installation's key.

Whoever changes, removes or slips in an event breaks every hash after it; whoever makes all of them anew lacks the key
for the seals; and who has the key, too, can't bring back a hash that somebody kept (`xueshi audit head`).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.db import connection
from django.db.transaction import TransactionManagementError

from agent.audit.masking import masked, plain
from agent.crypto import vault
from agent.localtime import now
from agent.organisations.models import Organisation

START: Final = bytes(32)
"""What stands before the first event."""
# The lock goes with the transaction: whoever appends next sees what came before, and indexes have no gaps.
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('xueshi audit'))"
_LAST = """
(SELECT index, hash FROM audit_auditevent ORDER BY index DESC LIMIT 1)
UNION ALL (SELECT through, hash FROM audit_auditseal ORDER BY through DESC LIMIT 1)
ORDER BY 1 DESC LIMIT 1
"""
_APPEND = """
INSERT INTO audit_auditevent (index, at, actor, action, target, organisation_id, entry, hash, seal)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LONGEST = {"actor": 150, "action": 60, "target": 300}


def record(
    actor: str, action: str, *, on: str, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
    organisation: Organisation | None = None,
) -> None:  # fmt: skip
    """Write down that ``actor`` did ``action`` ``on`` something, in the transaction that does it.

    Call it last: from here to the transaction's end nobody else writes anything down. Identity numbers are masked
    whatever they stand in; other secrets are the caller's to leave out.

    :param on: what it was done to, as people find it again: ``programme 370400/2024/K1``
    :param before: what was there, of that which changed; ``after`` what is there now
    :param organisation: whose it is
    :raises TransactionManagementError: outside a transaction: what was done and what is said of it commit together
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("an audit event is recorded inside the transaction of what it tells")
    said = {
        "actor": masked(actor)[: _LONGEST["actor"]], "action": action[: _LONGEST["action"]],
        "target": masked(on)[: _LONGEST["target"]],
    }  # fmt: skip
    body = organisation.pk if organisation else None
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(_LAST)
        last, previous = cursor.fetchone() or (0, START)
        at = now()
        entry = entry_of(last + 1, at, **said, organisation=body, before=plain(before), after=plain(after))
        made = hash_of(bytes(previous), entry)
        cursor.execute(_APPEND, [last + 1, at, *said.values(), body, entry, made, seal_of(made)])


def entry_of(index: int, at: datetime, **said: Any) -> str:
    """The canonical text of an event: sorted members, no spaces, UTC with microseconds."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = orjson.dumps({"index": index, "at": moment, **said}, option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("\\u0000", "\\ufffd")  # the one character that PostgreSQL can't keep


def hash_of(previous: bytes, entry: str) -> bytes:
    """SHA-256 over the hash before and the entry."""
    return hashlib.sha256(previous + entry.encode()).digest()


def seal_of(made: bytes) -> bytes:
    """What only this installation can make of a hash."""
    return vault().fingerprint(f"audit\n{made.hex()}")
