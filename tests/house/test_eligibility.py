"""Who gets no certificate yet, and is told why: each reason has its code, and goes when its cause is gone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import DatabaseError, transaction

from agent.certificates import approvals, stage
from agent.certificates.approvals import Approval, ApprovedAchievement
from agent.flow import run_stages
from agent.intake.sync import pull
from agent.organisations.models import Kind
from agent.programmes.filing import find
from agent.quarantine.codes import CODES, fix, sentence
from agent.quarantine.models import Held
from agent.reconciliation import stage as reconciliation
from agent.reconciliation.stage import lines_of
from tests.house.houses import Base, certificates, filing_number, held, in_force, line, one, roster, sql
from tests.house.programme_files import LINE, ROW, bring, file, sheet


def crowd(base: Base, count: int, course: str = "WSYS", first: int = 1) -> None:
    for serial in range(first, first + count):
        base.learner(f"u{serial}", f"王{chr(0x4E00 + serial)}")
        base.done(f"u{serial}", course, f"2024-05-{serial % 28 + 1:02d}T02:00")


def says(code: str) -> str:
    item = Held.objects.filter(code=code, released_at=None).first()
    assert item
    assert fix(code)
    assert fix(code, english=True)
    said = sentence(code, item.params)
    assert "？" not in said
    assert "?" not in sentence(code, item.params, english=True)
    return said


def credited_only() -> None:
    """All stages but the issuing."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stage, "run", lambda *_: stage.Issued())
        run_stages()


def let_versions_change() -> None:
    """What was filed can't be changed in the database; a test that needs it changed asks the owner to look away."""
    sql("ALTER TABLE programmes_programmeversion DISABLE TRIGGER append_only")


def test_what_a_base_organises_waits_and_is_told(base: Base):
    crowd(base, 1)
    sql("UPDATE organisations_organisation SET kind = %s WHERE name LIKE '%%卫生健康%%'", [Kind.TRAINING_BASE])
    assert base.sync().issued.held == 1
    assert (certificates(), held()) == ([], {"E_CERT_NOT_ENTITLED": 1})
    assert "卫生健康" in says("E_CERT_NOT_ENTITLED")
    sql("UPDATE organisations_organisation SET kind = %s WHERE name LIKE '%%卫生健康%%'", [Kind.SECTOR_DEPARTMENT])
    assert run_stages().issued.issued == 1
    assert held() == {}


def test_a_public_programme_gives_none_and_that_is_nothing_to_wait_for(base: Base):
    base.learner("u1", "王一")
    base.done("u1", "SZJS")
    base.sync()
    assert (len(in_force()), certificates(), held()) == (1, [], {})


def test_a_filing_that_was_taken_back_since_holds_the_certificate(base: Base):
    crowd(base, 1)
    base.pull()
    credited_only()
    sql("UPDATE programmes_programme SET state = 'cancelled' WHERE key = 'P1'")
    run_stages()
    assert held() == {"E_CERT_NOT_FILED": 1}
    assert "2024年卫生系统医师专业科目" in says("E_CERT_NOT_FILED")
    sql("UPDATE programmes_programme SET state = 'filed' WHERE key = 'P1'")
    assert (run_stages().issued.issued, held()) == (1, {})


@pytest.mark.parametrize(
    ("change", "code"),
    [("ends_on = '2024-05-01'", "E_CERT_DATES"), ("hours = 100", "E_CERT_HOURS")],
)
def test_what_was_not_delivered_as_filed_has_no_certificate(base: Base, change: str, code: str):
    crowd(base, 1)
    base.pull()
    credited_only()
    before = sql(
        "SELECT starts_on, ends_on, hours FROM programmes_programmeversion WHERE title LIKE '2024年卫生系统%%'"
    )
    let_versions_change()
    sql(f"UPDATE programmes_programmeversion SET {change} WHERE title LIKE '2024年卫生系统%%'")  # noqa: S608
    assert run_stages().issued.issued == 0
    assert held() == {code: 1}
    assert "2024年卫生系统医师专业科目" in says(code)
    sql("UPDATE programmes_programmeversion SET starts_on = %s, ends_on = %s, hours = %s"
        " WHERE title LIKE '2024年卫生系统%%'", before[0])  # fmt: skip
    assert run_stages().issued.issued == 1


def test_every_reason_has_a_sentence_and_a_fix_in_both_languages():
    for code in (code for code in CODES if code.startswith("E_CERT_")):
        assert all((CODES[code].zh, CODES[code].en, CODES[code].fix_zh, CODES[code].fix_en))


@pytest.mark.parametrize(
    ("character", "code"),
    [("\ue123", "E_PRIVATE_USE"), ("\u200b", "E_TEXT_CONTROL"), ("\U000323af", "E_GLYPH_MISSING")],
)
def test_what_cant_be_drawn_says_which_kind_it_is(base: Base, character: str, code: str):
    crowd(base, 1)
    base.pull()
    credited_only()
    sql("UPDATE matching_achievement SET name = %s", [f"王{character}"])
    run_stages()
    assert held() == {code: 1}
    assert f"U+{ord(character):04X}" in says(code)


# --- approval ----------------------------------------------------------------------------------------------------
@pytest.fixture
def asks(base: Base) -> Base:
    """P1 asks for an approval, and three wait for it."""
    assert approvals.ask_for_approval(find("P1"), needed=True, by="health", reason="抽查")
    crowd(base, 3)
    base.sync()
    return base


def test_where_the_programme_asks_for_it_certificates_wait_for_the_department(asks: Base):
    assert (certificates(), held(), approvals.waiting(find("P1"))) == ([], {"E_CERT_NOT_APPROVED": 3}, 3)
    assert "王" in says("E_CERT_NOT_APPROVED")
    assert approvals.approve(find("P1"), by="李处长", reason="核对无误") == 3
    assert (run_stages().issued.issued, held()) == (3, {})
    batch = Approval.objects.get(kind="batch")
    assert (batch.by, batch.reason, batch.count) == ("李处长", "核对无误", 3)
    assert batch.at


def test_who_comes_later_needs_an_approval_of_their_own(asks: Base):
    approvals.approve(find("P1"), by="李处长")
    crowd(asks, 2, first=4)
    assert asks.sync().issued.issued == 3
    assert held() == {"E_CERT_NOT_APPROVED": 2}
    assert approvals.approve(find("P1"), by="李处长") == 2
    assert run_stages().issued.issued == 2
    assert approvals.approve(find("P1"), by="李处长") == 0
    assert Approval.objects.filter(kind="batch").count() == 2


def test_what_was_corrected_after_the_approval_is_approved_again(base: Base, tmp_path):
    approvals.ask_for_approval(find("P1"), needed=True, by="health")
    row = line("王一", 1, filing_number("P1"), 学时="20")
    pull(roster(tmp_path / "r.csv", row))
    run_stages()
    approvals.approve(find("P1"), by="李处长")
    pull(roster(tmp_path / "r.csv", row | {"学时": "6"}))
    assert (run_stages().issued.issued, held()) == (0, {"E_CERT_NOT_APPROVED": 1})


def test_one_programmes_approval_is_no_others(asks: Base):
    approvals.ask_for_approval(find("P2"), needed=True, by="industry")
    asks.done("u1", "RGZN")
    asks.sync()
    assert approvals.approve(find("P2"), by="industry") == 1
    assert run_stages().issued.issued == 1
    assert held() == {"E_CERT_NOT_APPROVED": 3}


def test_when_no_approval_is_asked_for_any_more_all_are_issued(asks: Base):
    assert approvals.ask_for_approval(find("P1"), needed=False, by="health", reason="改为免审")
    assert not approvals.ask_for_approval(find("P1"), needed=False, by="health")
    assert (run_stages().issued.issued, held()) == (3, {})
    assert list(Approval.objects.order_by("pk").values_list("kind", "reason")) == [
        ("needed", "抽查"),
        ("not_needed", "改为免审"),
    ]


def test_nobody_rewrites_who_approved(asks: Base):
    approvals.approve(find("P1"), by="李处长")
    for model in (Approval, ApprovedAchievement):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(f"DELETE FROM {model._meta.db_table}")  # noqa: S608


def test_who_waits_for_an_approval_stands_in_the_reconciliation_as_held(asks: Base):
    assert [found for found in lines_of(reconciliation.run()) if found.equal is False] == []


def test_approving_by_command_issues_at_once(asks: Base, xueshi):
    shown = xueshi("certificate", "approval", "P1", "--json").json
    assert (shown["needed"], shown["waiting"]) == (True, 3)
    done = xueshi("certificate", "approve", "--programme", "P1", "--reason", "核对无误", "--json")
    assert (done.exit, done.json["approved"], done.json["issued"]) == (0, 3, 3)
    assert xueshi("certificate", "approve", "--programme", "P1", "--json").json["approved"] == 0
    after = xueshi("certificate", "approval", "P1", "--not-needed", "--json").json
    assert [each["kind"] for each in after["decided"]] == ["needed", "batch", "not_needed"]
    assert after["decided"][1]["by"]
    assert xueshi("certificate", "approve", "--programme", "NOBODY").exit == 2


def test_a_programme_file_may_ask_for_it(house: str, tmp_path):
    bring(file(tmp_path, ROW | {"certificates_need_approval": True}))
    assert find("K1").certificates_need_approval
    assert bring(file(tmp_path, ROW)).unchanged == 1  # not said: as it is
    with pytest.raises(Exception, match="is filed"):
        bring(file(tmp_path, ROW | {"certificates_need_approval": False}))
    heads = (*LINE, "证书须审批")
    bring(sheet(tmp_path / "p.xlsx", LINE | {"项目编号": "K2", "证书须审批": "是"}, headings=heads))
    bring(sheet(tmp_path / "p.xlsx", LINE | {"项目编号": "K3", "证书须审批": "否"}, headings=heads))
    assert [find(key).certificates_need_approval for key in ("K2", "K3")] == [True, False]


# --- many at once --------------------------------------------------------------------------------------------------
_ISSUE = """
import sys
from agent.boot import start
start()
from agent.certificates import stage
from agent.flow import policies
stage._BATCH = int(sys.argv[1])
print(stage.run(policies()).issued)
"""


def test_processes_that_issue_at_the_same_time_leave_no_gap_and_no_double(base: Base):
    for course, key in (("WSYS", "P1"), ("RGZN", "P2")):
        crowd(base, 60, course)
        assert find(key)
    base.pull()
    credited_only()
    running = [
        subprocess.Popen([sys.executable, "-c", _ISSUE, str(batch)], stdout=subprocess.PIPE, text=True)
        for batch in (1, 3, 7, 10)
    ]
    done = [int(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0]
    assert sum(done) == 120
    for key in ("P1", "P2"):
        found = sql(
            "SELECT c.number FROM certificates_certificate c JOIN programmes_programme p ON p.id = c.programme_id"
            " WHERE p.key = %s ORDER BY 1", [key],
        )  # fmt: skip
        assert [int(n[20:25]) for (n,) in found] == list(range(1, 61))
    assert one("SELECT count(*) FROM certificates_certificateevent") == 120
