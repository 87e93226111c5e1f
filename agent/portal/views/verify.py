"""The page behind the QR code, for anyone. Wrong token and unknown number give the same bytes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from agent.portal.lookup import Shown, by_holder, by_token
from agent.portal.throttle import Brake

_GUESSES = 20  # wrong names in a quarter of an hour from one address


@require_safe
def shown(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The certificate of a QR code's address."""
    found = by_token(number, token)
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


# Nothing is changed by asking and nobody is signed in: a token would only make the answers differ.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest) -> HttpResponse:
    """Number and holder's name by hand; by POST, so that no name stands in an address or a log."""
    if request.method != "POST":
        return render(request, "portal/verify_form.html")
    number, name = request.POST.get("number", "")[:64], request.POST.get("name", "")[:200]
    if not number.strip() or not name.strip():
        return render(request, "portal/verify_form.html", {"incomplete": True}, status=400)
    brake = Brake(request, "verify", limit=_GUESSES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    found = by_holder(number, name)
    if found is None:
        brake.miss()
    return _answer(request, found)


def _answer(request: HttpRequest, found: Shown | None) -> HttpResponse:
    if found is None:
        return render(request, "portal/verify_unknown.html", status=404)
    return render(request, "portal/verify.html", {"shown": found})
