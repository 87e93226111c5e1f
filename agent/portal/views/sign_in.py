"""Signing in: the password by Django's own view with a brake on guessing, then the second factor of who has one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from agent.certificates.qr import qr_svg
from agent.flow import policies
from agent.people import factor
from agent.people.oidc import provider
from agent.portal.entrance import arrive, code_brake, enter, entering, missed, signed_in
from agent.portal.throttle import Brake
from agent.portal.year_page import required_ring

_TRIES = 8  # wrong passwords in a quarter of an hour for one account from one address
_TRIES_ANYWHERE = 60  # and from all addresses together: then the account is locked for that long


class SignIn(LoginView):
    """User name and password."""

    template_name = "portal/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the newest year's requirement: the ring is the first thing that a stranger sees."""
        rules = policies()
        picture = required_ring(rules[max(rules)]) if rules else ""
        return super().get_context_data(ring=picture, late="late" in self.request.GET, oidc=provider(), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse before the password is looked at: then guessing on is worth nothing."""
        if any(brake.on() for brake in self._brakes()):
            return render(request, "portal/too_many.html", status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """On to the second factor, or in."""
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101 - there is one kind of account
        return enter(self.request, user, self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Count the miss."""
        here, anywhere = self._brakes()
        here.miss()
        user = User.objects.filter(username=self._name()).first()
        if user:
            missed(anywhere, user)
        return super().form_invalid(form)

    def _brakes(self) -> tuple[Brake, Brake]:
        return (
            Brake(self.request, "sign in", self._name(), limit=_TRIES),
            Brake(self.request, "sign in", self._name(), limit=_TRIES_ANYWHERE, anywhere=True),
        )

    def _name(self) -> str:
        return self.request.POST.get("username", "")[:150]


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second factor: a code of the application, or a recovery code."""
    found = entering(request)
    if found is None:
        return redirect("/sign-in/?late=1")
    user, after = found
    if request.method != "POST":
        return render(request, "portal/sign_in_code.html")
    brake = code_brake(request, user)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    if factor.opens(user, request.POST.get("code", "")[:40]):
        return arrive(request, user, after)
    missed(brake, user)
    return render(request, "portal/sign_in_code.html", {"wrong": True})


@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Set up the second factor: on the way in for who must have one, or signed in for who wants one."""
    found = entering(request)
    if found is None and isinstance(request.user, User):
        found = request.user, "/account/"
    if found is None:
        return redirect("/sign-in/?late=1")
    user, after = found
    if factor.has(user):
        return redirect("portal:account" if request.user.is_authenticated else "portal:sign-in-code")
    wrong = False
    if request.method == "POST":
        brake = code_brake(request, user)
        if brake.on():
            return render(request, "portal/too_many.html", status=429)
        codes = factor.confirm(user, request.POST.get("code", "")[:40])
        if codes is not None:
            if not request.user.is_authenticated:
                signed_in(request, user)
            return render(request, "portal/recovery_codes.html", {"codes": codes, "after": after})
        missed(brake, user)
        wrong = True
    secret = factor.begin(user)
    picture, width = qr_svg(factor.address(user, secret))
    drawing = picture[picture.index("<svg") :].replace("<svg ", f'<svg viewBox="0 0 {width} {width}" ', 1)
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    context = {"qr": drawing, "secret": groups, "wrong": wrong}
    return render(request, "portal/sign_in_enrol.html", context)
