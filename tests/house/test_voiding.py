"""A programme is voided by two people, with all that stood on it, or with what was given honoured."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from agent.certificates.voiding import confirm, impact
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from agent.programmes.deciding import Taken, drop_void, propose_void, take
from agent.programmes.errors import (
    CodeRefused,
    DecisionStale,
    NoProposal,
    NotByOneself,
    ProposalOpen,
    ReasonMissing,
    TransitionRefused,
)
from agent.programmes.filing import find
from agent.programmes.models import FilingEvent, Programme, VoidProposal
from agent.programmes.transitions import Kind
from tests.house.houses import Base, certificates, credited, filing_number, held, line, one, roster, sql


@pytest.fixture
def crowd(base: Base, tmp_path) -> list[str]:
    """Three people with certificates of P1; two of them with hours of the public G1 as well."""
    people = [line(name, serial, filing_number("P1")) for serial, name in enumerate(("王一", "李二", "张三"), 1)]
    people += [line(name, serial, filing_number("G1"), "2024-07-05") for serial, name in enumerate(("王一", "李二"), 1)]
    pull(roster(tmp_path / "r.csv", *people))
    run_stages()
    assert len(certificates()) == 3
    return certificates()


def propose(key: str = "P1", fate: str = "revoke", by: str = "wang", **more: str) -> VoidProposal:
    return propose_void(find(key), fate=fate, by=by, **({"code": "not_held", "reason": "没有实际举办"} | more))


def test_what_stands_on_it_is_shown_before(crowd):
    sql("UPDATE intake_completion SET employer = '示例医院' WHERE name <> '张三'")
    found = impact(find("P1"))
    assert (found.learners, found.completions, found.hours, found.live) == (3, 3, 6000, 3)
    assert (dict(found.certificates), found.downloaded, dict(found.by_version)) == ({"issued": 3}, 0, {1: 3})
    assert [(each.name, each.people) for each in found.employers] == [("示例医院", 2)]


def test_two_people_void_it_and_everything_goes_in_one_transaction(crowd):
    before = credited()
    propose()
    assert Programme.objects.get(key="P1").state == "filed"
    assert credited() == before
    done = confirm(find("P1"), policies(), by="zhao", reason="核实无误")
    assert (done.revoked, len(done.hours)) == (crowd, 3)
    assert certificates("revoked") == crowd
    assert set(credited()) == {"王一", "李二"}  # the public hours of another programme stay
    event = FilingEvent.objects.get(kind="void")
    assert (event.actor, event.second, event.code, event.to_state) == ("wang", "zhao", "not_held", "voided")
    assert sql("SELECT DISTINCT reason_class, by FROM certificates_certificateevent WHERE kind = 'revoked'") == [
        ("filing_voided", "wang, zhao")
    ]
    assert one("SELECT count(*) FROM certificates_certificatenotice WHERE kind = 'revoked'") == 3
    assert run_stages().idle
    assert certificates("revoked") == crowd


def test_hours_without_certificates_go_too_and_say_why(crowd):
    propose("G1")
    done = confirm(find("G1"), policies(), by="zhao")
    assert (done.revoked, done.reversed) == ([], 2)
    assert one("SELECT DISTINCT e.reason FROM credit_creditentry e JOIN credit_ruling r USING (achievement_id)"
               " WHERE e.reverses_id IS NULL AND NOT EXISTS"
               " (SELECT FROM credit_creditentry x WHERE x.reverses_id = e.id)"
               ) == "programme_voided"  # fmt: skip
    assert certificates() == crowd


def test_what_was_given_may_be_honoured_and_nothing_new_comes(crowd, base, tmp_path):
    before = credited()
    propose(fate="honour")
    assert confirm(find("P1"), policies(), by="zhao").revoked == []
    pull(roster(tmp_path / "late.csv", line("赵四", 4, filing_number("P1")), name="late"))
    run_stages()
    assert (certificates(), credited()) == (crowd, before)
    assert held() == {"E_PROGRAMME_NOT_FILED": 1}


def test_nobody_voids_alone(crowd):
    with pytest.raises(NoProposal):
        confirm(find("P1"), policies(), by="zhao")
    with pytest.raises(NotByOneself):
        take(find("P1"), Kind.VOID, Taken(actor="wang", reason="x"))
    proposal = propose()
    with pytest.raises(NotByOneself):
        confirm(find("P1"), policies(), by="wang")
    with pytest.raises(IntegrityError), transaction.atomic():  # the database says the same
        VoidProposal.objects.filter(pk=proposal.pk).update(outcome="confirmed", decided_by="wang")
    assert certificates() == crowd


def test_a_proposal_needs_code_and_reason_is_made_once_and_may_be_dropped(crowd):
    with pytest.raises(ReasonMissing):
        propose(reason=" ")
    with pytest.raises(CodeRefused):
        propose(code="complete")
    propose()
    with pytest.raises(ProposalOpen):
        propose(by="zhao")
    assert drop_void(find("P1"), by="zhao")
    assert not drop_void(find("P1"), by="zhao")
    propose(by="zhao")
    assert list(VoidProposal.objects.order_by("pk").values_list("outcome", flat=True)) == ["dropped", ""]


def test_what_happened_meanwhile_stops_it(crowd):
    programme = find("P1")
    seen = FilingEvent.objects.filter(programme=programme).last().pk
    propose()
    take(programme, Kind.START, Taken(actor="base"))
    with pytest.raises(DecisionStale):
        confirm(programme, policies(), by="zhao", seen=seen)
    with pytest.raises(TransitionRefused):
        take(programme, Kind.CLOSE, Taken(actor="zhao"))


def test_a_dry_run_shows_it_and_changes_nothing(crowd):
    tables = ("programmes_programme", "programmes_voidproposal", "credit_creditentry", "certificates_certificate")
    propose()
    before = [sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables]  # noqa: S608 - names of ours
    done = confirm(find("P1"), policies(), by="wang", dry_run=True)
    assert (done.revoked, [h.after for h in done.hours]) == (crowd, [0, 0, 0])
    assert [sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before  # noqa: S608


@pytest.mark.parametrize("state", ["change_pending", "running", "delivered", "closing", "closed"])
def test_whatever_the_phase_on_record_is_on_record(base, tmp_path, state):
    Programme.objects.filter(key="P1").update(state=state)
    pull(roster(tmp_path / "r.csv", line("王一", 1, filing_number("P1"))))
    run_stages()
    assert (len(certificates()), held()) == (1, {})
