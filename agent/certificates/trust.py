"""Whom we believe: every key that was ever published here, up to the day it was retired."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.certificates.did import PublicKeys
from agent.certificates.errors import KeyInUse, KeyUnknown, SigningKeyError, SigningKeyRetired
from agent.certificates.keys import SigningKeys, TrustedKey, jwk_of, public_key_of
from agent.certificates.models import KeyRetirement, PublishedKey
from agent.certificates.proof import multikey_of
from agent.localtime import now


def publish(keys: SigningKeys) -> None:
    """Write the public half down before it signs, so that there is no signature by a key that nobody knows.

    :raises SigningKeyRetired: it signs no more.
    """
    until = ends().get(keys.kid)
    if until and until <= now():
        raise SigningKeyRetired(kid=keys.kid, until=f"{until:%Y-%m-%d}")
    if PublishedKey.objects.filter(pk=keys.kid).exists():
        return
    row = PublishedKey(
        kid=keys.kid, certificates=_pem(keys), private_ca=keys.private_ca, published_at=now(),
        multikey=multikey_of(keys.proof_key) if keys.proof_key else "",
    )  # fmt: skip
    PublishedKey.objects.bulk_create([row], ignore_conflicts=True)


def trusted() -> tuple[TrustedKey, ...]:
    """Every published key with the time until which it is believed; the key in use too, before its first signature.

    :raises SigningKeyError: there is none at all.
    """
    from agent.certificates.signer import signing_keys  # noqa: PLC0415 - the signer publishes through this module

    until = ends()
    known = {row.kid: TrustedKey(_certificate(row.certificates), until.get(row.kid)) for row in _published()}
    try:
        keys = signing_keys()
        known.setdefault(keys.kid, TrustedKey(keys.certificate))
    except SigningKeyError:
        if not known:
            raise
    return tuple(known.values())


def published_pem() -> str:
    """The certificates of published keys, but for those that somebody else may have, and none of who stands above
    them: an authority would vouch for a stolen key too, and a public one for strangers.

    :raises SigningKeyError: there is none at all.
    """
    names = _stolen()
    stolen = {_certificate(row.certificates) for row in _published() if row.kid in names}
    ours = [one.certificate for one in trusted() if one.certificate not in stolen]
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in ours)


@lru_cache(maxsize=4)
def trusted_at(mark: Hashable) -> tuple[TrustedKey, ...]:  # noqa: ARG001 - what it is kept by
    """The same, kept for as long as ``mark`` is equal: the names and ends of published keys, as just read.

    A key that signs and is not written down yet may be missing: whoever misses one asks `trusted`.

    :raises SigningKeyError: as above; that is not kept
    """
    return trusted()


def public_keys() -> list[PublicKeys]:
    """What the DID document says: each key that signs or signed, but for those that somebody else may have."""
    stolen = _stolen()
    return [
        PublicKeys(row.kid, jwk_of(public_key_of(_certificate(row.certificates))), row.multikey)
        for row in _published()
        if row.kid not in stolen
    ]


def one_key(beginning: str) -> PublishedKey:
    """The published key whose name begins so. A dash at its front may be left out: a command takes it for an option.

    :raises KeyUnknown: there is none, or more than one.
    """
    found = [row for row in _published() if beginning and row.kid.lstrip("-").startswith(beginning.lstrip("-"))]
    if len(found) != 1:
        raise KeyUnknown(kid=beginning)
    return found[0]


def retire(key: PublishedKey, until: datetime, reason: str, *, compromised: bool = False) -> None:
    """From ``until`` on, believe nothing that ``key`` signs. One that was stolen leaves the DID document at once.

    :raises KeyInUse: it is the one that signs now, and is to end now.
    """
    from agent.certificates.signer import signing_keys  # noqa: PLC0415 - as above

    try:
        in_use = signing_keys().kid == key.kid
    except SigningKeyError:
        in_use = False
    if in_use and until <= now() and not compromised:
        raise KeyInUse(kid=key.kid)
    KeyRetirement.objects.create(key=key, until=until, compromised=compromised, reason=reason, at=now())


def overlap_until(keys: SigningKeys, until: datetime) -> list[str]:
    """Let every other key that is still open end at ``until``; the names of those."""
    ended = ends()
    others = [row for row in _published() if row.kid != keys.kid and row.kid not in ended]
    for row in others:
        retire(row, until, "rotated")
    return [row.kid for row in others]


def _stolen() -> set[str]:
    return set(KeyRetirement.objects.filter(compromised=True).values_list("key_id", flat=True))


def _pem(keys: SigningKeys) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in (keys.certificate, *keys.chain))


def _published() -> list[PublishedKey]:
    return list(PublishedKey.objects.order_by("published_at", "kid"))


def ends() -> dict[str, datetime]:
    """Until when each retired key is believed."""
    return dict(KeyRetirement.objects.order_by("pk").values_list("key_id", "until"))


@lru_cache(maxsize=64)
def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
