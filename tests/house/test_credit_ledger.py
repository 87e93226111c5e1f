"""The ledger: derived from all achievements of a learner's year, appended to, and never changed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.credit import stage
from agent.credit.errors import PolicyMissing
from agent.credit.policy import load_policy
from agent.credit.year import year_of
from agent.flow import policies, run_stages, year_rule
from agent.intake.sync import pull
from agent.learners.models import Learner
from agent.matching import stage as matching
from tests.house.houses import Base, credited, filing_number, in_force, line, number, one, roster, rows, sql


def land(path: Path, *people: dict, name: str = "roster") -> None:
    pull(roster(path, *people, name=name))


def test_running_again_appends_nothing(base: Base, tmp_path):
    land(tmp_path / "r.csv", line("王一", 1, filing_number("P1")), line("李二", 2, filing_number("G1")))
    assert run_stages().credited.appended == 2
    before = rows("credit_creditentry")
    again = run_stages().credited
    assert (again.learner_years, again.appended, again.reversed) == (0, 0, 0)
    assert rows("credit_creditentry") == before


def test_what_another_revision_does_not_change_is_not_written_anew(base: Base):
    base.learner("u1")
    base.done("u1")
    base.sync()
    before = rows("credit_creditentry")
    base.site.change_row("u1", "WSYS", grade="61.00")
    through = base.sync()
    assert (through.matched.matched, through.credited.learner_years) == (1, 1)
    assert rows("credit_creditentry") == before


def test_the_database_itself_refuses_to_rewrite(house: str):
    for table, column in (
        ("credit_creditentry", "credited"),
        ("certificates_certificateevent", "reason"),
        ("certificates_certificatepdf", "sha256"),
        ("programmes_programmeversion", "hours"),
        ("programmes_filingevent", "reason"),
    ):
        for statement in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"):
            with pytest.raises(DatabaseError, match=f"{table} is append-only"), transaction.atomic():
                sql(statement.format(table, column))


def test_every_entry_says_which_rule_and_policy_gave_it(base: Base, tmp_path):
    stamp = policies()[2024].stamp
    land(
        tmp_path / "r.csv",
        line("王一", 1, filing_number("P1"), 开始日期="2024-06-03"),  # three days of eight hours, 20 filed
        line("李二", 2, filing_number("P1"), 开始日期="2024-06-05"),  # one day
        line("赵三", 3, filing_number("P1"), 开始日期="2024-06-03", 学时="30"),
    )
    run_stages()
    assert sql(
        "SELECT l.name, e.rule, e.policy, e.reason, e.claimed, e.recognised, e.credited FROM credit_creditentry e"
        " JOIN learners_learner l ON l.id = e.learner_id ORDER BY e.credited, l.name"
    ) == [
        ("李二", "R10", stamp, "duration", 2000, 800, 800),
        ("王一", "R11", stamp, "credited", 2000, 2000, 2000),
        ("赵三", "R11", stamp, "over_filed", 3000, 2000, 2000),
    ]


def test_a_day_has_eight_hours_over_two_sources(base: Base, tmp_path):
    """6 h at one base and 5 h at another on one day: 8 are credited, the later row is cut (edge case 35)."""
    day = {"开始日期": "2024-06-05", "完成日期": "2024-06-05"}
    land(tmp_path / "b.csv", line("王一", 1, filing_number("P2"), 学时="5", **day), name="later")
    land(tmp_path / "a.csv", line("王一", 1, filing_number("P1"), 学时="6", **day), name="earlier")
    run_stages()
    assert [(e[2], e[7], e[8], e[9]) for e in in_force()] == [
        ("earlier", 600, "R11", "partial"),
        ("later", 200, "R10", "day_cap"),
    ]


def test_a_row_that_is_taken_back_frees_its_cap(base: Base, tmp_path):
    day = {"开始日期": "2024-06-05", "完成日期": "2024-06-05"}
    first = line("王一", 1, filing_number("P1"), 学时="6", 考核结果="合格", **day)
    land(tmp_path / "a.csv", first, name="a")
    land(tmp_path / "b.csv", line("王一", 1, filing_number("P2"), 学时="5", **day), name="b")
    run_stages()
    assert credited() == {"王一": 800}
    land(tmp_path / "a.csv", first | {"考核结果": "不合格"}, name="a")
    done = run_stages().credited
    assert (done.reversed, done.appended) == (2, 1)
    assert [(e[2], e[7], e[9]) for e in in_force()] == [("b", 500, "partial")]
    assert credited() == {"王一": 500}


def test_the_same_course_in_two_sources_counts_once_where_it_was_first(base: Base, tmp_path):
    land(tmp_path / "a.csv", line("王一", 1, filing_number("P1"), "2024-09-05", 开始日期="2024-09-01"), name="a")
    run_stages()
    land(tmp_path / "b.csv", line("王一", 1, filing_number("P1"), "2024-06-05", 开始日期="2024-06-01"), name="b")
    run_stages()
    assert [(e[2], e[7], e[9]) for e in in_force()] == [("a", 0, "duplicate_course"), ("b", 2000, "credited")]


def test_a_corrected_number_moves_the_hours(base: Base, tmp_path):
    path, row = tmp_path / "r.csv", line("王一", 1, filing_number("P1"), 开始日期="2024-06-01")
    land(path, row)
    run_stages()
    land(path, row | {"身份证号": number(2)})
    done = run_stages().credited
    assert (done.reversed, done.appended) == (1, 1)
    assert sql(
        "SELECT l.id_masked, e.credited, e.reverses_id IS NOT NULL FROM credit_creditentry e"
        " JOIN learners_learner l ON l.id = e.learner_id ORDER BY e.id"
    ) == [
        (f"370{'*' * 11}{number(1)[-4:]}", 2000, False),
        (f"370{'*' * 11}{number(1)[-4:]}", -2000, True),
        (f"370{'*' * 11}{number(2)[-4:]}", 2000, False),
    ]


def test_two_numbers_that_were_swapped_are_swapped_back_though_each_chunk_dies(base: Base, tmp_path, monkeypatch):
    """Wherever the stage dies between two of its transactions, no hour is lost or there twice."""
    monkeypatch.setattr(stage, "_CHUNK", 1)
    path = tmp_path / "r.csv"
    one_, two = (
        line("王一", 1, filing_number("P1"), 开始日期="2024-06-01"),
        line("王一", 2, filing_number("P2"), "2024-08-05", 开始日期="2024-08-01"),
    )
    land(path, one_, two)
    run_stages()
    land(path, one_ | {"身份证号": number(2)}, two | {"身份证号": number(1)})
    for _ in range(2):
        with pytest.raises(InterruptedError):
            run_stages(_die_after_a_chunk)
    run_stages()
    assert [(e[0][-4:], e[3].split("|")[0], e[7]) for e in in_force()] == sorted(
        [
            (number(1)[-4:], "2024-08-05", 2400),
            (number(2)[-4:], "2024-06-05", 2000),
        ]
    )
    assert one("SELECT sum(credited) FROM credit_creditentry") == 4400


def test_what_is_matched_while_the_stage_runs_waits_for_the_next_run(base: Base, tmp_path, monkeypatch):
    """Another process matches a second row of the same learner between look and lock."""
    monkeypatch.setattr(stage, "_CHUNK", 1)
    land(tmp_path / "a.csv", line("王一", 1, filing_number("P1")), line("李二", 2, filing_number("P1")), name="a")
    seen = []

    def match_more(name: str, done: int, total: int | None) -> None:
        if name == "credit" and done == 1 and not seen:
            seen.append(done)
            land(tmp_path / "b.csv", line("王一", 1, filing_number("G1"), "2024-07-05"), name="b")
            matching.run([year_rule(policy) for policy in policies().values()])

    run_stages(match_more)
    run_stages()
    assert seen
    assert one("SELECT count(*) FROM credit_creditentry") == 3


def test_the_sum_of_the_ledger_is_the_standing(base: Base, tmp_path):
    row = line("王一", 1, filing_number("P1"), 开始日期="2024-06-01", 考核结果="合格")
    others = [
        line("王一", 1, filing_number("P2"), "2024-06-02", 开始日期="2024-06-01", 考核结果="合格"),
        line("王一", 1, filing_number("G2"), "2024-06-03", 开始日期="2024-06-02", 考核结果="合格"),
        line("王一", 1, filing_number("G3"), "2024-03-03", 开始日期="2024-03-01", 考核结果="合格"),
    ]
    for result in ("合格", "不合格", "合格"):
        land(tmp_path / "r.csv", row | {"考核结果": result}, *others)
        run_stages()
        year = year_of(Learner.objects.get(), policies()[2024])
        for category in ("public", "professional"):
            assert year.standing.credited[category] == sum(
                e.credited for e in year.entries if e.category == category
            ) == one(
                "SELECT sum(credited)::int FROM credit_creditentry WHERE category = %s", [category]
            )  # fmt: skip
    assert one("SELECT count(*) FROM credit_creditentry WHERE reverses_id IS NOT NULL") > 0


def test_a_year_that_lost_its_policy_stops_the_stage_with_a_sentence(base: Base, tmp_path):
    land(tmp_path / "r.csv", line("王一", 1, filing_number("P1")))
    run_stages()
    sql("UPDATE matching_achievement SET revision = revision + 1")
    with pytest.raises(PolicyMissing):
        stage.run({2025: load_policy("370400", 2024)})


ROWS = [
    ("a", "P1", "2024-06-03", "2024-06-05", "18"),
    ("a", "G1", "2024-06-05", "2024-06-05", "8"),
    ("a", "P2", "2024-06-04", "2024-06-06", "24"),
    ("b", "P1", "2024-06-01", "2024-06-04", "20"),
    ("b", "G2", "2024-06-05", "2024-06-06", "12"),
    ("b", "P3", "2024-06-06", "2024-06-06", "7.5"),
]
_people = itertools.count(1)


# what is named here replaces what the profile of all tests names
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    order=st.permutations(range(len(ROWS))),
    cuts=st.sets(st.integers(1, len(ROWS) - 1)),
    kept=st.sets(st.sampled_from(range(len(ROWS))), min_size=3),
)
def test_the_order_of_arrival_does_not_matter(base: Base, tmp_path, order, cuts, kept):
    """The same rows in any order and any batches give the same entries in force; each example has its own learner."""
    serial = next(_people)
    straight = _arrive(tmp_path, serial, [[at for at in range(len(ROWS)) if at in kept]])
    order = [at for at in order if at in kept]
    bounds = sorted({0, *(c for c in cuts if c < len(order)), len(order)})
    crooked = _arrive(tmp_path, 500 + serial, [order[i:j] for i, j in itertools.pairwise(bounds)])
    assert crooked == straight
    assert len(straight) == len(kept)


def _arrive(folder: Path, serial: int, batches: list[list[int]]) -> list[tuple]:
    here: dict[str, list[dict]] = {"a": [], "b": []}
    for batch in batches:
        for at in batch:
            source, key, start, end, hours = ROWS[at]
            row = line("王一", serial, filing_number(key), end, 开始日期=start, 学时=hours)
            here[source].append(row)
        for source, people in here.items():
            # each learner in a source of its own: the sources' names sort alike
            land(folder / f"{source}{serial}.csv", *people, name=f"{source}{serial:04d}")
        run_stages()
    masked = f"370{'*' * 11}{number(serial)[-4:]}"
    return sorted(e[4:] for e in in_force() if e[0] == masked and e[2][1:] == f"{serial:04d}")


def _die_after_a_chunk(name: str, done: int, total: int | None) -> None:
    if name == "credit" and done:
        connection.close()
        raise InterruptedError
