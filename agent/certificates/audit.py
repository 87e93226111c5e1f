"""Finding what was done behind the log's back: register against log, and log against its own signed heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction

from agent.certificates import merkle
from agent.certificates.errors import HeadInvalid
from agent.certificates.heads import read_head
from agent.certificates.models import LogHead
from agent.certificates.trust import trusted as published

_CHUNK = 20_000
_NAMED = 100  # findings of one kind that are named
_SLACK = timedelta(minutes=15)
"""So much earlier than a head that does not have it may an entry be dated: a batch is dated when it begins."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the log says. ``kind`` is stable, ``about`` a certificate's number or a place."""

    kind: str
    about: str

    @property
    def sentence(self) -> str:
        """What it means."""
        return _SENTENCES[self.kind]


_SENTENCES = {
    "not_logged": "an event that the log does not have: it was written past us",
    "no_event": "a certificate without the event of its issue: it was slipped in",
    "event_gone": "the log has an event that the register has no more",
    "differs": "number, kind, time or credential are other than the log says",
    "dated": "its date of issue is other than its event says",
    "state": "its state is other than its last event says",
    "dated_back": "dated before a signed head that does not have it",
    "gap": "an index of the log is missing",
    "node": "a hash of the tree is other than its leaves say",
    "head": "a signed head has another root than the log has today",
    "head_signature": "a head is not signed by a trusted key, or says other than its signature",
    "head_order": "a head is smaller than the one before it",
}
# Each row: what is found, and about whom.
_QUESTIONS = {
    "not_logged": """
SELECT c.number FROM certificates_certificateevent e JOIN certificates_certificate c ON c.id = e.certificate_id
LEFT JOIN certificates_logleaf l ON l.event_id = e.id WHERE l.index IS NULL ORDER BY 1 LIMIT %(named)s""",
    "no_event": """
SELECT c.number FROM certificates_certificate c LEFT JOIN certificates_certificateevent e
    ON e.certificate_id = c.id AND e.kind = 'issued' WHERE e.id IS NULL ORDER BY 1 LIMIT %(named)s""",
    "event_gone": """
SELECT l.entry::json ->> 'number' FROM certificates_logleaf l
LEFT JOIN certificates_certificateevent e ON e.id = l.event_id WHERE e.id IS NULL ORDER BY 1 LIMIT %(named)s""",
    "differs": """
SELECT DISTINCT l.entry::json ->> 'number' FROM certificates_logleaf l
JOIN certificates_certificateevent e ON e.id = l.event_id JOIN certificates_certificate c ON c.id = e.certificate_id
WHERE l.entry <> '{"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","credential_sha256":"' || encode(sha256(convert_to(c.credential, 'UTF8')), 'hex')
    || '","kind":"' || e.kind || '","number":"' || c.number || '"}' ORDER BY 1 LIMIT %(named)s""",
    "dated": """
SELECT c.number FROM certificates_certificate c JOIN certificates_certificateevent e ON e.certificate_id = c.id
WHERE e.kind = 'issued' AND e.at <> c.issued_at ORDER BY 1 LIMIT %(named)s""",
    "state": """
SELECT c.number FROM certificates_certificate c JOIN (
    SELECT DISTINCT ON (certificate_id) certificate_id, state FROM certificates_certificateevent
    ORDER BY certificate_id, id DESC
) e ON e.certificate_id = c.id WHERE e.state <> c.state ORDER BY 1 LIMIT %(named)s""",
}
_LEAVES = "SELECT index, entry FROM certificates_logleaf WHERE index >= %s ORDER BY index LIMIT %s"
_LEVEL = "SELECT index, hash FROM certificates_lognode WHERE level = %s AND index >= %s ORDER BY index LIMIT %s"


def audit() -> list[Finding]:
    """Everything that is not as it must be, at most 100 of a kind; reads every entry, in one look at the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = []
        for kind, question in _QUESTIONS.items():
            cursor.execute(question, {"named": _NAMED})
            found += [Finding(kind, about) for (about,) in cursor.fetchall()]
        heads = list(LogHead.objects.order_by("pk"))
        found += _tree(heads)
        found += _signatures(heads)
        return found


def _tree(heads: list[LogHead]) -> Iterator[Finding]:  # noqa: C901 - one pass over all entries for three questions
    """Build the tree anew from the entries, and compare nodes and roots with what is kept and what was signed."""
    wanted: dict[int, list[LogHead]] = {}
    for head in heads:
        wanted.setdefault(head.size, []).append(head)
    edge: dict[merkle.Node, bytes] = {}
    size, latest, named = 0, None, 0
    by_size = sorted(heads, key=lambda head: head.size)
    passed = 0  # heads that are too small for the entries to come

    def known_root() -> bytes:
        return merkle.root(size, lambda nodes: {node: edge[node] for node in nodes})

    yield from _roots(wanted.get(0, []), merkle.EMPTY)
    while rows := _rows(_LEAVES, [size, _CHUNK]):
        if rows[0][0] != size or rows[-1][0] != size + len(rows) - 1:
            yield Finding("gap", str(next(i for i, (index, _) in enumerate(rows, size) if index != i)))
            return
        for index, entry in rows:
            while passed < len(by_size) and by_size[passed].size <= index:
                at = by_size[passed].at
                latest = at if latest is None else max(latest, at)
                passed += 1
            said = orjson.loads(entry)
            if latest and datetime.fromisoformat(said["at"]) < latest - _SLACK and named < _NAMED:
                named += 1
                yield Finding("dated_back", said["number"])
        # in steps that end where a head was signed, so that each of those trees is there once
        stops = sorted({s for s in wanted if size < s <= size + len(rows)} | {size + len(rows)})
        offset = 0
        for stop in stops:
            some = rows[offset : offset + stop - size]
            offset += len(some)
            made = merkle.append(size, edge, [merkle.leaf_hash(entry.encode()) for _, entry in some])
            yield from _nodes(made)
            size = stop
            edge = {node: (made if node in made else edge)[node] for node in merkle.edge(size)}
            yield from _roots(wanted.get(size, []), known_root())
    for head in heads:
        if head.size > size:
            yield Finding("head", f"#{head.pk}")


def _rows(question: str, params: list[int]) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(question, params)
        return list(cursor.fetchall())


def _nodes(made: dict[merkle.Node, bytes]) -> Iterator[Finding]:
    """Compare what was made with what is kept, level by level."""
    levels: dict[int, list[tuple[int, bytes]]] = {}
    for (level, index), value in made.items():
        levels.setdefault(level, []).append((index, value))
    for level, nodes in levels.items():
        nodes.sort()
        with connection.cursor() as cursor:
            cursor.execute(_LEVEL, [level, nodes[0][0], len(nodes)])
            kept = {index: bytes(value) for index, value in cursor.fetchall()}
        wrong = [index for index, value in nodes if kept.get(index) != value]
        yield from (Finding("node", f"{level}/{index}") for index in wrong[:_NAMED])


def _roots(heads: list[LogHead], root: bytes) -> Iterator[Finding]:
    yield from (Finding("head", f"#{head.pk}") for head in heads if bytes(head.root) != root)


def _signatures(heads: list[LogHead]) -> Iterator[Finding]:
    trusted, before = published(), 0
    for head in heads:
        try:
            said = read_head(head.jws, trusted)
        except HeadInvalid:
            yield Finding("head_signature", f"#{head.pk}")
            continue
        if (said.size, said.root, said.at) != (head.size, bytes(head.root), head.at):
            yield Finding("head_signature", f"#{head.pk}")
        if head.size < before:
            yield Finding("head_order", f"#{head.pk}")
        before = head.size
