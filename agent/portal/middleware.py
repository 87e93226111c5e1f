"""Headers that every answer carries: nothing runs but our style sheet, nothing personal stays in a cache."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# What a browser loads is the style sheet and the sign. The one page with a script says so itself (`WITH_SCRIPT`).
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WITH_SCRIPT = POLICY + "; script-src 'self'; connect-src 'self'"
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add the headers. The style sheet comes from whitenoise, which stands before this and keeps its own."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        # a certificate's state may change within the minute, and the rest is personal
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer
