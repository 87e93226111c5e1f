"""A learner's full identity number: on demand, for a stated purpose, and the look is in the audit log."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from agent.audit.chain import record
from agent.audit.masking import masked
from agent.crypto import SealBroken, vault
from agent.intake.landing import ID_PURPOSE
from agent.learners.identity import fold_name, normalise_id
from agent.learners.models import Learner
from agent.organisations.rights import Right
from agent.portal.people import person_of, requires

_AT_ONCE = 50
_SHORTEST = 5
"""Characters of a purpose: less says nothing."""


@requires(Right.IDENTITY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Find a learner by name, or by the number itself. By POST: neither stands in an address or a log."""
    words = request.POST.get("q", "").strip()[:200]
    found: list[Learner] = []
    if words:
        number = normalise_id(words).number or words.upper()
        by = Q(fingerprint=vault().fingerprint(number)) | Q(name_folded=fold_name(words))
        found = list(Learner.objects.filter(by).order_by("pk")[:_AT_ONCE])
    # a number that was typed isn't shown again
    context = {"person": person_of(request), "rows": found, "asked": bool(words), "q": masked(words)}
    return render(request, "portal/learners.html", context)


@requires(Right.IDENTITY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One learner, masked; a form with a purpose shows the number, once."""
    person, learner = person_of(request), get_object_or_404(Learner, pk=number)
    purpose = " ".join(request.POST.get("purpose", "").split())[:300]
    shown, short, broken = "", request.method == "POST" and len(purpose) < _SHORTEST, False
    if request.method == "POST" and not short:
        with transaction.atomic():
            try:
                shown = vault().open(bytes(learner.sealed), ID_PURPOSE).decode()
            except SealBroken:
                broken = True
            else:
                record(person.username, "identity.seen", on=f"learner {learner.pk}", after={"purpose": purpose})
    context = {
        "person": person, "learner": learner, "shown": shown, "short": short, "broken": broken, "purpose": purpose,
    }  # fmt: skip
    return render(request, "portal/learner_identity.html", context, status=400 if short else 200)
