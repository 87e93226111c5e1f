"""A certificate's life: every step by one table, the ledger and the learner's notice in the same transaction."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.certificates import life
from agent.certificates.credential import read_credential
from agent.certificates.errors import (
    AnotherLive,
    CertificateError,
    NotEarned,
    NothingToCorrect,
    ReasonRefused,
    StepRefused,
)
from agent.certificates.life import Because
from agent.certificates.models import Certificate, CertificateNotice
from agent.certificates.signer import signing_keys
from agent.certificates.transitions import STEP, Kind, State, moves
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from tests.house.houses import Base, credited, filing_number, line, one, roster, sql

OTHER = Because("other", "a reason of a test", "tester")
CLEARED = Because("cleared", "looked into", "tester")


@pytest.fixture
def crowd(base: Base, tmp_path) -> list[str]:
    """Three people with a certificate of 20 hours each; their numbers."""
    people = [line(name, serial, filing_number("P1")) for serial, name in enumerate(("王一", "李二", "张三"), 1)]
    pull(roster(tmp_path / "r.csv", *people))
    run_stages()
    numbers = dict(Certificate.objects.values_list("holder", "number"))
    return [numbers[name] for name in ("王一", "李二", "张三")]


def state(number: str) -> str:
    return Certificate.objects.get(number=number).state


def kinds(number: str) -> list[str]:
    return list(Certificate.objects.get(number=number).events.order_by("pk").values_list("kind", flat=True))


def test_a_suspended_one_keeps_its_hours_and_is_resumed(crowd):
    before = credited()
    life.suspend(crowd[:2], Because("under_review", "a tip-off"))
    assert [state(n) for n in crowd] == ["suspended", "suspended", "issued"]
    assert credited() == before
    assert run_stages().issued.issued == 0  # its place is taken
    life.resume(crowd[:2], CLEARED)
    assert [state(n) for n in crowd] == ["issued"] * 3
    assert kinds(crowd[0]) == ["issued", "suspended", "resumed"]


def test_a_revoked_ones_hours_are_reversed_in_the_same_transaction(crowd):
    effects = life.revoke(crowd[:1], Because("improper", "somebody else sat there", "tester"), policies())
    assert set(credited()) == {"李二", "张三"}
    ((_, year, category, before, after),) = effects.hours
    assert (year, category, before > 0, after) == (2024, "professional", True, 0)
    assert one("SELECT reason FROM credit_creditentry ORDER BY id DESC LIMIT 1") == "certificate_revoked"
    run_stages()
    assert set(credited()) == {"李二", "张三"}
    assert state(crowd[0]) == "revoked"


def test_a_restored_one_has_a_new_number_and_its_hours_again(crowd):
    before = credited()
    life.revoke(crowd[:1], OTHER, policies())
    (changed,) = life.restore(crowd[:1], CLEARED, policies()).changed
    assert credited() == before
    assert changed.successor not in crowd
    assert (state(crowd[0]), state(changed.successor)) == ("revoked", "issued")
    old, new = life.chain(Certificate.objects.get(number=crowd[0]))
    assert (old.number, new.number, new.predecessor) == (crowd[0], changed.successor, old)
    with pytest.raises(StepRefused):
        life.restore(crowd[:1], CLEARED, policies())  # another has its place already


def test_a_corrected_name_is_on_the_successor_and_signed(crowd):
    (changed,) = life.supersede(crowd[:1], Because("name_corrected", "identity card seen"), holder="王壹").changed
    new = Certificate.objects.get(number=changed.successor)
    names = read_credential(new.credential, signing_keys().trusted)["credentialSubject"]["identifier"]
    assert (new.holder, names[0]["identityHash"], state(crowd[0])) == ("王壹", "王壹", "superseded")
    event = Certificate.objects.get(number=crowd[0]).events.get(kind="superseded")
    assert (event.successor, event.reason_class) == (new, "name_corrected")
    with pytest.raises(NothingToCorrect):
        life.supersede([new.number], OTHER, holder="王壹")


def test_hours_corrected_at_the_source_reissue_by_themselves(crowd, tmp_path):
    life.supersede(crowd[1:2], Because("name_corrected", "identity card seen"), holder="李贰")
    people = [
        line(name, serial, filing_number("P1"), 学时="12") for serial, name in enumerate(("王一", "李二", "张三"), 1)
    ]
    pull(roster(tmp_path / "r.csv", *people))
    assert run_stages().issued.superseded == 3
    assert run_stages().issued.superseded == 0
    assert sql("SELECT holder, hours FROM certificates_certificate WHERE state = 'issued' ORDER BY holder") == [
        ("张三", 1200), ("李贰", 1200), ("王一", 1200),
    ]  # fmt: skip
    assert [c.hours for c in life.chain(Certificate.objects.get(number=crowd[1]))] == [2000, 2000, 1200]


def test_a_suspension_goes_over_to_the_successor(crowd):
    life.suspend(crowd[:1], Because("under_review", "a tip-off"))
    (changed,) = life.supersede(crowd[:1], OTHER, holder="王壹").changed
    assert (state(crowd[0]), state(changed.successor)) == ("superseded", "suspended")


def test_a_dry_run_shows_the_effects_and_changes_nothing(crowd, xueshi):
    before = [sql(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]  # noqa: S608 - names of ours
    said = xueshi("certificate", "revoke", crowd[0], "--because", "improper", "--reason", "x", "--dry-run", "--json")
    assert (said.exit, said.json["dry_run"], said.json["notices"]) == (0, True, 1)
    assert (said.json["changed"][0]["after"], said.json["hours"][0]["after"]) == ("revoked", "0.00")
    assert [sql(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES] == before  # noqa: S608 - names of ours


TABLES = (
    "certificates_certificate", "certificates_certificateevent", "certificates_certificatenotice",
    "certificates_serial", "credit_creditentry", "credit_ruling",
)  # fmt: skip


def test_each_step_is_told_once_and_a_successors_issue_with_it(crowd):
    life.revoke(crowd[:1], OTHER, policies())
    life.restore(crowd[:1], CLEARED, policies())
    told = CertificateNotice.objects.order_by("pk").values_list("certificate__number", "kind")
    assert set(told[:3]) == {(n, "issued") for n in crowd}
    assert list(told[3:]) == [(crowd[0], "revoked"), (crowd[0], "restored")]
    notice = CertificateNotice.objects.first()
    notice.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        notice.save(force_insert=True)


def test_what_the_source_took_back_is_not_restored_by_hand(crowd):
    sql("UPDATE intake_completion SET passed = false")
    assert run_stages().issued.revoked == 3
    event = Certificate.objects.get(number=crowd[0]).events.get(kind="revoked")
    assert event.reason_class == "source_withdrew"
    with pytest.raises(NotEarned):
        life.restore(crowd[:1], CLEARED, policies())
    assert state(crowd[0]) == "revoked"


def test_of_many_either_all_move_or_none(crowd):
    life.revoke(crowd[2:], OTHER, policies())
    with pytest.raises(StepRefused):
        life.suspend(crowd, Because("under_review", "a tip-off"))
    assert [state(n) for n in crowd] == ["issued", "issued", "revoked"]


def test_commands_name_what_is_wrong_and_what_is_right(crowd, xueshi):
    said = xueshi("certificate", "revoke", "1" * 26, "--because", "other", "--reason", "x", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_CERTIFICATE_UNKNOWN")
    said = xueshi("certificate", "revoke", crowd[0], "--because", "whim", "--reason", "x", "--json")
    assert said.json["error"]["code"] == "E_STEP_REASON"
    assert "wrong_facts, improper" in said.json["error"]["fix"]
    said = xueshi("certificate", "resume", crowd[0], "--because", "cleared", "--reason", "x", "--json")
    assert said.json["error"]["code"] == "E_STEP"
    assert "suspended, superseded, revoked" in said.json["error"]["fix"]
    args = ("--because", "name_corrected", "--reason", "identity card seen", "--name", "王壹", "--by", "clerk")
    said = xueshi("certificate", "supersede", crowd[0], *args)
    assert said.exit == 0
    shown = xueshi("certificate", "show", crowd[0], "--json").json
    assert [event["kind"] for event in shown["events"]] == ["issued", "superseded"]
    assert (shown["events"][1]["by"], [c["state"] for c in shown["chain"]]) == ("clerk", ["superseded", "issued"])


def test_a_reason_is_a_sentence(crowd):
    for reason in ("", " ", "长" * 201):
        with pytest.raises(ReasonRefused):
            life.suspend(crowd, Because("under_review", reason))


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_the_database_lets_a_state_go_where_the_table_says_and_nowhere_else(crowd, before, after):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE certificates_certificate DISABLE TRIGGER USER")
        cursor.execute("UPDATE certificates_certificate SET state = %s", [before])
        cursor.execute("ALTER TABLE certificates_certificate ENABLE TRIGGER USER")
    may = before == after or (before, after) in moves()
    try:
        with transaction.atomic():
            sql("UPDATE certificates_certificate SET state = %s", [after])
    except DatabaseError:
        assert not may
    else:
        assert may


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE certificates_certificate SET number = reverse(number)",
        "UPDATE certificates_certificate SET issued_at = issued_at - interval '1 year'",
        "DELETE FROM certificates_certificatenotice; DELETE FROM certificates_certificate",
        "UPDATE certificates_certificate SET predecessor_id = id",
        (
            "INSERT INTO certificates_certificateevent (certificate_id, at, kind, state, reason_class, reason, by)"
            " SELECT id, now(), 'revoked', 'issued', 'other', 'x', '' FROM certificates_certificate"
        ),
        (
            "INSERT INTO certificates_certificateevent (certificate_id, at, kind, state, reason_class, reason, by)"
            " SELECT id, now(), 'revoked', 'revoked', 'cleared', 'x', '' FROM certificates_certificate"
        ),
    ],
)
def test_the_database_refuses(crowd, statement):
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(statement)


STEPS = st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 40)), max_size=12)


# What is named here replaces what the profile of all tests names: a machine that is busy is no fault of the rule.
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_is_done_the_ledger_says_what_the_live_certificates_say(crowd, steps):  # noqa: C901 - one way a step
    """Each example goes on from where the one before ended: the longer the chains, the better."""
    numbers = set(Certificate.objects.values_list("number", flat=True))
    for kind, pick in steps:
        ordered = list(Certificate.objects.order_by("pk"))
        chosen = ordered[pick % len(ordered)]
        because = Because(str(next(iter(STEP[kind].needs), "other")), "a reason of a test")
        try:
            match kind:
                case Kind.SUSPENDED:
                    life.suspend([chosen.number], because)
                case Kind.RESUMED:
                    life.resume([chosen.number], because)
                case Kind.SUPERSEDED:
                    life.supersede([chosen.number], because, holder=chosen.holder[0] + chr(0x5200 + len(ordered)))
                case Kind.REVOKED:
                    life.revoke([chosen.number], because, policies())
                case Kind.RESTORED:
                    life.restore([chosen.number], because, policies())
                case Kind.ISSUED:
                    run_stages()
        except CertificateError as error:
            if not isinstance(error, StepRefused | AnotherLive):
                raise
    live = Certificate.objects.filter(state__in=("issued", "suspended"))
    recognised = dict(
        sql("SELECT learner_id, sum(recognised)::int FROM credit_creditentry GROUP BY 1 HAVING sum(recognised) <> 0")
    )
    assert recognised == dict(live.values_list("learner_id", "hours"))
    after = list(Certificate.objects.values_list("number", flat=True))
    assert numbers <= set(after)
    assert len(after) == len(set(after))
    for certificate in Certificate.objects.all():
        assert certificate.state == certificate.events.order_by("pk").last().state
        linked = life.chain(certificate)
        assert certificate in linked
        assert all(new.predecessor_id == old.pk for old, new in pairwise(linked))
