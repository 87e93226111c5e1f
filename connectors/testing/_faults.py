"""Switches that make the fake Moodle fail, each for one function or all, for some calls or until cleared.

A fault is *taken* by the call that it hits. ``after`` lets so many calls pass first, ``times`` ends it by itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

_RETRIEVE = "core_reportbuilder_retrieve_report"
_ENROLLED = "core_enrol_get_enrolled_users"
_COMPLETIONS = "local_xueshi_get_completions"
_PLUGIN = {_COMPLETIONS, "local_xueshi_get_digest", "local_xueshi_get_changes"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a switch does, its options with their defaults, and the one function that it concerns, if only one."""

    does: str
    options: dict[str, Any] = field(default_factory=dict)
    function: str | None = None


KINDS: dict[str, Kind] = {
    # the way to the site
    "slow": Kind("answers after so many seconds", {"seconds": 1.0}),
    "drip": Kind("sends its answer in pieces, a pause between them", {"seconds": 0.05, "bytes": 64}),
    "reset": Kind("breaks the connection off (RST) instead of an answer"),
    "closed": Kind("closes the connection without an answer"),
    "truncated": Kind("promises the whole answer, sends that part of it and closes", {"part": 0.5}),
    "huge": Kind("sends so many bytes; undeclared: without Content-Length", {"bytes": 64 << 20, "declared": True}),
    # answers of web servers and proxies
    "maintenance": Kind("503 with Moodle's maintenance page", {"retry_after": None}),
    "unavailable": Kind("503 with a short page", {"retry_after": None}),
    "rate_limited": Kind("429", {"retry_after": 1}),
    "server_error": Kind("500 with a page"),
    "not_found": Kind("404, as a web server says it where no Moodle is"),
    "disabled": Kind("403 without a body: web services or REST are switched off"),
    "redirect": Kind("303 to the right address, as for a wrong host name", {"location": None}),
    "html": Kind("200 with a log-in page"),
    "wrong_json": Kind("200 with JSON of another form", {"answer": {"unexpected": True}}),
    "broken_json": Kind("200 with JSON cut in the middle, its length declared rightly"),
    # what Moodle refuses
    "error": Kind("answers that errorcode", {"errorcode": "accessexception"}),
    "unable_to_lock": Kind("ex_unabletolock: a cold cache, rare and passing"),
    "invalid_token": Kind("invalidtoken"),
    "expired_token": Kind("accessexception once; the token is deleted by it, so invalidtoken from then on"),
    "access_refused": Kind("accessexception: address, service, authorisation or webservice/rest:use"),
    "suspended_account": Kind("wsaccessusersuspended: the service account"),
    "missing_function": Kind("the function is not in the service, nor in site_info"),
    "not_accessible": Kind("requireloginerror: a course that the account may not see"),
    "cannot_view": Kind("cannotviewreport: report/completion:view is missing"),
    # what Moodle gets wrong without a word
    "filter_ignored": Kind("the report comes unfiltered", {}, _RETRIEVE),
    "page_repeated": Kind("the report answers the page before the one asked for", {}, _RETRIEVE),
    "column_missing": Kind("a column is not there, headers and rows", {"column": "身份证号"}, _RETRIEVE),
    "column_renamed": Kind("a heading is another", {"column": "Time completed", "to": "Completion date"}, _RETRIEVE),
    "malformed_row": Kind("that row has lost its last cells", {"row": 0, "cells": 1}, _RETRIEVE),
    "bad_time": Kind("that row has this for its time of completion", {"row": 0, "text": "yesterday"}, _RETRIEVE),
    "totals_lie": Kind("totalrowcount is that much too large", {"by": 1}, _RETRIEVE),
    "list_cut": Kind("the plugin's list has lost its last rows", {"rows": 1}, _COMPLETIONS),
    "wrong_digest": Kind("the marks of the first block are off by so much", {"by": 1}, "local_xueshi_get_digest"),
    "log_cut": Kind("the plugin's log has lost its beginning", {}, "local_xueshi_get_changes"),
    "identity_unset": Kind("the plugin's setting names no field with the identity number", {}, _COMPLETIONS),
    "plugin_removed": Kind("the plugin is uninstalled: nobody knows its functions"),
    "empty": Kind("an empty list, as without rights", {}, _ENROLLED),
    "identity_hidden": Kind("no identity column, idnumber nor profile fields: moodle/user:viewalldetails is missing"),
}

ERRORCODES = {
    "unable_to_lock": "ex_unabletolock",
    "invalid_token": "invalidtoken",
    "access_refused": "accessexception",
    "suspended_account": "wsaccessusersuspended",
    "not_accessible": "requireloginerror",
    "cannot_view": "cannotviewreport",
}


@dataclass(slots=True)
class Fault:
    """One switch that is on."""

    kind: str
    function: str | None
    times: int | None
    after: int
    options: dict[str, Any]
    hits: int = 0

    def __getitem__(self, option: str) -> Any:
        return self.options[option]


class Faults:
    """The switches that are on. Safe to use while the site answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []

    def add(
        self, kind: str, *, function: str | None = None, times: int | None = None, after: int = 0, **options: Any
    ) -> Fault:
        """Switch a fault on.

        :param kind: one of `KINDS`
        :param function: only calls of this function; default: all, or the one that the kind concerns
        :param times: so many calls and no more; default: until cleared
        :param after: let so many matching calls pass first
        :raises ValueError: unknown kind or option, with those that there are
        """
        known = KINDS.get(kind)
        if known is None:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        unknown = options.keys() - known.options.keys()
        if unknown:
            raise ValueError(f"{kind} has no option {', '.join(sorted(unknown))}; it has: {', '.join(known.options)}")
        if kind == "missing_function" and function is None:
            raise ValueError("missing_function needs function=…, the function that is not in the service")
        fault = Fault(kind, function or known.function, times, after, {**known.options, **options})
        with self._lock:
            self._on.append(fault)
        return fault

    def clear(self, kind: str | None = None) -> None:
        """Switch all faults off, or those of one kind."""
        with self._lock:
            self._on = [fault for fault in self._on if kind not in (None, fault.kind)]

    def take(self, kind: str, function: str) -> Fault | None:
        """The fault of that kind that hits a call of ``function`` now, counted; None when there is none."""
        with self._lock:
            for fault in self._on:
                if fault.kind != kind or fault.function not in (None, function):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                self._on = [one for one in self._on if one.times is None or one.times > 0]
                return fault
        return None

    def missing_functions(self) -> set[str]:
        """The functions that are not in the service, or not there at all."""
        with self._lock:
            missing = {fault.function for fault in self._on if fault.kind == "missing_function" and fault.function}
            removed = any(fault.kind == "plugin_removed" and fault.after <= 0 for fault in self._on)
            return missing | _PLUGIN if removed else missing

    def listed(self) -> list[dict[str, Any]]:
        """What is on, as JSON can carry it."""
        with self._lock:
            return [
                {"kind": one.kind, "function": one.function, "times": one.times, "after": one.after, **one.options}
                for one in self._on
            ]
