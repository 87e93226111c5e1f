"""The public log of certificates: its signed heads for people, and heads and proofs for machines. No sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from agent.certificates import transparency
from agent.certificates.errors import NoHead, NotInLog
from agent.certificates.models import Certificate, LogHead
from agent.portal.throttle import WINDOW, Brake

_SHOWN = 24
_PROOFS = 300  # in a quarter of an hour from one address
_FOR = 300  # seconds that a head may be kept by a cache: it is an hour old at most


def index(request: HttpRequest) -> HttpResponse:
    """What the log is, how large it is, and its last heads."""
    heads = list(LogHead.objects.order_by("-pk")[:_SHOWN])
    shown = [{"at": each.at, "size": each.size, "root": bytes(each.root).hex()} for each in heads]
    return render(request, "portal/transparency.html", {"heads": shown, "head": shown[0] if shown else None})


def head(_request: HttpRequest) -> JsonResponse:
    """The newest signed tree head."""
    try:
        answer = JsonResponse(transparency.head_json(transparency.newest()))
    except NoHead as error:
        return _refused(error, 503)
    answer.headers["Cache-Control"] = f"public, max-age={_FOR}"
    return answer


def braked(view: Callable[[HttpRequest], JsonResponse]) -> Callable[[HttpRequest], JsonResponse]:
    """Proofs are counted, right or wrong: nobody walks through all numbers here, and each costs some reading."""

    @wraps(view)
    def answer(request: HttpRequest) -> JsonResponse:
        brake = Brake(request, "transparency proof", limit=_PROOFS)
        if brake.on():
            busy = JsonResponse({"error": {"code": "E_TOO_MANY"}}, status=429)
            busy.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
            return busy
        brake.miss()
        return view(request)

    return answer


@braked
def inclusion(request: HttpRequest) -> JsonResponse:
    """Where the steps of the certificate ``number`` are in the log of the newest head, with their paths.

    A number that is not there, and one that was never given, have the same answer.
    """
    number = request.GET.get("number", "")
    certificate = Certificate.objects.filter(number=number).first() if number.isascii() and number.isdigit() else None
    try:
        if certificate is None:
            return _refused(NotInLog(number=number[:26]), 404)
        return JsonResponse(transparency.inclusion_proof(certificate))
    except NotInLog as error:
        return _refused(error, 404)
    except NoHead as error:
        return _refused(error, 503)


@braked
def consistency(request: HttpRequest) -> JsonResponse:
    """That the log of ``second`` entries begins with that of ``first``."""
    try:
        first, second = (int(request.GET.get(name, "")) for name in ("first", "second"))
        return JsonResponse(transparency.consistency_proof(first, second))
    except ValueError:
        return JsonResponse({"error": {"code": "E_LOG_SIZE"}}, status=400)


def _refused(error: NoHead | NotInLog, status: int) -> JsonResponse:
    return JsonResponse(
        {"error": {"code": error.code, "message": error.message, "fix": error.how_to_fix}}, status=status
    )
