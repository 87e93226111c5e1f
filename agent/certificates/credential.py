"""The credential: what is issued, as Open Badges 3.0 and W3C Verifiable Credentials 2.0.

Form: VC-JWT (compact JWS, ES256 or RS256; the payload is the credential itself, as VC-JOSE-COSE and Open Badges 3.0,
8.2, ask). Only terms of the two contexts are used, so that a linked-data proof can be made of the same document
(`linked`). Whether it is still in force stands outside of it, in the status lists that it names (`status.py`).
The identity number is not in it, nor its hash: one in 10^17 is found by trying. Name and mask are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agent.certificates.did import method_of
from agent.certificates.errors import CredentialInvalid
from agent.certificates.facts import NAME, CertificateFacts, hours_text
from agent.certificates.keys import PublicKey, SigningKeys, TrustedKey, did_of, public_key_of

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
TYPES = ["VerifiableCredential", "OpenBadgeCredential"]
MASKED_ID = "ext:maskedNationalIdentityNumber"
PURPOSES = ("revocation", "suspension")
"""For each of these a certificate has a bit, at one index of two lists."""
_JWT_CLAIMS = ("iss", "jti", "nbf", "exp")  # beside the credential's own members, in a JWT only
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
    issuer = issuer_of(issuer_id, keys, base_url)
    base = base_url.rstrip("/")
    # what is said of the programme is the same for thousands: put together and written as JSON once
    made: dict[tuple[object, ...], orjson.Fragment] = {}

    def achievement(one: CertificateFacts) -> orjson.Fragment:
        key = (
            one.programme, one.category, one.series, one.organiser, one.organiser_uscc, one.implementer,
            one.filing_number, one.hours,
        )  # fmt: skip
        if key not in made:
            made[key] = orjson.Fragment(orjson.dumps(achievement_of(one, base)))
        return made[key]

    credentials = (credential_of(one, issuer, base, achievement(one)) for one in facts)
    return sign_jwts(credentials, keys, issuer_id=issuer_id)


def sign_jwts(credentials: Iterable[dict[str, Any]], keys: SigningKeys, *, issuer_id: str) -> list[str]:
    """Sign documents as compact JWS, in their order."""
    start = _encode(orjson.dumps(_header(issuer_id, keys))) + b"."
    raw = keys.algorithm == "ES256"
    signed = []
    for one in credentials:
        message = start + _encode(orjson.dumps(one))
        signature = keys.sign(message)
        if raw:  # JOSE wants r and s side by side where everybody else wants DER
            r, s = decode_dss_signature(signature)
            signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        signed.append((message + b"." + _encode(signature)).decode("ascii"))
    return signed


def _header(issuer_id: str, keys: SigningKeys) -> dict[str, str]:
    """Open Badges 3.0, 8.2.4.1: these members and no others; ``typ`` is JWT, where VC-JOSE-COSE only recommends one.

    With RSA a ``did:key`` in ``kid`` would outgrow the header that libraries accept (512 bytes): there the thumbprint.
    """
    name = (
        keys.kid if issuer_id.startswith("did:key:") and keys.algorithm == "RS256" else method_of(issuer_id, keys.kid)
    )
    return {"alg": keys.algorithm, "kid": name, "typ": "JWT"}


def issuer_of(issuer_id: str, keys: SigningKeys, base_url: str) -> dict[str, Any]:
    """The issuer's profile: who runs the platform, and where it is."""
    return {"id": issuer_id, "type": ["Profile"], "name": keys.organisation, "url": base_url.rstrip("/")}


def achievement_of(facts: CertificateFacts, base: str) -> dict[str, Any]:
    """What was achieved: the programme, as all its certificates with the same hours describe it."""
    return {
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
    }


def credential_of(
    facts: CertificateFacts, issuer: dict[str, Any], base: str, achievement: orjson.Fragment | None = None
) -> dict[str, Any]:
    """The credential as JSON, with the registered JWT claims beside its own members.

    :param achievement: what `achievement_of` says, written already
    """
    identifier = f"{base}/credentials/{facts.number}"
    subject: dict[str, Any] = {
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": facts.holder, "identityType": "name"},
            {"type": "IdentityObject", "hashed": False, "identityHash": facts.id_masked, "identityType": MASKED_ID},
        ],
        "licenseNumber": facts.number,
        # a whole number as such: 24.0 and 24 are one number to readers in JavaScript, and two to a canonical form
        "creditsEarned": facts.hours // 100 if facts.hours % 100 == 0 else facts.hours / 100,
        "activityEndDate": _moment(facts.learned_on),
        "achievement": achievement_of(facts, base) if achievement is None else achievement,
    }
    if facts.learned_from is not None:
        subject["activityStartDate"] = _moment(facts.learned_from)
    issued, seconds = _issued(facts.issued_at)
    credential: dict[str, Any] = {
        "@context": CONTEXT,
        "id": identifier,
        "type": TYPES,
        "name": NAME,
        "issuer": issuer,
        "validFrom": issued,
        "credentialSubject": subject,
        "iss": issuer["id"],
        "jti": identifier,
        "nbf": seconds,
    }
    if facts.status_list is not None:
        credential["credentialStatus"] = [
            _status(list_url(base, facts.status_list, purpose), purpose, facts.status_index) for purpose in PURPOSES
        ]
    return credential


def list_url(base: str, number: int, purpose: str) -> str:
    """Where the status list with this number is published."""
    return f"{base}/status/{number}/{purpose}/"


def _status(url: str, purpose: str, index: int | None) -> dict[str, str]:
    return {
        "id": f"{url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": url,
    }


def linked(credential: dict[str, Any], issuer: dict[str, Any]) -> dict[str, Any]:
    """The same credential without the claims that only a JWT has, from the issuer whose proof it will carry."""
    bare = {name: value for name, value in credential.items() if name not in _JWT_CLAIMS}
    return bare | {"issuer": issuer}


def read_jwt(jwt: str) -> dict[str, Any]:
    """What a JWT of our own register says, unchecked.

    :raises CredentialInvalid: it is none.
    """
    try:
        return orjson.loads(_decode(jwt.encode("ascii").split(b".")[1]))  # type: ignore[no-any-return] # a JSON object
    except (ValueError, IndexError):
        raise CredentialInvalid(reason="it does not have the form of a signed credential") from None


Trusted = x509.Certificate | PublicKey | TrustedKey


def read_credential(jwt: str, trusted: Iterable[Trusted]) -> dict[str, Any]:
    """The credential in ``jwt``, when one of the ``trusted`` keys signed it, while it was to be trusted.

    :raises CredentialInvalid: another key, changed, cut, not a credential, not yet valid, or not any more.
    """
    credential, key = read_signed(jwt, trusted)
    try:
        _require_form(credential, public_key_of(key))
        _require_time(credential, key)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise CredentialInvalid(reason="it does not have the form of a signed credential") from None
    return credential


def read_signed(jwt: str, trusted: Iterable[Trusted]) -> tuple[dict[str, Any], Trusted]:
    """Any JSON object that one of the ``trusted`` keys signed as JWT, and that key; whether it is current is not asked.

    :raises CredentialInvalid: another key, changed, cut, or no JWT.
    """
    if len(jwt) > _MAX_BYTES:
        raise CredentialInvalid(reason="it is too long to be one of ours")
    try:
        head, body, tail = jwt.encode("ascii").split(b".")
        header, signature = orjson.loads(_decode(head)), _decode(tail)
        message = head + b"." + body
        key = next((one for one in trusted if _signed_by(public_key_of(one), header, message, signature)), None)
        if key is None:
            raise CredentialInvalid(reason="it is not signed by a trusted key, or was changed afterwards")
        return dict(orjson.loads(_decode(body))), key
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CredentialInvalid(reason="it does not have the form of a signed credential") from None


def _require_form(credential: dict[str, Any], key: PublicKey) -> None:
    issuer = credential["issuer"]["id"]
    if credential["@context"][0] != CONTEXT[0] or "OpenBadgeCredential" not in credential["type"]:
        raise CredentialInvalid(reason="it is another kind of credential")
    if credential["iss"] != issuer or (issuer.startswith("did:key:") and issuer != did_of(key)):
        raise CredentialInvalid(reason="it names another issuer than the one whose key signed it")


def _require_time(credential: dict[str, Any], key: x509.Certificate | PublicKey | TrustedKey) -> None:
    since, now = datetime.fromisoformat(credential["validFrom"]), datetime.now(UTC)
    if since > now + _CLOCK_SLACK:
        raise CredentialInvalid(reason=f"it is valid from {credential['validFrom']} only")
    until = credential.get("validUntil")
    if until is not None and datetime.fromisoformat(until) < now - _CLOCK_SLACK:
        raise CredentialInvalid(reason=f"it was valid until {until} only")
    if isinstance(key, TrustedKey) and not key.trusted_at(since):
        raise CredentialInvalid(reason="the key that signed it was not to be trusted at that time")


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


@lru_cache(maxsize=16)
def _issued(at: datetime) -> tuple[str, int]:
    """A moment as text and in seconds: thousands are issued in the same one."""
    at = at.astimezone(UTC).replace(microsecond=0)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}", int(at.timestamp())


@lru_cache(maxsize=1024)
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
