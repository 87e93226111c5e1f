"""Published keys from files: what somebody has who checks certificates without asking our server.

Read are certificates and public keys (PEM or DER), JWK and JWK sets, and DID documents. A folder counts for all files
in it that are one of these; the rest of it is left alone, private keys above all.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from agent.certificates.did import from_multikey
from agent.certificates.keys import public_key_of
from agent.certificates.verify import Trusted
from agent.errors import XueshiError

_MAX_BYTES = 1_000_000


class TrustUnreadable(XueshiError):
    """{path} holds no certificate and no public key."""

    code = "E_TRUST"
    fix = "Name a PEM file, a JWK set, a did.json, or a folder of them; docs/certificates.md says where they are."


def trust_of(paths: Sequence[Path]) -> list[Trusted]:
    """All that ``paths`` (files or folders) publish.

    :raises TrustUnreadable: one of them publishes nothing.
    """
    found: list[Trusted] = []
    for path in paths:
        try:
            files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
            here = [one for file in files if file.stat().st_size <= _MAX_BYTES for one in _read(file.read_bytes())]
        except OSError:
            here = []
        if not here:
            raise TrustUnreadable(path=path)
        found += here
    return found


def proof_keys_of(paths: Sequence[Path]) -> list[Ed25519PublicKey]:
    """The Ed25519 keys of embedded proofs among what ``paths`` publish: DID documents have them."""
    found: list[Ed25519PublicKey] = []
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            with suppress(OSError, ValueError, AttributeError, TypeError):
                if file.stat().st_size <= _MAX_BYTES and (data := file.read_bytes()).lstrip()[:1] == b"{":
                    found += _proof_keys(json.loads(data).get("verificationMethod", []))
    return found


def _proof_keys(methods: Iterable[dict[str, Any]]) -> Iterable[Ed25519PublicKey]:
    for method in methods:
        with suppress(ValueError, KeyError):
            yield Ed25519PublicKey.from_public_bytes(from_multikey(method["publicKeyMultibase"], "ed25519"))


def _read(data: bytes) -> Iterable[Trusted]:
    if b"-----BEGIN CERTIFICATE-----" in data:
        with suppress(ValueError):
            return x509.load_pem_x509_certificates(data)
    if data.lstrip()[:1] == b"{":
        return _keys_of(data)
    for read in (x509.load_der_x509_certificate, load_pem_public_key, load_der_public_key):
        with suppress(ValueError, TypeError):
            one = read(data)
            return [one if isinstance(one, x509.Certificate) else public_key_of(one)]  # type: ignore[arg-type]
    return []


def _keys_of(data: bytes) -> list[Trusted]:
    try:
        told = json.loads(data)
        methods = [method["publicKeyJwk"] for method in told.get("verificationMethod", []) if "publicKeyJwk" in method]
        jwks = list(methods or told.get("keys") or [told])
    except (ValueError, AttributeError, TypeError):
        return []
    found: list[Trusted] = []
    for jwk in jwks:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            found.append(_key_of(jwk))
    return found


def _key_of(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ValueError
    return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1()).public_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
