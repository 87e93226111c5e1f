"""Why a paper was not made."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class PaperError(XueshiError):
    """The paper was not made."""

    code = "E_PAPER"
    exit_code = PERSON_NEEDED


class TooManyAlive(PaperError):
    """There are {most} of these in force already."""

    code = "E_PAPERS_ALIVE"
    fix = "Take one back, or wait until one expires."


class PurposeMissing(PaperError):
    """A purpose of 2 to 60 characters is wanted."""

    code = "E_PAPER_PURPOSE"
    fix = "Write who gets it, and for what."


class DaysInvalid(PaperError):
    """It is good for 1 to {most} days."""

    code = "E_PAPER_DAYS"
    fix = "Choose another number of days."


class NotInForce(PaperError):
    """The certificate is {state}, so there is no copy of it."""

    code = "E_PAPER_STATE"
    fix = "See its verify page for the reason."
