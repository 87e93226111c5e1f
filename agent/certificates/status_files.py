"""Status lists from files: whether a certificate is still in force, without asking anybody.

Whoever fetched the lists (a credential names two, for revocation and for suspension) looks at one bit of each. A list
counts only when a trusted key signed it, and only while it says it is valid: a day. What it says of a revocation
stays true afterwards; that nothing is revoked does not.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.certificates.credential import PURPOSES, read_signed
from agent.certificates.errors import CertificateError, CredentialInvalid
from agent.certificates.proof import proven_by
from agent.certificates.verify import Trusted
from agent.errors import XueshiError

_MAX_FILE, _MAX_BITS = 1_000_000, 4_000_000  # bytes, packed and unpacked
_SLACK = timedelta(minutes=10)  # as for credentials


class StatusUnreadable(XueshiError):
    """{path} holds no status list."""

    code = "E_STATUS_LIST"
    fix = "Save the addresses in the credential's credentialStatus as files, and name these or their folder."


class StatusReason(StrEnum):
    """Why lists do not show a certificate in force. The value is the stable code."""

    REVOKED = "E_REVOKED"
    SUSPENDED = "E_SUSPENDED"
    NO_STATUS = "E_STATUS_NONE"
    MISSING = "E_STATUS_MISSING"
    UNTRUSTED = "E_STATUS_UNTRUSTED"
    STALE = "E_STATUS_STALE"

    @property
    def sentence(self) -> str:
        """The reason in English, with what to do."""
        return _SENTENCES[self]


_SENTENCES = {
    StatusReason.REVOKED: "The certificate is revoked, or another has taken its place.",
    StatusReason.SUSPENDED: "The certificate is suspended.",
    StatusReason.NO_STATUS: "The credential names no status list: ask the page behind the QR code.",
    StatusReason.MISSING: "The list that the credential names is not among the saved ones; fetch it.",
    StatusReason.UNTRUSTED: (
        "The saved list is not signed by a trusted key. One with an embedded proof (JSON) is checked by the keys in"
        " did.json, one as JWT by those in keys.pem as well."
    ),
    StatusReason.STALE: "The saved list is valid no more, or not yet; fetch it again.",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """What saved lists say of a certificate. ``state`` is a register's word, or ``unchecked`` where they can't tell."""

    state: str
    reasons: tuple[StatusReason, ...] = ()
    fetched: datetime | None = None  # from when the older of the lists is


@dataclass(frozen=True, slots=True)
class _Saved:
    raw: bytes
    said: dict[str, Any]  # unproven
    is_jwt: bool


class _Answer(NamedTuple):
    set: bool
    since: datetime | None
    fault: StatusReason | None


class StatusFiles:
    """The lists in files and folders, and the keys by which they are believed."""

    def __init__(
        self, paths: Sequence[Path], trusted: Sequence[Trusted], proof_keys: Sequence[Ed25519PublicKey]
    ) -> None:
        """Read them.

        :raises StatusUnreadable: one of ``paths`` holds none.
        """
        self._trusted, self._proof_keys = trusted, proof_keys
        self._saved: dict[str, list[_Saved]] = {}
        for path in paths:
            found = list(_lists_in(path))
            if not found:
                raise StatusUnreadable(path=path)
            for one in found:
                self._saved.setdefault(str(one.said["id"]), []).append(one)

    def look_up(self, credential: dict[str, Any], moment: datetime | None = None) -> Listed:
        """What they say of a credential that was found genuine, at ``moment`` (aware; now)."""
        moment = moment or datetime.now(UTC)
        status = credential.get("credentialStatus") or []
        entries = {one.get("statusPurpose"): one for one in (status if isinstance(status, list) else [status])}
        if not set(PURPOSES) <= entries.keys():
            return Listed("unchecked", (StatusReason.NO_STATUS,))
        revoked, suspended = (self._ask(entries[purpose], purpose, moment) for purpose in PURPOSES)
        faults = tuple(dict.fromkeys(one.fault for one in (revoked, suspended) if one.fault))
        if revoked.set:  # for good: a list that was true stays true
            return Listed("revoked", (StatusReason.REVOKED,), revoked.since)
        if suspended.set:
            return Listed("suspended", (StatusReason.SUSPENDED, *faults), suspended.since)
        since = min((one.since for one in (revoked, suspended) if one.since), default=None)
        return Listed("unchecked", faults, since) if faults else Listed("issued", (), since)

    def _ask(self, entry: dict[str, Any], purpose: str, moment: datetime) -> _Answer:
        saved = [each for each in self._saved.get(str(entry["statusListCredential"]), []) if _about(each) == purpose]
        if not saved:
            return _Answer(set=False, since=None, fault=StatusReason.MISSING)
        believed = [said for each in saved if (said := self._believed(each))]
        if not believed:
            return _Answer(set=False, since=None, fault=StatusReason.UNTRUSTED)
        newest = max(believed, key=lambda said: str(said["validFrom"]))
        since, until = (datetime.fromisoformat(newest[name]) for name in ("validFrom", "validUntil"))
        current = since - _SLACK <= moment <= until + _SLACK
        is_set = _bit(newest["credentialSubject"]["encodedList"], int(entry["statusListIndex"]))
        return _Answer(set=is_set, since=since, fault=None if current else StatusReason.STALE)

    def _believed(self, saved: _Saved) -> dict[str, Any] | None:
        try:
            if saved.is_jwt:
                said, _ = read_signed(saved.raw.decode("ascii"), self._trusted)
            elif proven_by(saved.said, self._proof_keys):
                said = saved.said
            else:
                return None
            _bit(said["credentialSubject"]["encodedList"], 0)
            [datetime.fromisoformat(said[name]) for name in ("validFrom", "validUntil")]
        except (CertificateError, CredentialInvalid, ValueError, KeyError, TypeError, IndexError, zlib.error):
            return None
        return said


def _lists_in(path: Path) -> Iterable[_Saved]:
    try:
        files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
        contents = [file.read_bytes().strip() for file in files if file.stat().st_size <= _MAX_FILE]
    except OSError:
        return
    for raw in contents:
        is_jwt = raw.startswith(b"eyJ")
        try:
            body = raw.split(b".")[1] if is_jwt else raw
            said = orjson.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)) if is_jwt else body)
            if "BitstringStatusListCredential" in said["type"] and said["credentialSubject"] and said["id"]:
                yield _Saved(raw, said, is_jwt)
        except (ValueError, IndexError, KeyError, TypeError):
            continue


def _about(saved: _Saved) -> str:
    subject = saved.said["credentialSubject"]
    return str(subject.get("statusPurpose")) if isinstance(subject, dict) else ""


def _bit(encoded: str, index: int) -> bool:
    """A bit of a packed list, the first of each byte the highest.

    :raises ValueError: it is none, or too large
    :raises IndexError: the list is shorter
    """
    if not encoded.startswith("u"):
        raise ValueError(encoded[:1])
    packed = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
    reader = zlib.decompressobj(wbits=31)
    bits = reader.decompress(packed, _MAX_BITS)
    if reader.unconsumed_tail or index < 0:
        raise ValueError(index)
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))
