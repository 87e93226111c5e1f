"""A certificate's state for machines: JSON that anyone may read and compare with what they have (ETag)."""

from __future__ import annotations

import hashlib

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from agent.portal.lookup import by_token_alone
from agent.portal.views.verify import discreet, missed_too_often

_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Expose-Headers": "ETag",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_TYPE = "application/json; charset=utf-8"


@require_http_methods(["GET", "HEAD", "OPTIONS"])
@discreet
def one(request: HttpRequest, token: str) -> HttpResponse:
    """What `/verify/…` shows, as docs/verify.schema.json says. Kept copies are asked for again with If-None-Match."""
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204))
    with override("zh-hans"):  # one answer for everybody, or its ETag would say who reads which language
        found = by_token_alone(token)
        told = found.as_json() if found else {}
    if found is None:
        if missed_too_often(request):
            return _open(HttpResponse(b'{"error":"too_many"}', status=429, content_type=_TYPE))
        return _open(HttpResponse(b'{"error":"not_found"}', status=404, content_type=_TYPE))
    body = orjson.dumps(told)
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=_TYPE)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"  # kept, and asked for again each time: the state may change
    conditional = get_conditional_response(request, etag=etag, response=response)
    return _open(conditional or response)


def _open(response: HttpResponse) -> HttpResponse:
    """Let pages of others read it; nothing about a reader is in it, for no cookie is looked at."""
    for name, value in _OPEN.items():
        response.headers[name] = value
    return response
