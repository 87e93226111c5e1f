"""The way in after the right password: past the second factor where one is needed, and only then signed in.

Until then the session knows who is on the way (`PENDING`) and nothing else: a page that asks for somebody signed in
never has to ask whether the second factor was given.
"""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from agent.audit.chain import record
from agent.localtime import now
from agent.organisations.models import Membership
from agent.people import factor, presence
from agent.portal.throttle import Brake, client_of

PENDING = "entering"
_FOR = 600  # seconds from the password to the code
_BACKEND = "django.contrib.auth.backends.ModelBackend"
_CODES = (
    6  # wrong codes in a quarter of an hour for one account, from wherever: of a million there are three right ones
)


def enter(request: HttpRequest, user: User, after: str) -> HttpResponse:
    """``user`` gave the right password: sign in, or ask for what is still missing; then on to ``after``."""
    has = factor.has(user)
    if not has and not factor.needs(user):
        return arrive(request, user, after)
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk, "at": now().timestamp(), "after": after, "hash": user.get_session_auth_hash(),
    }  # fmt: skip
    return redirect("portal:sign-in-code" if has else "portal:sign-in-enrol")


def entering(request: HttpRequest) -> tuple[User, str] | None:
    """Who is on the way in, and where to; None: nobody, or they took too long, or the password changed meanwhile."""
    known = request.session.get(PENDING)
    if not known or known["at"] < now().timestamp() - _FOR:
        return None
    user = User.objects.filter(pk=known["user"], is_active=True).first()
    if user is None or not constant_time_compare(known["hash"], user.get_session_auth_hash()):
        return None
    return user, known["after"]


def arrive(request: HttpRequest, user: User, after: str) -> HttpResponse:
    """Everything was given: ``user`` is signed in."""
    signed_in(request, user)
    return redirect(after)


def signed_in(request: HttpRequest, user: User) -> None:
    """Begin the session, and write it down."""
    request.session.pop(PENDING, None)
    login(request, user, backend=_BACKEND)
    key, place = request.session.session_key or "", client_of(request)
    with transaction.atomic():
        presence.began(user, key, place=place, agent=request.headers.get("User-Agent", ""))
        if Membership.objects.filter(user=user).exists():
            record(user.get_username(), "account.signed_in", on=f"account {user.get_username()}", after={"from": place})


def code_brake(request: HttpRequest, user: User) -> Brake:
    """Of guessed codes."""
    return Brake(request, "code", str(user.pk), limit=_CODES, anywhere=True)


def missed(brake: Brake, user: User) -> None:
    """Count a wrong guess; that an account is locked by it is an event."""
    brake.miss()
    if brake.on():
        with transaction.atomic():
            record("anonymous", "account.locked", on=f"account {user.get_username()}")
