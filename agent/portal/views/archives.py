"""All certificates of a programme as one file: for its organiser and for the bureau. Of an employer: for the bureau.

A page makes what is missing and shows how far that is; the file has a length, and goes on where a download broke off.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from agent.certificates import archive, archive_work
from agent.certificates.signer import signing_keys
from agent.errors import XueshiError
from agent.organisations.rights import Right
from agent.portal import ranges
from agent.portal.archive_page import Wanted, page_of
from agent.portal.people import EVERYTHING, Person, person_of, requires
from agent.programmes.models import Programme
from agent.work.queue import defer_archive

_AT_ONCE = 20
"""Missing pages that are made while somebody waits; of more a worker makes them."""
_OFTEN = 5  # seconds between two looks


@requires(Right.ARCHIVES_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def of_programme(request: HttpRequest, number: int) -> HttpResponse:
    """How far the programme's file is. Somebody else's programme is as if it did not exist."""
    return _page(request, _programme(request, number))


@requires(Right.ARCHIVES_TAKE)
def programme_file(request: HttpRequest, number: int) -> HttpResponse | StreamingHttpResponse:
    """The programme's file."""
    return _file(request, _programme(request, number))


@requires(Right.ARCHIVES_TAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def of_employer(request: HttpRequest) -> HttpResponse:
    """How far the file is of those whose completion names the employer ``name``."""
    return _page(request, _employer(request))


@requires(Right.ARCHIVES_TAKE)
def employer_file(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The employer's file."""
    return _file(request, _employer(request))


def _programme(request: HttpRequest, number: int) -> Wanted:
    found = _programmes(person_of(request)).filter(pk=number).first()
    if found is None:
        raise Http404
    address, file = (reverse(f"portal:archive-programme{rest}", args=[number]) for rest in ("", "-file"))
    version = found.versions.order_by("-version").first()
    title = version.title if version else found.key
    name = str(found.filing_number or found.key)
    return Wanted(archive.of_programme(found), found, "", title, name, address, file)


def _employer(request: HttpRequest) -> Wanted:
    name = request.GET.get("name", "").strip()[:200]
    if not name or person_of(request).bodies_with(Right.ARCHIVES_TAKE) is not EVERYTHING:
        raise Http404
    certificates = archive.of_employer(name)
    if not certificates.exists():
        raise Http404
    query = "?" + urlencode({"name": name})
    address, file = (reverse(f"portal:archive-employer{rest}") + query for rest in ("", "-file"))
    return Wanted(certificates, None, name, name, name, address, file)


def _programmes(person: Person) -> QuerySet[Programme]:
    return Programme.objects.filter(person.within(Right.ARCHIVES_TAKE, "organiser"))


def _page(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        with transaction.atomic():
            defer_archive(archive_work.ask(wanted.programme, wanted.employer, by=person.username).pk)
        return redirect(wanted.address)
    page = page_of(wanted)
    context = {"person": person, "wanted": wanted, "page": page}
    if page.going and "still" not in request.GET:
        context["often"] = _OFTEN
    return render(request, "portal/archive.html", context)


def _file(request: HttpRequest, wanted: Wanted) -> HttpResponse | StreamingHttpResponse:
    known = archive_work.failed_of(archive_work.find(wanted.programme, wanted.employer))
    missing = wanted.certificates.filter(pdf__isnull=True).exclude(number__in=[one.number for one in known])
    if missing[_AT_ONCE:].exists():
        return redirect(wanted.address)
    try:
        signing_keys()
        made_now = archive.make(missing)
    except XueshiError as error:  # told on a page, and not by a file that breaks off
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    zipped = archive.laid_out(wanted.certificates, [*known, *made_now])
    pieces = partial(zipped.pieces, archive.pages)
    answer = ranges.answer(request, pieces, zipped.size, zipped.digest, "application/zip")
    name = f"{gettext('学时证书')}_{archive.safe(wanted.name)}.zip"
    if answer.status_code in (200, 206):
        answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return answer
