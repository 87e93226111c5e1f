"""Accounts of staff: who has which roles, who can't get in; closed, opened, unlocked, helped."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from agent.audit.chain import record
from agent.errors import XueshiError
from agent.organisations.models import Membership
from agent.organisations.rights import Right
from agent.people import factor, invitations, presence, resets, roles
from agent.people.resets import Given
from agent.portal.entrance import code_brake
from agent.portal.paged import paged
from agent.portal.people import person_of, requires
from agent.portal.role_words import refusal
from agent.portal.throttle import Brake


@requires(Right.PEOPLE_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """Everybody who has or had a role; narrowed by the address."""
    words = request.GET.get("q", "").strip()[:100]
    memberships = Membership.objects.select_related("organisation").order_by("pk")
    # who has none any more is still found by the sessions or the second factor that they had: accounts of learners not
    found = User.objects.filter(Q(membership__isnull=False) | Q(account__isnull=True)).distinct()
    owed = request.GET.get("factor") == "none"
    if owed:
        found = found.filter(pk__in=factor.owed().values("pk"))
    if words:
        found = found.filter(
            Q(username__icontains=words) | Q(first_name__icontains=words)
            | Q(membership__organisation__name__icontains=words)
        )  # fmt: skip
    rows = (
        found.annotate(sure=Exists(factor.sure_of("pk")))
        .prefetch_related(Prefetch("membership_set", memberships))
        .order_by("username")
    )
    page = paged(rows, request.GET)
    context = {
        "person": person_of(request), "page": page, "rows": page.rows, "total": found.count(), "q": words, "owed": owed,
        "pending": invitations.pending(),
    }  # fmt: skip
    return render(request, "portal/accounts.html", context)


@requires(Right.PEOPLE_SEE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One account."""
    return _one(request, _user(number))


@requires(Right.PEOPLE_MANAGE)
@require_POST
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Close it, open it, unlock it, end its sessions, take its second factor away."""
    user, by = _user(number), person_of(request).username
    try:
        match request.POST.get("what"):
            case "close":
                roles.set_open(user, is_open=False, by=by)
            case "open":
                roles.set_open(user, is_open=True, by=by)
            case "unlock":
                _unlock(request, user, by)
            case "end":
                presence.end_all(user, by=by)
            case "factor":
                with transaction.atomic():
                    presence.end_all(user, by=by)
                    factor.take_away(user, by=by)
            case _:
                raise Http404
    except XueshiError as error:
        return _one(request, user, refusal(error), status=409)
    return redirect("portal:staff-account", user.pk)


@requires(Right.PEOPLE_MANAGE)
@require_POST
def reset(request: HttpRequest, number: int) -> HttpResponse:
    """Give somebody a link for a new password; it is on the page that follows, and nowhere else."""
    user, by = _user(number), person_of(request).username
    lost, mail = request.POST.get("lost_factor") == "1", request.POST.get("mail") == "1"
    try:
        given = resets.give(user, by=by, lost_factor=lost, mail=mail)
    except XueshiError as error:
        return _one(request, user, refusal(error), status=409)
    return _one(request, user, given=given)


def _unlock(request: HttpRequest, user: User, by: str) -> None:
    with transaction.atomic():
        code_brake(request, user).release()
        Brake(request, "sign in", user.get_username(), limit=1, anywhere=True).release()
        record(by, "account.unlocked", on=f"account {user.get_username()}")


def _one(
    request: HttpRequest, user: User, said: str = "", *, given: Given | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "given": given, "mails": bool(user.email and settings.EMAIL_HOST),
        "person": person_of(request), "account": user, "said": said, "has": factor.has(user),
        "needs": factor.needs(user), "sessions": presence.of(user), "locked": code_brake(request, user).on(),
        "memberships": Membership.objects.filter(user=user).select_related("organisation").order_by("pk"),
    }  # fmt: skip
    return render(request, "portal/staff_account.html", context, status=status)


def _user(number: int) -> User:
    """Of staff: a learner's account is not looked at here."""
    found = User.objects.filter(Q(membership__isnull=False) | Q(account__isnull=True)).distinct()
    return get_object_or_404(found, pk=number)
