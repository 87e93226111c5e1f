"""What can go wrong while landing."""

# ruff: noqa: E501 - a sentence that a person reads stays on one line

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError
from connectors.errors import Action, ConnectorError


class SourceUnknown(XueshiError):
    """There is no source named «{name}»; there are: {known}."""

    code = "E_SOURCE_UNKNOWN"
    fix = "Add it with `xueshi source add {name} --kind … --url …`."


class SourceNameTaken(XueshiError):
    """There is a source named «{name}» already."""

    code = "E_SOURCE_NAME"
    fix = "Choose another name; to change that source, use `xueshi source add`."


class UploadRefused(XueshiError):
    """The file {file} is not taken: {reason}."""

    code = "E_UPLOAD"
    fix = "Send a roster as .xlsx or .csv with at most 20 MB."


class TokenAgain(XueshiError):
    """The address of {name} is another place's now, and the stored token was given for the one before."""

    code = "E_TOKEN_AGAIN"
    fix = "Enter the token of the new place with its address."


class SourceStale(XueshiError):
    """Somebody else changed {name} meanwhile."""

    code = "E_SOURCE_STALE"
    fix = "Look at what they changed, and save again."
    exit_code = PERSON_NEEDED


class NotLookedAt(XueshiError):
    """The source {name} was not looked at as it is now, or the look found something to mend."""

    code = "E_NOT_CHECKED"
    fix = "Check it, mend what is named, and check it again."


class KindUnknown(XueshiError):
    """There is no kind of source named «{kind}»; there are: {known}."""

    code = "E_KIND_UNKNOWN"
    fix = "Use one of these with --kind, or install the package that brings the kind."


class SourceBusy(XueshiError):
    """The source {name} is being synced by another process."""

    code = "E_SOURCE_BUSY"
    fix = "Wait for it to end and run the sync again."
    exit_code = PERSON_NEEDED


class SourceResting(XueshiError):
    """The source {name} is left alone until {until}: it failed {failures} times in a row, the last time with {code}."""

    code = "E_SOURCE_RESTING"
    fix = "Mend what `xueshi source check {name}` says and run `xueshi sync {name}`: by hand it is tried at once."
    exit_code = PERSON_NEEDED


class SyncFailed(XueshiError):
    """The sync of {name} stopped. {reason} What was whole before that stays: {landed} rows."""

    fix = "{how}"
    exit_code = PERSON_NEEDED

    def __init__(self, error: ConnectorError | DoubtfulPull, *, name: str, landed: int) -> None:
        self.code = error.code  # type: ignore[misc] # a script wants to know the cause
        self.action = error.action
        super().__init__(name=name, reason=error.message, how=error.how_to_fix, landed=landed)


class Interrupted(XueshiError):
    """The pull of {name} was asked to stop; what is whole has landed."""

    code = "E_INTERRUPTED"
    fix = "Nothing to do: the next one goes on from there."
    exit_code = PERSON_NEEDED


class DoubtfulPull(XueshiError):
    """What the source {name} showed can't be the whole."""

    code = "E_DOUBTFUL"
    action = Action.CONFIGURE


class TooManyMissing(DoubtfulPull):
    """{lost} of the {known} rows that are known of {name} are not there any more, which is more than {share} %."""

    code = "E_TOO_MANY_MISSING"
    fix = "Look at the LMS (lost rights, a changed report, a restored backup). If they are really gone: `xueshi sync {name} --accept-missing`."


class NothingCame(DoubtfulPull):
    """The source {name} showed nothing at all, where the last {runs} pulls brought at least {usual} rows each."""

    code = "E_NOTHING_CAME"
    fix = "Look whether the report or its filter was changed; `xueshi source check {name}` says what is missing. The place that was reached stays."


class RangeInvalid(XueshiError):
    """The range from {since} to {until} can't be read: {reason}."""

    code = "E_RANGE"
    fix = "Give two days as YYYY-MM-DD, the first before the second; «to» is not part of it."


class SpansUnknown(XueshiError):
    """A source of kind {kind} can't read a range of time."""

    code = "E_NO_SPANS"
    fix = "Run `xueshi sync {name}`: it reads everything."


class BackfillOpen(XueshiError):
    """A backfill of {name} is not done yet: {range}."""

    code = "E_BACKFILL_OPEN"
    fix = "Finish it first: `xueshi backfill {name}` without a range goes on where it stopped."


class NoBackfill(XueshiError):
    """No backfill of {name} waits to be gone on with."""

    code = "E_NO_BACKFILL"
    fix = "Begin one: `xueshi backfill {name} --from 2023-01-01 --to 2024-01-01`."


class NotReplayable(XueshiError):
    """A source of kind {kind} can't read single rows again."""

    code = "E_NO_REPLAY"
    fix = "Run `xueshi sync {name}`: it reads everything again, and releases what makes sense now."
