"""How Moodle speaks on the wire: PHP's parameters in, PHP's JSON or Moodle's XML out, and its errors.

Errors carry HTTP 200 and a body of ``exception``, ``errorcode`` and ``message``, exactly as recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl

MAX_INPUT_VARS = 1000
"""PHP drops every variable of a body behind this one, without a word (``max_input_vars``)."""

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder for each value
_EXCEPTION = "core\\exception\\"
ERRORS: dict[str, tuple[str, str]] = {
    "accessexception": ("webservice_access_exception", "Access control exception"),
    "cannotviewreport": (_EXCEPTION + "moodle_exception", "You cannot view this report"),
    "ex_unabletolock": ("core_cache\\exception\\cache_exception", "Unable to acquire a lock for caching."),
    "invalidparameter": (_EXCEPTION + "invalid_parameter_exception", "Invalid parameter value detected"),
    "invalidrecordunknown": ("dml_missing_record_exception", "Can't find data record in database."),
    "invalidtoken": (_EXCEPTION + "moodle_exception", "Invalid token - token not found"),
    "nocriteriaset": (_EXCEPTION + "moodle_exception", "No completion criteria set for this course"),
    "requireloginerror": (_EXCEPTION + "require_login_exception", "Course or activity not accessible."),
    "userdeleted": (_EXCEPTION + "moodle_exception", "error/userdeleted"),
    "usernotenroled": (_EXCEPTION + "moodle_exception", "User is not enrolled in this course"),
    "wsaccessusersuspended": (
        _EXCEPTION + "moodle_exception",
        "Refused web service access for suspended username: svc_ceplatform",
    ),
}


class MoodleError(Exception):
    """Moodle answers with an error: {errorcode}."""

    def __init__(self, errorcode: str) -> None:
        super().__init__(errorcode)
        exception, message = ERRORS.get(errorcode, (_EXCEPTION + "moodle_exception", f"error/{errorcode}"))
        self.body = {"exception": exception, "errorcode": errorcode, "message": message}


def php_json(value: Any) -> str:
    r"""``value`` as PHP's json_encode writes it: ASCII, no blanks, ``\/`` for a slash."""
    return _ENCODE(value).replace("/", "\\/")


def xml_answer(value: Any) -> str:
    """``value`` as the REST server writes it when nobody asked for JSON."""
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE>\n{_xml(value)}</RESPONSE>\n'


def xml_error(error: MoodleError) -> str:
    """The error as XML, as recorded."""
    body = {key: escape(text, quote=False) for key, text in error.body.items()}
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<EXCEPTION class="{body["exception"]}">\n'
        f"<ERRORCODE>{body['errorcode']}</ERRORCODE>\n<MESSAGE>{body['message']}</MESSAGE>\n</EXCEPTION>\n"
    )


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = "".join(f'<KEY name="{key}">{_xml(part)}</KEY>\n' for key, part in value.items())
        return f"<SINGLE>\n{inside}</SINGLE>\n"
    if isinstance(value, list):
        return "<MULTIPLE>\n" + "".join(_xml(part) for part in value) + "</MULTIPLE>\n"
    if value is None:
        return '<VALUE null="null"/>\n'
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f"<VALUE>{escape(text).replace('&#x27;', chr(39))}</VALUE>\n"


def php_params(query: str, limit: int | None = None) -> dict[str, Any]:
    """A query or form as PHP sees it: ``a[0][b]=1`` and ``a[]=1`` become nested dicts, of plain keys the last wins.

    :param limit: how many variables PHP takes before it drops the rest
    """
    found: dict[str, Any] = {}
    for variable, value in parse_qsl(query, keep_blank_values=True)[:limit]:
        name, bracket, _ = variable.partition("[")
        inner = re.findall(r"\[([^\]]*)\]", variable[len(name) :]) if bracket else []
        path = [name, *inner]
        place = found
        for step in path[:-1]:
            key = _step(step, place)
            held = place.get(key)
            if not isinstance(held, dict):  # nothing, or a plain value, which PHP replaces
                held = place[key] = {}
            place = held
        place[_step(path[-1], place)] = value
    return found


def _step(name: str, place: dict[str, Any]) -> str:
    """The key that ``[]`` stands for: one more than the largest number so far."""
    if name:
        return name
    return str(max((int(key) + 1 for key in place if key.isdigit()), default=0))
