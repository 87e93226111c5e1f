"""A new password for who can't get in: a link that opens once, until it expires. The same person stays, with all roles
and all that was done; only a keyed hash of the link is kept.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from agent.audit.chain import record
from agent.crypto import vault
from agent.localtime import SHANGHAI, now
from agent.people import factor, presence
from agent.people.errors import AccountClosed, ResetOfOneself, ResetOver
from agent.people.models import PasswordReset

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FOR = timedelta(hours=24)
_TEXT = """您好：

{by} 为您的账号“{user}”发了一个重设密码的链接。请在{until}之前打开，设置新密码。链接只能用一次，请不要转发：

{link}

如果您没有找人要过它，请不要打开，并告诉平台管理员。本邮件由系统发出。
"""


class Given(NamedTuple):
    """A reset and its link, which is told once."""

    reset: PasswordReset
    link: str
    mailed: bool


@transaction.atomic
def give(user: User, *, by: str, lost_factor: bool = False, mail: bool = False) -> Given:
    """A link for ``user``; one that was given before opens no more.

    :param lost_factor: the second factor is lost, too: whoever opens the link sets up another. Such a link opens
        everything, so it is never mailed: who gives it knows whom.
    :param mail: send it to the account's own address, where there is one and a mail server
    :raises AccountClosed: a closed account is opened first
    :raises ResetOfOneself: who can sign in changes the password, knowing the one that there is
    """
    user = get_user_model().objects.select_for_update().get(pk=user.pk)
    if not user.is_active:
        raise AccountClosed(user=user.get_username())
    if user.get_username() == by:
        raise ResetOfOneself
    token, at = secrets.token_urlsafe(32), now()
    end_open(user)
    made = PasswordReset.objects.create(
        fingerprint=_fingerprint(token), user=user, lost_factor=lost_factor, given_by=by[:150], given_at=at,
        expires_at=at + FOR,
    )  # fmt: skip
    link = f"{settings.BASE_URL}/resets/{token}/"
    mailed = bool(mail and user.email and settings.EMAIL_HOST and not lost_factor)
    said = {"lost_factor": lost_factor, "expires_at": made.expires_at, "mailed": mailed}
    record(by, "password.reset_given", on=f"account {user.get_username()}", after=said)
    if mailed:
        transaction.on_commit(lambda: _mail(made, link), robust=True)
    return Given(made, link, mailed)


def find(token: str) -> PasswordReset:
    """The reset of a link that still opens.

    :raises ResetOver: it doesn't, for whichever reason
    """
    found = _open().filter(fingerprint=_fingerprint(token)).first()
    if found is None:
        raise ResetOver
    return found


@transaction.atomic
def use(token: str, password: str) -> User:
    """Set the password, which the form looked at. Every session ends; the second factor goes if it was lost.

    :raises ResetOver: somebody was quicker
    """
    found = _open().select_for_update(of=("self",)).filter(fingerprint=_fingerprint(token)).first()
    if found is None:
        raise ResetOver
    user = get_user_model().objects.select_for_update().get(pk=found.user_id)
    user.set_password(password)
    user.save(update_fields=["password"])
    found.ended_at = now()
    found.save(update_fields=["ended_at"])
    name = user.get_username()
    presence.end_all(user, by=name)
    if found.lost_factor:
        factor.take_away(user, by=found.given_by)
    record(name, "password.reset", on=f"account {name}", after={"given_by": found.given_by})
    return user


def end_open(user: User) -> None:
    """No link of ``user`` opens any more: it was replaced, or is not needed, or nobody may come in."""
    PasswordReset.objects.filter(user=user, ended_at=None).update(ended_at=now())


def _open() -> QuerySet[PasswordReset]:
    found = PasswordReset.objects.select_related("user")
    return found.filter(ended_at=None, expires_at__gt=now(), user__is_active=True)


def _fingerprint(token: str) -> bytes:
    return vault().fingerprint(f"password reset\n{token}")


def _mail(made: PasswordReset, link: str) -> None:
    from django.core.mail import EmailMessage  # noqa: PLC0415 - only where a letter is written

    text = _TEXT.format(
        by=made.given_by, user=made.user.get_username(), link=link,
        until=f"{made.expires_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
    )  # fmt: skip
    EmailMessage("重设密码", text, to=[made.user.email], headers={"Auto-Submitted": "auto-generated"}).send()
