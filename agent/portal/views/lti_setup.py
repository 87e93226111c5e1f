"""A base registers its LMS, so that learners come in from inside of it: by a link for Moodle, or by two values."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from agent.intake.models import Source
from agent.lti import registering
from agent.lti.errors import LtiError
from agent.lti.registering import Addresses, Texts
from agent.organisations.rights import Right
from agent.portal.lti_words import framed, refusal
from agent.portal.mapping_page import sources_with
from agent.portal.middleware import WITH_SCRIPT
from agent.portal.people import person_of, requires
from agent.portal.views.lti import address

_KIND = "moodle"


@requires(Right.SOURCES_CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, number: int) -> HttpResponse:
    """What Moodle has to know of us, and what it answers."""
    person = person_of(request)
    source: Source | None = sources_with(person, Right.SOURCES_CONNECT).filter(pk=number, kind=_KIND).first()
    if source is None:
        raise Http404
    said, link = None, ""
    if request.method == "POST":
        try:
            match request.POST.get("do"):
                case "offer":
                    link = _registration(registering.offer(source, by=person.username))
                case "take":
                    registering.take(
                        source, client=_text(request, "client"), deployment=_text(request, "deployment"),
                        by=person.username,
                    )  # fmt: skip
                    return redirect("portal:lti-setup", number)
                case "forget":
                    registering.forget(source, by=person.username)
                    return redirect("portal:lti-setup", number)
                case _:
                    raise Http404
        except LtiError as error:
            said = refusal(error)
    context = {
        "person": person, "source": source, "platform": registering.of(source), "ours": _ours(), "texts": _texts(),
        "link": link, "said": said, "client": _text(request, "client"), "deployment": _text(request, "deployment"),
    }  # fmt: skip
    return render(request, "portal/lti_setup.html", context, status=400 if said else 200)


@require_http_methods(["GET"])
def register(request: HttpRequest, token: str) -> HttpResponse:
    """Opened by the LMS's administrator, out of the LMS: it tells where it says what it is, and we register there."""
    said, issuer = None, ""
    try:
        platform = registering.register(
            token, request.GET.get("openid_configuration", "")[:2000], request.GET.get("registration_token", "")[:4000],
            _ours(), _texts(),
        )  # fmt: skip
        issuer = platform.issuer
    except LtiError as error:
        said = refusal(error), error.code
    response = render(request, "portal/lti_registered.html", {"said": said}, status=400 if said else 200)
    response = framed(response, *filter(None, [issuer]))
    policy = response.headers["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy + WITH_SCRIPT[WITH_SCRIPT.index("; script-src") :]
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return response


def _ours() -> Addresses:
    return Addresses(*(address(f"lti-{name}") for name in ("login", "launch", "certificates", "jwks")))


def _texts() -> Texts:
    return Texts(
        gettext("我的学时与证书"), gettext("我的证书"), gettext("在课程里直接看本年学时、还差多少，下载证书。"),
    )  # fmt: skip


def _registration(token: str) -> str:
    return address("home").rstrip("/") + reverse("portal:lti-register", args=[token])


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:300]
