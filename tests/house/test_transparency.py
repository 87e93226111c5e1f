"""The public log of certificates: what it has can be proved, and what is done behind its back shows."""

# ruff: noqa: S608 - what a thief would run is put together from names and numbers of ours

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection

from agent.certificates import life, merkle, transparency
from agent.certificates.audit import audit
from agent.certificates.errors import HeadInvalid, NoHead, NotInLog
from agent.certificates.heads import read_head
from agent.certificates.life import Because
from agent.certificates.models import Certificate
from agent.certificates.signer import signing_keys
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from tests.house.houses import Base, filing_number, line, one, roster, sql

OTHER = Because("other", "a reason of a test")


@pytest.fixture
def crowd(base: Base, tmp_path) -> list[str]:
    """Seven people with a certificate; their numbers."""
    people = [line(f"王{chr(0x4E00 + serial)}", serial, filing_number("P1")) for serial in range(1, 8)]
    pull(roster(tmp_path / "r.csv", *people))
    run_stages()
    return list(Certificate.objects.order_by("pk").values_list("number", flat=True))


GUARDED = ("certificate", "certificateevent", "logleaf", "lognode", "loghead")
_NO_KEYS = """
DO $$ DECLARE k record; BEGIN
    FOR k IN SELECT conname, conrelid::regclass AS t FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text
        IN ('certificates_logleaf', 'certificates_certificatenotice') LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.t, k.conname);
    END LOOP;
END $$
"""


def behind_our_back(statement: str) -> None:
    """What a thief with the database's password would do."""
    with connection.cursor() as cursor:
        cursor.execute(_NO_KEYS)
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE certificates_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE certificates_{table} ENABLE TRIGGER USER")


def found() -> set[tuple[str, str]]:
    return {(each.kind, each.about) for each in audit()}


def proved(number: str) -> dict:
    proof = transparency.inclusion_proof(Certificate.objects.get(number=number))
    head = read_head(proof["head"]["jws"], signing_keys().trusted)
    for each in proof["entries"]:
        leaf, path = merkle.leaf_hash(each["entry"].encode()), [bytes.fromhex(h) for h in each["path"]]
        assert merkle.verify_inclusion(leaf, each["index"], head.size, path, head.root)
    return proof


def test_every_step_of_every_certificate_is_in_the_log_and_is_proved(crowd):
    with pytest.raises(NoHead):
        transparency.newest()
    assert transparency.publish().size == 7
    life.suspend(crowd[:3], Because("under_review", "a tip-off"))
    life.revoke(crowd[:1], OTHER, policies())
    (changed,) = life.restore(crowd[:1], OTHER, policies()).changed
    with pytest.raises(NotInLog):  # the hour has not come yet
        proved(changed.successor)
    assert transparency.publish().size == 7 + 3 + 1 + 2
    kinds = [json.loads(each["entry"])["kind"] for each in proved(crowd[0])["entries"]]
    assert kinds == ["issued", "suspended", "revoked", "restored"]
    assert [json.loads(each["entry"])["kind"] for each in proved(changed.successor)["entries"]] == ["issued"]
    for number in crowd:
        proved(number)
    assert found() == set()


def test_an_index_is_never_left_out_not_even_by_what_was_undone(crowd):
    life.suspend(crowd[:3], Because("under_review", "a tip-off"), dry_run=True)
    life.suspend(crowd[:2], Because("under_review", "a tip-off"))
    assert [i for (i,) in sql("SELECT index FROM certificates_logleaf ORDER BY 1")] == list(range(9))


def test_a_certificate_slipped_in_shows(crowd):
    columns = "achievement_id, learner_id, programme_id, programme_version_id, holder, id_masked, hours, learned_on"
    behind_our_back(
        f"INSERT INTO certificates_certificate (number, token, state, issued_at, verify_url, credential, {columns})"
        f" SELECT '1', 'x', 'revoked', issued_at, 'x', 'x', {columns} FROM certificates_certificate LIMIT 1"
    )
    assert found() == {("no_event", "1")}
    behind_our_back(
        "INSERT INTO certificates_certificateevent (certificate_id, at, kind, state, reason_class, reason, by)"
        " SELECT id, issued_at, 'issued', 'issued', '', 'issued', '' FROM certificates_certificate WHERE number = '1'"
    )
    assert ("not_logged", "1") in found()


def test_one_dated_back_shows(crowd):
    behind_our_back(
        f"UPDATE certificates_certificate SET issued_at = issued_at - interval '1 year' WHERE number = '{crowd[2]}'"
    )
    assert found() == {("dated", crowd[2])}
    behind_our_back(
        "UPDATE certificates_certificateevent SET at = at - interval '1 year' WHERE certificate_id ="
        f" (SELECT id FROM certificates_certificate WHERE number = '{crowd[2]}')"
    )
    assert found() == {("differs", crowd[2])}


def test_one_dated_back_by_way_of_the_log_itself_shows_by_the_heads_before_it(crowd, monkeypatch):
    transparency.publish()
    past = one("SELECT min(at) - interval '1 year' FROM certificates_certificateevent")
    monkeypatch.setattr(life, "now", lambda: past)
    life.suspend(crowd[:1], Because("under_review", "a tip-off"))
    assert found() == {("dated_back", crowd[0])}


def test_an_event_taken_out_shows(crowd):
    life.suspend(crowd[:1], Because("under_review", "a tip-off"))
    behind_our_back("DELETE FROM certificates_certificateevent WHERE kind = 'suspended'")
    assert found() == {("event_gone", crowd[0]), ("state", crowd[0])}


def test_a_credential_or_a_state_exchanged_shows(crowd):
    behind_our_back(f"UPDATE certificates_certificate SET credential = 'x' WHERE number = '{crowd[1]}'")
    behind_our_back(f"UPDATE certificates_certificate SET state = 'revoked' WHERE number = '{crowd[3]}'")
    assert found() == {("differs", crowd[1]), ("state", crowd[3])}


def test_whoever_rewrites_the_log_too_fails_at_its_signed_heads(crowd):
    head = transparency.publish()
    entry = one("SELECT entry FROM certificates_logleaf WHERE index = 6")
    behind_our_back("DELETE FROM certificates_logleaf WHERE index = 6")
    behind_our_back("DELETE FROM certificates_lognode WHERE level = 0 AND index = 6")
    assert {kind for kind, _ in found()} == {"not_logged", "head"}
    forged = entry.replace("issued", "revoked")
    behind_our_back(
        f"INSERT INTO certificates_logleaf (index, event_id, entry)"
        f" SELECT 6, max(id), '{forged}' FROM certificates_certificateevent"
    )
    assert ("head", f"#{head.pk}") in found()
    behind_our_back("UPDATE certificates_loghead SET size = 5")
    assert ("head_signature", f"#{head.pk}") in found()


@pytest.mark.parametrize("table", ["logleaf", "lognode", "loghead"])
def test_the_database_refuses_to_rewrite_the_log(crowd, table):
    transparency.publish()
    with pytest.raises(Exception, match="append-only"):
        sql(f"DELETE FROM certificates_{table}")


def test_what_was_saved_is_checked_offline(crowd, xueshi, tmp_path):
    saved, today, proof, pem = (tmp_path / name for name in ("saved", "today", "proof", "key.pem"))
    pem.write_bytes(signing_keys().certificate.public_bytes(Encoding.PEM))
    saved.write_text(xueshi("transparency", "head", "--publish", "--json").out)
    life.revoke(crowd[:2], OTHER, policies())
    today.write_text(xueshi("transparency", "head", "--publish", "--json").out)
    proof.write_text(xueshi("transparency", "prove", "--first", 7, "--second", 9).out)
    arguments = ("transparency", "check", saved, today, proof, "--trust", pem, "--json")
    assert xueshi(*arguments).json["consistent"]
    assert xueshi("transparency", "audit").exit == 0
    assert xueshi("transparency", "prove", crowd[0]).json["number"] == crowd[0]
    wrong = json.loads(proof.read_text())
    wrong["path"][0] = "00" * 32
    proof.write_text(json.dumps(wrong))
    said = xueshi(*arguments)
    assert (said.exit, said.json["error"]["code"]) == (1, "E_NOT_CONSISTENT")
    head = json.loads(today.read_text())
    head["jws"] = head["jws"][:-8] + "AAAAAAAA"
    today.write_text(json.dumps(head))
    assert xueshi(*arguments).json["error"]["code"] == "E_TREE_HEAD"
    with pytest.raises(HeadInvalid):
        read_head(Certificate.objects.first().credential, signing_keys().trusted)
