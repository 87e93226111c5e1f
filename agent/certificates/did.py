"""Decentralised identifiers: how a verifier that knows nothing of us finds the key that signed.

``did:web`` names our server, which publishes every key that ever signed here, so old credentials outlive a rotation.
``did:key`` is the key itself, spelt out: it needs no server, and no other key can ever speak in its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_MULTICODEC = {"p256": b"\x80\x24", "rsa": b"\x85\x24", "ed25519": b"\xed\x01"}
# The first is what verifiers written for DIDs look for; the others define the two ways in which keys are written.
_CONTEXT = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/jwk/v1",
    "https://w3id.org/security/multikey/v1",
]


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """One key pair's public half in the forms that a DID document has: JWK, and Multikey for Data Integrity proofs."""

    kid: str
    jwk: dict[str, str]
    multikey: str  # Ed25519 as ``z6Mk…``; empty: that key makes no such proofs


def multibase(kind: Literal["p256", "rsa", "ed25519"], raw: bytes) -> str:
    """A public key as Multikey: multicodec prefix and key in base 58."""
    return base58(_MULTICODEC[kind] + raw)


def base58(raw: bytes) -> str:
    """``raw`` as multibase base58btc, with its ``z``. A leading zero byte is a ``1``."""
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "z" + "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def from_multikey(text: str, kind: Literal["p256", "rsa", "ed25519"]) -> bytes:
    """The key in a Multikey.

    :raises ValueError: it is none, or one of another kind
    """
    raw, prefix = from_base58(text), _MULTICODEC[kind]
    if not raw.startswith(prefix):
        raise ValueError(kind)
    return raw.removeprefix(prefix)


def from_base58(text: str) -> bytes:
    """What `base58` wrote.

    :raises ValueError: it did not
    """
    if text[:1] != "z":
        raise ValueError(text[:1])
    number = 0
    for character in text[1:]:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def did_key(kind: Literal["p256", "rsa", "ed25519"], raw: bytes) -> str:
    """A public key as ``did:key:z…``."""
    return "did:key:" + multibase(kind, raw)


def did_web(base_url: str) -> str:
    """The identifier of the server at ``base_url``: ``did:web:host``, with a port and a path where it has them."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "") + (f"%3A{parts.port}" if parts.port else "")
    return ":".join(["did:web", host, *(quote(part, safe="") for part in parts.path.split("/") if part)])


def method_of(did: str, name: str) -> str:
    """The address of a key in the document of ``did``. In that of a ``did:key`` there is one, named after itself."""
    return f"{did}#{did.removeprefix('did:key:')}" if did.startswith("did:key:") else f"{did}#{name}"


def document(did: str, published: Sequence[PublicKeys]) -> dict[str, Any]:
    """The DID document of ``did`` (a ``did:web``): each published key may assert."""
    methods: list[dict[str, Any]] = []
    for keys in published:
        key = {"id": method_of(did, keys.kid), "type": "JsonWebKey", "controller": did}
        methods.append(key | {"publicKeyJwk": keys.jwk | {"kid": keys.kid}})
        if keys.multikey:
            proof = {"id": method_of(did, keys.multikey), "type": "Multikey", "controller": did}
            methods.append(proof | {"publicKeyMultibase": keys.multikey})
    return {
        "@context": _CONTEXT,
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
