"""A certificate's PDF that anyone brings: what holds of it, step by step. The file is looked at and not kept."""

from __future__ import annotations

import threading
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from agent.certificates.check import check_pdf
from agent.certificates.verify import MAX_BYTES
from agent.errors import XueshiError
from agent.portal.lookup import public_page
from agent.portal.throttle import Brake
from agent.portal.verdict_words import reason_of, steps
from agent.portal.views import paper_check
from agent.portal.views.verify import discreet, form_page

_FILES = 60  # in a quarter of an hour from one address
_ENVELOPE = 10_000  # bytes of a multipart body around its file
# Each is a process that reads a PDF: more at once would take the processor from those who only look. Of the processes
# that answer pages each has a turn of its own, so that together they have no more of them than there are cores.
_AT_ONCE = threading.BoundedSemaphore(1)
_PATIENCE = 30  # seconds until whoever waits for their turn is asked to come again


@csrf_exempt  # as for the other form: nothing is changed, and nobody is signed in
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def upload(request: HttpRequest) -> HttpResponse:
    """Check the file ``pdf`` of a form."""
    if request.method != "POST":
        return redirect("portal:verify")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES + _ENVELOPE:
        return form_page(request, status=413, too_large=True)  # not even read
    file = request.FILES.get("pdf")
    if not isinstance(file, UploadedFile) or not file.size:
        return form_page(request, status=400, no_file=True)
    brake = Brake(request, "verify file", limit=_FILES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    brake.miss()
    return _judge(request, file)


def _judge(request: HttpRequest, file: UploadedFile[Any]) -> HttpResponse:
    content = file.read()
    if paper := paper_check.of_file(content):
        return paper_check.page(request, paper)
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        return form_page(request, status=503, busy=True)
    try:
        checked = check_pdf(content)
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    finally:
        _AT_ONCE.release()
    # of a file that is not genuine not even its number is believed: nobody learns a state by writing a number into one
    genuine = checked.checks.get("registered") is True
    context = {
        "valid": checked.valid,
        "genuine": genuine,
        "steps": steps(checked),
        "why": [reason_of(reason) for reason in checked.reasons],
        "name": (file.name or "")[-80:],
        "page": public_page(checked.number) if genuine and checked.number else None,
    }
    return render(request, "portal/verify_file.html", context)
