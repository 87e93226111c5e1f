"""OpenID Connect, as far as signing in needs it: the authorization code flow with PKCE, state and nonce.

The ID token comes straight from the provider's token endpoint over TLS, which stands in for checking its signature
(OpenID Connect Core 1.0, 3.1.3.7, step 6); hence nothing but https is spoken, except on loopback.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import orjson

from agent.localtime import now
from agent.people.errors import PeopleError

_TIMEOUT = (5, 10)  # seconds: to connect, to answer
_LARGEST = 200_000  # bytes of an answer
_LEEWAY = 120  # seconds that clocks may differ


class ProviderFailed(PeopleError):
    """The OpenID provider did not answer as it should: {reason}."""

    code = "E_OIDC"
    fix = "Sign in with user name and password; ask the administrator to look at XUESHI_OIDC_ISSUER."


class Asked(NamedTuple):
    """A way to the provider, and what must come back from it."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Provider:
    """The house's provider, as the environment names it."""

    issuer: str
    client: str
    secret: str

    def ask(self, back: str) -> Asked:
        """Where the browser is sent; it comes back to ``back``.

        :raises ProviderFailed: it can't be asked now
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code", "client_id": self.client, "redirect_uri": back, "scope": "openid",
            "state": state, "nonce": nonce, "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }  # fmt: skip
        return Asked(f"{self._endpoint('authorization_endpoint')}?{urlencode(query)}", state, nonce, verifier)

    def subject(self, code: str, back: str, *, nonce: str, verifier: str) -> str:
        """Who came back with ``code``.

        :raises ProviderFailed: it says no, or something that is not meant for us, now
        """
        said = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier,
            "client_id": self.client, "client_secret": self.secret,
        }  # fmt: skip
        answer = _called("POST", self._endpoint("token_endpoint"), said)
        return self._checked(_claims(answer.get("id_token")), nonce)

    def _checked(self, claims: dict[str, Any], nonce: str) -> str:
        meant = claims.get("aud")
        meant = meant if isinstance(meant, list) else [meant]
        subject, ends = claims.get("sub"), claims.get("exp")
        wrong = [
            name
            for name, right in (
                ("iss", claims.get("iss") == self.issuer),
                ("aud", self.client in meant),
                ("azp", claims.get("azp", self.client) == self.client and (len(meant) == 1 or "azp" in claims)),
                ("exp", isinstance(ends, int | float) and ends > now().timestamp() - _LEEWAY),
                ("nonce", secrets.compare_digest(str(claims.get("nonce")).encode(), nonce.encode())),
                ("sub", isinstance(subject, str) and 0 < len(subject) <= 255),  # noqa: PLR2004 - as the standard says
            )
            if not right
        ]
        if wrong:
            raise ProviderFailed(reason=f"the ID token's {', '.join(wrong)} is not ours")
        return str(subject)

    def _endpoint(self, name: str) -> str:
        found = _called("GET", f"{self.issuer}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer or not isinstance(found.get(name), str):
            raise ProviderFailed(reason="its configuration is another issuer's")
        return str(found[name])


def provider() -> Provider | None:
    """The provider that the environment names; None: there is none."""
    issuer = (os.environ.get("XUESHI_OIDC_ISSUER") or "").rstrip("/")
    client = os.environ.get("XUESHI_OIDC_CLIENT") or ""
    return Provider(issuer, client, os.environ.get("XUESHI_OIDC_SECRET") or "") if issuer and client else None


def _called(method: str, address: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    import requests  # noqa: PLC0415 - only who signs in this way pays for it

    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ProviderFailed(reason="its address is not https")
    try:
        answer = requests.request(
            method, address, data=form, timeout=_TIMEOUT, allow_redirects=False, stream=True,
            headers={"Accept": "application/json"},
        )  # fmt: skip
        with answer:
            body = answer.raw.read(_LARGEST, decode_content=True)
        said = orjson.loads(body) if answer.status_code == 200 else None  # noqa: PLR2004 - what success is
    except (requests.RequestException, orjson.JSONDecodeError, OSError) as error:
        raise ProviderFailed(reason=type(error).__name__) from None
    if not isinstance(said, dict):
        raise ProviderFailed(reason=f"it answered {answer.status_code}")
    return said


def _claims(token: object) -> dict[str, Any]:
    try:
        body = str(token).split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise ProviderFailed(reason="it gave no ID token")
    return claims
