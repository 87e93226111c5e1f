"""Why a launch from an LMS, or the registration of one, was refused."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class LtiError(XueshiError):
    """The launch was refused."""

    code = "E_LTI"
    fix = "Open the tool from the course in the LMS again."
    exit_code = PERSON_NEEDED


class PlatformUnknown(LtiError):
    """No LMS with the issuer {issuer} and that client id is registered here."""

    code = "E_LTI_PLATFORM"
    fix = "The base registers its LMS: the source's page, «inside the LMS»."


class StateUnknown(LtiError):
    """This launch was never begun here, was used already, or took too long."""

    code = "E_LTI_STATE"


class TokenRefused(LtiError):
    """What the LMS sent is not signed by it: {reason}."""

    code = "E_LTI_SIGNATURE"
    fix = "If opening it again does not help, the base compares the address of the key set with its LMS."


class ClaimRefused(LtiError):
    """What the LMS sent is not meant for this launch: {claim}."""

    code = "E_LTI_CLAIM"


class LaunchLate(LtiError):
    """The launch came too late: the LMS's word for it holds a minute."""

    code = "E_LTI_LATE"
    fix = "Open the tool again; if it happens each time, the clocks of the LMS and of this machine differ."


class DeploymentForeign(LtiError):
    """The LMS launched us from a deployment that was not registered here."""

    code = "E_LTI_DEPLOYMENT"
    fix = "The base adds the deployment id on the source's page, if it is its own."


class PlatformSilent(LtiError):
    """The LMS does not answer as it should: {reason}."""

    code = "E_LTI_SILENT"
    fix = "Try again in some minutes; if it stays so, the base looks at the addresses that were registered."


class TicketOver(LtiError):
    """This way in was used already, or is too old."""

    code = "E_LTI_TICKET"


class NumberNotFitting(LtiError):
    """That identity number does not belong to this account of the LMS, as far as we know."""

    code = "E_LTI_NUMBER"
    fix = "Compare it with the document; if it is right, the base enters it in the LMS, and the next sync brings it."


class PasswordFirst(LtiError):
    """This person has an account with a password here already."""

    code = "E_LTI_ACCOUNT"
    fix = "Sign in with it; the base can enter the identity number in the LMS, and the tool opens by itself then."


class RegistrationOver(LtiError):
    """This registration link is unknown, used, or expired."""

    code = "E_LTI_REGISTRATION"
    fix = "Make a new one on the source's page."


class RegistrationInvalid(LtiError):
    """{field}: {reason}"""

    code = "E_LTI_VALUES"
    fix = "Compare the values with those that the LMS shows."
