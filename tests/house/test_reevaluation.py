"""A year judged again under another version of its policy: tried first, then one batch (edge case 39)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

import mappings
from agent.audit.models import AuditEvent
from agent.credit.errors import ReasonMissing
from agent.credit.models import Reevaluation
from agent.credit.policy import load_policy
from agent.credit.reevaluation import carry_out, try_out
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from tests.house.houses import (
    Base,
    certificates,
    credited,
    filing_number,
    in_force,
    line,
    number,
    one,
    roster,
    rows,
    sql,
)

SHIPPED = Path(mappings.__file__).parent / "370400" / "2024" / "policy.yaml"


def folder(path: Path, *changes: tuple[str, str]) -> Path:
    """A folder with the shipped policy, changed."""
    file = path / "370400" / "2024" / "policy.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = SHIPPED.read_text("utf-8").replace("370400/2024.2", "370400/2024.9")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, "utf-8")
    return path


SIX = ("hours_per_day: 8", "hours_per_day: 6")
FEWER = ("parameters: {category: professional, hours: 60", "parameters: {category: professional, hours: 8")


@pytest.fixture
def in_force_is(tmp_path, monkeypatch):
    """Put another policy in force, as a restart with other files does."""

    def put(*changes: tuple[str, str]) -> None:
        monkeypatch.setenv("XUESHI_MAPPINGS", str(folder(tmp_path / "in force", *changes)))
        load_policy.cache_clear()

    yield put
    load_policy.cache_clear()


@pytest.fixture
def learned(base: Base, tmp_path: Path) -> Base:
    """One learner with a day of 8 hours (of 20), one with three days for 20."""
    path = tmp_path / "r.csv"
    pull(roster(path, line("王一", 1, filing_number("P1"), 开始日期="2024-06-05"),
                line("李二", 2, filing_number("P1"), 开始日期="2024-06-02")))  # fmt: skip
    run_stages()
    assert credited() == {"王一": 800, "李二": 2000}
    return base


def candidate(tmp_path: Path, *changes: tuple[str, str]):
    return load_policy("370400", 2024, folder(tmp_path / "candidate", *changes))


def test_a_new_version_changes_nothing_by_itself(learned: Base, in_force_is):
    before = rows("credit_creditentry")
    in_force_is(SIX)
    run_stages()
    assert rows("credit_creditentry") == before


def test_a_trial_says_who_gains_and_who_loses_and_writes_nothing(learned: Base, tmp_path):
    before = rows("credit_creditentry")
    found = try_out(candidate(tmp_path, SIX), now_in_force=policies()[2024])

    assert (found.learners, found.gain, found.lose, found.entries) == (2, 0, 1, 2)
    assert [(each.before, each.after) for each in found.moved] == [(800, 600)]
    assert found.hours == {"professional": -200}
    assert found.explained_anew == 1  # «at most 6 a day» stands in the other's params
    assert (found.newly_met, found.no_longer_met) == (0, 0)
    holder = (
        "SELECT l.name FROM certificates_certificate c JOIN learners_learner l ON l.id = c.learner_id WHERE number = %s"
    )
    assert [one(holder, [number]) for number in found.certificates] == ["王一"]
    assert rows("credit_creditentry") == before
    assert not Reevaluation.objects.exists()


def test_a_lower_requirement_moves_who_has_enough_without_any_entry(learned: Base, tmp_path):
    changes = (
        FEWER, ("parameters: {hours: 90}", "parameters: {hours: 8}"),
        ("parameters: {category: public, hours: 30", "parameters: {category: public, hours: 0"),
    )  # fmt: skip
    found = try_out(candidate(tmp_path, *changes), now_in_force=policies()[2024])

    assert (found.entries, found.newly_met, found.gain, found.lose) == (0, 2, 0, 0)


def test_one_batch_comes_to_what_was_tried_and_a_second_to_nothing(learned: Base, in_force_is):
    in_force_is(SIX)
    policy = policies()[2024]
    tried = try_out(policy)
    done = carry_out(policy, by="cli:test", reason="通知修订")

    assert done.figures() == tried.figures()
    assert (done.written.reversed, done.written.appended) == (2, 2)
    assert credited() == {"王一": 600, "李二": 2000}
    assert {entry[-1] and entry[8] for entry in in_force()} == {"R10", "R11"}
    (batch,) = Reevaluation.objects.all()
    assert (batch.by, batch.reason, batch.policy, batch.figures) == (
        "cli:test",
        "通知修订",
        policy.stamp,
        tried.figures(),
    )
    written = sql(
        "SELECT policy, reverses_id IS NOT NULL FROM credit_creditentry WHERE id > %s AND id <= %s ORDER BY id",
        [batch.after_entry, batch.last_entry],
    )
    assert len(written) == 4
    assert {stamp for stamp, reverses in written if not reverses} == {policy.stamp}
    assert AuditEvent.objects.get(action="credit.reevaluate").actor == "cli:test"

    again = carry_out(policy, by="cli:test", reason="again")
    assert (again.entries, again.batch, Reevaluation.objects.count()) == (0, None, 1)


def test_back_to_the_first_policy_gives_back_the_first_ledger(learned: Base, in_force_is, monkeypatch):
    before = in_force()
    in_force_is(SIX)
    carry_out(policies()[2024], by="t", reason="there")
    assert in_force() != before
    monkeypatch.delenv("XUESHI_MAPPINGS")
    load_policy.cache_clear()
    carry_out(policies()[2024], by="t", reason="and back")
    assert in_force() == before


def test_certificates_that_say_other_hours_are_superseded_by_the_stages(learned: Base, in_force_is):
    old = set(certificates())
    in_force_is(SIX)
    done = carry_out(policies()[2024], by="t", reason="通知修订")
    through = run_stages()

    assert not through.rested
    assert through.issued.superseded == len(done.certificates) == 1
    assert certificates("superseded") == done.certificates
    assert len(set(certificates()) - old) == 1


def test_what_waits_for_the_stage_is_left_to_it(learned: Base, in_force_is, tmp_path):
    pull(roster(tmp_path / "r.csv", line("王一", 3, filing_number("P1"), 开始日期="2024-06-05"),
                line("李二", 2, filing_number("P1"), 开始日期="2024-06-02")))  # fmt: skip
    in_force_is(SIX)
    from agent.flow import year_rule
    from agent.matching import stage as matching

    matching.run([year_rule(policy) for policy in policies().values()])
    done = carry_out(policies()[2024], by="t", reason="通知修订")
    assert done.learners == 1  # neither the old nor the new owner of the moved row
    run_stages()
    assert sql(
        "SELECT l.id_masked, sum(e.credited)::int FROM credit_creditentry e JOIN learners_learner l"
        " ON l.id = e.learner_id GROUP BY 1 HAVING sum(e.credited) <> 0 ORDER BY 2"
    ) == [(f"370{'*' * 11}{number(3)[-4:]}", 600), (f"370{'*' * 11}{number(2)[-4:]}", 2000)]


def test_a_batch_says_why_and_stays_as_it_is(learned: Base, in_force_is):
    in_force_is(SIX)
    with pytest.raises(ReasonMissing):
        carry_out(policies()[2024], by="t", reason="  ")
    carry_out(policies()[2024], by="t", reason="通知修订")
    for statement in ("UPDATE credit_reevaluation SET reason = 'x'", "DELETE FROM credit_reevaluation"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(statement)


def test_a_batch_that_breaks_off_never_was(learned: Base, in_force_is, monkeypatch):
    in_force_is(SIX)
    before = in_force()
    with pytest.raises(InterruptedError):
        carry_out(policies()[2024], by="t", reason="通知修订", progress=_break_off)
    assert in_force() == before
    assert one("SELECT count(*) FROM credit_reevaluation") == 0


def _break_off(_done: int, _of: int) -> None:
    raise InterruptedError


# --- by command ---------------------------------------------------------------------------------------------------
def test_by_command_tried_with_a_candidate_then_carried_out(learned: Base, xueshi, tmp_path, in_force_is):
    out = tmp_path / "moved.csv"
    new = folder(tmp_path / "candidate", SIX)
    tried = xueshi("credit", "reevaluate", "370400/2024", "--dry-run", "--with", new, "--out", out, "--json")
    assert (tried.exit, tried.json["dry_run"], tried.json["lose"], tried.json["batch"]) == (0, True, 1, None)
    text = out.read_text("utf-8-sig")
    assert f"370{'*' * 11}{number(1)[-4:]},8.0,6.0,-2.0,否,否" in text
    assert number(1) not in text

    in_force_is(SIX)
    done = xueshi("credit", "reevaluate", "370400/2024", "--reason", "通知修订", "--json")
    assert (done.exit, done.json["lose"], done.json["written"]) == (0, 1, {"appended": 2, "reversed": 2})
    back = xueshi("credit", "reevaluate", "370400/2024", "--dry-run", "--with", SHIPPED.parents[2])
    assert "1 人增加，0 人减少" in back.out


def test_by_command_a_reason_is_asked_for_and_a_candidate_is_never_carried_out(learned: Base, xueshi, tmp_path):
    before = in_force()
    assert xueshi("credit", "reevaluate", "370400/2024", "--json").json["error"]["code"] == "E_REASON_MISSING"
    said = xueshi("credit", "reevaluate", "370400/2024", "--with", folder(tmp_path / "c", SIX), "--reason", "x")
    assert said.exit == 2
    assert in_force() == before


def test_by_command_nothing_to_do_is_said(learned: Base, xueshi):
    assert "没有差异" in xueshi("credit", "reevaluate", "370400/2024", "--reason", "x").out
