"""A learner's own certificates. Somebody else's are not there: the same answer as for a number that does not exist."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from agent.certificates.models import Certificate
from agent.certificates.pdfs import pdf_of
from agent.errors import XueshiError
from agent.portal.people import person_of
from agent.portal.views.credentials import credential_in
from agent.portal.words import certificates as headline

_OF = ("programme__organiser", "programme__implementer", "programme_version")


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    person = person_of(request)
    if person.learner is None:
        raise Http404
    own = list(
        Certificate.objects.filter(learner=person.learner)
        .select_related(*_OF, "successor")
        .defer("credential", "successor__credential")
        .order_by("-learned_on", "-pk")
    )
    live = sum(each.state == Certificate.State.ISSUED for each in own)
    context = {"person": person, "certificates": own, "headline": headline(live), "live": live}
    return render(request, "portal/certificates.html", context)


@login_required
def page(request: HttpRequest, number: str) -> HttpResponse:
    """The signed PDF; the first who wants it has it made."""
    certificate = own(request, number)
    if certificate.state != Certificate.State.ISSUED:
        return refused(request, certificate)
    try:
        stored = pdf_of(certificate)
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    return _file(bytes(stored.pdf), "application/pdf", certificate, "pdf")


@login_required
def credential(request: HttpRequest, number: str, form: str = "jwt") -> HttpResponse:
    """The credential (Open Badges 3.0), as VC-JWT or with an embedded proof: what wallets and machines check."""
    certificate = own(request, number)
    if certificate.state != Certificate.State.ISSUED:
        return refused(request, certificate)
    try:
        body, kind = credential_in(form, certificate)
    except XueshiError as error:
        return render(request, "portal/not_now.html", {"error": error}, status=503)
    return _file(body, kind, certificate, form)


def own(request: HttpRequest, number: str) -> Certificate:
    """The certificate of that number, if it is theirs who asks."""
    learner = person_of(request).learner
    found = Certificate.objects.select_related(*_OF).filter(number=number, learner=learner).first() if learner else None
    if found is None:
        raise Http404
    return found


def refused(request: HttpRequest, certificate: Certificate) -> HttpResponse:
    """One that is not in force is not given out."""
    return render(request, "portal/revoked.html", {"certificate": certificate}, status=410)


def _file(content: bytes, kind: str, certificate: Certificate, ending: str) -> HttpResponse:
    name = f"{gettext('学时证书')}_{certificate.programme_version.title}_{certificate.number}.{ending}"
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response
