"""The page behind a paper's QR code, for anyone: for what it is, until when, and what its certificate is today."""

from __future__ import annotations

import hashlib

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agent.certificates.facts import hours_text
from agent.learners.identity import mask_name
from agent.papers.models import Paper
from agent.portal import paper_words
from agent.portal.views.verify import discreet, missed_too_often


@discreet
def shown(request: HttpRequest, token: str) -> HttpResponse:
    """The paper of a QR code's address; one that is over says so and nothing else."""
    token = token.upper()
    found = _papers().filter(token=token).first() if token.isascii() and token.isalnum() else None
    if found is None:
        if missed_too_often(request):
            return render(request, "portal/too_many.html", status=429)
        return render(request, "portal/verify_unknown.html", status=404)
    return page(request, found)


def of_file(content: bytes) -> Paper | None:
    """The paper that a file is, byte for byte; None: it is none of ours."""
    return _papers().filter(sha256=hashlib.sha256(content).hexdigest()).first()


def page(request: HttpRequest, paper: Paper) -> HttpResponse:
    """What anyone may know of a paper that they hold."""
    standing = paper_words.standing(paper)
    if standing != "live":
        return render(request, "portal/paper_over.html", {"standing": standing, "stranger": True}, status=410)
    certificate = paper.certificate
    context = {
        "paper": paper, "kind": paper_words.kind(paper), "certificate": certificate,
        "holder": mask_name(certificate.holder if certificate else paper.learner.name),
        "id_masked": certificate.id_masked if certificate else paper.learner.id_masked,
        "live": certificate is None or certificate.state == certificate.State.ISSUED,
        "hours": hours_text(certificate.hours if certificate else paper.said.get("total", 0)),
        "required": hours_text(paper.said.get("required", 0)),
    }  # fmt: skip
    return render(request, "portal/paper_check.html", context)


def _papers() -> QuerySet[Paper]:
    found = Paper.objects.select_related("learner", "certificate__programme_version", "certificate__programme")
    return found.defer("pdf")
