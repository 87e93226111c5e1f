"""The domain's list of cases, those about rules, by number. What other rooms do of them is tested there:
16, 17, 18, 25, 26, 32, 37 and 39 also in tests/house."""

from datetime import date

import pytest

from agent.credit.asking import read
from agent.credit.errors import YearInvalid
from tests.credit.kinds import ZAOZHUANG, credited, reckoned

JUNE = "2024-06-03"


def training(number="a", **fields):
    return {"id": number, "kind": "training", "category": "professional", "hours": 8, "end": JUNE} | fields


def only(*achievements, **more):
    (entry,) = reckoned(*achievements, **more).entries
    return entry


def refused(content):
    with pytest.raises(YearInvalid) as caught:
        read(ZAOZHUANG, content, "year.json")
    return caught.value


def test_case_16_the_same_course_in_two_lmss_counts_once_the_earliest():
    first, second = reckoned(
        training("b", end="2024-09-02", source="A", course="P1"), training("a", source="B", course="P1")
    ).entries

    assert (first.id, first.credited, second.id, second.credited) == ("a", 800, "b", 0)
    assert (second.code, second.rule) == ("duplicate_course", "R11")
    assert "2024-06-03" in second.reason_zh


def test_case_17_corrected_hours_are_judged_as_if_they_had_always_been_so():
    assert credited(training(hours=6), training("b", hours=4))[("b", "professional")] == 200
    assert credited(training(hours=3), training("b", hours=4))[("b", "professional")] == 400


def test_case_18_a_completion_that_is_taken_back_counts_nothing_and_frees_its_course():
    again = training("b", end="2024-09-02", course="P1")

    assert credited(training(course="P1"), again)[("b", "professional")] == 0
    assert credited(again) == {("b", "professional"): 800}


def test_case_24_the_local_date_decides_the_year():
    entry = only(training(end="2024-12-31T16:30:00Z"))

    assert (entry.learned_on, entry.credited, entry.rule, entry.code) == (date(2025, 1, 1), 0, "R20", "other_year")
    assert "属于 2025 年度" in entry.reason_zh
    assert only(training(end="2023-12-31T16:30:00Z")).credited == 800


def test_case_25_synced_inside_of_the_grace():
    assert only(training(end="2024-12-31", synced_on="2025-01-05")).credited == 800


def test_case_26_synced_after_the_grace_waits_for_a_person_and_never_moves():
    entry = only(training(end="2024-12-31", synced_on="2025-02-01"))

    assert (entry.credited, entry.rule, entry.code) == (0, "R20", "late_year")
    assert "不会计入次年" in entry.reason_zh


def test_case_27_an_end_before_the_start_is_refused():
    found = refused(b'{"achievements": [{"id": "a", "kind": "training", "category": "public", "hours": 8,'
                    b' "start": "2024-06-04", "end": "2024-06-03"}]}')  # fmt: skip

    assert found.problems[0]["path"] == "achievements[0].end"
    assert found.problems[0]["value"] == "2024-06-03"


def test_case_28_hours_above_those_filed_count_as_filed():
    entry = only(training(hours=10, filed_hours=6))

    assert (entry.claimed, entry.credited, entry.code) == (1000, 600, "over_filed")


@pytest.mark.parametrize(("minutes", "hours"), [(45, 100), (44, 90), (46, 100), (360, 800)])
def test_case_29_45_minutes_are_one_hour(minutes, hours):
    assert only({**training(), "hours": None, "minutes": minutes}).credited == hours


@pytest.mark.parametrize("minutes", [0, 1440])
def test_case_29_zero_length_and_the_clock_round_are_refused(minutes):
    found = refused(
        b'{"achievements": [{"id": "a", "kind": "training", "category": "public", "start": "2024-06-03",'
        b' "end": "2024-06-03", "minutes": %d}]}' % minutes
    )

    assert found.problems[0]["path"] == "achievements[0].minutes"


@pytest.mark.parametrize("hours", ['"8学时"', '"八"', "NaN", "-8", "Infinity", "1e999", "8.125", "true", "0", "[8]"])
def test_case_30_what_is_no_number_of_hours_is_refused_with_its_place(hours):
    found = refused(
        b'{"achievements": [{"id": "a", "kind": "training", "category": "public", "end": "2024-06-03", "hours": %s}]}'
        % hours.encode()
    )

    assert found.problems[0]["path"] == "achievements[0].hours"
    assert found.problems[0]["fix"]


def test_case_34_the_filing_wins_over_the_title():
    entry = only(training(subject="数字技术", filed_hours=8))

    assert (entry.category, entry.credited) == ("professional", 800)


def test_case_35_six_and_five_hours_on_one_day_make_eight_and_the_later_row_is_capped():
    first, second = reckoned(
        training("b", hours=5, end="2024-06-03T17:30:00+08:00", source="B"),
        training("a", hours=6, end="2024-06-03T11:30:00+08:00", source="A"),
    ).entries

    assert (first.id, first.credited, second.credited, second.capped) == ("a", 600, 200, 300)
    assert second.reason_en == "2 h credited: the day has its 8 h (over all sources), 3 h beyond do not count"


def test_case_37_a_revoked_row_frees_its_hours():
    items = [{"id": f"p{n}", "kind": "achievement", "end": f"2024-0{n}-01"} for n in range(1, 5)]

    assert credited(*items)[("p4", "professional")] == 0
    assert credited(*items[1:])[("p4", "professional")] == 1000


def test_case_38_a_day_online_is_spread_from_start_to_completion_one_day_only_credits_eight():
    assert only(training(hours=24, start="2024-06-01")).credited == 2400
    assert only(training(hours=24)).credited == 800


def test_case_39_another_version_of_the_policy_changes_nothing_until_it_is_asked():
    """The policy is a value that goes in; taking another over is an act (tests/house/test_reevaluation.py)."""
    other = ZAOZHUANG.with_parameters({"R10": {"hours_per_day": 6, "without_sessions": "spread"}})

    assert credited(training()) == {("a", "professional"): 800}
    assert credited(training(), policy=other) == {("a", "professional"): 600}
    assert credited(training()) == {("a", "professional"): 800}


def test_case_45_a_training_that_is_not_on_record_is_not_creditable():
    entry = only(training(filed=False))

    assert (entry.credited, entry.rule, entry.code) == (0, "R11", "not_filed")
