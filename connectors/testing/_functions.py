"""The web service functions that the fake plays, answering as recorded.

Each takes a `Call` and returns what Moodle would encode; parameters are checked before, as Moodle does: one missing,
of the wrong type, or unknown is ``invalidparameter``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.testing import _shapes as shapes
from connectors.testing._companion import Companion
from connectors.testing._faults import Faults
from connectors.testing._report import Report
from connectors.testing._site import Enrolment, Person, Site, Taught
from connectors.testing._wire import MoodleError, php_json

COMPLETIONS = "local_xueshi_get_completions"
DIGEST = "local_xueshi_get_digest"
CHANGES = "local_xueshi_get_changes"
PLUGIN = (COMPLETIONS, DIGEST, CHANGES)

ACCOUNT_ZONE = ZoneInfo("Asia/Shanghai")
"""The service account's own zone: whoever forgets ``moodlewssettingtimezone`` reads times eight hours off."""

# Functions that every Moodle has and this service does not offer; any other name is unknown to the database.
OUTSIDE_THE_SERVICE = frozenset({"core_user_create_users", "core_user_delete_users", "core_user_update_users"})


class Encoded(str):
    """An answer that is JSON already: the report, put together from prepared rows."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call, authenticated and with its parameters checked."""

    site: Site
    report: Report
    companion: Companion | None  # the plugin, where it is installed
    faults: Faults
    url: str
    function: str
    args: dict[str, Any]
    settings: dict[str, str]

    @property
    def zone(self) -> tzinfo:
        """The zone that times are printed in."""
        asked = self.settings.get("moodlewssettingtimezone", "")
        if asked == "UTC":
            return UTC
        try:
            return ZoneInfo(asked) if asked else ACCOUNT_ZONE
        except (ZoneInfoNotFoundError, ValueError):
            return ACCOUNT_ZONE

    @property
    def naming(self) -> str:
        """Which of a course's names is answered."""
        if self.settings.get("moodlewssettingraw") == "1":
            return "raw"
        return "filtered" if self.settings.get("moodlewssettingfilter") == "1" else "default"


Play = Callable[[Call], Any]
REQUIRED = object()
INT, TEXT, LIST = "int", "text", "list"
Params = dict[str, tuple[str, Any]]
FUNCTIONS: dict[str, tuple[Play, Params]] = {}


def plays(function: str, **params: tuple[str, Any]) -> Callable[[Play], Play]:
    """Register a function with its parameters: ``name=(type, default or REQUIRED)``."""

    def register(play: Play) -> Play:
        FUNCTIONS[function] = (play, params)
        return play

    return register


def checked(params: Params, given: dict[str, Any]) -> dict[str, Any]:
    """``given`` with types and defaults, or `MoodleError` ``invalidparameter``."""
    if given.keys() - params.keys():
        raise MoodleError("invalidparameter")
    args: dict[str, Any] = {}
    for name, (kind, default) in params.items():
        value = given.get(name, default)
        whole = kind == INT and isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value)
        if value is REQUIRED or (name in given and (kind == LIST) != isinstance(value, dict)):
            raise MoodleError("invalidparameter")
        if kind == INT and name in given and not whole:
            raise MoodleError("invalidparameter")
        args[name] = int(value) if whole and value is not None else value
    return args


# --- the site and its courses ------------------------------------------------------------------------------------
@plays("core_webservice_get_site_info")
def _site_info(call: Call) -> Any:
    info = shapes.here(call.site.facts["info"], call.url)
    missing = call.faults.missing_functions()
    if call.companion is not None:
        info["functions"] += [{"name": name, "version": call.companion.version} for name in PLUGIN]
    info["functions"] = [one for one in info["functions"] if one["name"] not in missing]
    return info


@plays("core_course_get_categories", criteria=(LIST, None), addsubcategories=(INT, 1))
def _categories(call: Call) -> Any:
    wanted = {one.get("key"): one.get("value") for one in (call.args["criteria"] or {}).values()}
    if wanted.keys() - {"id", "ids", "name", "parent"}:
        raise MoodleError("invalidparameter")
    ids = wanted.pop("ids", "").split(",") if "ids" in wanted else None
    return [
        one
        for one in call.site.facts["categories"]
        if all(str(one[key]) == value for key, value in wanted.items()) and (ids is None or str(one["id"]) in ids)
    ]


@plays("core_course_get_courses", options=(LIST, None))
def _courses(call: Call) -> Any:
    front = call.site.facts["front_page"]["listed"]
    listed = [front, *(shapes.listed_course(one, call.naming) for one in call.site.courses.values())]
    ids = (call.args["options"] or {}).get("ids")
    return listed if not ids else [one for one in listed if str(one["id"]) in ids.values()]


@plays("core_course_get_courses_by_field", field=(TEXT, ""), value=(TEXT, ""))
def _courses_by_field(call: Call) -> Any:
    name, value = call.args["field"], call.args["value"]
    tests: dict[str, Callable[[Taught], bool]] = {
        "": lambda _: True,
        "id": lambda one: str(one.id) == value.strip(),
        "ids": lambda one: str(one.id) in value.replace(" ", "").split(","),
        "shortname": lambda one: one.shortname == value,
        "idnumber": lambda one: one.idnumber == value,
        "category": lambda one: str(one.category) == value,
    }
    if name not in tests:
        raise MoodleError("invalidparameter")
    fitting = sorted((one for one in call.site.courses.values() if tests[name](one)), key=lambda one: one.id)
    courses = [shapes.found_course(one, call.naming, call.site.facts) for one in fitting]
    if not name or (name in {"id", "ids"} and "1" in value.replace(" ", "").split(",")):
        courses.insert(0, call.site.facts["front_page"]["found"])
    return {"courses": shapes.here(courses, call.url), "warnings": []}


# --- people ------------------------------------------------------------------------------------------------------
@plays("core_user_get_users_by_field", field=(TEXT, REQUIRED), values=(LIST, REQUIRED))
def _users_by_field(call: Call) -> Any:
    name, values = call.args["field"], set(call.args["values"].values())
    if name not in {"id", "idnumber", "username", "email"}:
        raise MoodleError("invalidparameter")
    if call.faults.take("empty", call.function):
        return []
    found: Iterable[Person | None]
    if name == "id":  # deleted accounts are found by their number only
        found = [call.site.person(int(one)) for one in values if one.isdigit()]
    elif name == "username":
        found = [one for one in map(call.site.people.get, values) if one and not one.deleted]
    elif name == "idnumber":
        found = [one for one in call.site.people.values() if one.idnumber in values and not one.deleted]
    else:  # addresses are not shown to the service account, so nothing can be found by them
        found = []
    users = [shapes.user(one, call.site.facts) for one in sorted(filter(None, found), key=lambda one: one.id)]
    return shapes.here(_without_identity(call, users), call.url)


@plays("core_enrol_get_enrolled_users", courseid=(INT, REQUIRED), options=(LIST, None))
def _enrolled_users(call: Call) -> Any:
    course = _course(call)
    options = {one.get("name"): one.get("value", "") for one in (call.args["options"] or {}).values()}
    if call.faults.take("empty", call.function):
        return []
    members = call.site.members(course.shortname)
    if options.get("onlyactive") == "1":
        members = [one for one in members if one.active]
    if options.get("onlysuspended") == "1":
        members = [one for one in members if not one.active]
    people = [call.site.people[one.user] for one in members]
    order = {"firstname": lambda one: one.given, "lastname": lambda one: one.family, "id": lambda one: one.id}
    if options.get("sortby") in order:
        people.sort(key=order[options["sortby"]], reverse=options.get("sortdirection", "").upper() == "DESC")
    start, count = int(options.get("limitfrom") or 0), int(options.get("limitnumber") or 0)
    shown = people[start : start + count] if count else people[start:]
    fields = set(options["userfields"].split(",")) if options.get("userfields") else None
    users = [shapes.enrolled_user(one, call.site, fields) for one in shown]
    return shapes.here(_without_identity(call, users), call.url)


@plays("core_enrol_get_users_courses", userid=(INT, REQUIRED), returnusercount=(INT, 1))
def _users_courses(call: Call) -> Any:
    person = call.site.person(call.args["userid"])
    seen = [
        shapes.users_course(one, call.site, call.naming)
        for one in (call.site.enrolments_of(person.username) if person and not person.deleted else [])
        if one.active and call.site.courses[one.course].visible
    ]
    return shapes.here(seen, call.url)


@plays("core_completion_get_course_completion_status", courseid=(INT, REQUIRED), userid=(INT, REQUIRED))
def _completion_status(call: Call) -> Any:
    course = _course(call)
    person = call.site.person(call.args["userid"])
    if person is None:
        raise MoodleError("invalidrecordunknown")
    if person.deleted:
        raise MoodleError("userdeleted")
    if not course.completion:
        raise MoodleError("cannotviewreport")
    enrolment: Enrolment | None = call.site.enrolment(person.username, course.shortname)
    if enrolment is None or not enrolment.active:
        raise MoodleError("usernotenroled")
    if not course.criteria:
        raise MoodleError("nocriteriaset")
    return shapes.here(shapes.completion_status(enrolment, course), call.url)


def _course(call: Call) -> Taught:
    for course in call.site.courses.values():
        if course.id == call.args["courseid"]:
            return course
    raise MoodleError("invalidrecordunknown")


def _without_identity(call: Call, users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if call.faults.take("identity_hidden", call.function):
        for user in users:
            user.pop("idnumber", None)
            user.pop("customfields", None)
    return users


# --- the report --------------------------------------------------------------------------------------------------
@plays("core_reportbuilder_list_reports", page=(INT, 0), perpage=(INT, 10))
def _list_reports(call: Call) -> Any:
    first = call.args["page"] <= 0 or call.args["perpage"] <= 0
    return {"reports": [shapes.here(call.site.facts["report"], call.url)] if first else [], "warnings": []}


@plays("core_reportbuilder_retrieve_report", reportid=(INT, REQUIRED), page=(INT, 0), perpage=(INT, 10))
def _retrieve_report(call: Call) -> Any:
    _known_report(call)
    page = call.args["page"]
    if page > 0 and call.faults.take("page_repeated", call.function):
        page -= 1
    filters = {} if call.faults.take("filter_ignored", call.function) else call.site.filters
    rows, total = call.report.page(page, call.args["perpage"], call.zone, filters)
    details = php_json(shapes.here(call.site.facts["report"], call.url))
    headers = php_json(call.site.facts["headers"])
    data = f'{{"headers":{headers},"rows":[{",".join(rows)}],"totalrowcount":{total}}}'
    return Encoded(f'{{"details":{details},"data":{data},"warnings":[]}}')


@plays("core_reportbuilder_set_filters", reportid=(INT, REQUIRED), values=(TEXT, REQUIRED))
def _set_filters(call: Call) -> Any:
    """Whatever comes is stored and answered ``true``; only what the report has a filter for will filter."""
    _known_report(call)
    try:
        values = json.loads(call.args["values"])
    except ValueError:
        values = {}
    call.site.filters = values if isinstance(values, dict) else {}
    return True


@plays("core_reportbuilder_filters_reset", reportid=(INT, REQUIRED))
def _filters_reset(call: Call) -> Any:
    _known_report(call)
    call.site.filters = {}
    return True


@plays("core_reportbuilder_view_report", reportid=(INT, REQUIRED))
def _view_report(call: Call) -> Any:
    _known_report(call)
    return {"status": True, "warnings": []}


def _known_report(call: Call) -> None:
    if call.args["reportid"] != call.site.facts["report"]["id"]:
        raise MoodleError("invalidrecordunknown")
