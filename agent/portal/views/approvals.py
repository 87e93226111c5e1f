"""A department approves who gets certificates of its programmes; the bureau may, too. Somebody else's programmes are as
if they did not exist.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from agent.certificates import approvals
from agent.organisations.rights import Right
from agent.portal import approval_page
from agent.portal.paged import PAGE, cut, offset_of
from agent.portal.people import Person, person_of, requires
from agent.programmes.models import Category, Programme
from agent.work.queue import defer_stages

_LONGEST_REASON = 300
_DECIDED = 20
_LONGEST_COUNT = 6  # digits


@requires(Right.APPROVALS_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """The programmes, those where somebody waits first."""
    person = person_of(request)
    rows = approval_page.programmes_of(person, offset=offset_of(request.GET), limit=PAGE + 1)
    page = cut(rows, request.GET)
    context = {
        "person": person, "rows": page.rows, "page": page, "headline": approval_page.headline(rows),
        "waiting": any(row.everybody for row in rows),
    }  # fmt: skip
    return render(request, "portal/approvals.html", context)


@requires(Right.APPROVALS_SEE, post=Right.APPROVALS_DECIDE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Who waits in one programme; a form approves those who were chosen, or all who were seen."""
    person = person_of(request)
    programme = _programme(person, number, Right.APPROVALS_DECIDE if request.method == "POST" else Right.APPROVALS_SEE)
    if request.method == "POST":
        chosen = request.POST.get("which") == "chosen"
        values = request.POST.getlist("chosen") if chosen else request.POST.get("seen", "").split()
        return _approve(request, programme, approval_page.seen_in(values), person)
    waiting = approvals.waiting(programme)
    people = approval_page.people_of(programme)
    context = {
        "person": person, "programme": programme, "version": programme.versions.order_by("-version").first(),
        "people": people, "more": waiting - len(people), "seen": " ".join(row.value for row in people),
        "headline": approval_page.people_headline(waiting, needed=programme.certificates_need_approval),
        "waiting": waiting, "decided": programme.approvals.order_by("-pk")[:_DECIDED],
        "approved": _count(request, "approved"), "left": _count(request, "left"), "none": "none" in request.GET,
    }  # fmt: skip
    return render(request, "portal/approval.html", context)


@requires(Right.APPROVALS_DECIDE)
@require_POST
def needed(request: HttpRequest, number: int) -> HttpResponse:
    """Switch whether the programme's certificates need an approval."""
    person = person_of(request)
    programme = _programme(person, number, Right.APPROVALS_DECIDE)
    with transaction.atomic():
        wanted = request.POST.get("needed") == "1"
        if approvals.ask_for_approval(programme, needed=wanted, by=person.username, reason=_reason(request)):
            defer_stages()
    return redirect("portal:approval", number)


def _approve(request: HttpRequest, programme: Programme, seen: approvals.Seen, person: Person) -> HttpResponse:
    address = reverse("portal:approval", args=[programme.pk])
    if not seen:
        return redirect(f"{address}?none=1")
    with transaction.atomic():
        approved = approvals.approve(programme, by=person.username, reason=_reason(request), seen=seen)
        if approved:
            defer_stages()
    # by a redirect, so that reading the page again approves nothing
    return redirect(f"{address}?{urlencode({'approved': approved, 'left': len(set(seen)) - approved})}")


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:_LONGEST_REASON]


def _count(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _LONGEST_COUNT else None


def _programme(person: Person, number: int, right: Right) -> Programme:
    found = Programme.objects.select_related("organiser").filter(person.within(right, "organiser"), pk=number)
    programme = found.filter(versions__category=Category.PROFESSIONAL).distinct().first()
    if programme is None:
        raise Http404
    return programme
