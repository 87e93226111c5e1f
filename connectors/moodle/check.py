"""`check`: whether a sync would bring everything, and what a person has to click where it would not.

Each look is made by itself and its error becomes a problem, so that one visit to Moodle can mend all that is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from connectors.errors import (
    CapabilityMissing,
    ClockWrong,
    ColumnMissing,
    ConnectorError,
    FilterIgnored,
    FunctionMissing,
    ReportMissing,
    TimesUnreadable,
)
from connectors.moodle.client import (
    CHANGES,
    COMPLETIONS,
    COURSES,
    DIGEST,
    ENROLLED,
    ENROLLED_FUNCTIONS,
    PLUGIN_FUNCTIONS,
    REPORT_FUNCTIONS,
    REPORTS,
    STATUS,
    MoodleClient,
    text_of,
)
from connectors.moodle.courses import raw_courses
from connectors.moodle.enrolled import Enrolments
from connectors.moodle.errorcodes import CAPABILITY
from connectors.moodle.plugin import Plugin
from connectors.moodle.report import PARTICIPANTS, SAMPLE, Report
from connectors.moodle.sheet import Sheet
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.records import Block, CheckResult, Problem

_NOBODY = Window(4_102_444_800, 4_102_444_860)  # a minute of 2100: a report whose filter works is empty there
_COURSES_TO_TRY = 20
_CLOCK_MAY_DIFFER = 600  # seconds
CAPABILITIES = (
    *("plugin_functions", "plugin_readable", "plugin_digest", "plugin_changes", "clock"),
    *("site_info", "report_functions", "report_readable", "report_columns", "identity_column", "time_filter"),
    *(
        "enrolled_functions",
        "course_list",
        "participants",
        "completion_status",
        "completion_time",
        "account_in_english",
    ),
)


class Check:
    """One look at a site. ``capabilities`` says what was seen to work; what was not looked at, or did not, is False."""

    def __init__(self, client: MoodleClient, report: Report, plugin: Plugin, identity: str) -> None:
        self._client = client
        self._report = report
        self._plugin = plugin
        self._enrolments = Enrolments(client, identity)
        self.capabilities = dict.fromkeys(CAPABILITIES, False)
        self.problems: list[Problem] = []
        self._site = self._release = ""

    def run(self, route: str, find_route: Callable[[], str]) -> CheckResult:
        """Look at everything that the route needs.

        :param route: what a person wants: ``auto``, ``plugin``, ``report``, ``enrolled``
        :param find_route: what a sync would take for ``auto``
        """
        taken = "none"
        with self._noting():
            self._look_at_site()
        if self.capabilities["site_info"]:
            with self._noting():
                taken = find_route() if route == "auto" else route
            if taken == "enrolled" and route == "auto":
                self._look_why_no_report()
            if taken != "plugin" and route == "auto" and self._client.functions.intersection(PLUGIN_FUNCTIONS):
                self._note(FunctionMissing(function=COMPLETIONS))  # it is installed, and half of it can't be used
            if not self._look_at_functions(taken) or not self._look_at_route(taken):
                taken = "none"
            with self._noting():
                self._look_at_courses(taken)
        return CheckResult(not self.problems, self._site, self._release, taken, self.capabilities, self.problems)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except ConnectorError as error:
            self._note(error)

    def _note(self, error: ConnectorError) -> None:
        problem = Problem(error.code, error.message, error.how_to_fix)
        if problem not in self.problems:
            self.problems.append(problem)

    def _look_at_functions(self, taken: str) -> bool:
        """Whether the service offers what the route needs."""
        routes = {"plugin": PLUGIN_FUNCTIONS, "report": REPORT_FUNCTIONS, "enrolled": ENROLLED_FUNCTIONS}
        for name, functions in routes.items():
            self.capabilities[f"{name}_functions"] = self._client.functions.issuperset(functions)
        missing = [one for one in routes.get(taken, ()) if one not in self._client.functions]
        for function in missing:
            self._note(FunctionMissing(function=function))
        return not missing or (taken == "plugin" and COMPLETIONS not in missing)  # without the others it is slower

    def _look_at_route(self, taken: str) -> bool:
        """Whether it can be taken, be it with faults."""
        if taken == "plugin":
            return self._look_at_plugin()
        return taken != "report" or self._look_at_report()

    def _look_why_no_report(self) -> None:
        """The slower route that knows less is a problem that a person can mend."""
        missing = [one for one in (REPORTS, *REPORT_FUNCTIONS) if one not in self._client.functions]
        for function in missing:
            self._note(FunctionMissing(function=function))
        if not missing:
            self._note(ReportMissing(report=PARTICIPANTS))

    def _look_at_site(self) -> None:
        info = self._client.site_info()
        self._site, self._release = text_of(info.get("sitename")), text_of(info.get("release"))
        self.capabilities["site_info"] = True
        self.capabilities["account_in_english"] = text_of(info.get("lang")).startswith("en")

    # --- the plugin --------------------------------------------------------------------------------------------
    def _look_at_plugin(self) -> bool:
        with self._noting():
            answer = self._plugin.look()
            for name in ("plugin_readable", "completion_time"):
                self.capabilities[name] = True
            off = answer.servertime - time.time()
            self.capabilities["clock"] = abs(off) <= _CLOCK_MAY_DIFFER
            if not self.capabilities["clock"]:
                self._note(ClockWrong(url=self._client.http.url, minutes=round(off / 60)))
            self._plugin.require_identity(answer)
            self.capabilities["identity_column"] = True
        if not self.capabilities["plugin_readable"]:
            return False
        if DIGEST in self._client.functions:
            with self._noting():
                self._plugin.digests.now(Block(1, 1, 0, 0))
                self.capabilities["plugin_digest"] = True
        if CHANGES in self._client.functions:
            with self._noting():
                self._plugin.log.reach()
                self.capabilities["plugin_changes"] = True
        return True

    # --- the report --------------------------------------------------------------------------------------------
    def _look_at_report(self) -> bool:
        """Whether there is a report for the account, be it one with faults."""
        try:
            with self._noting():
                sheet = self._report.ask(self._report.whole, SAMPLE)
                self.capabilities["report_readable"] = True
                self._look_at_columns(sheet)
                if sheet.rows:
                    self._look_at_filter()
        finally:
            self._report.release()
        return self.capabilities["report_readable"]

    def _look_at_columns(self, sheet: Sheet) -> None:
        try:
            columns = self._report.columns_of(sheet)
        except ColumnMissing as error:
            self.capabilities["identity_column"] = error.params["name"] != "identity_field"
            self._note(error)
            return
        self.capabilities["report_columns"] = self.capabilities["identity_column"] = True
        shown = [text_of(row["columns"][columns.time]) for row in sheet.rows if len(row["columns"]) > columns.time]
        self.capabilities["completion_time"] = any(ReportTimes().epoch(one) is not None for one in shown)
        if shown and not self.capabilities["completion_time"]:
            self._note(TimesUnreadable(found=shown[0][:60]))

    def _look_at_filter(self) -> None:
        """Ask for a minute in which nobody can have completed anything; a filter not in force answers all the same."""
        empty = self._report.ask(_NOBODY, 1)
        if empty.total:
            raise FilterIgnored(window=_NOBODY, found="at another time")
        self.capabilities["time_filter"] = True

    # --- courses and people ------------------------------------------------------------------------------------
    def _look_at_courses(self, route: str) -> None:
        courses = raw_courses(self._client)
        if not courses:  # an empty list is how Moodle says «no right»
            raise CapabilityMissing(function=COURSES, capability=CAPABILITY[COURSES])
        self.capabilities["course_list"] = True
        if route == "enrolled":
            self._look_at_people(courses)

    def _look_at_people(self, courses: list[dict[str, Any]]) -> None:
        for course in courses[:_COURSES_TO_TRY]:
            people = next(self._enrolments.people_of(course), [])
            if not people:
                continue
            self.capabilities["participants"] = True
            self.capabilities["identity_column"] = any(map(self._enrolments.identity_of, people))
            if not self.capabilities["identity_column"] or not all(one.get("username") for one in people):
                self._note(CapabilityMissing(function=ENROLLED, capability="moodle/user:viewalldetails"))
            if course.get("enablecompletion") == 0:
                continue
            self._enrolments.status_or_none(course, people[0])
            self.capabilities["completion_status"] = True
            return
        if not self.capabilities["participants"]:
            raise CapabilityMissing(function=ENROLLED, capability=CAPABILITY[ENROLLED])
        raise CapabilityMissing(function=STATUS, capability=CAPABILITY[STATUS])
