"""The audit log: a chain that can't be changed, shortened or forked unseen, with no identity number in it."""

from __future__ import annotations

import json
import os
import re
import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import chain, keeping
from agent.audit.chain import record
from agent.audit.check import Head, check, head
from agent.audit.keeping import KeepingTooShort, prune
from agent.audit.masking import masked, plain
from agent.audit.models import AuditEvent, AuditSeal
from agent.audit.search import Wanted, change_of, events
from agent.localtime import now
from agent.organisations.models import Kind, Organisation

ID = "370402199001010018"


def write(*actions: str, actor: str = "zhang") -> None:
    for action in actions:
        with transaction.atomic():
            record(actor, action, on="programme 370400/2024/K1", before={"n": 1}, after={"n": 2})


def tamper(statement: str, *values: object) -> None:
    """As somebody would who owns the database and has switched its triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute(statement, values or None)
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")


def test_what_is_recorded_can_be_read_again(house):
    body = Organisation.objects.create(
        uscc="113704000041810204", kind=Kind.HR_BUREAU, name="示例局", region="370400", issuer_number=1
    )
    with transaction.atomic():
        record("li", "programme.filed", on="programme 370400/2024/K1", after={"hours": 24}, organisation=body)
    (event,) = AuditEvent.objects.all()
    assert (event.index, event.actor, event.action, event.organisation) == (1, "li", "programme.filed", body)
    assert change_of(event) == (None, {"hours": 24})
    assert not check().findings


def test_an_event_goes_with_the_transaction_that_it_tells_of(house):
    write("a")

    @transaction.atomic
    def fails() -> None:
        record("zhang", "b", on="x")
        raise LookupError

    with pytest.raises(LookupError):
        fails()
    write("c")
    assert [e.action for e in AuditEvent.objects.order_by("index")] == ["a", "c"]
    assert [e.index for e in AuditEvent.objects.order_by("index")] == [1, 2]


def test_outside_a_transaction_nothing_is_recorded(house):
    with pytest.raises(TransactionManagementError):
        record("zhang", "a", on="x")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET actor = 'nobody'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "UPDATE audit_auditseal SET by = 'nobody'",
        "DELETE FROM audit_auditseal",
    ],
)
def test_the_database_refuses_to_rewrite(house, statement):
    write("a", "b")
    seal = AuditEvent.objects.get(index=2)
    AuditSeal.objects.create(
        through=2, hash=seal.hash, seal=seal.seal, first_at=now(), last_at=now(), at=now(), by="x"
    )  # even with a seal, what is younger than six months stays
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "code", "index"),
    [
        ("UPDATE audit_auditevent SET actor = 'other' WHERE index = 2", "columns", 2),
        ("UPDATE audit_auditevent SET entry = replace(entry, 'zhang', 'li'), actor = 'li' WHERE index = 2", "hash", 2),
        ("DELETE FROM audit_auditevent WHERE index = 2", "gap", 2),
        ("UPDATE audit_auditevent SET at = at - interval '1 day' WHERE index = 3", "columns", 3),
        ("UPDATE audit_auditevent SET seal = decode(repeat('00', 32), 'hex') WHERE index = 1", "seal", 1),
        ("UPDATE audit_auditevent SET entry = 'nonsense' WHERE index = 1", "hash", 1),
    ],
)
def test_what_was_tampered_with_is_found(house, statement, code, index):
    write("a", "b", "c")
    assert not check().findings
    tamper(statement)
    assert (code, index) in {(f.code, f.index) for f in check().findings}


def test_all_hashes_made_anew_without_the_key_are_found(house):
    write("a", "b", "c")
    previous = chain.START
    for event in AuditEvent.objects.order_by("index"):
        entry = event.entry.replace("zhang", "li")
        previous = chain.hash_of(previous, entry)
        tamper(
            "UPDATE audit_auditevent SET actor = 'li', entry = %s, hash = %s WHERE index = %s",
            entry, previous, event.index,
        )  # fmt: skip
    assert {f.code for f in check().findings} == {"seal"}


def test_an_end_that_was_cut_off_is_found_by_a_kept_head(house):
    write("a", "b", "c")
    kept = head()
    write("d")
    assert not check(kept).findings
    tamper("DELETE FROM audit_auditevent WHERE index > 2")
    assert not check().findings  # nothing inside tells
    assert [f.code for f in check(kept).findings] == ["head"]
    write("c", "d")  # another history in its place
    assert [f.code for f in check(kept).findings] == ["head"]


def test_many_at_once_make_one_chain(house):
    def some() -> None:
        try:
            write(*["a"] * 10)
        finally:
            connection.close()

    threads = [threading.Thread(target=some) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = check()
    assert (found.events, found.findings) == (60, [])
    indexes = [e.index for e in AuditEvent.objects.order_by("index")]
    assert all(b == a + 1 for a, b in pairwise(indexes))


def test_searching_narrows_by_everything_that_is_said(house):
    write("role.given", "role.taken")
    write("source.saved", actor="li")
    today = (now() + timedelta(hours=8)).date()
    assert [e.action for e in events(Wanted())] == ["source.saved", "role.taken", "role.given"]
    assert events(Wanted(who="zh")).count() == 2
    assert events(Wanted(action="role.")).count() == 2
    assert events(Wanted(on="2024/K1")).count() == 3
    assert events(Wanted(on="K2")).count() == 0
    assert events(Wanted(first=today, last=today)).count() == 3
    assert events(Wanted(last=today - timedelta(days=1))).count() == 0


# --- keeping ---


def at(monkeypatch, ago: timedelta) -> None:
    monkeypatch.setattr(chain, "now", lambda: now() - ago)


def test_old_events_go_and_the_rest_stays_provable(house, monkeypatch):
    monkeypatch.setenv("XUESHI_AUDIT_MONTHS", "12")
    at(monkeypatch, timedelta(days=500))
    write("a", "b")
    kept_of_old = head()
    at(monkeypatch, timedelta(days=200))
    write("c")
    kept = head()
    at(monkeypatch, timedelta(0))
    assert prune("admin") == (2, 2)
    assert [e.action for e in AuditEvent.objects.order_by("index")] == ["c", "audit.pruned"]
    assert not check().findings
    assert not check(kept).findings
    assert not check(kept_of_old).findings  # it is the seal's own
    assert [f.code for f in check(Head(2, "00" * 32)).findings] == ["head"]
    assert prune("admin") == (0, 0)
    write("d")
    assert not check().findings
    tamper("DELETE FROM audit_auditevent WHERE index = 3")
    assert [f.code for f in check().findings][:1] == ["gap"]


def test_nothing_younger_than_six_months_ever_goes(house, monkeypatch):
    at(monkeypatch, timedelta(days=170))
    write("a")
    at(monkeypatch, timedelta(0))
    monkeypatch.setattr(keeping, "months", lambda: 1)  # whatever a setting or a bug says, the database looks itself
    with pytest.raises(DatabaseError, match="append-only"):
        prune("admin")
    assert AuditEvent.objects.count() == 1


def test_an_old_event_in_the_middle_waits_for_those_before_it(house, monkeypatch):
    write("young")
    at(monkeypatch, timedelta(days=4000))
    write("old")
    at(monkeypatch, timedelta(0))
    assert prune("admin") == (0, 0)


@pytest.mark.parametrize("value", ["5", "0", "-6", "six", "６", "99999"])
def test_fewer_than_six_months_is_refused(monkeypatch, value):
    monkeypatch.setenv("XUESHI_AUDIT_MONTHS", value)
    with pytest.raises(KeepingTooShort):
        keeping.months()


# --- no identity number ---

_clear = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|\d{15})(?!\d)")
numbers = st.from_regex(r"\A[1-9]\d{16}[\dXx]\Z|\A[1-9]\d{14}\Z")
around = st.text(st.characters(codec="utf-8", exclude_categories=["Nd"]), max_size=8)
texts = st.tuples(around, numbers, around).map("".join)
values = st.recursive(
    texts | numbers.filter(str.isdigit).map(int) | st.none() | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("uscc"), inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_no_identity_number_survives_in_any_value(value):
    said = chain.entry_of(1, now(), before=plain({"x": value}), after=None)
    said = said.split('"index"')[0]
    public = re.compile(r'"uscc":"[0-9A-Z]{18}"')  # with a right check character, and then it is a body's
    assert not _clear.search(public.sub("", said)), said


@given(texts)
def test_no_identity_number_survives_in_any_text(text):
    assert not _clear.search(masked(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"学员 {ID}", "学员 370***********0018"),
        ("370402 19900101 0018", "370***********0018"),
        ("370402-19900101-001X", "370***********001X"),
        ("３７０４０２１９９００１０１００１８", "３７０***********００１８"),
        (f"{ID}{ID}", f"370{'*' * 29}0018"),
        ("证书 37040020242000100001000017 号", "证书 37040020242000100001000017 号"),
        ("2024-05-06 2024-05-17", "2024-05-06 2024-05-17"),
        ("13800000000", "13800000000"),
    ],
)
def test_masking_by_example(text, said):
    assert masked(text) == said


def test_actor_and_target_are_masked_too(house):
    with transaction.atomic():
        record(ID, "learner.seen", on=f"learner {ID}", after={"uscc": "113704000041810204"})
    event = AuditEvent.objects.get()
    assert ID not in event.entry + event.actor + event.target
    assert "113704000041810204" in event.entry


def test_the_commands(house, xueshi, monkeypatch):
    write("a", "=b")
    whole = xueshi("audit", "check", "--json")
    assert (whole.exit, whole.json["whole"], whole.json["events"]) == (0, True, 2)
    kept = xueshi("audit", "head", "--json").json["head"]
    assert xueshi("audit", "check", "--head", kept).exit == 0
    assert xueshi("audit", "check", "--head", "nonsense").exit == 2
    assert [row["action"] for row in xueshi("audit", "search", "--who", "zhang", "--json").json] == ["=b", "a"]
    assert xueshi("audit", "search", "--from", "yesterday").exit == 2
    assert "'=b" in xueshi("audit", "export").out
    lines = xueshi("audit", "export", "--json").out.splitlines()  # that it was taken away is the last of it
    assert [json.loads(line)["action"] for line in lines] == ["a", "=b", "audit.exported", "audit.exported"]
    assert xueshi("audit", "prune", "--json").json == {"months": 36, "events": 0, "through": 0}
    tamper("UPDATE audit_auditevent SET actor = 'other' WHERE index = 1")
    broken = xueshi("audit", "check", "--json")
    assert (broken.exit, broken.json["findings"][0]["code"]) == (1, "columns")
    assert os.environ["DATABASE_URL"] == house
