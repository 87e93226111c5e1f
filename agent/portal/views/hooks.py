"""Where an LMS posts that something happened. Wrong and unknown get the same answer."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from agent.portal.throttle import Brake
from agent.work import push

_GUESSES = 60  # wrong signatures in a quarter of an hour from one address


@csrf_exempt  # a program posts, with a signature over all that it says
@require_POST
def hook(request: HttpRequest, source: str) -> JsonResponse:
    """202 when the next pull was asked for; 401, 413 or 429 otherwise."""
    brake = Brake(request, "hook", limit=_GUESSES)
    if brake.on():
        return JsonResponse({"error": "too_many"}, status=429)
    if int(request.META.get("CONTENT_LENGTH") or 0) > push.LARGEST:
        return JsonResponse({"error": "too_large"}, status=413)
    if not push.take(source, request.headers.get("X-Xueshi-Signature", ""), request.body):
        brake.miss()
        return JsonResponse({"error": "signature"}, status=401)
    return JsonResponse({"queued": True}, status=202)
