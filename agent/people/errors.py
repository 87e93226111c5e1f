"""What can be refused about people and their bodies."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class PeopleError(XueshiError):
    """Something about an account was refused."""

    code = "E_PEOPLE"
    exit_code = PERSON_NEEDED


class RoleNotOfKind(PeopleError):
    """{role} is no role at {organisation}, which is a {kind}."""

    code = "E_ROLE_KIND"
    fix = "Choose a body of the right kind: bureau roles belong to the bureau, a base's to a base."


class RoleGiven(PeopleError):
    """{user} has this role there already."""

    code = "E_ROLE_GIVEN"
    fix = "Nothing is to be done."


class LastAdministrator(PeopleError):
    """The last administrator who can sign in stays one."""

    code = "E_LAST_ADMINISTRATOR"
    fix = "Make somebody else an administrator first."


class InvitationOver(PeopleError):
    """This invitation is unknown, used, taken back, or expired."""

    code = "E_INVITATION"
    fix = "Ask whoever invited you for a new one."


class ResetOver(PeopleError):
    """This link for a new password is unknown, used, replaced by another, or expired."""

    code = "E_RESET"
    fix = "Ask an administrator for a new one."


class ResetOfOneself(PeopleError):
    """Nobody gives themselves a link for a new password."""

    code = "E_RESET_OWN"
    fix = "Change it under «my account», or ask another administrator."


class AccountClosed(PeopleError):
    """The account «{user}» is closed."""

    code = "E_ACCOUNT_CLOSED"
    fix = "Open it first, if that person may come in again."


class OrganisationUnknown(PeopleError):
    """There is no organisation «{uscc}»."""

    code = "E_ORGANISATION_UNKNOWN"
    fix = "Name it by its unified social credit code: xueshi people organisations."


class UserUnknown(PeopleError):
    """There is no account «{user}»."""

    code = "E_USER_UNKNOWN"
    fix = "List them: xueshi people list."


class OrganisationStale(PeopleError):
    """Somebody else changed {organisation} meanwhile."""

    code = "E_STALE"
    fix = "Look at what they changed, and save again."


class OrganisationInvalid(PeopleError):
    """{field}: {reason}"""

    code = "E_ORGANISATION"
    fix = "Correct it and try again."
