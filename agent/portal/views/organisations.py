"""Organisations and their people: looked at, added, changed; roles and invitations given and taken."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from agent.errors import XueshiError
from agent.localtime import local_date, now
from agent.organisations.models import Kind, Membership, Organisation, Role
from agent.organisations.rights import KINDS, Right
from agent.people import bodies, invitations, roles
from agent.people.errors import OrganisationStale
from agent.people.invitations import Invited
from agent.portal.body_form import BodyForm
from agent.portal.paged import paged
from agent.portal.people import person_of, requires
from agent.portal.role_words import kind_name, refusal, role_name


@requires(Right.ORGANISATIONS_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """All bodies, by kind and name; narrowed by the address."""
    kind, words = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:100]
    found = Organisation.objects.select_related("department").annotate(people=Count("membership", distinct=True))
    if kind in Kind.values:
        found = found.filter(kind=kind)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(uscc__startswith=words.upper()))
    today = local_date(now())
    ends = request.GET.get("status") == "ends"
    if ends:
        found = found.filter(pk__in=bodies.ending_soon(today).values("pk"))
    page = paged(found.order_by("kind", "name", "pk"), request.GET)
    context = {
        "person": person_of(request), "page": page, "rows": [(body, _status(body, today)) for body in page.rows],
        "kind": kind, "q": words, "ends": ends,
        "kinds": [(value, kind_name(value)) for value in Kind.values], "total": Organisation.objects.count(),
    }  # fmt: skip
    return render(request, "portal/organisations.html", context)


@requires(Right.ORGANISATIONS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Put a body on record."""
    form = BodyForm(request.POST) if request.method == "POST" else BodyForm()
    if form.is_valid():
        try:
            made = bodies.add(form.facts(), by=person_of(request).username)
        except XueshiError as error:
            form.add_error(None, refusal(error))
        else:
            return redirect("portal:organisation", made.pk)
    context = {"person": person_of(request), "form": form, **_choices()}
    return render(request, "portal/organisation_new.html", context, status=400 if form.errors else 200)


@requires(Right.ORGANISATIONS_SEE, post=Right.ORGANISATIONS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """A body, its people and who is invited; a form changes what is said of it."""
    body = _body(number)
    if request.method != "POST":
        return _one(request, body)
    form = BodyForm(request.POST, body=body)
    if form.is_valid():
        try:
            revision = form.cleaned_data["revision"] or 0
            bodies.change(body.pk, form.facts(), revision=revision, by=person_of(request).username)
        except OrganisationStale as error:
            return _one(request, _body(number), form, refusal(error), status=409)
        except XueshiError as error:
            form.add_error(None, refusal(error))
        else:
            return redirect(f"/organisations/{body.pk}/?saved=1")
    return _one(request, body, form, status=400)


@requires(Right.PEOPLE_MANAGE)
@require_POST
def invite(request: HttpRequest, number: int) -> HttpResponse:
    """Invite somebody; the link is on the page that follows, and nowhere else."""
    body, email = _body(number), request.POST.get("email", "").strip()[:254]
    try:
        if email:
            validate_email(email)
        invited = invitations.invite(body, _role(request), by=person_of(request).username, email=email)
    except ValidationError:
        return _one(request, body, said=gettext("邮箱地址不对，请再看一遍。"), status=400)
    except XueshiError as error:
        return _one(request, body, said=refusal(error), status=400)
    return _one(request, body, invited=invited)


@requires(Right.PEOPLE_MANAGE)
@require_POST
def give(request: HttpRequest, number: int) -> HttpResponse:
    """Give a role to an account that is there."""
    body = _body(number)
    user = roles.accounts(request.POST.get("username", "").strip()[:150])
    if user is None:
        return _one(request, body, said=gettext("没有这个用户名。还没有账号的人，请用邀请。"), status=400)
    try:
        roles.give(user, body, _role(request), by=person_of(request).username)
    except XueshiError as error:
        return _one(request, body, said=refusal(error), status=400)
    return redirect("portal:organisation", body.pk)


@requires(Right.PEOPLE_MANAGE)
@require_POST
def take(request: HttpRequest, number: int) -> HttpResponse:
    """Take a role away."""
    found = get_object_or_404(Membership.objects.select_related("user", "organisation"), pk=number)
    try:
        roles.take(found, by=person_of(request).username)
    except XueshiError as error:
        return _one(request, _body(found.organisation_id), said=refusal(error), status=409)
    return redirect("portal:organisation", found.organisation_id)


@requires(Right.PEOPLE_MANAGE)
@require_POST
def take_back(request: HttpRequest, number: int) -> HttpResponse:
    """Take an invitation back."""
    found = next((each for each in invitations.pending() if each.pk == number), None)
    if found is None or not invitations.take_back(number, by=person_of(request).username):
        raise Http404
    return redirect("portal:organisation", found.organisation_id)


def _one(
    request: HttpRequest, body: Organisation, form: BodyForm | None = None, said: str = "", *,
    invited: Invited | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    members = Membership.objects.filter(organisation=body).select_related("user").order_by("user__username", "role")
    context: dict[str, Any] = {
        "person": person_of(request), "body": body, "form": form or BodyForm(body=body), "said": said,
        "status": _status(body, local_date(now())), "members": members, "invited": invited, "changed": form is not None,
        "pending": [each for each in invitations.pending() if each.organisation_id == body.pk],
        "bases": body.bases.order_by("name"), "saved": "saved" in request.GET,
        "roles": [(role.value, role_name(role)) for role in Role if Kind(body.kind) in KINDS[role]], **_choices(),
    }  # fmt: skip
    return render(request, "portal/organisation.html", context, status=status)


def _choices() -> dict[str, Any]:
    return {
        "kinds": [(value, kind_name(value)) for value in Kind.values],
        "departments": Organisation.objects.filter(kind=Kind.SECTOR_DEPARTMENT).order_by("name"),
    }


def _status(body: Organisation, today: date) -> str:
    """Of a base: ``ended``, ``ends`` (soon), ``runs``; of others nothing."""
    if body.kind != Kind.TRAINING_BASE or body.status_until is None:
        return ""
    left = body.status_until - today
    return "ended" if left < timedelta(0) else "ends" if left <= bodies.ENDING else "runs"


def _role(request: HttpRequest) -> str:
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Http404
    return role


def _body(number: int) -> Organisation:
    return get_object_or_404(Organisation.objects.select_related("department"), pk=number)
