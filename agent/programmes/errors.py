"""What can go wrong with programmes."""

from __future__ import annotations

from agent.errors import USAGE, XueshiError


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
