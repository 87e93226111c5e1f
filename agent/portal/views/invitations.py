"""The page behind an invitation's link: a user name and a password, and the account is there."""

from __future__ import annotations

from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from agent.audit.masking import masked
from agent.organisations.rights import Role
from agent.people import invitations
from agent.people.errors import InvitationOver
from agent.portal.entrance import enter
from agent.portal.role_words import role_name
from agent.portal.throttle import Brake

_GUESSES = 30
_OURS = {"clock", "anonymous", "xueshi"}
"""What logs call those who are no person."""


class AccountForm(UserCreationForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """User name, name, and a password twice, looked at by Django's validators."""

    first_name = CharField(max_length=150)

    class Meta:
        model = User
        fields = ("username", "first_name")

    def clean_username(self) -> str:
        """A user name stands in logs and lists: it must be no identity number."""
        username = str(super().clean_username())
        if masked(username) != username:
            raise ValidationError(gettext("用户名不能是身份证号。"))
        if username.casefold() in _OURS:
            raise ValidationError(gettext("这个用户名留给系统用，请换一个。"))
        return username


@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Open an account with it. Used, expired and invented links look alike."""
    response = _accept(request, token)
    # the address is the secret, and goes nowhere; but without an origin a browser's own form would be refused
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _accept(request: HttpRequest, token: str) -> HttpResponse:
    brake = Brake(request, "invitation", limit=_GUESSES)
    if brake.on():
        return render(request, "portal/too_many.html", status=429)
    try:
        found = invitations.find(token)
        form = AccountForm(request.POST) if request.method == "POST" else AccountForm()
        if form.is_valid():
            said = form.cleaned_data
            user = invitations.accept(
                token, username=said["username"], name=said["first_name"], password=said["password1"]
            )
            return enter(request, user, "/")
    except IntegrityError:  # somebody took that user name a moment ago
        form.add_error("username", gettext("这个用户名刚被别人用了，请换一个。"))
    except InvitationOver:
        brake.miss()
        return render(request, "portal/invitation_over.html", status=404)
    context = {"invitation": found, "role": role_name(Role(found.role)), "form": form}
    return render(request, "portal/invitation.html", context, status=400 if form.errors else 200)
