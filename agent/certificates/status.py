"""Bitstring Status List (W3C): which certificates are revoked or suspended, published so that nobody sees who asks.

A verifier fetches a whole list and looks at one bit, so we never learn which certificate is being checked. Each
certificate has one index, drawn at issue, in two lists of the same number: revocation (for good) and suspension.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from array import array
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from django.db import connection

from agent.certificates.credential import CONTEXT, PURPOSES, list_url

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

SIZE = 131_072
"""Places in a list: the least that the specification allows, and 16 kB before packing."""
TTL = timedelta(minutes=5)
"""How long a verifier may keep a list."""
_VALID = timedelta(days=1)  # an old list shown again by somebody else is refused after that
_ENDED = {"revocation": ("revoked", "superseded"), "suspension": ("suspended",)}

# Another worker's list is left to it: a lock that both waited for would make them work one after the other.
_TAKE = """
WITH free AS (
    SELECT id, used FROM certificates_statuslist WHERE used < %(size)s ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE certificates_statuslist s SET used = LEAST(free.used + %(count)s, %(size)s)
FROM free WHERE s.id = free.id RETURNING s.id, s.seed, free.used, s.used
"""
_NEW = "INSERT INTO certificates_statuslist (seed, used) VALUES (%s, 0)"
_SET = """
SELECT status_index FROM certificates_certificate
WHERE status_list_id = %s AND state = ANY(%s) AND state <> 'issued' -- said so that the index of those serves it
"""


def take(cursor: CursorWrapper, count: int) -> list[tuple[int, int]]:
    """Give out ``count`` places, inside the transaction that writes who has them: list and index of each."""
    places: list[tuple[int, int]] = []
    while len(places) < count:
        cursor.execute(_TAKE, {"size": SIZE, "count": count - len(places)})
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_NEW, [token_bytes(32)])
            continue
        number, seed, first, end = row
        places += [(number, index) for index in _order(bytes(seed))[first:end]]
    return places


@lru_cache(maxsize=4)
def _order(seed: bytes) -> array[int]:
    """All places in an order that only who has the seed could foretell: sorted by 8 pseudo-random bytes each."""
    drawn = array("Q", hashlib.shake_256(seed).digest(8 * SIZE))
    return array("L", sorted(range(SIZE), key=drawn.__getitem__))


def bits(number: int, purpose: str) -> bytes | None:
    """The list as bytes, the first place the highest bit of the first byte; None: there is no such list."""
    if purpose not in PURPOSES:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM certificates_statuslist WHERE id = %s", [number])
        if cursor.fetchone() is None:
            return None
        cursor.execute(_SET, [number, list(_ENDED[purpose])])
        found = bytearray(SIZE // 8)
        for (index,) in cursor.fetchall():
            found[index >> 3] |= 0x80 >> (index & 7)
    return bytes(found)


def list_credential(
    listed: bytes, number: int, purpose: str, *, issuer: dict[str, Any], base_url: str, since: datetime
) -> dict[str, Any]:
    """The list as a credential, yet unsigned: Bitstring Status List 1.0.

    :param since: aware, whole seconds; the list says what is so from then on, for a day
    """
    url = list_url(base_url, number, purpose)
    packed = base64.urlsafe_b64encode(gzip.compress(listed, mtime=0)).rstrip(b"=").decode()
    return {
        "@context": CONTEXT[:1],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer["id"],
        "validFrom": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "validUntil": f"{since + _VALID:%Y-%m-%dT%H:%M:%SZ}",
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": int(TTL.total_seconds() * 1000),
            "encodedList": "u" + packed,
        },
    }
