"""Launched from an LMS: its word is checked, and whoever came is signed in.

A frame gets no session: there a page says who would come in, and one button opens a window of their own. The same page
stands where the browser can't show that it began this launch itself: nobody is signed in as somebody else unseen.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from agent.intake.drafts import origin
from agent.localtime import now
from agent.lti import keys, launches, linking
from agent.lti.claims import deep_links
from agent.lti.errors import ClaimRefused, LtiError
from agent.lti.launches import FOR, Launched
from agent.lti.models import Launch
from agent.portal.entrance import enter
from agent.portal.lti_words import framed, refusal
from agent.portal.throttle import Brake, client_of

_log = logging.getLogger(__name__)
_COOKIE = "xueshi_lti"
_NUMBERS = 5  # wrong identity numbers in a quarter of an hour for one user of an LMS


# What comes from an LMS brings its own proof (state, nonce, signature), and what opens a launch is a secret of one use.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """An LMS begins a launch: off to it with a state and a nonce."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        begun = launches.begin({name: str(value) for name, value in asked.items()}, back=address("lti-launch"))
    except LtiError as error:
        return _refused(request, error)
    response = redirect(begun.address)
    # it has to come back with a POST from the LMS's site; without https no browser would send it there
    response.set_cookie(
        _COOKIE, begun.state, max_age=int(FOR.total_seconds()), path="/lti/", httponly=True,
        secure=settings.SESSION_COOKIE_SECURE, samesite="None" if settings.SESSION_COOKIE_SECURE else "Lax",
    )  # fmt: skip
    return response


@csrf_exempt
@require_POST
def launch(request: HttpRequest) -> HttpResponse:
    """The LMS's word."""
    state = request.POST.get("state", "")[:200]
    try:
        came = launches.launch(state, request.POST.get("id_token", "")[:20_000])
        if came.told.deep_return:
            return _deep(request, came)
        user = linking.user_of(came.launch)
        own = constant_time_compare(state, request.COOKIES.get(_COOKIE, ""))
        if user and own and not _in_frame(request, came):
            return _enter(request, came.launch, user)
    except LtiError as error:
        return _refused(request, error)
    if user is None and not _in_frame(request, came):
        return _who(request, came.ticket)
    context = {"learner": linking.learner_of(user) if user else None, "ticket": came.ticket}
    return framed(render(request, "portal/lti_open.html", context), came.launch.platform.issuer)


@csrf_exempt
@require_POST
def opening(request: HttpRequest) -> HttpResponse:
    """The button of the page in the frame: in a window of its own."""
    ticket = request.POST.get("ticket", "")[:200]
    try:
        launched = launches.ticketed(ticket)
        user = linking.user_of(launched)
        return _enter(request, launched, user) if user else _who(request, ticket)
    except LtiError as error:
        return _refused(request, error)


@csrf_exempt
@require_POST
def link(request: HttpRequest) -> HttpResponse:
    """The identity number of somebody whom no sync has brought yet; asked once."""
    ticket = request.POST.get("ticket", "")[:200]
    try:
        launched = launches.ticketed(ticket)
        brake = Brake(request, "lti", f"{launched.platform_id} {launched.subject}", limit=_NUMBERS, anywhere=True)
        if brake.on():
            return render(request, "portal/too_many.html", status=429)
        try:
            user = linking.by_number(launched, request.POST.get("number", "")[:60])
        except LtiError as error:
            brake.miss()
            _note(request, error, launched)
            return _who(request, ticket, error)
        return _enter(request, launched, user)
    except LtiError as error:
        return _refused(request, error)


def jwks(_request: HttpRequest) -> HttpResponse:
    """The keys that sign our deep links."""
    response = JsonResponse(keys.published())
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def address(name: str) -> str:
    """A page of ours as an LMS has to know it."""
    return settings.BASE_URL + reverse(f"portal:{name}")


def _enter(request: HttpRequest, launched: Launch, user: User) -> HttpResponse:
    launches.opened(launched)
    response = enter(request, user, reverse("portal:certificates" if launched.after else "portal:home"))
    response.delete_cookie(_COOKIE, path="/lti/")
    return response


def _who(request: HttpRequest, ticket: str, error: LtiError | None = None) -> HttpResponse:
    said = refusal(error) if error else None
    return render(request, "portal/lti_who.html", {"ticket": ticket, "said": said}, status=400 if error else 200)


def _deep(request: HttpRequest, came: Launched) -> HttpResponse:
    platform, told = came.launch.platform, came.told
    if origin(told.deep_return) != origin(platform.issuer):
        raise ClaimRefused(claim="deep_link_return_url")
    pages = [(gettext("我的学时与证书"), address("lti-launch")), (gettext("我的证书"), address("lti-certificates"))]
    said = [
        (title, keys.signed(deep_links(
            told, [(title, url)], issuer=platform.issuer, client=platform.client_id, nonce=came.ticket,
            now=int(now().timestamp()),
        )))
        for title, url in pages
    ]  # fmt: skip
    response = render(request, "portal/lti_deep_link.html", {"pages": said, "to": told.deep_return})
    return framed(response, platform.issuer, posts_to=told.deep_return)


def _in_frame(request: HttpRequest, came: Launched) -> bool:
    """What the browser says goes before what the LMS believes; browsers say it on https and on loopback."""
    where = request.headers.get("Sec-Fetch-Dest", "")
    return where != "document" if where else came.told.framed


def _note(request: HttpRequest, error: LtiError, launched: Launch | None = None) -> None:
    # no token, no state, no name: who asked, for which LMS, and the sentence
    _log.warning(
        "LTI refused (%s) for %s from %s: %s", error.code, launched.platform.source.name if launched else "an LMS",
        client_of(request), error.message,
    )  # fmt: skip


def _refused(request: HttpRequest, error: LtiError) -> HttpResponse:
    _note(request, error)
    sentence, fix = refusal(error)
    context = {"sentence": sentence, "fix": fix, "code": error.code}
    status = 503 if error.code == "E_LTI_SILENT" else 400
    return framed(render(request, "portal/lti_refused.html", context, status=status))
