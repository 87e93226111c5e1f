"""One's own account: password, second factor, and where one is signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from agent.audit.chain import record
from agent.people import factor, presence, resets
from agent.people.models import OutsideIdentity
from agent.people.oidc import provider
from agent.portal.entrance import code_brake, missed
from agent.portal.people import person_of
from agent.portal.throttle import Brake

_TRIES = 8


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """All of it."""
    return _page(request)


@login_required
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Another password, for who knows the old one; every other session ends."""
    user = _user(request)
    brake = Brake(request, "password", str(user.pk), limit=_TRIES, anywhere=True)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    form = PasswordChangeForm(user, request.POST)
    if not form.is_valid():
        if form.has_error("old_password"):
            brake.miss()
        return _page(request, form=form, status=400)
    with transaction.atomic():
        form.save()
        resets.end_open(user)
        presence.end_all(user, by=user.get_username(), but=request.session.session_key)
        record(user.get_username(), "password.changed", on=f"account {user.get_username()}")
    _keep_session(request, user)
    return redirect("/account/?saved=1")


@login_required
@require_POST
def email(request: HttpRequest) -> HttpResponse:
    """Another address for letters, or none, for who knows the password: a link for a new one may be sent there."""
    user = _user(request)
    brake = Brake(request, "password", str(user.pk), limit=_TRIES, anywhere=True)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    typed = request.POST.get("email", "").strip()[:254]
    if not user.check_password(request.POST.get("password", "")):
        brake.miss()
        return _page(request, typed=typed, email_error=gettext("密码不对。"), status=400)
    try:
        if typed:
            validate_email(typed)
    except ValidationError:
        return _page(request, typed=typed, email_error=gettext("邮箱地址不对，请再看一遍。"), status=400)
    if typed != user.email:
        with transaction.atomic():
            before, user.email = user.email, typed
            user.save(update_fields=["email"])
            name = user.get_username()
            record(name, "email.changed", on=f"account {name}", before={"email": before}, after={"email": typed})
    return redirect("/account/?kept=1")


@login_required
@require_POST
def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes in place of the old, for who knows the password and has the application at hand."""
    user = _user(request)
    brake = code_brake(request, user)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    # the password first: a code that was right is used up
    known = user.check_password(request.POST.get("password", ""))
    if not known or not factor.opens(user, request.POST.get("code", "")[:40]):
        missed(brake, user)
        return _page(request, wrong_code=True, status=400)
    context = {"person": person_of(request), "codes": factor.renew_codes(user), "after": "/account/"}
    return render(request, "portal/recovery_codes.html", context)


@login_required
@require_POST
def outside(request: HttpRequest) -> HttpResponse:
    """Untie the account from the OpenID provider."""
    user = _user(request)
    with transaction.atomic():
        gone, _ = OutsideIdentity.objects.filter(user=user).delete()
        if gone:
            record(user.get_username(), "outside_identity.untied", on=f"account {user.get_username()}")
    return redirect("portal:account")


@login_required
@require_POST
def end_one(request: HttpRequest, number: int) -> HttpResponse:
    """End one of one's own sessions."""
    user = _user(request)
    if not presence.end(user, number, by=user.get_username()):
        raise Http404
    return redirect("portal:account")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of them but this one."""
    user = _user(request)
    presence.end_all(user, by=user.get_username(), but=request.session.session_key)
    return redirect("portal:account")


def _keep_session(request: HttpRequest, user: User) -> None:
    """This session goes on under another key: whoever had the old one has nothing."""
    before = request.session.session_key
    update_session_auth_hash(request, user)
    presence.renamed(before or "", request.session.session_key or "")


def _page(
    request: HttpRequest, *, form: PasswordChangeForm | None = None, wrong_code: bool = False, status: int = 200,
    typed: str | None = None, email_error: str = "",
) -> HttpResponse:  # fmt: skip
    user = _user(request)
    context: dict[str, Any] = {
        "person": person_of(request), "account": user, "sessions": presence.of(user), "has": factor.has(user),
        "needs": factor.needs(user), "left": factor.codes_left(user), "wrong_code": wrong_code,
        "errors": [each for errors in form.errors.values() for each in errors] if form else [],
        "email": user.email if typed is None else typed, "email_error": email_error, "kept": "kept" in request.GET,
        "this": request.session.session_key, "saved": "saved" in request.GET, "oidc": provider(),
        "outside": OutsideIdentity.objects.filter(user=user).exists(),
    }  # fmt: skip
    return render(request, "portal/account.html", context, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the decorator saw to it
    return request.user
