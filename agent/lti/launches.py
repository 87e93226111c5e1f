"""A launch on its way: begun with a state and a nonce, launched with the LMS's signed word, opened. Each step once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from django.utils.crypto import constant_time_compare

from agent.crypto import vault
from agent.learners.identity import fold_name
from agent.localtime import now
from agent.lti.claims import Told, judge
from agent.lti.errors import ClaimRefused, PlatformUnknown, StateUnknown, TicketOver
from agent.lti.keys import claims_of
from agent.lti.models import Launch, Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

FOR = timedelta(minutes=5)
"""From the beginning to the LMS's word, and from there to the click that opens it."""
_KEPT = timedelta(days=1)
_LONGEST_NAME = 200


class Begun(NamedTuple):
    """Where the browser is sent, and the state that must come back."""

    address: str
    state: str


class Launched(NamedTuple):
    """A launch whose word was good, and what opens it."""

    launch: Launch
    told: Told
    ticket: str


def platform_of(issuer: str, client: str) -> Platform:
    """The platform that says it is ``issuer``; an LMS need not say the client id where there is one platform only.

    :raises PlatformUnknown: there is none, or it is not clear which
    """
    found = Platform.objects.select_related("source").filter(issuer=issuer.rstrip("/")).exclude(client_id="")
    several = list(found.filter(client_id=client) if client else found)[:2]
    if len(several) != 1:
        raise PlatformUnknown(issuer=issuer[:200])
    return several[0]


def begin(asked: Mapping[str, str], *, back: str) -> Begun:
    """An LMS begins a launch by its login initiation (IMS Security Framework 5.1.1.1).

    :param back: our address that its word is sent to
    :raises PlatformUnknown: it is none that we know
    :raises ClaimRefused: it does not say for whom
    """
    platform = platform_of(asked.get("iss", "")[:500], asked.get("client_id", "")[:255])
    hint = asked.get("login_hint", "")
    if not hint:
        raise ClaimRefused(claim="login_hint")
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    Launch.objects.filter(began_at__lt=now() - _KEPT).delete()
    Launch.objects.create(state=_mark(state), nonce=_mark(nonce), platform=platform, began_at=now())
    query = {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none",
        "client_id": platform.client_id, "redirect_uri": back, "state": state, "nonce": nonce,
        "login_hint": hint[:2000],
    }  # fmt: skip
    if message := asked.get("lti_message_hint", ""):
        query["lti_message_hint"] = message[:4000]
    return Begun(f"{platform.auth_url}?{urlencode(query)}", state)


def launch(state: str, token: str) -> Launched:
    """The LMS's word has come. The state is used up whatever comes of it.

    :raises StateUnknown: it was never given out, is used, or too old
    :raises LtiError: the word is not good; the subclass says why
    """
    waiting = Launch.objects.filter(state=_mark(state), launched_at=None, began_at__gt=now() - FOR)
    ticket = secrets.token_urlsafe(32)
    if not waiting.update(launched_at=now()):
        raise StateUnknown
    found = Launch.objects.select_related("platform__source").get(state=_mark(state))
    claims = claims_of(found.platform, token)
    told = judge(
        claims, issuer=found.platform.issuer, client=found.platform.client_id,
        deployments=found.platform.deployments, now=now().timestamp(),
    )  # fmt: skip
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not constant_time_compare(_mark(nonce), bytes(found.nonce)):
        raise ClaimRefused(claim="nonce")
    found.ticket, found.subject, found.account = _mark(ticket), told.subject, told.account[:255]
    found.name_folded = fold_name(told.name)[:_LONGEST_NAME]
    found.after = "certificates" if told.target.rstrip("/").endswith("certificates") else ""
    found.save(update_fields=["ticket", "subject", "account", "name_folded", "after"])
    return Launched(found, told, ticket)


def ticketed(ticket: str) -> Launch:
    """The launch that ``ticket`` would open.

    :raises TicketOver: none
    """
    found = Launch.objects.select_related("platform__source").filter(
        ticket=_mark(ticket), opened_at=None, launched_at__gt=now() - FOR
    )  # fmt: skip
    launched = found.first()
    if launched is None:
        raise TicketOver
    return launched


def opened(launched: Launch) -> None:
    """It is opened now, and never again.

    :raises TicketOver: somebody was quicker
    """
    if not Launch.objects.filter(pk=launched.pk, opened_at=None).update(opened_at=now()):
        raise TicketOver


def _mark(text: str) -> bytes:
    return vault().fingerprint(f"lti\n{text}")
