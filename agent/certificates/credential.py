"""The credential: what is issued, as Open Badges 3.0 and W3C Verifiable Credentials 2.0.

Form: VC-JWT (compact JWS, ES256 or RS256; the payload is the credential itself, as VC-JOSE-COSE and Open Badges 3.0,
8.2, ask). Only terms of the two contexts are used, so that a linked-data proof can be made of the same document.
The identity number is not in it, nor its hash: one in 10^17 is found by trying. Name and mask are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agent.certificates.errors import CredentialInvalid
from agent.certificates.facts import NAME, CertificateFacts, hours_text
from agent.certificates.keys import PublicKey, SigningKeys, did_of, public_key_of

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
TYPES = ["VerifiableCredential", "OpenBadgeCredential"]
MASKED_ID = "ext:maskedNationalIdentityNumber"
_HALF = 32  # bytes of r and of s in an ES256 signature
_MAX_BYTES = 64_000
_CLOCK_SLACK = timedelta(minutes=10)  # the checker's clock may be behind the issuer's


def sign_credentials(
    facts: Sequence[CertificateFacts], keys: SigningKeys, *, issuer_id: str, base_url: str
) -> list[str]:
    """Sign a credential for each of ``facts``, in their order.

    :param issuer_id: a DID; ``keys.did`` needs no server to be resolved
    :param base_url: the portal's address; the credentials' own identifiers begin with it
    """
    header = {"alg": keys.algorithm, "kid": _kid(issuer_id, keys), "typ": "vc+jwt", "cty": "vc"}
    start = _encode(orjson.dumps(header)) + b"."
    issuer = {"id": issuer_id, "type": ["Profile"], "name": keys.organisation}
    base = base_url.rstrip("/")
    raw = keys.algorithm == "ES256"
    signed = []
    for one in facts:
        message = start + _encode(orjson.dumps(credential_of(one, issuer, base)))
        signature = keys.sign(message)
        if raw:  # JOSE wants r and s side by side where everybody else wants DER
            r, s = decode_dss_signature(signature)
            signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        signed.append((message + b"." + _encode(signature)).decode("ascii"))
    return signed


def _kid(issuer_id: str, keys: SigningKeys) -> str:
    """Which key signed, as a DID URL. With RSA a ``did:key`` would outgrow the header that libraries accept (512)."""
    method = issuer_id.removeprefix("did:key:")
    if method == issuer_id:
        return f"{issuer_id}#{keys.kid}"
    return f"{issuer_id}#{method}" if keys.algorithm == "ES256" else keys.kid


def credential_of(facts: CertificateFacts, issuer: dict[str, Any], base: str) -> dict[str, Any]:
    """The credential as JSON, with the registered JWT claims beside its own members."""
    identifier = f"{base}/credentials/{facts.number}"
    subject: dict[str, Any] = {
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": facts.holder, "identityType": "name"},
            {"type": "IdentityObject", "hashed": False, "identityHash": facts.id_masked, "identityType": MASKED_ID},
        ],
        "licenseNumber": facts.number,
        "creditsEarned": facts.hours / 100,
        "activityEndDate": _moment(facts.learned_on),
        "achievement": {
            "id": f"{base}/programmes/{quote(facts.filing_number)}",
            "type": ["Achievement"],
            "achievementType": "CertificateOfCompletion",
            "name": facts.programme,
            "description": f"{facts.organiser}主办、{facts.implementer}承办的继续教育专业科目培训",
            "criteria": {
                "narrative": f"完成规定学习内容，考核合格，计专业科目{hours_text(facts.hours)}学时。"
                f"备案编号：{facts.filing_number}"
            },
            "humanCode": facts.filing_number,
            "fieldOfStudy": facts.series,
            "inLanguage": "zh-Hans",
            "tag": [facts.category],
            "creator": {
                "id": f"{base}/organisations/{facts.organiser_uscc}",
                "type": ["Profile"],
                "name": facts.organiser,
                "otherIdentifier": [
                    {"type": "IdentifierEntry", "identifier": facts.organiser_uscc, "identifierType": "ext:uscc"}
                ],
            },
        },
    }
    if facts.learned_from is not None:
        subject["activityStartDate"] = _moment(facts.learned_from)
    issued = facts.issued_at.astimezone(UTC).replace(microsecond=0)
    return {
        "@context": CONTEXT,
        "id": identifier,
        "type": TYPES,
        "name": NAME,
        "issuer": issuer,
        "validFrom": issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": subject,
        "iss": issuer["id"],
        "jti": identifier,
        "nbf": int(issued.timestamp()),
    }


def read_credential(jwt: str, trusted: Iterable[x509.Certificate | PublicKey]) -> dict[str, Any]:
    """The credential in ``jwt``, when one of the ``trusted`` keys signed it.

    :raises CredentialInvalid: another key, changed, cut, not a credential, or not yet valid.
    """
    if len(jwt) > _MAX_BYTES:
        raise CredentialInvalid(reason="it is too long to be one of ours")
    try:
        head, body, tail = jwt.encode("ascii").split(b".")
        header, signature = orjson.loads(_decode(head)), _decode(tail)
        key = next(
            (key for key in map(public_key_of, trusted) if _signed_by(key, header, head + b"." + body, signature)), None
        )
        if key is None:
            raise CredentialInvalid(reason="it is not signed by a trusted key, or was changed afterwards")
        credential = orjson.loads(_decode(body))
        _require_form(credential, key)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CredentialInvalid(reason="it does not have the form of a signed credential") from None
    return credential  # type: ignore[no-any-return] # a JSON object: its form was just required


def _require_form(credential: dict[str, Any], key: PublicKey) -> None:
    issuer = credential["issuer"]["id"]
    if credential["@context"][0] != CONTEXT[0] or "OpenBadgeCredential" not in credential["type"]:
        raise CredentialInvalid(reason="it is another kind of credential")
    if credential["iss"] != issuer or (issuer.startswith("did:key:") and issuer != did_of(key)):
        raise CredentialInvalid(reason="it names another issuer than the one whose key signed it")
    if datetime.fromisoformat(credential["validFrom"]) > datetime.now(UTC) + _CLOCK_SLACK:
        raise CredentialInvalid(reason=f"it is valid from {credential['validFrom']} only")


def _signed_by(key: PublicKey, header: dict[str, Any], message: bytes, signature: bytes) -> bool:
    """The key's kind decides the algorithm; what the header claims must only agree with it."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if header["alg"] != "ES256" or len(signature) != 2 * _HALF:
                return False
            r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        elif header["alg"] == "RS256":
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _moment(day: date) -> str:
    """A local date as the moment it begins: Open Badges knows no dates without time."""
    return f"{day.isoformat()}T00:00:00+08:00"


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(data: bytes) -> bytes:
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None
