"""The embedded proof: W3C Data Integrity, cryptosuite ``eddsa-rdfc-2022``.

What is signed is not the text but what it means: the document as RDF in canonical form, so it may be indented and
reordered and still verifies. Meaning comes from the contexts, and those are here in files: nothing is downloaded, and
a term that no context defines is refused, because it would not be signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.certificates.did import base58, from_base58, multibase
from agent.certificates.errors import ContextUnknown, TermUndefined

SUITE = "eddsa-rdfc-2022"
_FOLDER = Path(__file__).parent / "contexts"
_CONTEXTS = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.jsonld",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "open-badges-3.0.3.jsonld",
}


def multikey_of(key: Ed25519PrivateKey) -> str:
    """The public half as Multikey, ``z6Mk…``."""
    return multibase("ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def with_proof(document: dict[str, Any], key: Ed25519PrivateKey, *, method: str, created: datetime) -> dict[str, Any]:
    """``document`` with a proof inside.

    :param method: the DID URL under which the public key is found
    :param created: aware
    :raises TermUndefined: a member of the document means nothing, so no proof would cover it.
    :raises ContextUnknown: a context is not among those kept here.
    """
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    # The options are hashed under the document's own contexts, and published inside it, where those hold anyway.
    digest = _digest({"@context": document["@context"], **proof}) + _digest(document)
    return document | {"proof": proof | {"proofValue": base58(key.sign(digest))}}


def proven_by(document: dict[str, Any], keys: Sequence[Ed25519PublicKey]) -> bool:
    """Whether the proof inside ``document`` is by one of ``keys``.

    :raises TermUndefined: as above.
    :raises ContextUnknown: as above.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict) or (proof.get("cryptosuite"), proof.get("proofPurpose")) != (
        SUITE,
        "assertionMethod",
    ):
        return False
    bare = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name not in ("proofValue", "@context")}
    digest = _digest({"@context": document.get("@context"), **options}) + _digest(bare)
    for key in keys:
        with suppress(InvalidSignature):
            key.verify(from_base58(str(proof.get("proofValue"))), digest)
            return True
    return False


def _digest(document: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(document).encode()).digest()


def canonical(document: dict[str, Any]) -> str:
    """The document as canonical N-Quads (RDFC-1.0).

    :raises TermUndefined: as above.
    :raises ContextUnknown: as above.
    """
    from pyld import jsonld  # noqa: PLC0415 - 0.4 s that only who makes a proof should wait for

    plain = _as_javascript(document)
    options = {"documentLoader": _load}
    try:
        expanded = jsonld.expand(plain, options, on_property_dropped=_refuse)
        return str(jsonld.normalize(expanded, options | {"algorithm": "URDNA2015", "format": "application/n-quads"}))
    except jsonld.JsonLdError as error:
        cause: BaseException | None = error
        while cause is not None:  # the library wraps what our own loader raised
            if isinstance(cause, ContextUnknown | TermUndefined):
                raise cause from None
            cause = getattr(cause, "cause", None) or cause.__cause__
        raise TermUndefined(term=str(error.code or error.type)) from None


def _refuse(term: object) -> None:
    raise TermUndefined(term=term)


def _load(url: str, _options: dict[str, Any]) -> dict[str, Any]:
    """What the library calls instead of the network."""
    return {"contextUrl": None, "contentType": "application/ld+json", "documentUrl": url, "document": _context(url)}


@lru_cache(maxsize=len(_CONTEXTS))
def _context(url: str) -> dict[str, Any]:
    if url not in _CONTEXTS:
        raise ContextUnknown(url=url)
    return orjson.loads((_FOLDER / _CONTEXTS[url]).read_bytes())  # type: ignore[no-any-return] # a JSON object


def _as_javascript(value: Any) -> Any:
    """Numbers as verifiers in JavaScript read them: 24.0 is 24 there, and its canonical form another."""
    if isinstance(value, dict):
        return {name: _as_javascript(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_javascript(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
