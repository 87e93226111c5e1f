"""What can go wrong with a source: one small tree.

The class docstring is the sentence that a person reads (``{names}`` are filled in), ``code`` is stable and others may
script against it, ``fix`` names what to do, and ``action`` what the program does about it.
"""

# ruff: noqa: E501 - a sentence that a person reads stays on one line, so that it can be searched for
from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Action(StrEnum):
    """What an error asks for. The whole table of errors is this file: one class, one row."""

    RETRY = "retry"  # the same call again, soon
    WAIT = "wait"  # again too, but the site asks for time, or is not there
    CONFIGURE = "configure"  # a person's turn: at the LMS, or in the source's options
    SKIP = "skip"  # that row says nothing: leave it out and count it
    BUG = "bug"  # ours to mend

    @property
    def again(self) -> bool:
        """Whether the same call may go well by itself later."""
        return self in (Action.RETRY, Action.WAIT)


class ConnectorError(Exception):
    """The source {source} could not be read."""

    code: ClassVar[str] = "E_SOURCE"
    fix: ClassVar[str] = "Run `xueshi source check NAME` and follow what it says."
    action: ClassVar[Action] = Action.CONFIGURE

    def __init__(self, **params: object) -> None:
        self.params = {"source": "?", **params}
        super().__init__(self.message)

    @property
    def retry(self) -> bool:
        """Whether the same call may go well by itself later."""
        return self.action.again

    @property
    def message(self) -> str:
        """The sentence, one line, with the parameters filled in. Never holds a token or an identity number."""
        return " ".join((type(self).__doc__ or "").format_map(_Shown(self.params)).split())

    @property
    def how_to_fix(self) -> str:
        """What to do about it, with the parameters filled in."""
        return self.fix.format_map(_Shown(self.params))


class _Shown(dict[str, object]):
    """A missing parameter shows as «?»: an error about an error helps nobody."""

    def __missing__(self, key: str) -> str:
        return "?"


# --- the way to the source ---------------------------------------------------------------------------------------
class Unreachable(ConnectorError):
    """{url} does not answer ({reason})."""

    code = "E_UNREACHABLE"
    fix = "Check the address and that the server runs and can be reached from here; the next sync tries again."
    action = Action.WAIT


class AddressForbidden(ConnectorError):
    """{url} leads to the address {address}, which is private to a machine or a network."""

    code = "E_ADDRESS_PRIVATE"
    fix = "If this is meant, add the source with --allow-private; otherwise correct the address."


class AddressInvalid(ConnectorError):
    """{url} is not an address that can be called: {reason}."""

    code = "E_ADDRESS_INVALID"
    fix = "Give it as https://host/path (or http:// with --allow-private)."


class CertificateRefused(ConnectorError):
    """The certificate of {url} is not accepted: {reason}."""

    code = "E_CERTIFICATE"
    fix = "Have the LMS's administrator install a valid certificate with its chain for this name. One of your own authority: --option ca_file=«path of its PEM file»."


class Redirected(ConnectorError):
    """{url} answers with a redirect (HTTP {status}) to {location}, and a redirect loses the question."""

    code = "E_REDIRECTED"
    fix = "Use the address that the site itself uses (Moodle: $CFG->wwwroot), with the right http or https and host."


class Busy(ConnectorError):
    """{url} asks to wait ({reason})."""

    code = "E_BUSY"
    fix = "Nothing to do: the next sync tries again. If it lasts, ask the LMS's administrator about limits."
    action = Action.WAIT


class Maintenance(ConnectorError):
    """{url} is in maintenance or overloaded ({reason})."""

    code = "E_MAINTENANCE"
    fix = "Nothing to do here: the next sync tries again when the site is back."
    action = Action.WAIT


class Refused(ConnectorError):
    """{url} refuses the call (HTTP {status})."""

    code = "E_REFUSED"
    fix = "Moodle: Site administration > Advanced features > Enable web services, and Plugins > Web services > Manage protocols > REST."


class WrongAddress(ConnectorError):
    """There is no web service at {url} (HTTP {status})."""

    code = "E_NOT_FOUND"
    fix = "Check the address: it is the front page's address of the LMS, without /login or /webservice."


class NotJson(ConnectorError):
    """{url} answered something that is not JSON ({content_type}, beginning «{start}»)."""

    code = "E_NOT_JSON"
    fix = "Open the address in a browser: often it is another site, a login page, or a proxy's page."


class Truncated(ConnectorError):
    """The answer of {url} ended before it was whole ({reason})."""

    code = "E_TRUNCATED"
    fix = "The next sync tries again. If it lasts, a proxy or a memory limit of the LMS cuts long answers."
    action = Action.RETRY


class TooLarge(ConnectorError):
    """The answer of {url} is larger than {limit} bytes."""

    code = "E_TOO_LARGE"
    fix = "Lower the source's page size: --option page_size=1000."


class Malformed(ConnectorError):
    """{what} of {url} does not have the expected form: {reason}."""

    code = "E_MALFORMED"
    fix = "The LMS may have been upgraded or changed. Run `xueshi source check NAME`; nothing was taken over from this page."
    action = Action.BUG


# --- rights and configuration ------------------------------------------------------------------------------------
class TokenMissing(ConnectorError):
    """No token is stored for the source {source}."""

    code = "E_TOKEN_MISSING"
    fix = "Put the token in a file and run `xueshi source add NAME … --token-file FILE` again."


class TokenInvalid(ConnectorError):
    """The site does not know the token."""

    code = "E_TOKEN_INVALID"
    fix = "Make a token for the service account (Site administration > Server > Web services > Manage tokens) and store it with `xueshi source add NAME … --token-file FILE`."


class AccessRefused(ConnectorError):
    """The site refuses the service account ({errorcode}): token expired, service switched off, address not allowed, or user not authorised."""

    code = "E_ACCESS"
    fix = "Site administration > Server > Web services: is the service enabled, is the user authorised for it, is the token still valid, is this machine's address allowed? Does the role have webservice/rest:use?"


class FunctionMissing(ConnectorError):
    """The web service does not offer the function {function}."""

    code = "E_FUNCTION_MISSING"
    fix = "Site administration > Server > Web services > External services > (the service) > Functions > Add functions: {function}. If the list there lacks it, this Moodle is too old for it, or the plugin that brings it is not installed (docs/moodle.md)."


class CapabilityMissing(ConnectorError):
    """The service account lacks the right {capability}, needed for {function}."""

    code = "E_CAPABILITY_MISSING"
    fix = "Site administration > Users > Permissions > Define roles > (the service account's role): allow {capability} in the system context."


class AccountSuspended(ConnectorError):
    """The site does not let the service account in: suspended, deleted, not confirmed, or something left to do for it ({errorcode})."""

    code = "E_ACCOUNT_SUSPENDED"
    fix = "Site administration > Users > Browse list of users: activate the service account again. If it is active, sign in with it once and do what the site asks (policy, password, profile)."


class TokenExpired(ConnectorError):
    """The token has expired, and the site has deleted it."""

    code = "E_TOKEN_EXPIRED"
    fix = "Make a new token for the service account (Site administration > Server > Web services > Manage tokens), with a later end, and store it with `xueshi source add NAME … --token-file FILE`."


class ReportMissing(ConnectorError):
    """There is no report {report} that the service account may see."""

    code = "E_REPORT_MISSING"
    fix = "Site administration > Reports > Report builder > Custom reports: make the report (docs/moodle.md), give the service account as audience, and set --option report_id=N."


class ReportAmbiguous(ConnectorError):
    """Several reports would do ({reports}), and no one said which."""

    code = "E_REPORT_AMBIGUOUS"
    fix = "Name the right one: --option report_id=N."


class ColumnMissing(ConnectorError):
    """The report lacks the column {column}; it has: {headers}."""

    code = "E_COLUMN_MISSING"
    fix = "Open the report in Report builder and add the column. An identity column that is there but not shown needs moodle/user:viewalldetails for the service account. Renamed columns: --option column.{name}=«its title»."


class IdentityFieldWrong(ConnectorError):
    """The companion plugin takes identity numbers from {found}, and they are wanted from {wanted}."""

    code = "E_IDENTITY_FIELD"
    fix = "Site administration > Plugins > Local plugins > xueshi > Identity number: choose the field that holds it. If the plugin is right, correct --option identity_field=…."


class ClockWrong(ConnectorError):
    """The clock of {url} is {minutes} minutes off from ours."""

    code = "E_CLOCK"
    fix = "Have the LMS's administrator set the server's clock by NTP, and look at this machine's own clock: completions near midnight would count for the wrong day."


class TimesUnreadable(ConnectorError):
    """The report writes its times in a way that is not understood («{found}»)."""

    code = "E_TIMES_UNREADABLE"
    fix = "Set the service account's language to English (Site administration > Users > the account > Edit profile > Preferred language)."


class CallInvalid(ConnectorError):
    """The site did not understand our call of {function} ({errorcode})."""

    code = "E_CALL_INVALID"
    fix = (
        "That is an error of this program, or a Moodle that it does not know: please report it with the site's release."
    )
    action = Action.BUG


class NothingThere(ConnectorError):
    """The site has nothing to tell here ({errorcode})."""

    code = "E_NOTHING_THERE"
    fix = "Nothing to do: the row is left out and counted."
    action = Action.SKIP


class RecordMissing(ConnectorError):
    """The site does not find what {function} asks for ({errorcode})."""

    code = "E_RECORD_MISSING"
    fix = "It was deleted, or the number is wrong. Run `xueshi source check NAME`."


class OptionInvalid(ConnectorError):
    """The option {option} can't be «{value}»: {reason}."""

    code = "E_OPTION"
    fix = "Correct it with `xueshi source add NAME … --option {option}=…`."


# --- answers that contradict themselves --------------------------------------------------------------------------
class FilterIgnored(ConnectorError):
    """The report was asked for {window} and answered a row dated {found}: its filter is not in force."""

    code = "E_FILTER_IGNORED"
    fix = "Add the filter «Time completed» to the report (Report builder > the report > Filters). If it is there, another program uses the same account and report at the same time: give each its own."


class TotalsDiffer(ConnectorError):
    """The source says it has {expected} rows in {window} and gave {got}."""

    code = "E_TOTALS"
    fix = "Nothing of this page was taken over. The next sync tries again; if it lasts, run `xueshi source check NAME`."
    action = Action.RETRY


class PageRepeated(ConnectorError):
    """The source gave the same row twice ({window}): a page was repeated."""

    code = "E_PAGE_REPEATED"
    fix = "Nothing of this page was taken over. If it lasts, a cache in front of the LMS answers old pages: exclude /webservice/ from it."
    action = Action.RETRY


class LogCut(ConnectorError):
    """The source's log of changes begins at {first}, behind {after}, up to where we had read it."""

    code = "E_LOG_CUT"
    fix = "Nothing to do: the next sync compares everything and goes on from there."
    action = Action.RETRY


class LogBegunAnew(LogCut):
    """The source's log of changes ends at {last}, before {after}, up to where we had read it: it was begun anew."""


class DigestWrong(ConnectorError):
    """The source's digest of the rows {first} to {last} does not fit the rows themselves."""

    code = "E_DIGEST"
    fix = "Run `xueshi sync NAME` again. If it lasts, please report it with the plugin's version; what has landed is right."
    action = Action.RETRY


class UnknownAnswer(ConnectorError):
    """The site answered an error that we do not know: {errorcode}."""

    code = "E_UNKNOWN_ANSWER"
    fix = "Please report it with the errorcode; nothing was taken over."
    action = Action.BUG


class BudgetSpent(ConnectorError):
    """The site may be asked {budget} times an hour, and was."""

    code = "E_BUDGET"
    fix = "Nothing to do: the next sync goes on after {until}. For more, `xueshi source schedule NAME --budget N`, when the LMS's administrator agrees."
    action = Action.WAIT


# --- files -------------------------------------------------------------------------------------------------------
class FileMissing(ConnectorError):
    """There is no readable file at {path}."""

    code = "E_FILE_MISSING"
    fix = "Check the path and its rights."


class FileBroken(ConnectorError):
    """{path} can't be read as {format}: {reason}."""

    code = "E_FILE_BROKEN"
    fix = "Open it in the spreadsheet program and save it again as .xlsx, or export it as CSV (UTF-8)."


class FileTooLarge(ConnectorError):
    """{path} would unpack to more than {limit} bytes."""

    code = "E_FILE_TOO_LARGE"
    fix = "Send one class a file, without pictures; up to 200,000 rows fit easily."


class FileEncoding(ConnectorError):
    """{path} is neither UTF-8 nor GB 18030 (byte {position})."""

    code = "E_FILE_ENCODING"
    fix = "Save it as «CSV UTF-8» from the spreadsheet program."


class HeaderMissing(ConnectorError):
    """{path} has no row of headings with {column}; rows 1 to {searched} were looked at."""

    code = "E_HEADER_MISSING"
    fix = "Start from the template: `xueshi roster template -o FILE`."
