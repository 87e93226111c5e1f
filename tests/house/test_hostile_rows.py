"""One row may say what it likes: it waits or counts by itself, and never keeps the other rows out."""

from __future__ import annotations

from agent.flow import run_stages
from agent.intake.models import Completion
from agent.intake.sync import pull
from tests.house.houses import Base, filing_number, held, line, number, one, roster, sql


def test_a_nul_anywhere_is_no_reason_to_stop(base: Base):
    base.learner("u1", "王一")
    base.site.add_user("u2", "李\0", "二", sfzh=number(2) + "\0", employer="厂\0")
    base.site.change_course("WSYS", name="医\0师")
    base.done("u1")
    base.site.add_row("u2", "WSYS", "2024-05-06T02:00", "90\0")
    assert base.sync().matched.matched == 2
    assert sql("SELECT name, course_name, grade FROM intake_completion WHERE key LIKE 'u2%%'") == [
        ("李二", "医\ufffd师", "90\ufffd")
    ]
    assert base.pull().unchanged == 2


def test_a_nul_in_a_row_that_is_refused_is_no_reason_to_stop(base: Base):
    base.learner("u1")
    base.done("u1")
    base.site.faults.add("bad_time", row=0, text="yes\0terday")
    assert base.pull().rejected == 1
    assert one("SELECT params->>'value' FROM quarantine_held") == "yes\ufffdterday"


def test_a_name_that_grows_when_it_is_folded_still_lands(base: Base):
    base.site.add_user("u1", "王", "\ufdfa" * 90, sfzh=number(1))  # one character that folds into eighteen
    base.learner("u2", "李二")
    base.done("u1")
    base.done("u2")
    assert base.sync().matched.matched == 2
    assert one("SELECT max(length(name_folded)) FROM intake_completion") == 200


def test_the_end_of_time_is_a_date_out_of_range(base: Base):
    base.learner("u1")
    base.learner("u2", "李二")
    base.done("u1", time="9999-12-31T23:59")
    base.done("u2")
    assert base.sync().matched.matched == 1
    assert held() == {"E_DATE_RANGE": 1}
    assert str(Completion.objects.get(key__startswith="u1").learned_on) == "9999-12-31"


def test_more_minutes_than_a_number_holds_are_held_or_land(base: Base, tmp_path):
    source = roster(
        tmp_path / "r.csv",
        line("王一", 1, filing_number("P1"), 学时="99999999999分钟"),
        line("李二", 2, filing_number("P1"), 学时="90分钟"),
    )
    landed = pull(source)
    run_stages()
    assert (landed.landed, landed.rejected, held()) == (1, 1, {"E_HOURS_INVALID": 1})
    assert one("SELECT claimed FROM credit_creditentry") == 200


def test_account_names_that_are_identity_numbers_are_stored_as_hashes(base: Base):
    """Many a site signs people in by their number: neither the account nor the row's key may give it away."""
    first, second = number(1), number(2)
    base.site.add_user(first, "王", "一", sfzh=first)
    base.site.add_user(second.lower(), "李", "二", sfzh="")
    base.site.add_user("370402800101001", "赵", "三", sfzh="370402800101001")
    for user in (first, second.lower(), "370402800101001"):
        base.done(user)
    landed = base.pull()
    assert landed.new == 3
    stored = sql("SELECT key, account FROM intake_completion")
    assert all(key == f"{account}|WSYS" and account.startswith("~") for key, account in stored)
    assert len({account for _, account in stored}) == 3
    assert base.pull().unchanged == 3
    base.site.change_row(first, "WSYS", grade="70.00")
    assert base.pull().changed == 1
    assert one("SELECT max(version) FROM intake_completion") == 2
    base.site.faults.add("bad_time", row=0)
    landed = base.pull()
    assert (landed.rejected, landed.missing_upstream) == (1, 0)
    assert one("SELECT count(*) FROM quarantine_held WHERE params::text ~ '[0-9]{15}' OR key ~ '[0-9]{15}'") == 0


def test_a_number_in_a_name_or_an_employer_is_never_stored_in_clear(base: Base, tmp_path):
    base.site.add_user("u1", "王", f"一{number(1)}", sfzh=number(1), employer=f"厂 {number(1)}")
    base.done("u1")
    base.sync()
    assert held() == {"E_NAME_DAMAGED": 1}
    assert number(1) not in str(sql("SELECT name, name_folded, employer, grade FROM intake_completion"))
    assert number(1) not in str(sql("SELECT params::text FROM quarantine_held"))


def test_a_course_code_of_fifteen_digits_is_no_identity_number(base: Base, tmp_path):
    source = roster(tmp_path / "r.csv", line("王一", 1, "", 课程编号="202401010000001"))
    pull(source)
    assert one("SELECT course FROM intake_completion") == "202401010000001"
