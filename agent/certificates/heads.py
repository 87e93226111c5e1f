"""The log's entries and signed tree heads as bytes: what is hashed, what is signed. Knows no database.

A head is a compact JWS (ES256, or RS256) whose payload is ``{"log", "size", "root", "timestamp"}``, root in hex.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agent.certificates.errors import HeadInvalid
from agent.certificates.keys import PublicKey, SigningKeys, TrustedKey, public_key_of

_HALF = 32  # bytes of r and of s in an ES256 signature
_TYPE = "xueshi-tree-head+jwt"


@dataclass(frozen=True, slots=True)
class Head:
    """What a tree head says: the first ``size`` entries have this ``root``, said at ``at``."""

    log: str
    size: int
    root: bytes
    at: datetime


def entry_of(number: str, kind: str, at: datetime, credential_sha256: str) -> bytes:
    """The canonical bytes of an entry: sorted members, no spaces, UTC with microseconds."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said = {"at": moment, "credential_sha256": credential_sha256, "kind": kind, "number": number}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def sign_head(head: Head, keys: SigningKeys) -> str:
    """The head as a JWS."""
    header = {"alg": keys.algorithm, "kid": keys.kid, "typ": _TYPE}
    said = {"log": head.log, "root": head.root.hex(), "size": head.size, "timestamp": head.at.isoformat()}
    message = _encode(orjson.dumps(header)) + b"." + _encode(orjson.dumps(said))
    signature = keys.sign(message)
    if keys.algorithm == "ES256":
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return (message + b"." + _encode(signature)).decode()


def read_head(jws: str, trusted: Iterable[x509.Certificate | PublicKey | TrustedKey]) -> Head:
    """The head in ``jws``, when one of the ``trusted`` signed it, while it was to be trusted.

    :raises HeadInvalid: another key, changed, dated after its key's end, or no head at all.
    """
    try:
        head, body, tail = jws.strip().encode("ascii").split(b".")
        if orjson.loads(_decode(head))["typ"] != _TYPE:
            raise HeadInvalid(reason="it is another kind of document")
        message, signature = head + b"." + body, _decode(tail)
        key = next((one for one in trusted if _signed_by(one, message, signature)), None)
        if key is None:
            raise HeadInvalid(reason="it is not signed by a trusted key, or was changed afterwards")
        said = orjson.loads(_decode(body))
        at = datetime.fromisoformat(said["timestamp"])
        if isinstance(key, TrustedKey) and not key.trusted_at(at):
            raise HeadInvalid(reason="the key that signed it was not to be trusted at that time")
        return Head(str(said["log"]), int(said["size"]), bytes.fromhex(said["root"]), at)
    except (ValueError, KeyError, TypeError):
        raise HeadInvalid(reason="it does not have the form of a signed tree head") from None


def _signed_by(one: x509.Certificate | PublicKey | TrustedKey, message: bytes, signature: bytes) -> bool:
    """The key's kind decides the algorithm, not the header."""
    key = public_key_of(one)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        else:
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(data: bytes) -> bytes:
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
