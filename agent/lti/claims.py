"""What an id token must say, and what is taken from it. Pure: LTI 1.3 core 5.1.3, OpenID Connect Core 3.1.3.7.

Never taken from it: anything under ``custom``, which a teacher may type into an activity, and anything by a name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from agent.lti.errors import ClaimRefused, DeploymentForeign, LaunchLate

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_DEEP = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LEEWAY = 30
"""Seconds that clocks may differ."""
LONGEST = 300
"""Seconds that a token may be old, whatever end it names; Moodle's live 60."""
RESOURCE, DEEP_LINKING = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"


@dataclass(frozen=True, slots=True)
class Told:
    """What a launch says that we use."""

    subject: str
    deployment: str
    account: str  # the LMS's user name, as Moodle itself tells it (``ext``)
    name: str  # family name first
    target: str  # the page of ours that was linked to
    framed: bool  # the LMS says that it shows us in a frame
    deep_return: str  # for deep linking: where the answer goes
    deep_data: str  # and what must go back with it


def judge(claims: Mapping[str, Any], *, issuer: str, client: str, deployments: Collection[str], now: float) -> Told:
    """What ``claims``, whose signature was good, come to; the nonce is the caller's to compare.

    :param now: seconds since 1970
    :raises ClaimRefused: it is not meant for us, or not what LTI 1.3 says
    :raises LaunchLate: too old, or from the future
    :raises DeploymentForeign: it comes from elsewhere in the LMS
    """
    meant = claims.get("aud")
    meant = meant if isinstance(meant, list) else [meant]
    subject, kind = claims.get("sub"), claims.get(f"{_CLAIM}message_type")
    deployment = claims.get(f"{_CLAIM}deployment_id")
    for name, right in (
        ("iss", claims.get("iss") == issuer),
        ("aud", client in meant),
        ("azp", claims.get("azp", client) == client and (len(meant) == 1 or "azp" in claims)),
        ("version", claims.get(f"{_CLAIM}version") == "1.3.0"),
        ("message_type", kind in {RESOURCE, DEEP_LINKING}),
        ("sub", isinstance(subject, str) and 0 < len(subject) <= 255),  # noqa: PLR2004 - as the standard says
        ("deployment_id", isinstance(deployment, str) and bool(deployment)),
    ):
        if not right:
            raise ClaimRefused(claim=name)
    _in_time(claims, now)
    if deployment not in deployments:
        raise DeploymentForeign
    settings = _part(claims, f"{_DEEP}deep_linking_settings")
    if kind == DEEP_LINKING and "ltiResourceLink" not in (settings.get("accept_types") or ()):
        raise ClaimRefused(claim="accept_types")
    return Told(
        subject=str(subject), deployment=str(deployment), account=_text(_part(claims, f"{_CLAIM}ext"), "user_username"),
        name=_text(claims, "family_name") + _text(claims, "given_name"),
        target=_text(claims, f"{_CLAIM}target_link_uri"),
        framed=_text(_part(claims, f"{_CLAIM}launch_presentation"), "document_target") in {"frame", "iframe"},
        deep_return=_text(settings, "deep_link_return_url") if kind == DEEP_LINKING else "",
        deep_data=_text(settings, "data", 4000) if kind == DEEP_LINKING else "",
    )  # fmt: skip


def deep_links(
    told: Told, links: Collection[tuple[str, str]], *, issuer: str, client: str, nonce: str, now: int
) -> dict[str, Any]:
    """The answer to a deep linking request: pages of ours, as (title, address).

    :param issuer: the LMS, to whom it goes; ``client`` is who speaks
    """
    made = {
        "iss": client, "aud": [issuer], "iat": now, "exp": now + LONGEST, "nonce": nonce,
        f"{_CLAIM}deployment_id": told.deployment, f"{_CLAIM}message_type": "LtiDeepLinkingResponse",
        f"{_CLAIM}version": "1.3.0",
        f"{_DEEP}content_items": [
            {"type": "ltiResourceLink", "title": title, "url": url, "window": {"targetName": "_blank"}}
            for title, url in links
        ],
    }  # fmt: skip
    return made | ({f"{_DEEP}data": told.deep_data} if told.deep_data else {})


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    begins, ends = claims.get("iat"), claims.get("exp")
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (begins, ends))
    if not numbers:
        raise ClaimRefused(claim="iat, exp")
    if not (ends > now - LEEWAY and now - LONGEST - LEEWAY < begins < now + LEEWAY):  # type: ignore[operator] # numbers, as was looked
        raise LaunchLate


def _part(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = claims.get(name)
    return found if isinstance(found, dict) else {}


def _text(claims: Mapping[str, Any], name: str, longest: int = 1000) -> str:
    found = claims.get(name)
    return found.replace("\0", "").strip() if isinstance(found, str) and len(found) <= longest else ""
