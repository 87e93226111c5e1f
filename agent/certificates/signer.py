"""The installation's signing keys: made on first use under the home, given as PKCS#12, or kept by a PKCS#11 token."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from agent.certificates.did import did_web
from agent.certificates.errors import SigningKeyError, SigningKeyMissing
from agent.certificates.keys import SigningKeys, load_or_create, newest, rotate
from agent.certificates.models import Certificate
from agent.certificates.proof import multikey_of
from agent.certificates.token import Token, load_token
from agent.certificates.trust import publish
from agent.home import home

ORGANISATION = "学时电子证书平台"


class _Keys:
    """The loaded keys, kept until what they came from is another: loading costs more than a hundred signatures."""

    def __init__(self) -> None:
        self._kept: tuple[object, SigningKeys] | None = None

    def __call__(self) -> SigningKeys:
        """The keys that sign here.

        :raises SigningKeyError: its subclass says what is wrong with them.
        """
        mark = _mark()
        if self._kept is None or self._kept[0] != mark:
            self._kept = mark, _load()
            self._kept = _mark(), self._kept[1]  # the first use makes the files
        return self._kept[1]

    def cache_clear(self) -> None:
        """Load again at the next use."""
        self._kept = None


signing_keys = _Keys()


def _mark() -> object:
    """What tells a rotation in another process: settings, and the file that it touches."""
    if token := Token.from_environment(os.environ):
        return token
    given = os.environ.get("XUESHI_SIGNING_P12")
    folder = home() / "keys"
    path = Path(given) if given else folder / f"{newest(folder)}.pem"
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return str(path), None


def _load() -> SigningKeys:
    if token := Token.from_environment(os.environ):
        return load_token(token, organisation=ORGANISATION)
    given = os.environ.get("XUESHI_SIGNING_P12")
    folder = home() / "keys"
    empty = not folder.exists() or not any(folder.iterdir())
    if not given and empty and Certificate.objects.exists():
        # a new authority made in silence would leave every certificate given out so far without its own
        raise SigningKeyMissing(path=folder)
    password = os.environ.get("XUESHI_SIGNING_P12_PASSWORD")
    return load_or_create(
        folder,
        Path(given) if given else None,
        password.encode() if password else None,
        organisation=ORGANISATION,
    )


def own_key() -> bool:
    """Whether the key that signs is one that we made ourselves, in a file."""
    return Token.from_environment(os.environ) is None and not os.environ.get("XUESHI_SIGNING_P12")


def next_key() -> SigningKeys:
    """Make the next key of our own; from now on it signs.

    :raises SigningKeyError: the authority's key can't be used.
    """
    rotate(home() / "keys", ORGANISATION)
    signing_keys.cache_clear()
    return signing_keys()


def keys_to_sign() -> SigningKeys:
    """The keys that sign here, published before their first signature.

    :raises SigningKeyError: they can't be used, or were retired.
    """
    keys = signing_keys()
    publish(keys)
    return keys


def key_fault() -> SigningKeyError | None:
    """Why nothing can be signed now; None: it can."""
    try:
        keys_to_sign().sign(b"")
    except SigningKeyError as error:
        return error
    return None


def issuer_id(keys: SigningKeys) -> str:
    """Who issues the credentials that ``keys`` sign as JWT."""
    return did_web(settings.BASE_URL) if settings.ISSUER == "web" else keys.did


def proof_issuer_id(keys: SigningKeys) -> str:
    """Who issues those with an embedded proof: the same ``did:web``; offline the Ed25519 key, for a did:key is one key.

    :raises ProofKeyMissing: the token has no Ed25519 key.
    """
    return did_web(settings.BASE_URL) if settings.ISSUER == "web" else "did:key:" + multikey_of(keys.proof())
