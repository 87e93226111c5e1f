"""Signing in, by Django's own view, with a brake on guessing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agent.flow import policies
from agent.portal.throttle import Brake
from agent.portal.year_page import required_ring

_TRIES = 8  # wrong passwords in a quarter of an hour for one account from one address


class SignIn(LoginView):
    """User name and password."""

    template_name = "portal/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the newest year's requirement: the ring is the first thing that a stranger sees."""
        rules = policies()
        picture = required_ring(rules[max(rules)]) if rules else ""
        return super().get_context_data(ring=picture, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse before the password is looked at: then guessing on is worth nothing."""
        if self._brake().on():
            return render(request, "portal/too_many.html", status=429)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Count the miss."""
        self._brake().miss()
        return super().form_invalid(form)

    def _brake(self) -> Brake:
        return Brake(self.request, "sign in", self.request.POST.get("username", "")[:150], limit=_TRIES)
