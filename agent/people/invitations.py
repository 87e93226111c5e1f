"""Invitations: a link that opens once, until it expires. Only a keyed hash of it is kept."""

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
from agent.organisations.models import Membership, Organisation, Role
from agent.people.errors import InvitationOver
from agent.people.models import Invitation
from agent.people.roles import check_kind

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FOR = timedelta(days=7)
_TEXT = """您好：

{by} 邀请您以“{role}”的身份，代表{organisation}使用学时平台。

请在{until}之前打开下面的链接，设置用户名和密码。链接只能用一次，请不要转发：

{link}

如果您不知道这件事，请不要打开链接。本邮件由系统发出。
"""


class Invited(NamedTuple):
    """An invitation and its link, which is told once."""

    invitation: Invitation
    link: str
    mailed: bool


@transaction.atomic
def invite(organisation: Organisation, role: str, *, by: str, email: str = "") -> Invited:
    """Invite somebody. With an address and a mail server the link is mailed when this transaction has committed.

    :raises RoleNotOfKind: that role can't be had there
    """
    check_kind(role, organisation)
    token = secrets.token_urlsafe(32)
    at = now()
    made = Invitation.objects.create(
        fingerprint=_fingerprint(token), organisation=organisation, role=role, email=email, invited_by=by[:150],
        invited_at=at, expires_at=at + FOR,
    )  # fmt: skip
    link = f"{settings.BASE_URL}/invitations/{token}/"
    mailed = bool(email and settings.EMAIL_HOST)
    record(by, "person.invited", on=f"invitation {made.pk}", after=_said(made), organisation=organisation)
    if mailed:
        transaction.on_commit(lambda: _mail(made, link), robust=True)
    return Invited(made, link, mailed)


def find(token: str) -> Invitation:
    """The invitation of a link that still opens.

    :raises InvitationOver: it doesn't, for whichever reason
    """
    found = _open().filter(fingerprint=_fingerprint(token)).first()
    if found is None:
        raise InvitationOver
    return found


def pending() -> list[Invitation]:
    """Those that still open, the newest first."""
    return list(_open().order_by("-pk"))


@transaction.atomic
def accept(token: str, *, username: str, name: str, password: str) -> User:
    """Open the account. Name and password were looked at by the form.

    :raises InvitationOver: somebody was quicker
    """
    found = _open().select_for_update(of=("self",)).filter(fingerprint=_fingerprint(token)).first()
    if found is None:
        raise InvitationOver
    user = get_user_model().objects.create_user(username, email=found.email, password=password, first_name=name)
    Membership.objects.create(user=user, organisation=found.organisation, role=found.role)
    found.user, found.ended_at = user, now()
    found.save(update_fields=["user", "ended_at"])
    record(
        username, "invitation.accepted", on=f"account {username}", after={**_said(found), "invitation": found.pk},
        organisation=found.organisation,
    )  # fmt: skip
    return user


@transaction.atomic
def take_back(number: int, *, by: str) -> bool:
    """End an invitation that was not used; whether there was one."""
    found = _open().select_for_update(of=("self",)).filter(pk=number).first()
    if found is None:
        return False
    found.ended_at = now()
    found.save(update_fields=["ended_at"])
    record(by, "invitation.taken_back", on=f"invitation {found.pk}", organisation=found.organisation)
    return True


def _open() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organisation").filter(ended_at=None, expires_at__gt=now())


def _fingerprint(token: str) -> bytes:
    return vault().fingerprint(f"invitation\n{token}")


def _said(made: Invitation) -> dict[str, str]:
    return {"role": made.role, "organisation": made.organisation.name, "email": made.email}


def _mail(made: Invitation, link: str) -> None:
    from django.core.mail import EmailMessage  # noqa: PLC0415 - only where a letter is written

    text = _TEXT.format(
        by=made.invited_by, role=Role(made.role).label, organisation=made.organisation.name, link=link,
        until=f"{made.expires_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
    )  # fmt: skip
    EmailMessage("邀请您使用学时平台", text, to=[made.email], headers={"Auto-Submitted": "auto-generated"}).send()
