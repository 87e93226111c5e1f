"""Who, when, which programme: every landed row is matched, or held under the first reason in that order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.flow import run_stages
from agent.intake.models import Source
from agent.intake.sync import pull
from agent.learners.models import Learner
from agent.matching.models import Achievement
from agent.programmes.filing import decide
from agent.programmes.models import CourseLink, Programme, State
from tests.house.houses import Base, connect, filing_number, held, line, number, one, released, roster, sql

CHECKSUM = number(1)[:-1] + ("1" if number(1)[-1] != "1" else "2")


@pytest.mark.parametrize(
    ("id_number", "code"),
    [
        ("", "E_ID_MISSING"),
        (CHECKSUM, "E_ID_CHECKSUM"),
        ("37040219800101", "E_ID_FORMAT"),
        ("370402930230123", "E_ID_DATE"),
        (f"370402********{number(1)[-4:]}", "E_ID_MASKED"),
        ("3.70402E+17", "E_ID_PRECISION_LOST"),
        (number(1)[:15] + "000", "E_ID_PRECISION_LOST"),
    ],
)
def test_a_number_that_nobody_can_have_is_held(base: Base, id_number: str, code: str):
    base.learner("u1", id_number=id_number)
    base.done("u1")
    assert base.sync().matched.held == held() == {code: 1}
    assert not Learner.objects.exists()


@pytest.mark.parametrize(
    ("family", "given", "code"),
    [
        ("", "", "E_NAME_MISSING"),
        ("王", "\ue123", "E_NAME_PRIVATE_USE"),
        ("王", "?明", "E_NAME_DAMAGED"),
        ("王", "明" * 201, "E_NAME_TOO_LONG"),
    ],
)
def test_a_name_that_no_certificate_can_bear_is_held(base: Base, family: str, given: str, code: str):
    base.site.add_user("u1", family, given, sfzh=number(1))
    base.done("u1")
    base.sync()
    assert held() == {code: 1}


def test_a_completion_without_a_time_is_held(base: Base):
    base.learner("u1")
    base.done("u1")
    by_enrolment = connect(base.site, "slow", route="enrolled")
    CourseLink.objects.update(source=by_enrolment.source)
    by_enrolment.sync()
    assert held() == {"E_TIME_UNKNOWN": 1}


def test_a_course_that_nobody_filed_is_held_and_released_by_mapping(base: Base):
    base.learner("u1")
    base.done("u1", "YFGL")
    base.sync()
    assert held() == {"E_COURSE_UNMAPPED": 1}
    programme = Programme.objects.get(key="P1")
    link = CourseLink.objects.get(programme=programme)
    CourseLink.objects.create(
        source=base.source, kind="moodle", course="YFGL", programme=programme, valid_from=link.valid_from,
        valid_to=link.valid_to, confirmed_by="test",
    )  # fmt: skip
    assert run_stages().matched.matched == 1
    assert (held(), released()) == ({}, {"E_COURSE_UNMAPPED": 1})


def test_another_sources_mapping_says_nothing_of_this_one(base: Base):
    other = connect(base.site, "other")
    base.learner("u1")
    base.done("u1")
    other.sync()
    assert held() == {"E_COURSE_UNMAPPED": 1}


def test_a_course_mapped_to_two_programmes_is_held_until_one_is_left(base: Base):
    base.learner("u1")
    base.done("u1")
    link = CourseLink.objects.get(course="WSYS")
    second = CourseLink.objects.create(
        source=base.source, kind="moodle", course="WSYS", programme=Programme.objects.get(key="P2"),
        valid_from=link.valid_from, valid_to=link.valid_to, confirmed_by="test",
    )  # fmt: skip
    base.sync()
    assert held() == {"E_COURSE_AMBIGUOUS": 1}
    assert one("SELECT params->>'programmes' FROM quarantine_held") == "P1、P2"
    second.delete()
    run_stages()
    assert (held(), released()) == ({}, {"E_COURSE_AMBIGUOUS": 1})


def test_two_links_that_are_valid_at_different_times_are_not_ambiguous(base: Base):
    """A course code that is used again for another programme (edge case 31)."""
    CourseLink.objects.filter(course="WSYS").update(valid_to="2024-06-30")
    CourseLink.objects.create(
        source=base.source, kind="moodle", course="WSYS", programme=Programme.objects.get(key="P2"),
        valid_from="2024-07-01", valid_to="2024-12-31", confirmed_by="test",
    )  # fmt: skip
    base.learner("u1")
    base.learner("u2", "李二")
    base.done("u1", time="2024-06-30T15:59")  # a minute before midnight in China
    base.done("u2", time="2024-06-30T16:00")
    base.sync()
    assert sql("SELECT key, p FROM (SELECT a.key, p.key AS p FROM matching_achievement a JOIN"
               " programmes_programmeversion v ON v.id = a.programme_version_id JOIN programmes_programme p"
               " ON p.id = v.programme_id) t ORDER BY 1") == [("u1|WSYS", "P1"), ("u2|WSYS", "P2")]  # fmt: skip


def test_two_links_of_one_course_to_one_programme_are_one_match(base: Base):
    link = CourseLink.objects.get(course="WSYS")
    CourseLink.objects.create(
        source=base.source, kind="moodle", course="WSYS", programme=link.programme, valid_from="2024-03-01",
        valid_to="2024-09-30", confirmed_by="test",
    )  # fmt: skip
    base.learner("u1")
    base.done("u1")
    assert base.sync().matched.matched == 1


def test_a_programme_that_is_only_submitted_holds_until_it_is_accepted(base: Base):
    base.learner("u1")
    base.done("u1", "DSJ")
    base.sync()
    assert held() == {"E_PROGRAMME_NOT_FILED": 1}
    decide("P4", "accept", actor="bureau")
    through = run_stages()
    assert (through.matched.matched, through.matched.released, through.issued.issued) == (1, 1, 1)
    assert held() == {}


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("2024-02-29T15:59", "E_DATE_RANGE"),  # 29 February 23:59 in China, a minute before P3 begins
        ("2024-02-29T16:00", None),
        ("2024-11-30T15:59", None),
        ("2024-11-30T16:00", "E_DATE_RANGE"),
    ],
)
def test_filed_dates_are_local_days_both_included(base: Base, time: str, code: str | None):
    base.learner("u1")
    base.done("u1", "JZSG", time)
    base.sync()
    assert held() == ({code: 1} if code else {})


def test_a_date_after_today_is_held_even_within_the_filed_dates(base: Base):
    sql("UPDATE programmes_courselink SET valid_to = '2199-12-31'")
    sql("ALTER TABLE programmes_programmeversion DISABLE TRIGGER append_only")
    sql("UPDATE programmes_programmeversion SET ends_on = '2199-12-31'")
    base.learner("u1")
    base.done("u1", time="2198-05-06T02:00")
    base.sync()
    assert held() == {"E_DATE_RANGE": 1}


def test_a_year_without_a_policy_is_held(base: Base):
    sql("UPDATE programmes_courselink SET valid_from = '2019-01-01'")
    sql("ALTER TABLE programmes_programmeversion DISABLE TRIGGER append_only")
    sql("UPDATE programmes_programmeversion SET starts_on = '2019-01-01'")
    base.learner("u1")
    base.done("u1", time="2019-05-06T02:00")
    base.sync()
    assert held() == {"E_NO_POLICY": 1}


def test_the_local_date_decides_the_year(base: Base):
    """2024-12-31T16:30Z is the first of January 2025 here (edge case 24)."""
    base.learner("u1")
    base.learner("u2", "李二")
    base.done("u1", time="2024-12-31T15:59")
    base.done("u2", time="2024-12-31T16:30")
    base.sync()
    assert sql("SELECT key, learned_on::text FROM intake_completion ORDER BY key") == [
        ("u1|WSYS", "2024-12-31"),
        ("u2|WSYS", "2025-01-01"),
    ]
    assert held() == {"E_DATE_RANGE": 1}
    assert sql("SELECT year FROM credit_creditentry") == [(2024,)]


@pytest.mark.parametrize(
    ("connected", "landed", "lateness"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, 15, 59, tzinfo=UTC), "no"),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, 16, 0, tzinfo=UTC), "late_in_grace"),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 31, 15, 59, tzinfo=UTC), "late_in_grace"),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 31, 16, 0, tzinfo=UTC), None),
        (datetime(2025, 1, 31, 15, 59, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC), None),
        (datetime(2025, 1, 31, 16, 0, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC), "history"),
    ],
)
def test_lateness_is_judged_by_when_it_could_have_come(base: Base, connected, landed, lateness):
    base.learner("u1")
    base.done("u1")
    base.pull()
    Source.objects.update(connected_at=connected)
    sql("UPDATE intake_completion SET first_landed_at = %s, landed_at = now()", [landed])
    run_stages()
    if lateness is None:
        assert held() == {"E_LATE_YEAR": 1}
    else:
        assert held() == {}
        assert Achievement.objects.get().lateness == lateness


def test_a_correction_of_what_came_in_time_is_not_late(base: Base):
    base.learner("u1", id_number=CHECKSUM)
    base.done("u1")
    base.pull()
    Source.objects.update(connected_at="2024-01-01T00:00Z")
    sql("UPDATE intake_completion SET first_landed_at = '2024-05-07T00:00Z'")
    base.site.change_user("u1", sfzh=number(1))
    base.sync()
    assert (held(), Achievement.objects.get().lateness) == ({}, "no")


# --- who ---------------------------------------------------------------------------------------------------------
def test_all_ways_to_write_a_number_are_one_learner(base: Base):
    x = next(n for n in map(number, range(1, 99)) if n.endswith("X"))
    old = x[:6] + x[8:17]
    ways = [
        x,
        x.lower(),
        old,
        " ".join([x[:6], x[6:14], x[14:]]),
        x.translate({ord("0") + d: 0xFF10 + d for d in range(10)}),
    ]
    for at, way in enumerate(ways):
        base.learner(f"u{at}", id_number=way)
        base.done(f"u{at}", "WSYS" if at % 2 else "RGZN", f"2024-05-0{at + 1}T02:00")
    base.sync()
    assert held() == {}
    assert (Learner.objects.count(), Achievement.objects.count()) == (1, len(ways))
    assert Learner.objects.get().id_masked == f"370{'*' * 11}{x[-4:]}"


def test_people_of_one_name_are_never_one(base: Base):
    base.learner("u1", "王伟")
    base.learner("u2", "王伟")
    base.done("u1")
    base.done("u2")
    base.sync()
    assert Learner.objects.count() == 2


def test_names_that_differ_only_in_writing_are_no_conflict(base: Base):
    same = number(7)
    base.site.add_user("u1", "买买提", "•艾力", sfzh=same)
    base.site.add_user("u2", "买买提", ".艾力", sfzh=same)
    base.done("u1")
    base.done("u2", "RGZN")
    base.sync()
    assert held() == {}
    assert Learner.objects.get().name == "买买提·艾力"


def test_one_number_with_two_names_at_once_holds_both_and_each_is_told_the_other(base: Base):
    base.learner("u1", "王一", number(9))
    base.learner("u2", "李二", number(9))
    base.done("u1")
    base.done("u2", "RGZN")
    base.sync()
    assert held() == {"E_NAME_CONFLICT": 2}
    said = sql("SELECT params->>'name', params->>'known' FROM quarantine_held ORDER BY 1")
    assert sorted(said) == sorted([("王一", "李二"), ("李二", "王一")])
    assert not Learner.objects.exists()
    base.site.change_user("u2", sfzh=number(10))
    base.sync()
    assert held() == {}
    assert Learner.objects.count() == 2


def test_a_known_number_with_another_name_is_held_alone(base: Base):
    base.learner("u1", "王一", number(9))
    base.done("u1")
    base.sync()
    base.learner("u2", "李二", number(9))
    base.done("u2", "RGZN")
    base.sync()
    assert held() == {"E_NAME_CONFLICT": 1}
    assert sql("SELECT params->>'name', params->>'known' FROM quarantine_held") == [("李二", "王一")]
    assert Achievement.objects.get().key == "u1|WSYS"
    base.site.change_user("u2", family="王", given="一")
    base.sync()
    assert held() == {}
    assert Achievement.objects.count() == 2


# --- one code a row ------------------------------------------------------------------------------------------------
def test_of_several_faults_the_first_in_order_is_told_and_then_the_next(base: Base):
    base.site.add_user("u1", "王", "?", sfzh=CHECKSUM)
    base.done("u1", "YFGL", "2019-05-06T02:00")
    codes = []
    steps = (
        lambda: None,
        lambda: base.site.change_user("u1", sfzh=number(1)),
        lambda: base.site.change_user("u1", given="一"),
        lambda: CourseLink.objects.create(
            source=base.source, kind="moodle", course="YFGL", programme=Programme.objects.get(key="P4"),
            valid_from="2024-01-01", valid_to="2024-12-31", confirmed_by="test",
        ),
        lambda: decide("P4", "accept", actor="bureau"),
        lambda: base.site.change_row("u1", "YFGL", time="2024-05-06T02:00"),
    )  # fmt: skip
    for step in steps:
        step()
        base.sync()
        codes.append(list(held()))
    assert codes == [
        ["E_ID_CHECKSUM"],
        ["E_NAME_DAMAGED"],
        ["E_COURSE_UNMAPPED"],
        ["E_PROGRAMME_NOT_FILED"],
        ["E_DATE_RANGE"],
        [],
    ]
    assert Achievement.objects.count() == 1


# --- rosters: the row names its filing number ------------------------------------------------------------------------
def test_a_filing_number_in_the_row_needs_no_mapping(base: Base, tmp_path):
    source = roster(tmp_path / "r.csv", line("王一", 1, filing_number("P2")), line("李二", 2, "枣人社备〔2024〕999号"))
    pull(source)
    run_stages()
    assert held() == {"E_FILING_UNKNOWN": 1}
    achievement = Achievement.objects.get()
    assert (achievement.programme_version.programme.key, achievement.course_link) == ("P2", None)


def test_an_unknown_filing_number_is_released_when_the_programme_is_filed(base: Base, tmp_path):
    pull(roster(tmp_path / "r.csv", line("王一", 1, "枣人社备〔2024〕009号")))
    run_stages()
    assert held() == {"E_FILING_UNKNOWN": 1}
    decide("P4", "accept", actor="bureau")
    assert filing_number("P4") == "枣人社备〔2024〕009号"
    run_stages()
    assert held() == {}


def test_a_course_code_in_a_roster_goes_by_mapping(base: Base, tmp_path):
    source = roster(tmp_path / "r.csv", line("王一", 1, "", 课程编号="K1"))
    CourseLink.objects.create(
        source=source, kind="roster", course="K1", programme=Programme.objects.get(key="P3"),
        valid_from="2024-03-01", valid_to="2024-11-30", confirmed_by="test",
    )  # fmt: skip
    pull(source)
    run_stages()
    assert Achievement.objects.get().programme_version.programme.key == "P3"


# --- what is taken back, and what is not ---------------------------------------------------------------------------
def test_suspending_the_account_or_the_enrolment_takes_nothing_away(base: Base):
    for user in ("u1", "u2"):
        base.learner(user, f"王{user[1]}")
        base.done(user)
    base.sync()
    base.site.suspend_user("u1")
    base.site.suspend_enrolment("u2", "WSYS")
    through = base.sync()
    assert (through.matched.withdrawn, through.issued.revoked) == (0, 0)
    assert one("SELECT count(*) FROM matching_achievement WHERE NOT withdrawn") == 2
    base.learner("u3", "王三")
    base.done("u3")
    base.site.suspend_enrolment("u3", "WSYS")
    assert base.sync().matched.matched >= 1
    assert one("SELECT count(*) FROM matching_achievement WHERE NOT withdrawn") == 3


def test_not_passed_takes_an_achievement_back_and_passed_gives_it_again(base: Base, tmp_path):
    path = tmp_path / "r.csv"
    good = line("王一", 1, filing_number("P1"), 考核结果="合格")
    pull(roster(path, good))
    run_stages()
    assert Achievement.objects.filter(withdrawn=False).count() == 1
    pull(roster(path, good | {"考核结果": "不合格"}))
    assert run_stages().matched.withdrawn == 1
    assert run_stages().matched.withdrawn == 0
    assert held() == {}
    pull(roster(path, good))
    run_stages()
    achievement = Achievement.objects.get()
    assert (achievement.withdrawn, achievement.revision) == (False, 3)


def test_not_passed_at_all_counts_nothing_and_waits_for_nobody(base: Base, tmp_path):
    pull(roster(tmp_path / "r.csv", line("王一", 1, filing_number("P1"), 考核结果="不合格")))
    run_stages()
    assert (held(), Achievement.objects.count()) == ({}, 0)


def test_a_broken_correction_is_held_and_what_counted_stays(base: Base):
    base.learner("u1")
    base.done("u1")
    base.sync()
    base.site.change_user("u1", sfzh=CHECKSUM)
    base.sync()
    assert held() == {"E_ID_CHECKSUM": 1}
    assert Achievement.objects.get().withdrawn is False
    assert one("SELECT state FROM certificates_certificate") == "issued"
    base.site.change_user("u1", sfzh=number(1))
    base.sync()
    assert held() == {}
    assert (Achievement.objects.count(), Learner.objects.count()) == (1, 1)


def test_a_cancelled_programme_takes_no_new_rows(base: Base):
    Programme.objects.filter(key="P1").update(state=State.CANCELLED)
    base.learner("u1")
    base.done("u1")
    base.sync()
    assert held() == {"E_PROGRAMME_NOT_FILED": 1}
