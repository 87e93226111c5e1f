"""Attachments: taken in for a form, and handed out as files to whoever may see the filing."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from agent.errors import XueshiError
from agent.organisations.rights import Right
from agent.portal import filing_words
from agent.portal.filing_access import own, seen
from agent.portal.people import person_of, requires
from agent.programmes import attachments
from agent.programmes.errors import AttachmentRefused
from agent.programmes.models import Attachment

_ENVELOPE = 20_000  # bytes of a multipart body around its file


@csrf_exempt  # only so that what is too large is refused before a byte of it is read; `_upload` has the protection
@requires(Right.FILING_WRITE)
@require_POST
def upload(request: HttpRequest, number: int) -> HttpResponse:
    """Take the file ``file`` of a form."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > attachments.MAX_BYTES + _ENVELOPE:
        error = AttachmentRefused(name="", reason="above 20 MB")
        return _refused(request, number, error, status=413)
    return _upload(request, number)


@csrf_protect
def _upload(request: HttpRequest, number: int) -> HttpResponse:
    person = person_of(request)
    found = own(person, number)
    file = request.FILES.get("file")
    try:
        if not isinstance(file, UploadedFile) or not file.size or file.size > attachments.MAX_BYTES:
            raise AttachmentRefused(name=file.name if file else "", reason="it is missing, empty or above 20 MB")
        attachments.attach(found.programme, file.name or "", file.read(), by=person.username)
    except XueshiError as error:
        return _refused(request, number, error)
    return redirect(f"{reverse('portal:filing-form', args=[number])}#files")


@requires(Right.FILING_WRITE)
@require_POST
def drop(request: HttpRequest, number: int, file: int) -> HttpResponse:
    """Take a file out of the form."""
    person = person_of(request)
    found = own(person, number)
    kept = get_object_or_404(Attachment, pk=file, programme=found.programme, dropped_at=None)
    try:
        attachments.drop(kept, by=person.username)
    except XueshiError as error:
        return _refused(request, number, error)
    return redirect(f"{reverse('portal:filing-form', args=[number])}#files")


@requires(Right.FILING_SEE)
def download(request: HttpRequest, number: int, file: int) -> HttpResponse | FileResponse:
    """Hand a file out: always to be saved, never to be shown by the browser."""
    found = seen(person_of(request), number)
    kept = get_object_or_404(Attachment, pk=file, programme=found.programme)
    path = attachments.path_of(kept.sha256)
    # what a department only prepares for a change is not handed in
    if not path.is_file() or not (found.organiser or kept in attachments.shown(found.programme, inside=False)):
        raise Http404
    answer = FileResponse(path.open("rb"), content_type=attachments.TYPES[kept.kind])
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=kept.name) or ""
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _refused(request: HttpRequest, number: int, error: XueshiError, status: int = 400) -> HttpResponse:
    person = person_of(request)
    found = own(person, number)
    context = {"person": person, "programme": found.programme, "error": filing_words.stopped(error)}
    return render(request, "portal/filing_refused.html", context, status=status)
