"""Roles given and taken, accounts opened and closed; each with its event in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction

from agent.audit.chain import record
from agent.organisations.models import Kind, Membership, Organisation, Role
from agent.organisations.rights import DECIDING, KINDS
from agent.people import factor, presence, resets
from agent.people.errors import LastAdministrator, RoleGiven, RoleNotOfKind

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def check_kind(role: str, organisation: Organisation) -> None:
    """Whether that role can be had there.

    :raises RoleNotOfKind: it can't
    """
    if Kind(organisation.kind) not in KINDS[Role(role)]:
        raise RoleNotOfKind(role=role, organisation=organisation.name, kind=organisation.kind)


@transaction.atomic
def give(user: User, organisation: Organisation, role: str, *, by: str) -> Membership:
    """Give ``user`` a role. Who now needs a second factor and has none signs in anew, and sets one up.

    :raises RoleNotOfKind: that role can't be had there
    :raises RoleGiven: they have it
    """
    check_kind(role, organisation)
    made, new = Membership.objects.get_or_create(user=user, organisation=organisation, role=role)
    if not new:
        raise RoleGiven(user=user.get_username())
    if role in DECIDING and not factor.has(user):
        presence.end_all(user, by=by)
    record(by, "role.given", on=_account(user), after=_said(made), organisation=organisation)
    return made


@transaction.atomic
def take(membership: Membership, *, by: str) -> None:
    """Take a role away; from the next page on it opens nothing.

    :raises LastAdministrator: nobody could give roles any more
    """
    if membership.role == Role.ADMINISTRATOR:
        _somebody_stays(membership.user)
    said = _said(membership)
    membership.delete()
    record(
        by, "role.taken", on=_account(membership.user), before=said, organisation=membership.organisation
    )  # fmt: skip


@transaction.atomic
def set_open(user: User, *, is_open: bool, by: str) -> None:
    """Close an account, or open it again. A closed one has no sessions.

    :raises LastAdministrator: nobody could open it again
    """
    if user.is_active == is_open:
        return
    if not is_open:
        if Membership.objects.filter(user=user, role=Role.ADMINISTRATOR).exists():
            _somebody_stays(user)
        presence.end_all(user, by=by)
        resets.end_open(user)
    user.is_active = is_open
    user.save(update_fields=["is_active"])
    record(by, "account.opened" if is_open else "account.closed", on=_account(user))


def _somebody_stays(but: User) -> None:
    # one at a time: two administrators who take the role from each other would leave none
    others = list(Membership.objects.select_for_update().filter(role=Role.ADMINISTRATOR, user__is_active=True))
    if all(each.user_id == but.pk for each in others):
        raise LastAdministrator


def accounts(name: str) -> User | None:
    """The account of that user name."""
    return get_user_model().objects.filter(username=name).first()


def _account(user: User) -> str:
    return f"account {user.get_username()}"


def _said(membership: Membership) -> dict[str, str]:
    return {"role": membership.role, "organisation": membership.organisation.name}
