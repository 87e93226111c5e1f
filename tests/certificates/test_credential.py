from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from agent.certificates.credential import read_credential, sign_credentials
from agent.certificates.errors import CredentialInvalid
from agent.certificates.keys import load_or_create
from tests.certificates.conftest import BASE_URL, credential_for, write_p12


@pytest.fixture(scope="module")
def read(signed):
    return read_credential(signed.credential, signed.keys.trusted)


def test_a_library_that_we_did_not_write_verifies_it(signed):
    token = jws.deserialize_compact(signed.credential, ECKey.import_key(signed.keys.jwk))
    assert token.protected["alg"] == "ES256"
    assert token.protected.keys() == {"alg", "kid", "typ"}  # Open Badges 3.0, 8.2.4.1: no others
    assert token.protected["typ"] == "JWT"
    assert token.protected["kid"].startswith(signed.keys.did + "#z")
    assert json.loads(token.payload)["credentialSubject"]["licenseNumber"] == signed.facts.number


def test_an_rsa_key_gives_rs256(tmp_path, facts, rsa_key):
    keys = load_or_create(tmp_path, write_p12(tmp_path / "x.p12", rsa_key), b"geheim", organisation="x")
    credential = credential_for(facts, keys)
    assert jws.deserialize_compact(credential, RSAKey.import_key(keys.jwk)).protected["alg"] == "RS256"
    assert read_credential(credential, keys.trusted)["id"]


def test_it_has_what_open_badges_3_asks_of_a_credential(read):
    assert read["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert read["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert read["issuer"]["type"] == ["Profile"]
    assert read["credentialSubject"]["type"] == ["AchievementSubject"]
    achievement = read["credentialSubject"]["achievement"]
    assert {"id", "type", "name", "description", "criteria"} <= achievement.keys()
    assert (read["iss"], read["jti"]) == (read["issuer"]["id"], read["id"])
    assert datetime.fromisoformat(read["validFrom"]).timestamp() == read["nbf"]


def test_it_says_who_learned_what(read, facts):
    subject = read["credentialSubject"]
    assert [one["identityHash"] for one in subject["identifier"]] == [facts.holder, facts.id_masked]
    assert subject["creditsEarned"] == 24
    assert subject["activityStartDate"] == "2024-03-01T00:00:00+08:00"
    assert subject["achievement"]["name"] == facts.programme
    assert subject["achievement"]["humanCode"] == facts.filing_number
    assert subject["achievement"]["creator"]["name"] == facts.organiser


def test_a_start_that_nobody_knows_is_left_out(facts, keys):
    credential = credential_for(replace(facts, learned_from=None), keys)
    assert "activityStartDate" not in read_credential(credential, keys.trusted)["credentialSubject"]


def test_credentials_come_in_the_order_of_their_facts(facts, keys):
    many = [replace(facts, hours=100 * n) for n in range(1, 5)]
    signed = sign_credentials(many, keys, issuer_id=keys.did, base_url=BASE_URL)
    hours = [read_credential(one, keys.trusted)["credentialSubject"]["creditsEarned"] for one in signed]
    assert hours == [1, 2, 3, 4]


def test_the_same_facts_give_the_same_bytes(signed):
    assert credential_for(signed.facts, signed.keys) == signed.credential


def test_a_did_of_a_server_names_the_key_by_its_thumbprint(facts, keys):
    credential = sign_credentials([facts], keys, issuer_id="did:web:xueshi.example.org", base_url=BASE_URL)[0]
    header = jws.extract_compact(credential.encode()).protected
    assert header["kid"] == f"did:web:xueshi.example.org#{keys.kid}"
    assert read_credential(credential, keys.trusted)["issuer"]["id"] == "did:web:xueshi.example.org"


def test_another_key_is_refused(signed, tmp_path):
    other = load_or_create(tmp_path / "k", None, None, organisation="别人（示例）")
    with pytest.raises(CredentialInvalid, match="trusted key"):
        read_credential(signed.credential, other.trusted)


def test_a_changed_payload_is_refused(signed):
    head, body, tail = signed.credential.split(".")
    with pytest.raises(CredentialInvalid):
        read_credential(f"{head}.{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}.{tail}", signed.keys.trusted)


def test_a_borrowed_did_is_refused(facts, keys):
    borrowed = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
    credential = sign_credentials([facts], keys, issuer_id=borrowed, base_url=BASE_URL)[0]
    with pytest.raises(CredentialInvalid, match="another issuer"):
        read_credential(credential, keys.trusted)


def test_one_that_is_not_valid_yet_is_refused(facts, keys):
    credential = credential_for(replace(facts, issued_at=datetime.now(UTC) + timedelta(days=1)), keys)
    with pytest.raises(CredentialInvalid, match="valid from"):
        read_credential(credential, keys.trusted)


@pytest.mark.parametrize("text", ["", "..", "a.b.c", "…", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA", "x" * 70_000])
def test_anything_else_is_refused_with_a_sentence(text, keys):
    with pytest.raises(CredentialInvalid):
        read_credential(text, keys.trusted)


def test_a_header_without_algorithm_does_not_switch_the_check_off(signed):
    _, body, _ = signed.credential.split(".")
    with pytest.raises(CredentialInvalid):
        read_credential(f"eyJhbGciOiJub25lIn0.{body}.", signed.keys.trusted)
