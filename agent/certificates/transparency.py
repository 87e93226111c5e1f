"""The transparency log: an append-only Merkle tree of every step of every certificate, with signed heads.

Whoever keeps a head can prove later that nothing of what it covered was changed, taken out, slipped in or dated back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from agent.certificates import merkle
from agent.certificates.errors import NoHead, NotInLog
from agent.certificates.heads import Head, entry_of, sign_head
from agent.certificates.log_models import LogHead
from agent.certificates.models import Certificate
from agent.certificates.signer import keys_to_sign
from agent.localtime import now

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

# The lock goes with the transaction: whoever appends next sees what came before, and indexes have no gaps.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('xueshi transparency'))"
_SIZE = "SELECT COALESCE(max(index) + 1, 0) FROM certificates_logleaf"
_NODES = """
SELECT n.level, n.index, n.hash FROM unnest(%s::smallint[], %s::bigint[]) AS w(level, index)
JOIN certificates_lognode n ON n.level = w.level AND n.index = w.index
"""
_COPY_LEAVES = "COPY certificates_logleaf (index, event_id, entry) FROM STDIN"
_COPY_NODES = "COPY certificates_lognode (level, index, hash) FROM STDIN (FORMAT binary)"
_OF_CERTIFICATE = """
SELECT l.index, l.entry FROM certificates_logleaf l JOIN certificates_certificateevent e ON e.id = l.event_id
WHERE e.certificate_id = %s ORDER BY l.index
"""


class Entry(NamedTuple):
    """What is put into the log of one event."""

    event: int
    number: str
    kind: str
    at: datetime
    credential_sha256: str


def append(cursor: CursorWrapper, entries: Sequence[Entry]) -> None:
    """Put ``entries`` into the log, in the transaction that wrote the events."""
    cursor.execute(_LOCK)
    cursor.execute(_SIZE)
    (size,) = cursor.fetchone()
    texts = [entry_of(*entry[1:]) for entry in entries]
    made = merkle.append(size, read(merkle.edge(size)), [merkle.leaf_hash(text) for text in texts])
    with cursor.copy(_COPY_LEAVES) as copy:
        for place, (entry, text) in enumerate(zip(entries, texts, strict=True), size):
            copy.write_row((place, entry.event, text.decode()))
    with cursor.copy(_COPY_NODES) as copy:
        copy.set_types(["int2", "int8", "bytea"])
        for (level, index), value in made.items():
            copy.write_row((level, index, value))


def read(nodes: Iterable[merkle.Node]) -> Mapping[merkle.Node, bytes]:
    """Hashes of whole nodes, in one question."""
    wanted = list(nodes)
    with connection.cursor() as cursor:
        cursor.execute(_NODES, [[level for level, _ in wanted], [index for _, index in wanted]])
        return {(level, index): bytes(value) for level, index, value in cursor.fetchall()}


def size() -> int:
    """How many entries there are."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        return int(cursor.fetchone()[0])


def publish() -> LogHead:
    """Sign the tree as it is now.

    :raises agent.certificates.errors.SigningKeyError: no head goes out unsigned.
    """
    keys = keys_to_sign()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        count, at = size(), now()
        root = merkle.root(count, read)
        jws = sign_head(Head(settings.BASE_URL, count, root, at), keys)
        return LogHead.objects.create(size=count, root=root, at=at, jws=jws)


def newest() -> LogHead:
    """The head that was published last.

    :raises NoHead: there is none yet.
    """
    head = LogHead.objects.order_by("-pk").first()
    if head is None:
        raise NoHead
    return head


def head_json(head: LogHead) -> dict[str, Any]:
    """A head for machines; the signature in ``jws`` covers all the rest."""
    return {
        "log": settings.BASE_URL, "size": head.size, "root": bytes(head.root).hex(), "timestamp": head.at.isoformat(),
        "jws": head.jws,
    }  # fmt: skip


def inclusion_proof(certificate: Certificate) -> dict[str, Any]:
    """Every step of ``certificate`` that the newest head covers, each with its path to the head's root.

    :raises NoHead: no head is published yet.
    :raises NotInLog: the newest head does not cover it.
    """
    head = newest()
    with connection.cursor() as cursor:
        cursor.execute(_OF_CERTIFICATE, [certificate.pk])
        leaves = [(index, entry) for index, entry in cursor.fetchall() if index < head.size]
    if not leaves:
        raise NotInLog(number=certificate.number)
    return {
        "number": certificate.number,
        "head": head_json(head),
        "entries": [
            {
                "index": index,
                "entry": entry,
                "path": [each.hex() for each in merkle.inclusion(index, head.size, read)],
            }
            for index, entry in leaves
        ],
    }


def consistency_proof(first: int, second: int) -> dict[str, Any]:
    """That the tree of ``second`` entries begins with that of ``first``.

    :raises ValueError: there are not so many, or they are reversed.
    """
    if second > size():
        raise ValueError((first, second))
    path = merkle.consistency(first, second, read)
    return {"first": first, "second": second, "path": [each.hex() for each in path]}
