"""Secrets at rest: identity numbers, tokens and raw payloads.

One data key (32 bytes, from ``XUESHI_DATA_KEY`` or a file of mode 0600 made on first use). From it HKDF derives an
AES-256-GCM key and an HMAC key: a number is *sealed* for reading back and *fingerprinted* for looking up.
Sealed form: version byte, 12 bytes nonce, ciphertext and tag; the version byte is what a rotation moves on.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import XueshiError

_VERSION = b"\x01"
_KEY_BYTES, _NONCE = 32, 12


class DataKeyInvalid(XueshiError):
    """The data key from {where} is not 32 bytes in base64."""

    code = "E_DATA_KEY"
    fix = "Give the same key that this installation has used so far; without it, stored identity numbers can't be read."


class DataKeyUnusable(XueshiError):
    """The data key {path} can't be read or made: {reason}."""

    code = "E_DATA_KEY"
    fix = "Give the file to the account that runs this (mode 0600), or make room on the disk."


class SealBroken(XueshiError):
    """A sealed value can't be opened: the data key is not the one it was sealed with."""

    code = "E_SEAL"
    fix = "Put back the data key of this installation (XUESHI_DATA_KEY, or the file data.key in XUESHI_HOME)."


class Vault:
    """Seals, opens and fingerprints with one data key. ``purpose`` binds a sealed value to where it belongs."""

    def __init__(self, data_key: bytes) -> None:
        self._aead = AESGCM(_derive(data_key, b"xueshi seal v1"))
        key = _derive(data_key, b"xueshi fingerprint v1")
        # with the key taken in already, which is a third of the work on a record, and two thirds on a number
        self._keyed, self._mac = blake2b(digest_size=16, key=key), HMAC(key, SHA256())

    def seal(self, text: bytes, purpose: bytes) -> bytes:
        """Encrypt ``text``; the same text gives another value each time."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._aead.encrypt(nonce, text, purpose)

    def seal_each(self, texts: Sequence[bytes], purpose: bytes) -> list[bytes]:
        """Each of ``texts`` sealed, with the kernel asked once for all their nonces: half the time of many."""
        nonces, encrypt = os.urandom(_NONCE * len(texts)), self._aead.encrypt
        return [
            _VERSION + (nonce := nonces[at : at + _NONCE]) + encrypt(nonce, text, purpose)
            for at, text in zip(range(0, len(nonces), _NONCE), texts, strict=True)
        ]

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Decrypt what `seal` gave.

        :raises SealBroken: other key, other purpose, or changed bytes.
        """
        try:
            if sealed[:1] != _VERSION:
                raise SealBroken
            return self._aead.decrypt(sealed[1:13], sealed[13:], purpose)
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def digest(self, record: bytes) -> bytes:
        """A keyed hash of 16 bytes over a whole record: tells whether it changed, and gives nothing away."""
        keyed = self._keyed.copy()
        keyed.update(record)
        return keyed.digest()

    def fingerprint(self, text: str) -> bytes:
        """A keyed hash of 32 bytes: equal for equal texts, and worthless to who lacks the key."""
        mac = self._mac.copy()
        mac.update(text.encode())
        return mac.finalize()


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)


def load_data_key(home: Path, given: str | None) -> bytes:
    """The data key: ``given`` (base64) or the file ``data.key`` under ``home``, made with mode 0600 on first use."""
    if given:
        return _decode(given, "XUESHI_DATA_KEY")
    path = home / "data.key"
    try:
        if not path.exists():
            _make(path)
        return _decode(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        raise DataKeyUnusable(path=path, reason=error.strerror) from None


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all; of two processes that start at once, the first one's key stays
    finally:
        draft.unlink(missing_ok=True)


def _decode(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise DataKeyInvalid(where=where)
    return key


@lru_cache(maxsize=1)
def vault() -> Vault:
    """The installation's vault."""
    from agent.home import home  # noqa: PLC0415 - the home is known only when a command runs

    return Vault(load_data_key(home(), os.environ.get("XUESHI_DATA_KEY")))
