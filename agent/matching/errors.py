"""What can go wrong with decisions about held rows."""

from __future__ import annotations

from agent.errors import XueshiError


class NothingToDecide(XueshiError):
    """Nothing is to be decided about {code}: it is released when its cause is mended."""

    code = "E_NO_DECISION"
    fix = "See what mends it: xueshi quarantine show NUMBER."


class NoLongerHeld(XueshiError):
    """The item {number} waits no more: it was released, or its row was corrected."""

    code = "E_HELD_GONE"
    fix = "Look at the list again; there may be nothing left to do."


class PersonNotFitting(XueshiError):
    """The row {number} bears the name «{name}», which is not that person's."""

    code = "E_PERSON_OTHER_NAME"
    fix = "Choose somebody of that name; where the name is wrong, correct it in the LMS."


class DecisionUnknown(XueshiError):
    """There is no decision number {number} in force."""

    code = "E_DECISION_UNKNOWN"
    fix = "See `xueshi quarantine decisions`."


class DecisionReasonMissing(XueshiError):
    """A decision needs its reason."""

    code = "E_REASON"
    fix = "Say in a few words why; it is kept with the decision."
