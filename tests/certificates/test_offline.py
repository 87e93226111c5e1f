"""Checking without us: the file, and keys that were published. No database is near."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.certificates.isolated import verify_isolated
from agent.certificates.keys import load_or_create
from agent.certificates.offline import FILE_STEPS, check_offline, steps_of
from agent.certificates.trust_files import TrustUnreadable, trust_of
from agent.certificates.verify import MAX_BYTES, Reason, refused, verify_pdf
from tests import bombs
from tests.certificates.conftest import signed_page, write_p12


def published(signed, form: str) -> bytes:
    certificate, key = signed.keys.certificate, signed.keys.certificate.public_key()
    return {
        "ca.pem": lambda: signed.keys.ca.public_bytes(Encoding.PEM),
        "signer.der": lambda: certificate.public_bytes(Encoding.DER),
        "key.pem": lambda: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "key.der": lambda: key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "key.jwk": lambda: json.dumps(signed.keys.jwk).encode(),
        "jwks.json": lambda: json.dumps({"keys": [{"kty": "OKP"}, signed.keys.jwk]}).encode(),
        "did.json": lambda: json.dumps({"verificationMethod": [{"publicKeyJwk": signed.keys.jwk}, {}]}).encode(),
    }[form]()


@pytest.mark.parametrize("form", ["ca.pem", "signer.der", "key.pem", "key.der", "key.jwk", "jwks.json", "did.json"])
def test_each_form_in_which_a_key_is_published_is_enough_for_the_page(signed, tmp_path, form):
    (tmp_path / form).write_bytes(published(signed, form))
    assert verify_pdf(signed.pdf, trust_of([tmp_path / form])).valid


def test_rsa_keys_are_read_too(signed, rsa_key, tmp_path):
    keys = load_or_create(tmp_path, write_p12(tmp_path / "x.p12", rsa_key), b"geheim", organisation="x")
    (tmp_path / "k.json").write_text(json.dumps(keys.jwk))
    assert verify_pdf(signed_page(signed.facts, keys), trust_of([tmp_path / "k.json"])).valid


def test_a_folder_counts_for_what_is_published_in_it_and_private_keys_are_not(signed, tmp_path):
    (tmp_path / "a.pem").write_bytes(published(signed, "ca.pem"))
    (tmp_path / "signer.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (tmp_path / "readme.txt").write_text("{not json")
    assert trust_of([tmp_path]) == [signed.keys.ca]


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"[]", b'{"keys": 1}', b"-----BEGIN CERTIFICATE-----\nx"])
def test_what_publishes_nothing_is_named(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    for path in (tmp_path / "x", tmp_path / "none"):
        with pytest.raises(TrustUnreadable, match=str(path)):
            trust_of([path])


def test_the_page_is_judged_alike_in_a_process_of_its_own(signed):
    for data in (signed.pdf, signed.pdf + b"\n", b"hello"):
        assert verify_isolated(data, signed.keys.trusted) == verify_pdf(data, signed.keys.trusted)
    assert verify_isolated(signed.pdf, [signed.keys.certificate.public_key()]).valid


def test_a_bomb_ends_in_its_own_process(signed):
    found = verify_isolated(bombs.pdf(96), signed.keys.trusted)
    assert not found.valid
    assert verify_isolated(bytes(MAX_BYTES + 1), signed.keys.trusted).reasons == [Reason.TOO_LARGE]


def test_each_reason_says_at_which_step_it_failed(signed):
    for reason in Reason:
        held = list(steps_of(refused(reason)).values())
        assert held.count(False) == 1
        assert held == sorted(held, key=[True, False, None].index)
    assert steps_of(verify_pdf(signed.pdf, signed.keys.trusted)) == dict.fromkeys(FILE_STEPS, True)


def test_a_credential_by_itself_is_checked_too(signed):
    found = check_offline(signed.credential.encode(), signed.keys.trusted)
    assert (found.valid, found.state, found.number, found.hours) == (True, "unchecked", signed.facts.number, "24.00")
    assert not check_offline(signed.credential.encode()[:-4] + b"AAAA", signed.keys.trusted).valid


def test_the_command_needs_no_house(signed, xueshi, tmp_path, monkeypatch):
    monkeypatch.setattr("agent.cli.certificate.start", lambda: pytest.fail("the house was opened"))
    (tmp_path / "a.pdf").write_bytes(signed.pdf)
    (tmp_path / "ca.pem").write_bytes(published(signed, "ca.pem"))
    said = xueshi("certificate", "verify", tmp_path / "a.pdf", "--trust", tmp_path / "ca.pem", "--json")
    assert (said.exit, said.json["valid"], said.json["number"]) == (0, True, signed.facts.number)
    assert (said.json["state"], said.json["checks"]) == ("unchecked", dict.fromkeys(FILE_STEPS, True))
    (tmp_path / "a.pdf").write_bytes(signed.pdf + b"x")
    said = xueshi("certificate", "verify", tmp_path / "a.pdf", "--trust", tmp_path)
    assert said.exit == 1
    assert "✗ 签名覆盖整个文件" in said.out
    said = xueshi("certificate", "verify", tmp_path / "a.pdf", "--trust", tmp_path / "none", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_TRUST")
