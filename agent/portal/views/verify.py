"""The page behind the QR code, for anyone. Wrong token and unknown number give the same bytes."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from agent.certificates.trust import published_pem
from agent.errors import XueshiError
from agent.portal.lookup import Shown, by_holder, by_token, credential_of
from agent.portal.middleware import WITH_SCRIPT
from agent.portal.throttle import Brake
from agent.portal.verify_page import page
from agent.portal.views.credentials import credential_in

if TYPE_CHECKING:
    from collections.abc import Callable

_GUESSES = 20  # wrong names in a quarter of an hour from one address
_MISSES = 100  # wrong addresses: more, for a whole office may stand behind one


def discreet(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The address is the secret: it goes to nobody whom the page links to."""

    @wraps(view)
    def answer(*args: object, **kwargs: object) -> HttpResponse:
        response = view(*args, **kwargs)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return answer


@discreet
def shown(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The certificate of a QR code's address."""
    found = by_token(number, token)
    if found is None and missed_too_often(request):
        return render(request, "portal/too_many.html", status=429)
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response: HttpResponse = JsonResponse(
            found.as_json() if found else {"error": "not_found"},
            status=200 if found else 404,
            json_dumps_params={"ensure_ascii": False},
        )
    else:
        response = _answer(request, found)
    patch_vary_headers(response, ["Accept"])
    return response


def missed_too_often(request: HttpRequest) -> bool:
    """Count a wrong address. Right ones are always answered: 105 bits are not guessed, and offices share addresses."""
    brake = Brake(request, "verify address", limit=_MISSES)
    if brake.on():
        return True
    brake.miss()
    return False


# Nothing is changed by asking and nobody is signed in: a token would only make the answers differ.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def form(request: HttpRequest) -> HttpResponse:
    """Number and holder's name by hand; by POST, so that no name stands in an address or a log."""
    if request.method != "POST":
        return form_page(request)
    number, name = request.POST.get("number", "")[:64], request.POST.get("name", "")[:200]
    if not number.strip() or not name.strip():
        return form_page(request, status=400, incomplete=True)
    brake = Brake(request, "verify", limit=_GUESSES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    found = by_holder(number, name)
    if found is None:
        brake.miss()
    return _answer(request, found)


def form_page(request: HttpRequest, *, status: int = 200, **said: object) -> HttpResponse:
    """The page with both forms; the only one with a script, which shows how far an upload is."""
    response = render(request, "portal/verify_form.html", said, status=status)
    response.headers["Content-Security-Policy"] = WITH_SCRIPT
    return response


@csrf_exempt  # as above
@require_POST
@discreet
def credential(request: HttpRequest) -> HttpResponse:
    """The signed credential, for who has the QR code and types the name in full: the credential holds it in clear."""
    number, token, name = (request.POST.get(field, "")[:200] for field in ("number", "token", "name"))
    brake = Brake(request, "verify", limit=_GUESSES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    found = credential_of(number, token, name)
    if found is None:
        brake.miss()
        return _answer(request, None)
    ending = "json" if request.POST.get("form") == "json" else "jwt"
    try:
        body, kind = credential_in(ending, found)
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    response = HttpResponse(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.number}.{ending}"'
    return response


def keys(request: HttpRequest) -> HttpResponse:
    """The certificates that whoever checks without us must have, as PEM."""
    try:
        pem = published_pem()
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    response = HttpResponse(pem, content_type="application/x-pem-file")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def robots(_request: HttpRequest) -> HttpResponse:
    """No page here is for a search engine."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


def _answer(request: HttpRequest, found: Shown | None) -> HttpResponse:
    if found is None:
        return render(request, "portal/verify_unknown.html", status=404)
    return HttpResponse(page(found))
