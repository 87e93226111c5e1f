"""Keys of both sides: what an LMS signs with, fetched from it and kept; what we sign deep links with, and publish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, RSAKey

from agent.crypto import vault
from agent.localtime import now
from agent.lti.errors import PlatformSilent, TokenRefused
from agent.lti.models import Platform, ToolKey
from connectors.errors import ConnectorError
from connectors.http import HttpSession, Limits

ALGORITHM = "RS256"
"""The one that LTI 1.3 asks of everybody; a token that names another is refused, whatever it is."""
LIMITS = Limits(connect=5, read=10, deadline=15, max_bytes=200_000, attempts=2)
_AGAIN = timedelta(minutes=1)
"""How soon an LMS is asked for its keys again: tokens with invented keys must not make us ask without end."""
_KEPT = timedelta(days=1)
"""Keys older than that are asked for anew, so that one that was withdrawn opens nothing."""
_SMALLEST = 2048
_PURPOSE = b"lti tool key"


def claims_of(platform: Platform, token: str) -> dict[str, Any]:
    """What ``token`` says, after its signature was found to be the platform's.

    :raises TokenRefused: it is not
    :raises PlatformSilent: the platform's keys can't be fetched
    """
    for attempt in (0, 1):
        keys = _keys_of(platform, anew=bool(attempt))
        try:
            return dict(jwt.decode(token, keys, algorithms=[ALGORITHM]).claims)
        except InvalidKeyIdError:  # it may have changed its key since
            if not attempt and platform.jwks_at and platform.jwks_at < now() - _AGAIN:
                continue
            raise TokenRefused(reason="by a key that the LMS does not publish") from None
        except (JoseError, ValueError) as error:
            raise TokenRefused(reason=type(error).__name__) from None
    raise TokenRefused(reason="by a key that the LMS does not publish")


def _keys_of(platform: Platform, *, anew: bool) -> KeySet:
    old = platform.jwks_at is None or platform.jwks_at < now() - _KEPT
    if anew or platform.jwks is None or old:
        fetch(platform)
    try:
        found = KeySet.import_key_set({"keys": _signing(platform.jwks or {})["keys"]})
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise PlatformSilent(reason=f"its key set holds no RSA key ({type(error).__name__})") from None
    return found


def fetch(platform: Platform) -> None:
    """Ask the platform for its keys, by the guarded way that everything goes that a person typed an address for.

    :raises PlatformSilent: it gives none
    """
    asked, platform.jwks_at = platform.jwks_at, now()
    Platform.objects.filter(pk=platform.pk).update(jwks_at=platform.jwks_at)
    if platform.jwks is None and asked and asked > now() - timedelta(seconds=5):
        raise PlatformSilent(reason="it did not give its keys a moment ago")
    session = HttpSession(platform.jwks_url, allow_private=platform.source.allow_private, limits=LIMITS)
    try:
        said = session.get("", [], lambda _: None)
    except ConnectorError as error:
        raise PlatformSilent(reason=error.code) from None
    finally:
        session.close()
    if not isinstance(said, dict) or not isinstance(said.get("keys"), list):
        raise PlatformSilent(reason="its key set is none")
    platform.jwks = _signing(said)
    platform.save(update_fields=["jwks"])


def _signing(said: dict[str, Any]) -> dict[str, Any]:
    """The RSA keys for signatures that are long enough, their public members only."""
    keys = [
        {name: key[name] for name in ("kty", "kid", "n", "e") if name in key}
        for key in said.get("keys", ())
        if isinstance(key, dict) and key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
    ]
    return {"keys": [key for key in keys if len(str(key.get("n", ""))) * 6 >= _SMALLEST - 6]}


def published() -> dict[str, Any]:
    """Our own public keys, for LMSs."""
    _newest()
    return {"keys": [key.public for key in ToolKey.objects.order_by("-pk")]}


def signed(claims: dict[str, Any]) -> str:
    """``claims`` as a JWT of ours."""
    key = _newest()
    private = RSAKey.import_key(vault().open(bytes(key.sealed), _PURPOSE))
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, private, algorithms=[ALGORITHM])


def _newest() -> ToolKey:
    """The key that signs, made when it is first wanted; of two that are made at once the first one stays."""
    found = ToolKey.objects.order_by("-pk").first()
    if found:
        return found
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi lti key'))")
        found = ToolKey.objects.order_by("-pk").first()
        if found:
            return found
        made = RSAKey.generate_key(_SMALLEST, {"use": "sig", "alg": ALGORITHM}, private=True)
        kid = made.thumbprint()
        return ToolKey.objects.create(
            kid=kid, sealed=vault().seal(made.as_pem(private=True), _PURPOSE), made_at=now(),
            public={**made.as_dict(private=False), "kid": kid},
        )  # fmt: skip
