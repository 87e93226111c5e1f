"""Calls of Moodle's web services: forms as PHP reads them, answers as JSON, errors by their code.

Vocabulary: a *function* is one operation of the web service (``core_course_get_courses_by_field``); *settings* are the
``moodlewssetting…`` fields that say how texts and times are to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from connectors.base import SourceConfig
from connectors.errors import (
    AccessRefused,
    CapabilityMissing,
    FunctionMissing,
    Malformed,
    RecordMissing,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)
from connectors.http import Form, HttpSession, Judge, Limits
from connectors.moodle.errorcodes import CAPABILITY, error_for, errorcode_of

SITE_INFO = "core_webservice_get_site_info"
COURSES = "core_course_get_courses_by_field"
ENROLLED = "core_enrol_get_enrolled_users"
STATUS = "core_completion_get_course_completion_status"
USERS = "core_user_get_users_by_field"
REPORTS = "core_reportbuilder_list_reports"
RETRIEVE = "core_reportbuilder_retrieve_report"
SET_FILTERS = "core_reportbuilder_set_filters"
RESET_FILTERS = "core_reportbuilder_filters_reset"

COMPLETIONS = "local_xueshi_get_completions"
DIGEST = "local_xueshi_get_digest"
CHANGES = "local_xueshi_get_changes"

PLUGIN_FUNCTIONS = (COMPLETIONS, DIGEST, CHANGES)
REPORT_FUNCTIONS = (RETRIEVE, SET_FILTERS, RESET_FILTERS)
ENROLLED_FUNCTIONS = (COURSES, ENROLLED, STATUS)

MAX_FIELDS = 900
"""PHP drops what comes behind 1,000 fields (``max_input_vars``) without a word, so we never come near."""

_PATH = "/webservice/rest/server.php"


class MoodleClient:
    """Calls the functions of one site's web service."""

    def __init__(self, config: SourceConfig, *, limits: Limits | None = None) -> None:
        self.http = HttpSession(
            config.url,
            allow_private=config.allow_private,
            limits=limits,
            ca_file=config.options.get("ca_file", ""),
            before=config.before_call,
        )
        self._name = config.name
        self._token = config.token
        self._functions: dict[str, int] | None = None

    @property
    def functions(self) -> frozenset[str]:
        """The functions that the service offers; asked once."""
        if self._functions is None:
            self.site_info()
        return frozenset(self._functions or ())

    def version(self, function: str) -> int:
        """The version of what brings ``function``, as the service said it; 0 where it did not, or was not asked."""
        return (self._functions or {}).get(function, 0)

    @property
    def asked(self) -> bool:
        """Whether the service has been asked what it offers."""
        return self._functions is not None

    def forget(self) -> None:
        """Ask anew what the service offers: somebody may mend it."""
        self._functions = None

    def site_info(self) -> dict[str, Any]:
        """What the site says of itself, of the account and of the service."""
        info = self.call(SITE_INFO)
        offered = info.get("functions") if isinstance(info, dict) else None
        if not isinstance(offered, list):
            raise Malformed(what=SITE_INFO, url=self.http.url, reason="it has no list of functions")
        self._functions = {
            one["name"]: whole_of(text_of(one.get("version")).partition(".")[0]) or 0
            for one in offered
            if isinstance(one, dict) and "name" in one
        }
        return dict(info)

    def call(
        self, function: str, /, *, settings: Mapping[str, str] | None = None, patient: bool = True, **params: Any
    ) -> Any:
        """The answer of ``function``.

        :param settings: how to write texts and times: ``{"timezone": "UTC"}``, ``{"raw": "1"}``
        :param patient: whether to ask again when that may help
        :param params: its parameters; lists and mappings become PHP arrays
        :raises ConnectorError: by `ERRORCODES`; where Moodle only says «access», what lies behind it
        :raises ValueError: more fields than PHP would read
        """
        return self._made_out(function, lambda: self._post(function, settings or {}, params, patient=patient))

    def call_ahead(self, function: str, /, **params: Any) -> Callable[[], Any]:
        """As `call`; its answer comes while the caller goes on, and is given, or raised, by what is returned here."""
        form, judge = self._form(function, {}, params)
        return partial(self._made_out, function, self.http.post_ahead(_PATH, form, judge))

    def _made_out(self, function: str, answer: Callable[[], Any]) -> Any:
        try:
            return answer()
        except AccessRefused as error:
            refused: AccessRefused | RecordMissing = error
        except RecordMissing as error:
            # Moodle says the same of a missing row and of a function that this version does not have; the plugin's ask
            # for no row
            if self._functions is None or (function in self._functions and function not in PLUGIN_FUNCTIONS):
                raise
            refused = error
        raise self._cause_of(refused, function)

    def _post(
        self, function: str, settings: Mapping[str, str], params: Mapping[str, Any], *, patient: bool = True
    ) -> Any:
        form, judge = self._form(function, settings, params)
        return self.http.post(_PATH, form, judge, patient=patient)

    def _form(
        self, function: str, settings: Mapping[str, str], params: Mapping[str, Any]
    ) -> tuple[Callable[[], Form], Judge]:
        """What makes the fields of a call, and what judges its answer."""
        if not self._token.get_secret_value():
            raise TokenMissing(source=self._name)
        head = [("wsfunction", function), ("moodlewsrestformat", "json")]
        head += [(f"moodlewssetting{name}", value) for name, value in settings.items()]
        fields = [*head, *php_fields(params)]
        if len(fields) > MAX_FIELDS:
            raise ValueError(f"{function} would be called with {len(fields)} fields; PHP reads 1,000")

        def form() -> list[tuple[str, str]]:
            return [("wstoken", self._token.get_secret_value()), *fields]

        def judge(answer: Any) -> None:
            if code := errorcode_of(answer):
                raise error_for(code, function, self.http.url)

        return form, judge

    def _cause_of(self, refused: AccessRefused | RecordMissing, function: str) -> Exception:
        """What «access control exception» means: ask for site_info, and compare."""
        try:
            info = self._post(SITE_INFO, {}, {})
        except TokenInvalid:  # the call before found the token expired, and Moodle deleted it
            return TokenExpired()
        except AccessRefused as error:
            return error
        offered = {one.get("name") for one in info.get("functions", ()) if isinstance(one, dict)}
        if function not in offered:
            return FunctionMissing(function=function)
        if function == SITE_INFO or isinstance(refused, RecordMissing):
            return refused
        return CapabilityMissing(function=function, capability=CAPABILITY.get(function, "that the function asks for"))


def php_fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """``value`` as the fields of a form that PHP reads as arrays: ``values[0]=…``, ``options[0][name]=…``.

    JSON bodies are ignored by Moodle, and a repeated plain name is an invalid parameter. None is left out.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from php_fields(inner, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for place, inner in enumerate(value):
            yield from php_fields(inner, f"{name}[{place}]")
    elif isinstance(value, bool):
        yield name, str(int(value))
    elif value is not None:
        yield name, str(value)


def text_of(value: Any) -> str:
    """A field that may be missing, null or a number, as text."""
    return "" if value is None else str(value)


def whole_of(value: Any) -> int | None:
    """A field that should be a whole number, None when it is not."""
    with suppress(TypeError, ValueError):
        return int(value)
    return None
