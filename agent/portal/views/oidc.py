"""Signing in by the house's OpenID provider, for accounts that were tied to it by who had signed in already."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from agent.audit.chain import record
from agent.localtime import now
from agent.people.models import OutsideIdentity
from agent.people.oidc import Provider, ProviderFailed, provider
from agent.portal.entrance import enter

_ASKED = "oidc"
_FOR = 600  # seconds at the provider


def begin(request: HttpRequest) -> HttpResponse:
    """Off to the provider."""
    try:
        asked = _provider().ask(_back())
    except ProviderFailed:
        return _failed(request, 503)
    request.session[_ASKED] = {
        "state": asked.state, "nonce": asked.nonce, "verifier": asked.verifier, "at": now().timestamp(),
    }  # fmt: skip
    return redirect(asked.address)


def back(request: HttpRequest) -> HttpResponse:
    """Back from the provider: signed in, or tied to the account that is signed in."""
    house, asked = _provider(), request.session.pop(_ASKED, None)
    state, code = request.GET.get("state", "")[:200], request.GET.get("code", "")[:2000]
    if not asked or asked["at"] < now().timestamp() - _FOR or not constant_time_compare(state, asked["state"]):
        return _failed(request, 400)
    try:
        subject = house.subject(code, _back(), nonce=asked["nonce"], verifier=asked["verifier"])
    except ProviderFailed:
        return _failed(request, 400)
    if isinstance(request.user, User):
        return _tie(request, request.user, house, subject)
    found = OutsideIdentity.objects.select_related("user").filter(issuer=house.issuer, subject=subject).first()
    if found is None or not found.user.is_active:
        return _failed(request, 403, unknown=True)
    return enter(request, found.user, "/")


def _tie(request: HttpRequest, user: User, house: Provider, subject: str) -> HttpResponse:
    try:
        with transaction.atomic():
            OutsideIdentity.objects.filter(user=user).delete()
            OutsideIdentity.objects.create(user=user, issuer=house.issuer, subject=subject)
            record(
                user.get_username(), "outside_identity.tied", on=f"account {user.get_username()}",
                after={"issuer": house.issuer},
            )  # fmt: skip
    except IntegrityError:  # it is tied to another account
        return _failed(request, 409)
    return redirect("portal:account")


def _provider() -> Provider:
    found = provider()
    if found is None:
        raise Http404
    return found


def _back() -> str:
    return settings.BASE_URL + reverse("portal:sign-in-oidc-back")


def _failed(request: HttpRequest, status: int, *, unknown: bool = False) -> HttpResponse:
    return render(request, "portal/oidc_failed.html", {"unknown": unknown}, status=status)
