"""The figures that must be equal are, by source; a difference is counted, named, masked, and kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from agent.flow import run_stages
from agent.intake.models import SyncRun
from agent.intake.sync import pull
from agent.quarantine.models import Held
from agent.reconciliation import figures
from agent.reconciliation.equations import KINDS, Equation, Figures, apart, holds, sentence
from agent.reconciliation.models import Line, Snapshot
from agent.reconciliation.stage import PATIENCE, lines_of, run
from tests.house.houses import Base, connect, filing_number, line, number, one, roster, sql

AT_ONCE = timedelta(0)


@pytest.fixture
def five(base: Base) -> Base:
    """Five people who completed a filed course, one of them also a course that is filed nowhere."""
    for serial in range(1, 6):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"2024-05-{serial:02d}T02:00")
    base.done("u1", "XLJK", "2024-05-09T02:00")
    base.sync()
    return base


def taken(patience: timedelta = AT_ONCE) -> dict[str, Line]:
    """The newest lines of the source «base», by equation."""
    return {line.equation: line for line in lines_of(run(patience=patience)) if line.source.name == "base"}


def differing() -> dict[str, int]:
    return {name: line.apart for name, line in taken().items() if line.equal is False}


def test_a_house_in_order_is_equal_everywhere(five: Base, xueshi):
    lines = taken()
    assert list(lines) == ["upstream", "judged", "ledger", "earned", "certificates"]
    assert {name: (line.left, line.right) for name, line in lines.items()} == {
        "upstream": (6, 6), "judged": (6, 6), "ledger": (5, 5), "earned": (5, 5), "certificates": (5, 5),
    }  # fmt: skip
    assert differing() == {}
    said = xueshi("reconcile", "--json")
    assert (said.exit, len(said.json)) == (0, 5)
    five.site.remove_row("u2", "WSYS")
    five.site.change_row("u3", "WSYS", grade="60.00")
    five.sync()
    run_stages()
    assert differing() == {}


def test_a_completion_that_nobody_judged_is_named_and_masked(five: Base, xueshi):
    Held.objects.all().delete()
    assert differing() == {"judged": 1}
    (named,) = taken()["judged"].named
    assert (named["kind"], named["course"], named["name"]) == ("unjudged", "XLJK", "王**")
    assert number(1) not in str(named)
    assert named["run"] == SyncRun.objects.get().pk
    said = xueshi("reconcile")
    assert said.exit == 1
    assert "base landed = judged: " in said.out
    assert "neither matched nor held" in said.out


def test_a_completion_that_was_judged_twice_is_named(five: Base):
    pk = one("SELECT min(completion_id) FROM matching_achievement")
    Held.objects.create(what="completion", key=str(pk), source="base", code="E_ID_DATE", opened_at="2024-06-01T00:00Z")
    assert differing() == {"judged": 1}
    assert taken()["judged"].named[0]["kind"] == "judged_twice"


def test_a_source_that_counts_more_than_came_is_told_with_its_run(five: Base):
    SyncRun.objects.update(counted=9)
    assert differing() == {"upstream": 3}
    assert taken()["upstream"].named == [
        {"kind": "not_counted", "counted": 9, "came": 6, "run": SyncRun.objects.get().pk}
    ]


def test_only_the_last_full_comparison_that_went_well_counts(five: Base):
    SyncRun.objects.create(source=five.source, mode="full", state="failed", counted=500)
    SyncRun.objects.create(source=five.source, mode="recent", state="done", counted=1, new=1)
    assert differing() == {}


def test_a_source_that_does_not_count_is_neither_equal_nor_unequal(five: Base, xueshi):
    SyncRun.objects.update(counted=None)
    line = taken()["upstream"]
    assert (line.left, line.equal, line.named) == (None, None, [])
    assert xueshi("reconcile").exit == 0


def test_an_entry_or_a_certificate_that_stands_alone_is_named(five: Base):
    sql("UPDATE matching_achievement SET withdrawn = true WHERE id = (SELECT min(id) FROM matching_achievement)")
    sql("UPDATE intake_completion SET passed = false WHERE id IN"
        " (SELECT completion_id FROM matching_achievement WHERE withdrawn)")  # fmt: skip
    assert differing() == {"ledger": 1}
    assert taken()["ledger"].named[0]["kind"] == "entry_of_withdrawn"
    sql("UPDATE certificates_certificate SET hours = hours + 1")
    assert differing()["certificates"] == 5
    assert {each["kind"] for each in taken()["certificates"].named} == {"other_hours"}
    assert all(each["number"] for each in taken()["certificates"].named)


def test_an_achievement_without_hours_is_named_once_it_is_no_longer_on_the_way(base: Base):
    base.learner("u1")
    base.done("u1")
    base.sync()
    base.done("u1", "RGZN", "2024-06-06T02:00")
    base.pull()
    lines = taken(PATIENCE)
    assert (lines["judged"].left, lines["judged"].right, lines["judged"].on_the_way) == (1, 1, 1)
    assert lines["judged"].equal
    assert differing() == {"judged": 1}
    sql("UPDATE intake_completion SET landed_at = landed_at - interval '2 hours'")
    assert taken(PATIENCE)["judged"].equal is False


def test_whoever_earned_a_certificate_and_has_none_is_named(five: Base):
    sql(
        "UPDATE certificates_certificate SET state = 'revoked'"
        " WHERE id = (SELECT max(id) FROM certificates_certificate)"
    )
    assert differing() == {}  # what was revoked is not earned again by itself
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE certificates_certificateevent DISABLE TRIGGER USER;"
            "ALTER TABLE certificates_certificate DISABLE TRIGGER USER;"
            "ALTER TABLE certificates_logleaf DISABLE TRIGGER USER;"
            "DELETE FROM certificates_logleaf;"
            "DELETE FROM certificates_certificatenotice;"
            "DELETE FROM certificates_certificateevent;"
            "DELETE FROM certificates_certificate WHERE state = 'revoked'"
        )
    assert differing() == {"earned": 1}
    (named,) = taken()["earned"].named
    assert named["kind"] == "not_issued"
    assert taken()["earned"].left == 5


def test_each_source_has_its_own_equations(five: Base, moodle, tmp_path):
    second = connect(moodle, "second")
    people = line("张一", 901, filing_number("P1")), line("张二", 902, filing_number("P1"))
    third = roster(tmp_path / "r.csv", *people, name="third")
    pull(third)
    run_stages()
    lines = {(each.source.name, each.equation): each for each in lines_of(run(patience=AT_ONCE))}
    assert len(lines) == 15
    assert (lines["third", "ledger"].left, lines["third", "ledger"].right) == (2, 2)
    assert (lines["base", "ledger"].left, lines["base", "ledger"].right) == (5, 5)
    assert lines["second", "judged"].equal
    assert lines[second.source.name, "upstream"].left is None


def test_as_many_are_named_as_can_be_read_and_all_are_counted(five: Base, monkeypatch):
    monkeypatch.setattr(figures, "NAMED", 2)
    sql("UPDATE certificates_certificate SET hours = hours + 1")
    line = taken()["certificates"]
    assert (line.differing, len(line.named)) == (5, 2)


def test_a_snapshot_is_kept_and_never_changed(five: Base):
    run()
    run()
    assert Snapshot.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        Snapshot.objects.update(seconds=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        Line.objects.all()._raw_delete("default")


def test_a_house_without_sources_has_nothing_to_compare(house: str, xueshi):
    assert xueshi("reconcile", "--json").json == []


# --- the pure part -------------------------------------------------------------------------------------------------
@given(st.none() | st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_an_equation_holds_exactly_when_nothing_is_apart(left, right, differing):
    state = holds(left, right, differing)
    assert (state is None) == (left is None)
    if left is not None:
        assert state == (apart(left, right, differing) == 0)
    assert Figures(1, Equation.LEDGER, left, right, differing=differing).equal == state


def test_every_kind_of_difference_has_its_sentence():
    params = dict.fromkeys(("counted", "came", "matched", "held", "entries", "hours", "recognised"), 1)
    for kind in KINDS:
        assert "{" not in sentence({"kind": kind, "what": "completion", "id": 1, **params})
    assert sentence({"kind": "not_counted", "counted": 9, "came": 6, "run": 3}) == "the source counts 9, 6 came"
