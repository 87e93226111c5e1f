"""What can go wrong with programmes."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, USAGE, XueshiError


class ProgrammeFileInvalid(XueshiError):
    """{path}: nothing was imported; to be corrected first ({count}):

    {problems}"""  # noqa: D209 - the list ends the sentence

    code = "E_PROGRAMME_FILE"
    fix = "Correct the places named and import the file again. An example: connectors/testing/site/programmes.yaml."
    exit_code = USAGE

    @property
    def message(self) -> str:
        """The sentence, and a line for each problem."""
        head = " ".join((type(self).__doc__ or "").split("\n\n")[0].split())
        return "\n".join([head.format_map(self.params), *(f"  {p}" for p in self.params["problems"])])  # type: ignore[attr-defined] # a list by construction


class ProgrammeUnknown(XueshiError):
    """There is no programme «{key}»."""

    code = "E_PROGRAMME_UNKNOWN"
    fix = "See `xueshi programme list`; say region/year/KEY when a key is used twice."


class TransitionRefused(XueshiError):
    """{programme} is {state}; «{decision}» is not possible from there."""

    code = "E_TRANSITION"
    fix = "Possible now: {possible}."


class SourceAmbiguous(XueshiError):
    """The file maps courses, and there are several sources of kind {kind}: {names}."""

    code = "E_SOURCE_AMBIGUOUS"
    fix = "Say which one teaches them: --source NAME."


class FilingPatternInvalid(XueshiError):
    """The pattern of filing numbers, «{pattern}» (XUESHI_FILING_NUMBER), can't be used: {reason}."""

    code = "E_FILING_PATTERN"
    fix = "Write it with the words year, sequence and region in curly brackets, as agent/settings.py shows."


class FilingIncomplete(XueshiError):
    """The form of {programme} has {count} faults: {faults}"""

    code = "E_FILING_INCOMPLETE"
    fix = "Correct the fields named and submit it again."


class NotEditable(XueshiError):
    """{programme} is {state}: its form can't be written in now."""

    code = "E_FILING_NOT_EDITABLE"
    fix = "Withdraw it first, or ask the bureau to return it."


class DraftStale(XueshiError):
    """Somebody else saved the form of {programme} since it was opened ({by})."""

    code = "E_DRAFT_STALE"
    fix = "Look at both, choose, and save again; nothing is lost."


class DecisionStale(XueshiError):
    """Something happened to {programme} since it was looked at."""

    code = "E_DECISION_STALE"
    fix = "Look at it again and decide then."


class ReasonMissing(XueshiError):
    """«{decision}» needs a reason."""

    code = "E_REASON_MISSING"
    fix = "Say why; the reason is kept with the decision."


class CodeRefused(XueshiError):
    """«{code}» is no reason code of «{decision}»."""

    code = "E_REASON_CODE"
    fix = "Possible: {possible}."


class WaiverMissing(XueshiError):
    """{programme} was filed late; it can only be accepted with the code `waived` and a reason."""

    code = "E_WAIVER_MISSING"
    fix = "Say why it is allowed all the same, or return it."


class WrongDay(XueshiError):
    """«{decision}» is possible {when} only (the dates filed: {starts_on} to {ends_on})."""

    code = "E_WRONG_DAY"
    fix = "Wait for the day, or have the dates changed."


class NotByOneself(XueshiError):
    """{programme} is voided by two people: one proposes, another confirms."""

    code = "E_TWO_PEOPLE"
    fix = "Somebody else than who proposed it confirms it."


class OwnDecision(XueshiError):
    """{actor} handed in {programme}, or asked for this; «{decision}» is another person's."""

    code = "E_OWN_DECISION"
    fix = "Somebody else of the bureau decides."
    exit_code = PERSON_NEEDED


class ProposalOpen(XueshiError):
    """Somebody already proposed that {programme} be voided."""

    code = "E_PROPOSAL_OPEN"
    fix = "Another person confirms or drops it."


class NoProposal(XueshiError):
    """Nobody proposed that {programme} be voided."""

    code = "E_NO_PROPOSAL"
    fix = "Propose it first."


class AttachmentRefused(XueshiError):
    """The file «{name}» was not taken: {reason}."""

    code = "E_ATTACHMENT"
    fix = "PDF, PNG, JPG, DOCX or XLSX, 20 MB at most, by its content and its name."


class ScannerFailed(XueshiError):
    """The virus scanner (XUESHI_SCANNER) gave no verdict: {reason}."""

    code = "E_SCANNER"
    fix = "The administrator looks after the scanner; the file was not kept. Try again later."


class FateUnknown(XueshiError):
    """«{fate}» is not what can become of certificates and hours."""

    code = "E_FATE_UNKNOWN"
    fix = "revoke: they are taken back; honour: what was given stays."
