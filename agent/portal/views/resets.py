"""The page behind a link for a new password: the same account, with another password."""

from __future__ import annotations

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from agent.people import resets
from agent.people.errors import ResetOver
from agent.portal.entrance import enter
from agent.portal.throttle import Brake

_GUESSES = 30


@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Set a new password, and on to the second factor. Used, expired and invented links look alike."""
    response = _reset(request, token)
    # as with an invitation: the address is the secret, and goes nowhere
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _reset(request: HttpRequest, token: str) -> HttpResponse:
    brake = Brake(request, "reset", limit=_GUESSES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    try:
        found = resets.find(token)
        form: SetPasswordForm[User] = SetPasswordForm(found.user, request.POST or None)
        if form.is_valid():
            return enter(request, resets.use(token, form.cleaned_data["new_password1"]), "/")
    except ResetOver:
        brake.miss()
        return render(request, "portal/reset_over.html", status=404)
    return render(request, "portal/reset.html", {"reset": found, "form": form}, status=400 if form.errors else 200)
