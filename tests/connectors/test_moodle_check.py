"""`check` and the options: what is missing is named, with what to click; nothing is raised that a person can mend."""

import pytest

from connectors import errors
from connectors.base import Capabilities, kinds, load
from connectors.moodle import MoodleConnector
from connectors.moodle.client import ENROLLED, RESET_FILTERS, RETRIEVE, SET_FILTERS, SITE_INFO, STATUS, USERS
from connectors.records import Course

REPORTS = "core_reportbuilder_list_reports"
COURSES = "core_course_get_courses_by_field"


def codes(result):
    return [one.code for one in result.problems]


def test_a_site_that_is_well_is_said_to_be_with_its_name_and_release(site, connect):
    result = connect(report_id=1).check()
    assert (result.ok, result.site, result.release, result.route) == (
        *(True, "在线学习平台（验收）", "5.1+ (Build: 20251017)", "report"),
    )
    needed = ("site_info", "report_functions", "report_readable", "report_columns", "identity_column", "time_filter")
    assert all(result.capabilities[name] for name in (*needed, "completion_time", "course_list", "account_in_english"))
    assert result.problems == []
    assert site.calls[0] == SITE_INFO
    assert site.filters == {}


@pytest.mark.parametrize(
    ("kind", "code", "click"),
    [
        ("invalid_token", "E_TOKEN_INVALID", "Manage tokens"),
        ("expired_token", "E_TOKEN_EXPIRED", "Manage tokens"),
        ("access_refused", "E_ACCESS", "webservice/rest:use"),
        ("suspended_account", "E_ACCOUNT_SUSPENDED", "activate the service account"),
        ("disabled", "E_REFUSED", "Enable web services"),
        ("not_found", "E_NOT_FOUND", "front page's address"),
        ("html", "E_NOT_JSON", "Open the address in a browser"),
        ("redirect", "E_REDIRECTED", "wwwroot"),
        ("maintenance", "E_MAINTENANCE", "tries again"),
        ("reset", "E_UNREACHABLE", "Check the address"),
    ],
)
def test_a_site_that_can_not_be_asked_is_one_problem_and_no_guesses(site, connect, kind, code, click):
    site.faults.add(kind)
    result = connect().check()
    assert (result.ok, result.route, codes(result)) == (False, "none", [code])
    assert click in result.problems[0].fix
    assert not any(result.capabilities.values())


@pytest.mark.parametrize("function", [RETRIEVE, SET_FILTERS, RESET_FILTERS])
def test_a_function_missing_from_the_service_is_named(site, connect, function):
    site.faults.add("missing_function", function=function)
    result = connect(report_id=1).check()
    assert (result.ok, result.route, codes(result)) == (False, "none", ["E_FUNCTION_MISSING"])
    assert function in result.problems[0].message
    assert f"Add functions: {function}" in result.problems[0].fix


def test_without_the_report_functions_the_slow_route_is_told_as_such(site, connect):
    site.faults.add("missing_function", function=RETRIEVE)
    result = connect().check()
    assert (result.ok, result.route, codes(result)) == (False, "enrolled", ["E_FUNCTION_MISSING"])
    assert result.capabilities["participants"]
    assert not result.capabilities["completion_time"]


def test_without_a_report_the_slow_route_is_told_as_such(site, connect):
    site.faults.add("wrong_json", function=REPORTS, answer={"reports": [], "warnings": []})
    result = connect().check()
    assert (result.ok, result.route, codes(result)) == (False, "enrolled", ["E_REPORT_MISSING"])
    assert "docs/moodle.md" in result.problems[0].fix


def test_a_named_report_that_is_not_there_is_a_problem_and_nothing_takes_its_place(connect):
    result = connect(report_id=7).check()
    assert (result.ok, result.route, codes(result)) == (False, "none", ["E_REPORT_MISSING"])


def test_several_reports_are_asked_about_unless_only_one_has_the_columns(site, connect):
    source = {"source": "core_course\\reportbuilder\\datasource\\participants"}
    listed = [
        {"id": 1, "name": "结业", **source},
        {"id": 2, "name": "另一", **source},
        {"id": 3, "name": "x", "source": "users"},
    ]
    site.faults.add("wrong_json", function=REPORTS, answer={"reports": listed})
    assert connect().check().ok  # report 2 does not exist for the account
    site.facts["report"]["id"] = 4
    result = connect().check()
    assert (result.route, codes(result)) == ("none", ["E_REPORT_AMBIGUOUS"])
    assert "1 «结业»、2 «另一»" in result.problems[0].message
    assert "report_id=N" in result.problems[0].fix


@pytest.mark.parametrize(
    ("kind", "code", "lost"),
    [
        ("identity_hidden", "E_COLUMN_MISSING", "identity_column"),
        ("column_missing", "E_COLUMN_MISSING", "identity_column"),
        ("column_renamed", "E_COLUMN_MISSING", "report_columns"),
        ("filter_ignored", "E_FILTER_IGNORED", "time_filter"),
    ],
)
def test_a_report_with_a_fault_is_still_the_route_and_the_fault_is_named(site, connect, kind, code, lost):
    site.faults.add(kind)
    result = connect(report_id=1).check()
    assert (result.ok, result.route, codes(result)) == (False, "report", [code])
    assert not result.capabilities[lost]
    assert site.filters == {}


def test_times_in_a_language_that_is_not_read_are_named_with_one_of_them(site, connect):
    site.change_row("xy00001", "AQSC", time="2089-06-01T08:00")
    site.faults.add("bad_time", text="lundi 23 septembre 2024, 02:21")
    result = connect(report_id=1, since="2089-01-01").check()
    assert codes(result) == ["E_TIMES_UNREADABLE"]
    assert "«lundi 23 septembre 2024, 02:21»" in result.problems[0].message
    assert "English" in result.problems[0].fix
    assert not result.capabilities["completion_time"]


def test_an_account_that_sees_no_course_has_no_right_to(site, connect):
    site.faults.add("wrong_json", function=COURSES, answer={"courses": [], "warnings": []})
    result = connect().check()
    assert codes(result) == ["E_CAPABILITY_MISSING"]
    assert "moodle/course:viewhiddencourses" in result.problems[0].message


def test_the_slow_route_chosen_by_a_person_is_well_where_everything_is_there(connect):
    result = connect(route="enrolled").check()
    assert (result.ok, result.route) == (True, "enrolled")
    assert result.capabilities["participants"]
    assert result.capabilities["completion_status"]
    assert not result.capabilities["completion_time"]


@pytest.mark.parametrize(
    ("kind", "function", "right"),
    [
        ("empty", ENROLLED, "moodle/course:viewparticipants"),
        ("cannot_view", STATUS, "report/completion:view"),
        ("identity_hidden", ENROLLED, "moodle/user:viewalldetails"),
    ],
)
def test_rights_missing_on_the_slow_route_are_named(site, connect, kind, function, right):
    site.faults.add(kind, function=function)
    result = connect(route="enrolled").check()
    assert codes(result) == ["E_CAPABILITY_MISSING"]
    assert right in result.problems[0].message


@pytest.mark.parametrize("function", [ENROLLED, STATUS])
def test_functions_missing_on_the_slow_route_are_named(site, connect, function):
    site.faults.add("missing_function", function=function)
    result = connect(route="enrolled").check()
    assert (result.route, codes(result)) == ("none", ["E_FUNCTION_MISSING"])


def test_where_neither_route_can_be_taken_it_is_none(site, connect):
    site.faults.add("missing_function", function=RETRIEVE)
    site.faults.add("missing_function", function=STATUS)
    result = connect().check()
    assert (result.route, codes(result)) == ("none", ["E_FUNCTION_MISSING"])


# --- courses -----------------------------------------------------------------------------------------------------
def test_courses_come_with_their_names_as_typed_hidden_ones_too_and_without_the_front_page(connect):
    courses = {one.code: one for one in connect().courses()}
    assert len(courses) == 12
    assert courses["YFGL"].name == '研发管理 R&D <进阶> "案例" \'24'
    assert courses["WLAQ"].name == "网络安全"
    assert not courses["DSJ"].visible
    assert isinstance(courses["SZJS"], Course)
    assert (courses["SZJS"].external_id, courses["SZJS"].category) == ("2", "公需科目")
    assert courses["SZJS"].starts_on.isoformat() == "2024-01-01"


# --- options -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options",
    [
        {"report_id": "one"},
        {"report_id": "0"},
        {"page_size": "0"},
        {"page_size": "1000000"},
        {"since": "2024/01/01"},
        {"route": "soap"},
        {"column.nosuch": "x"},
        {"column": "x"},
        {"route.x": "auto"},
        {"colour": "red"},
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_name(connect, options):
    with pytest.raises(errors.OptionInvalid) as error:
        connect(**options)
    (option,) = options
    assert option in error.value.message
    assert option in error.value.how_to_fix


def test_every_option_is_explained_and_the_kind_is_found_by_its_entry_point():
    assert all(MoodleConnector.options.values())
    assert "moodle" in kinds()
    assert load("moodle") is MoodleConnector


def test_what_each_route_can_know_is_said(connect):
    report = connect(route="report").capabilities
    assert (report.completion_time, report.counts, report.grades, report.spans) == (True, True, True, True)
    assert (report.changes, report.blocks) == (False, False)
    slow = connect(route="enrolled").capabilities
    assert (slow.completion_time, slow.counts, slow.grades, slow.spans) == (False, False, False, False)


def test_nothing_is_claimed_before_the_route_is_known(site, connect):
    reader = connect()
    assert not any(getattr(reader.capabilities, one) for one in Capabilities.__dataclass_fields__)
    reader.look()
    assert reader.capabilities == connect(route="report").capabilities
    site.faults.add("missing_function", function=RETRIEVE)
    slow = connect()
    slow.look()
    assert slow.capabilities == connect(route="enrolled").capabilities


def test_identity_by_short_name_asks_few_people_at_once(site, connect):
    assert connect(identity_field="sfzh").check().ok
    (asked,) = [question for question in site.questions if question.function == USERS]
    assert 1 <= len(asked.params["values"]) <= 20
