"""The route by enrolment: slower, knows less, and says so."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from connectors import errors
from connectors.moodle.client import ENROLLED, STATUS
from connectors.moodle.enrolled import completed_at

REPORTS = "core_reportbuilder_list_reports"


def small(site, *courses):
    """Leave only these courses in the site, for the route asks one question for everyone in each."""
    for name in [one for one in site.courses if one not in courses]:
        for member in list(site.members(name)):
            site.unenrol(member.user, name)
        del site.courses[name]
    return site


@pytest.fixture
def one_course(site):
    return small(site, "RGZN")


def pulled(moodle):
    pages = list(moodle.completions())
    skipped = Counter()
    for page in pages:
        skipped.update(page.skipped)
    return pages, [one for page in pages for one in page.completions], skipped


def test_completions_come_without_a_time_where_moodle_tells_none(one_course, connect):
    site = one_course
    _, rows, skipped = pulled(connect(route="enrolled"))
    active = [one for one in site.members("RGZN") if one.time and one.active]
    by_criteria = {one.user: one.time for one in active if one.by_criteria}
    assert {one["user"] for one in rows} == {one.user for one in active}
    for one in rows:
        known = by_criteria.get(one["user"])
        assert one["completed_at"] == (datetime.fromtimestamp(known, UTC) if known else None)
        assert one["precision"] == ("second" if known else "unknown")
    assert by_criteria
    assert skipped["usernotenroled"] == sum(not one.active for one in site.members("RGZN"))
    assert sum(skipped.values()) + len(rows) == len(site.members("RGZN"))


def test_its_keys_names_and_numbers_are_those_of_the_report(one_course, connect):
    _, slow, _ = pulled(connect(route="enrolled"))
    fast = {one["key"]: one for page in connect(route="report").completions() for one in page.completions}
    for one in slow:
        same = fast[one["key"]]
        assert [one[name] for name in ("name", "id_number", "user", "course")] == [
            same[name] for name in ("name", "id_number", "user", "course")
        ]


def test_people_are_asked_for_until_a_list_is_empty_not_until_one_is_short(one_course, connect):
    pages, _, _ = pulled(connect(route="enrolled"))
    asked = [one.params["options"] for one in one_course.questions if one.function == ENROLLED]
    starts = [next(o["value"] for o in options.values() if o["name"] == "limitfrom") for options in asked]
    assert starts == ["0", "200", "400"]
    assert len(pages) == 2


def test_a_course_without_completion_or_without_criteria_is_left_out_and_counted(site, connect):
    small(site, "JZSG", "XLJK")
    _, rows, skipped = pulled(connect(route="enrolled"))
    assert rows == []
    assert skipped == {
        "cannotviewreport": len(site.members("JZSG")),
        "nocriteriaset": len(site.members("XLJK")),
    }
    assert site.calls.count(STATUS) == 2  # one a list of people, not one a person


@pytest.mark.parametrize("field", ["", "身份证号", "sfzh"])
def test_the_identity_number_is_found_in_the_profile_fields(one_course, connect, field):
    options = {"identity_field": field} if field else {}
    _, rows, _ = pulled(connect(route="enrolled", **options))
    expected = {one.username: one.sfzh for one in one_course.people.values()}
    assert all(one["id_number"] == expected[one["user"]] for one in rows)


def test_the_accounts_own_id_number_is_taken_when_asked_for(one_course, connect):
    _, rows, _ = pulled(connect(route="enrolled", identity_field="idnumber"))
    assert {one["id_number"][:2] for one in rows} == {"GH", ""}


def test_a_missing_right_to_see_completion_is_no_empty_course(one_course, connect):
    one_course.faults.add("cannot_view", function=STATUS)
    with pytest.raises(errors.CapabilityMissing, match="report/completion:view"):
        pulled(connect(route="enrolled"))


def test_where_moodle_does_not_say_whether_a_course_is_tracked_it_is_left_out(one_course, connect):
    course = {"id": 6, "shortname": "RGZN", "format": "topics", "fullname": "x"}
    one_course.faults.add(
        "wrong_json", function="core_course_get_courses_by_field", answer={"courses": [course], "warnings": []}
    )
    one_course.faults.add("cannot_view", function=STATUS)
    _, rows, skipped = pulled(connect(route="enrolled"))
    assert (rows, skipped) == ([], {"cannotviewreport": len(one_course.members("RGZN"))})


def test_empty_lists_everywhere_are_a_missing_right(one_course, connect):
    one_course.faults.add("empty")
    with pytest.raises(errors.CapabilityMissing, match="moodle/course:viewparticipants"):
        pulled(connect(route="enrolled"))


@pytest.mark.parametrize("function", [ENROLLED, STATUS])
def test_an_answer_of_another_form_is_malformed(one_course, connect, function):
    one_course.faults.add("wrong_json", function=function)
    with pytest.raises(errors.Malformed):
        pulled(connect(route="enrolled"))


def test_auto_takes_it_only_where_no_report_is_named_or_found(one_course, connect):
    one_course.faults.add("wrong_json", function=REPORTS, answer={"reports": [], "warnings": []})
    moodle = connect()
    _, rows, _ = pulled(moodle)
    assert len(rows) == len([one for one in one_course.members("RGZN") if one.time and one.active])
    assert not moodle.capabilities.completion_time


def test_auto_names_the_function_where_no_route_is_left(site, connect):
    site.faults.add("missing_function", function="core_reportbuilder_retrieve_report")
    site.faults.add("missing_function", function=STATUS)
    with pytest.raises(errors.FunctionMissing, match="core_reportbuilder_retrieve_report"):
        pulled(connect())


# --- when ----------------------------------------------------------------------------------------------------
def met(*times):
    return [{"complete": True, "timecompleted": time} for time in times]


OPEN = {"complete": False, "timecompleted": None}


@pytest.mark.parametrize(
    ("aggregation", "criteria", "when"),
    [
        (1, met(5, 9, 7), 9),  # all needed: the last
        (1, [*met(5), OPEN], None),  # completed all the same: an administrator did it
        (1, met(5, None), None),  # one of them at an unknown time
        (1, [OPEN, OPEN], None),
        (1, [], None),
        (2, [*met(5), OPEN], 5),  # any suffices, and only one was met
        (2, met(5, 9), None),  # which of them was it?
        (None, met(5), None),
    ],
)
def test_a_time_follows_from_the_criteria_or_is_not_given(aggregation, criteria, when):
    assert completed_at({"aggregation": aggregation, "completions": criteria}) == when


def test_what_a_real_moodle_answered_is_read(recorded):
    overridden = recorded["07_course_completion_status"]["body"]["completionstatus"]
    by_criteria = recorded["07b_course_completion_status_real"]["body"]["completionstatus"]
    assert (completed_at(overridden), completed_at(by_criteria)) == (None, 1795465894)
