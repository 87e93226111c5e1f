"""What a learner's year comes to. The cases are those of the domain's list; examples stand in the policy file too."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.credit.errors import AchievementInvalid
from agent.credit.policy import load_policy
from agent.credit.reasons import hours_text
from agent.credit.rules import Achievement, evaluate

POLICY = load_policy("370400", 2024)
MONDAY = date(2024, 6, 3)


def training(number=1, **fields):
    defaults = {"category": "professional", "hours": 800, "learned_on": MONDAY, "source": "A", "key": str(number)}
    return Achievement(number, **(defaults | fields))


def credited(*achievements, policy=POLICY):
    return {entry.id: entry.credited for entry in evaluate(policy, achievements).entries}


def only(achievement):
    (entry,) = evaluate(POLICY, [achievement]).entries
    return entry


def changed(rule_id, **parameters):
    """The policy with other parameters for one rule."""
    rules = tuple(
        rule.model_copy(update={"parameters": rule.parameters.model_copy(update=parameters)})
        if rule.id == rule_id
        else rule
        for rule in POLICY.rules
    )
    return type(POLICY)(**{name: getattr(POLICY, name) for name in type(POLICY).model_fields} | {"rules": rules})


# --- caps --------------------------------------------------------------------------------------------------------
def test_case_35_six_and_five_hours_on_one_day_make_eight_and_the_later_row_is_capped():
    morning = training(1, hours=600, completed_at=datetime(2024, 6, 3, 4, tzinfo=UTC))
    afternoon = training(2, hours=500, completed_at=datetime(2024, 6, 3, 9, tzinfo=UTC), source="B")

    first, second = evaluate(POLICY, [afternoon, morning]).entries

    assert (first.id, first.credited, first.capped, first.rule) == (1, 600, 0, "R11")
    assert (second.id, second.credited, second.capped, second.rule, second.code) == (2, 200, 300, "R10", "day_cap")
    assert second.reason_zh == "认定 2 学时：当日已满 8 学时（各来源合计），超出 3 学时不计"
    assert second.reason_en == "2 h credited: the day has its 8 h (over all sources), 3 h beyond do not count"


def test_of_one_day_a_row_without_time_comes_last_then_source_and_key_decide():
    timed = training(3, hours=600, completed_at=datetime(2024, 6, 3, 15, 59, tzinfo=UTC), source="Z")

    assert credited(training(1, hours=600, source="B"), training(2, hours=600, source="A"), timed) == {
        3: 600,
        2: 200,
        1: 0,
    }


def test_case_37_a_row_that_is_taken_back_frees_its_hours():
    first, second = training(1, hours=600), training(2, hours=500)

    assert credited(first, second) == {1: 600, 2: 200}
    assert credited(second) == {2: 500}


def test_case_38_a_day_online_is_spread_from_start_to_completion_and_one_day_only_credits_eight():
    assert only(training(hours=2400, started_on=MONDAY - timedelta(2))).credited == 2400

    one_day = only(training(hours=2400))
    assert (one_day.recognised, one_day.credited, one_day.capped) == (800, 800, 1600)
    assert (one_day.rule, one_day.code) == ("R10", "duration")
    assert one_day.reason_zh == "认定 8 学时：共学习 1 天，每天最多 8 学时，其余 16 学时不计"


def test_a_training_that_began_in_december_uses_its_december_days_and_leaves_what_they_hold():
    over_new_year = training(hours=1600, started_on=date(2023, 12, 31), learned_on=date(2024, 1, 1))

    assert credited(over_new_year) == {1: 1600}
    result = evaluate(POLICY, [over_new_year], taken={date(2023, 12, 31): 600})
    assert result.entries[0].credited == 1000
    assert result.days == {date(2023, 12, 31): 800, date(2024, 1, 1): 800}


def test_all_hours_can_be_put_on_the_day_of_completion_instead():
    policy = changed("R10", without_sessions="completion_day")

    assert credited(training(hours=2400, started_on=MONDAY - timedelta(2)), policy=policy) == {1: 800}


# --- own worth ---------------------------------------------------------------------------------------------------
def test_case_28_hours_above_those_filed_count_as_filed():
    entry = only(training(hours=600, reported=800))

    assert (entry.claimed, entry.recognised, entry.credited, entry.rule) == (800, 600, 600, "R11")
    assert entry.reason_zh == "认定 6 学时：来源报 8 学时，以备案 6 学时为准"


def test_hours_below_those_filed_count_as_reported():
    entry = only(training(hours=800, reported=600))

    assert (entry.credited, entry.code) == (600, "partial")
    assert entry.reason_en == "6 h credited: 6 h were actually attended of the 8 h filed"


@pytest.mark.parametrize(
    ("minutes", "claimed", "counted"), [(45, 100, 100), (360, 800, 800), (100, 222, 220), (4, 8, 0)]
)
def test_case_29_45_minutes_are_one_hour(minutes, claimed, counted):
    entry = only(training(minutes=minutes))

    assert (entry.claimed, entry.credited) == (claimed, counted)


def test_reported_hours_go_before_minutes():
    assert only(training(reported=400, minutes=45)).credited == 400


def test_sessions_count_on_their_days_and_only_those_attended():
    entry = only(training(hours=2400, sessions=((MONDAY - timedelta(4), 800), (MONDAY, 400), (MONDAY, 300))))

    assert (entry.claimed, entry.credited, entry.code, entry.days) == (1500, 1500, "partial", 2)


def test_sessions_attended_go_before_what_the_source_reports():
    entry = only(training(hours=800, reported=800, sessions=((MONDAY, 600),)))

    assert (entry.claimed, entry.credited, entry.code) == (800, 600, "attendance")


def test_a_session_day_counts_eight_hours_at_most():
    entry = only(training(hours=2000, sessions=((MONDAY - timedelta(1), 1000), (MONDAY, 1000))))

    assert (entry.credited, entry.capped, entry.rule, entry.code) == (1600, 400, "R10", "duration")


def test_credit_is_floored_to_a_tenth_and_the_lost_hundredths_take_no_room():
    first, second = training(1, hours=255), training(2, hours=550)

    assert credited(first, second) == {1: 250, 2: 550}
    assert only(first).reason_zh == "认定 2.5 学时：2.55 学时，认定时向下取到 0.1 学时"


def test_without_a_ceiling_reported_hours_count():
    assert credited(training(hours=400, reported=600), policy=changed("R11", ceiling="none")) == {1: 600}


# --- the same course, subjects -----------------------------------------------------------------------------------
def test_case_16_the_same_course_in_two_lmss_counts_once_the_earliest():
    later = training(1, learned_on=date(2024, 9, 2), course_key="P1")
    earlier = training(2, course_key="P1", source="B")

    first, second = evaluate(POLICY, [later, earlier]).entries

    assert (first.id, first.credited) == (2, 800)
    assert (second.credited, second.capped, second.code, second.rule) == (0, 800, "duplicate_course", "R11")
    assert second.reason_zh == "不计学时：同一课程本年度已计学时（2024-06-03 完成的一次）"


def test_a_duplicate_takes_no_hours_of_its_day():
    original = training(1, learned_on=date(2024, 5, 6), course_key="P1")

    assert credited(original, training(2, course_key="P1"), training(3)) == {1: 800, 2: 0, 3: 800}


def test_courses_without_key_are_never_the_same_and_a_policy_may_count_all():
    other_day = date(2024, 9, 2)

    assert credited(training(1), training(2, learned_on=other_day)) == {1: 800, 2: 800}
    policy = changed("R11", same_course_in_year="all")
    assert credited(training(1, course_key="P"), training(2, learned_on=other_day, course_key="P"), policy=policy) == {
        1: 800,
        2: 800,
    }


def test_the_catalogue_is_open_and_a_closed_one_refuses_other_subjects():
    other = training(category="public", subject="乡村振兴")

    assert credited(other) == {1: 800}
    (entry,) = evaluate(changed("R04", open=False), [other]).entries
    assert (entry.credited, entry.rule) == (0, "R04")
    assert entry.reason_zh == "不计学时：“乡村振兴”不在本年度公需科目目录内"
    assert credited(replace(other, subject="安全生产"), policy=changed("R04", open=False)) == {1: 800}


# --- the year ----------------------------------------------------------------------------------------------------
def test_ninety_hours_thirty_public_sixty_professional():
    year = [
        training(1, category="public", hours=3000, started_on=date(2024, 3, 4), learned_on=date(2024, 3, 8)),
        training(2, hours=6000, started_on=date(2024, 5, 6), learned_on=date(2024, 5, 17)),
    ]

    result = evaluate(POLICY, year).standing
    assert (result.public, result.professional, result.total, result.met) == (3000, 6000, 9000, True)
    assert result.required == {"public": 3000, "professional": 6000, "total": 9000}

    short = evaluate(POLICY, [year[0], replace(year[1], hours=5990)]).standing
    assert (short.met, short.missing) == (False, {"public": 0, "professional": 10, "total": 10})


def test_a_public_surplus_does_not_fill_professional_unless_the_policy_says_so():
    year = [
        training(1, category="public", hours=5000, started_on=date(2024, 3, 4), learned_on=date(2024, 3, 15)),
        training(2, hours=4000, started_on=date(2024, 5, 6), learned_on=date(2024, 5, 17)),
    ]

    assert evaluate(POLICY, year).standing.missing == {"public": 0, "professional": 2000, "total": 0}
    assert evaluate(changed("R03", filled_by=("public",)), year).standing.met


def test_a_year_without_anything_lacks_everything():
    result = evaluate(POLICY, [])

    assert result.entries == ()
    assert result.standing.missing == {"public": 3000, "professional": 6000, "total": 9000}
    assert result.policy == POLICY.stamp


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"learned_on": date(2025, 1, 1)}, "not in 2024"),
        ({"category": "elective"}, "no category"),
        ({"started_on": date(2024, 6, 4)}, "starts on 2024-06-04"),
        ({"hours": 0}, "not above 0"),
        ({"reported": -100}, "not above 0"),
        ({"minutes": 0}, "minutes"),
        ({"sessions": ((date(2024, 6, 4), 100),)}, "session"),
        ({"sessions": ((MONDAY, 0),)}, "session"),
        ({"completed_at": datetime(2024, 6, 3, 4)}, "time zone"),  # noqa: DTZ001 - that is the point
    ],
)
def test_what_nobody_can_judge_is_refused_with_its_reason(fields, words):
    with pytest.raises(AchievementInvalid, match=words) as caught:
        evaluate(POLICY, [training(7, **fields)])
    assert isinstance(caught.value, ValueError)
    assert "achievement 7" in str(caught.value)


def test_an_id_twice_is_refused():
    with pytest.raises(AchievementInvalid, match="twice"):
        evaluate(POLICY, [training(1), training(1, key="2")])


# --- properties --------------------------------------------------------------------------------------------------
@st.composite
def years(draw, *, courses=True):
    made = []
    for number in range(draw(st.integers(0, 7))):
        learned_on = MONDAY + timedelta(draw(st.integers(0, 8)))
        before = st.integers(0, 5).map(lambda days, last=learned_on: last - timedelta(days))
        hours = st.integers(1, 2500)
        hour = draw(st.none() | st.integers(0, 23))
        made.append(
            Achievement(
                number,
                category=draw(st.sampled_from(["public", "professional"])),
                hours=draw(hours),
                learned_on=learned_on,
                reported=draw(st.none() | hours),
                minutes=draw(st.none() | st.integers(1, 2000)),
                started_on=draw(st.none() | before),
                completed_at=None if hour is None else datetime(2024, 6, 3, hour, tzinfo=UTC),
                sessions=tuple(draw(st.lists(st.tuples(before, st.integers(1, 1000)), max_size=3))),
                course_key=draw(st.sampled_from(["", "P1", "P2", "P3"])) if courses else "",
                source=draw(st.sampled_from("AB")),
                key=str(number),
            )
        )
    return made


@settings(deadline=None, max_examples=200)
@given(years(), st.randoms(use_true_random=False))
def test_case_36_the_order_of_arrival_does_not_matter(year, random):
    shuffled = list(year)
    random.shuffle(shuffled)

    assert evaluate(POLICY, shuffled) == evaluate(POLICY, year)


@settings(deadline=None, max_examples=200)
@given(years())
def test_caps_are_never_passed_and_sums_are_equal(year):
    result = evaluate(POLICY, year)

    for entry in result.entries:
        assert 0 <= entry.credited <= entry.recognised <= entry.claimed
        assert entry.credited + entry.capped == entry.claimed
        assert entry.recognised <= entry.filed
        assert entry.recognised <= 800 * entry.days
        assert entry.credited % 10 == 0
    assert all(hours <= 800 for hours in result.days.values())
    assert sum(entry.credited for entry in result.entries) == result.standing.total
    assert result.standing.total == result.standing.public + result.standing.professional
    assert 0 <= sum(result.days.values()) - result.standing.total < 10 * max(1, len(year))


@settings(deadline=None, max_examples=200)
@given(years(courses=False), st.data())
def test_removing_an_achievement_never_lowers_another(year, data):
    if not year:
        return
    removed = data.draw(st.sampled_from(year))
    before = credited(*year)

    after = credited(*(each for each in year if each is not removed))

    assert all(after[number] >= before[number] for number in after)


@settings(deadline=None, max_examples=100)
@given(years())
def test_removing_a_duplicate_changes_nothing_and_every_reason_has_its_sentences(year):
    result = evaluate(POLICY, year)
    duplicates = {entry.id for entry in result.entries if entry.code == "duplicate_course"}

    rest = evaluate(POLICY, [each for each in year if each.id not in duplicates])

    assert rest.entries == tuple(entry for entry in result.entries if entry.id not in duplicates)
    for entry in result.entries:
        assert "{" not in entry.reason_zh + entry.reason_en
        assert POLICY.rule(entry.rule)


@settings(deadline=None, max_examples=100)
@given(years())
def test_all_that_the_cap_leaves_is_credited(year):
    """Alone on its days an achievement gets all it is worth."""
    for each in year:
        entry = only(each)
        assert entry.recognised - entry.credited < 10


@pytest.mark.parametrize(("hundredths", "text"), [(0, "0"), (800, "8"), (750, "7.5"), (133, "1.33"), (5, "0.05")])
def test_hours_are_written_as_people_write_them(hundredths, text):
    assert hours_text(hundredths) == text


def test_the_worked_example_of_the_documentation():
    june = {day: date(2024, 6, day) for day in range(3, 7)}
    rows = [
        training(
            "a", category="public", hours=1200, reported=1200, started_on=june[3], learned_on=june[4], course_key="G2"
        ),
        training(
            "b",
            hours=2400,
            reported=3000,
            started_on=june[4],
            learned_on=june[6],
            source="B",
            course_key="P2",
            completed_at=datetime(2024, 6, 6, 2, tzinfo=UTC),
        ),
        training("c", hours=800, learned_on=june[6], completed_at=datetime(2024, 6, 6, 9, tzinfo=UTC)),
        training(
            "d",
            category="public",
            hours=1200,
            reported=1200,
            started_on=date(2024, 9, 2),
            learned_on=date(2024, 9, 3),
            source="C",
            course_key="G2",
        ),
    ]

    result = evaluate(POLICY, rows)

    assert [(entry.id, entry.recognised, entry.credited, entry.rule) for entry in result.entries] == [
        ("a", 1200, 1200, "R11"),
        ("b", 2400, 2000, "R10"),
        ("c", 800, 0, "R10"),
        ("d", 1200, 0, "R11"),
    ]
    assert result.standing.missing == {"public": 1800, "professional": 4000, "total": 5800}
    assert credited(rows[0], rows[2], rows[3])["c"] == 800
