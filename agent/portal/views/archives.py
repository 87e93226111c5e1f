"""All certificates of a programme as one file: for its organiser and for the bureau. Of an employer: for the bureau."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from agent.certificates import archive
from agent.certificates.signer import signing_keys
from agent.errors import XueshiError
from agent.organisations.models import Role
from agent.portal.people import Person, person_of
from agent.programmes.models import Programme


@login_required
@require_GET
def of_programme(request: HttpRequest, number: int) -> HttpResponse | StreamingHttpResponse:
    """The programme's certificates. Somebody else's programme is as if it did not exist."""
    found = _programmes(person_of(request)).filter(pk=number).first()
    if found is None:
        raise Http404
    certificates = archive.of_programme(found)
    return _sent(request, str(found.filing_number or found.key), archive.stream(certificates))


@login_required
@require_GET
def of_employer(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The certificates of those whose completion names the employer ``name``."""
    name = request.GET.get("name", "").strip()[:200]
    if not name or not person_of(request).bodies(Role.BUREAU_REVIEWER):
        raise Http404
    certificates = archive.of_employer(name)
    if not certificates.exists():
        raise Http404
    return _sent(request, name, archive.stream(certificates))


def _programmes(person: Person) -> QuerySet[Programme]:
    if person.bodies(Role.BUREAU_REVIEWER):
        return Programme.objects.all()
    return Programme.objects.filter(organiser__in=person.bodies(Role.DEPARTMENT_OFFICER))


def _sent(request: HttpRequest, name: str, pieces: Iterator[bytes]) -> HttpResponse | StreamingHttpResponse:
    try:
        signing_keys()  # told on a page, and not by a file that breaks off
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    answer = StreamingHttpResponse(pieces, content_type="application/zip")
    file = f"{gettext('学时证书')}_{archive.safe(name)}.zip"
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file)
    return answer
