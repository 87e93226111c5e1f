"""What a person decides about held rows: the stage releases by it, and takes back by its being taken back."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from agent.flow import run_stages
from agent.learners.models import Learner
from agent.mapping.preview import of_decision, of_taking_back
from agent.matching.decisions import candidates, decide, in_force, row_of, take_back
from agent.matching.errors import (
    DecisionReasonMissing,
    DecisionUnknown,
    NoLongerHeld,
    NothingToDecide,
    PersonNotFitting,
)
from agent.matching.models import Achievement, Decision
from agent.quarantine.models import Held
from tests.house.houses import Base, certificates, credited, held, number, one, sql

pytestmark = pytest.mark.usefixtures("base")


def _open(code: str) -> list[int]:
    return list(Held.objects.filter(code=code, released_at=None).order_by("pk").values_list("pk", flat=True))


# --- an account is that learner -------------------------------------------------------------------------------------
@pytest.fixture
def nameless(base: Base) -> tuple[int, Learner]:
    """王小明 is known by u1; u2 is called so too, and says no number."""
    base.learner("u1")
    base.done("u1", "WSYS")
    base.learner("u2", id_number="")
    base.done("u2", "RGZN")
    base.sync()
    (item,) = _open("E_ID_MISSING")
    return item, Learner.objects.get()


def test_a_row_without_a_number_is_released_by_saying_who_it_is(nameless: tuple[int, Learner]):
    item, learner = nameless
    (who,) = candidates(row_of(Held.objects.get(pk=item)), everywhere=False)
    assert (who.learner, who.here, who.same_account) == (learner, 1, False)
    trial = of_decision([item], by="anna", reason="she showed her card", learner=learner)
    assert (trial.matched, trial.released, trial.hours) == (1, {"E_ID_MISSING": 1}, {"professional": 2400})
    assert not Decision.objects.exists()
    (made,) = decide([item], by="anna", reason="she showed her card", learner=learner)
    run_stages()
    assert (held(), credited()) == ({}, {"王小明": 4400})
    assert Achievement.objects.get(decisions__isnull=False).decisions == [made.pk]
    assert len(certificates()) == 2


def test_it_counts_for_what_the_account_completes_later(nameless: tuple[int, Learner], base: Base):
    item, learner = nameless
    decide([item], by="anna", reason="she showed her card", learner=learner)
    base.done("u2", "JZSG")
    assert base.sync().matched.matched == 2


def test_nobody_becomes_somebody_of_another_name(nameless: tuple[int, Learner], base: Base):
    item, _ = nameless
    base.learner("u3", name="李四")
    base.done("u3")
    base.sync()
    with pytest.raises(PersonNotFitting):
        decide([item], by="anna", reason="why not", learner=Learner.objects.get(name="李四"))
    with pytest.raises(PersonNotFitting):
        decide([item], by="anna", reason="why not")
    assert held() == {"E_ID_MISSING": 1}


def test_a_decision_taken_back_takes_back_what_rests_on_it(nameless: tuple[int, Learner]):
    item, learner = nameless
    (made,) = decide([item], by="anna", reason="she showed her card", learner=learner)
    run_stages()
    trial = of_taking_back(made.pk, by="anna")
    assert (trial.unmatched, trial.held, trial.revoked) == (1, {"E_ID_MISSING": 1}, 1)
    take_back(made.pk, by="boris", reason="it was her sister")
    run_stages()
    assert (held(), credited(), len(certificates())) == ({"E_ID_MISSING": 1}, {"王小明": 2000}, 1)
    assert "decision taken back" in {r for (r,) in sql("SELECT reason FROM certificates_certificateevent")}
    assert run_stages().idle
    assert not in_force()
    with pytest.raises(DecisionUnknown):
        take_back(made.pk, by="boris", reason="again")


# --- a name is that person's ----------------------------------------------------------------------------------------
def test_another_name_of_a_person_is_released_and_certificates_bear_their_own(base: Base):
    base.learner("u1", name="王小明")
    base.done("u1", "WSYS")
    base.sync()
    base.learner("u2", name="王晓明", id_number=number(1))
    base.done("u2", "RGZN")
    base.sync()
    (item,) = _open("E_NAME_CONFLICT")
    assert of_decision([item], by="anna", reason="former name").released == {"E_NAME_CONFLICT": 1}
    decide([item], by="anna", reason="former name")
    run_stages()
    assert (held(), credited()) == ({}, {"王小明": 4400})
    assert one("SELECT count(DISTINCT holder) FROM certificates_certificate") == 1


def test_two_names_that_came_at_once_are_settled_by_saying_which_is_the_other_one(base: Base):
    base.learner("u1", name="王小明")
    base.learner("u2", name="王晓明", id_number=number(1))
    base.done("u1", "WSYS", "2024-06-06T02:00")
    base.done("u2", "RGZN", "2024-05-06T02:00")
    base.sync()
    assert held() == {"E_NAME_CONFLICT": 2}
    item = next(pk for pk in _open("E_NAME_CONFLICT") if Held.objects.get(pk=pk).params["name"] == "王晓明")
    decide([item], by="anna", reason="a slip of the pen")
    run_stages()
    assert held() == {}
    assert Learner.objects.get().name == "王小明"


# --- a row is accepted all the same ---------------------------------------------------------------------------------
@pytest.fixture
def late(base: Base) -> int:
    """A completion of 2024 that came long after the year was closed."""
    base.learner("u1")
    base.done("u1")
    sql("UPDATE intake_source SET connected_at = '2024-01-01'")
    base.pull()
    sql("UPDATE intake_completion SET first_landed_at = '2025-12-01'")
    run_stages()
    (item,) = _open("E_LATE_YEAR")
    return item


def test_the_bureau_accepts_a_late_row(late: int):
    assert of_decision([late], by="anna", reason="the base was closed").matched == 1
    (made,) = decide([late], by="anna", reason="the base was closed")
    run_stages()
    assert (held(), credited()) == ({}, {"王小明": 2000})
    take_back(made.pk, by="boris", reason="it was not")
    run_stages()
    assert held() == {"E_LATE_YEAR": 1}


# --- what is refused ------------------------------------------------------------------------------------------------
def test_what_a_correction_mends_is_not_decided(base: Base):
    base.learner("u1")
    base.done("u1", "YFGL")
    base.sync()
    (item,) = _open("E_COURSE_UNMAPPED")
    with pytest.raises(NothingToDecide):
        decide([item], by="anna", reason="why not")


def test_a_decision_needs_a_reason_and_something_that_waits(late: int):
    with pytest.raises(DecisionReasonMissing):
        decide([late], by="anna", reason=" ")
    decide([late], by="anna", reason="the base was closed")
    run_stages()
    with pytest.raises(NoLongerHeld):
        decide([late], by="anna", reason="again")


def test_the_same_decision_twice_is_one(late: int):
    first = decide([late], by="anna", reason="the base was closed")
    assert decide([late], by="boris", reason="double click") == first


def test_a_decision_is_never_rewritten(late: int):
    decide([late], by="anna", reason="the base was closed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql("UPDATE matching_decision SET reason = 'other'")


def test_the_stages_hear_of_a_decision(late: int):
    run_stages()
    assert run_stages().rested
    decide([late], by="anna", reason="the base was closed")
    assert not run_stages().rested


def test_by_commands(late: int, xueshi):
    tried = xueshi("quarantine", "decide", late, "--reason", "closed", "--dry-run", "--json").json
    assert (tried["decisions"], tried["difference"]["matched"]) == ([], 1)
    done = xueshi("quarantine", "decide", late, "--reason", "closed", "--json").json
    assert held() == {}
    (shown,) = xueshi("quarantine", "decisions", "--json").json
    assert (shown["number"], shown["reason"]) == (done["decisions"][0], "closed")
    assert xueshi("quarantine", "take-back", shown["number"], "--json").json["error"]["code"] == "E_REASON"
    assert xueshi("quarantine", "take-back", shown["number"], "--reason", "no", "--json").exit == 0
    assert held() == {"E_LATE_YEAR": 1}
