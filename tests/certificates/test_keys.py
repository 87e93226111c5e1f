from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey

from agent.certificates import errors
from agent.certificates.keys import load_or_create
from tests.certificates.conftest import write_p12

ORGANISATION = "学时平台（示例）"


def load(folder, p12=None, password=b"geheim"):
    return load_or_create(folder, p12, password, organisation=ORGANISATION)


def test_first_use_makes_a_private_authority_and_a_signing_certificate(tmp_path):
    keys = load(tmp_path / "keys")
    keys.certificate.verify_directly_issued_by(keys.ca)
    assert isinstance(keys.private_key.curve, ec.SECP256R1)
    assert ORGANISATION in keys.certificate.subject.rfc4514_string()
    assert keys.ca.not_valid_after_utc - datetime.now(UTC) > timedelta(days=365 * 19)
    assert keys.trusted == (keys.ca, keys.certificate)


def test_later_uses_load_the_same_key(tmp_path):
    assert load(tmp_path / "keys").kid == load(tmp_path / "keys").kid


def test_nobody_else_can_read_the_keys(tmp_path):
    load(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    code = (
        "import sys; from pathlib import Path; from agent.certificates.keys import load_or_create;"
        "print(load_or_create(Path(sys.argv[1]), None, None, organisation='x').kid)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "keys"], stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({racer.communicate()[0] for racer in racers}) == 1
    assert [racer.returncode for racer in racers] == [0] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_the_key_is_not_shown_by_repr(tmp_path):
    assert "private_key" not in repr(load(tmp_path / "keys"))


def test_kid_is_the_thumbprint_that_others_compute(keys):
    assert keys.kid == ECKey.import_key(keys.jwk).thumbprint()


def test_did_key_has_the_form_of_a_p256_key(keys):
    assert keys.did.startswith("did:key:zDn")


@pytest.mark.parametrize("name", ["signer.key", "signer.pem", "ca.pem"])
def test_a_missing_file_is_named_and_no_new_key_is_made(tmp_path, name):
    load(tmp_path / "keys")
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(errors.SigningKeyMissing, match=name):
        load(tmp_path / "keys")


def test_a_damaged_file_is_refused(tmp_path):
    load(tmp_path / "keys")
    (tmp_path / "keys" / "signer.key").write_bytes(b"\0" * 100)
    with pytest.raises(errors.SigningKeyUnreadable):
        load(tmp_path / "keys")


def test_a_key_of_another_certificate_is_refused(tmp_path):
    load(tmp_path / "a")
    load(tmp_path / "b")
    (tmp_path / "a" / "signer.key").replace(tmp_path / "b" / "signer.key")
    with pytest.raises(errors.SigningKeyMismatch):
        load(tmp_path / "b")


def test_a_pkcs12_file_replaces_the_own_key(tmp_path, ec_key):
    keys = load(tmp_path / "keys", write_p12(tmp_path / "x.p12", ec_key))
    assert keys.private_key.private_numbers() == ec_key.private_numbers()
    assert not (tmp_path / "keys").exists()


def test_what_a_public_authority_vouches_for_is_not_ours(tmp_path, ec_key):
    keys = load(tmp_path / "keys", write_p12(tmp_path / "x.p12", ec_key))
    assert keys.trusted == (keys.certificate,)


def test_rsa_keys_sign_too(tmp_path, rsa_key):
    keys = load(tmp_path / "keys", write_p12(tmp_path / "x.p12", rsa_key))
    assert keys.algorithm == "RS256"
    assert len(keys.sign(b"x")) == 256


def test_a_wrong_password_is_said_so(tmp_path, ec_key):
    with pytest.raises(errors.SigningKeyPassword):
        load(tmp_path / "keys", write_p12(tmp_path / "x.p12", ec_key), b"falsch")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(errors.SigningKeyMissing, match=r"none\.p12"):
        load(tmp_path / "keys", tmp_path / "none.p12")


def test_an_expired_certificate_is_refused_with_its_dates(tmp_path, ec_key):
    path = write_p12(tmp_path / "x.p12", ec_key, until=timedelta(days=-1))
    with pytest.raises(errors.SigningKeyExpired, match=str((datetime.now(UTC) - timedelta(days=1)).date())):
        load(tmp_path / "keys", path)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: ec.generate_private_key(ec.SECP521R1()), "secp521r1"),
        (
            lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - it is to be refused
            "1024 bits",
        ),
    ],
)
def test_keys_that_readers_do_not_verify_are_refused(tmp_path, make, kind):
    with pytest.raises(errors.SigningKeyKind, match=kind):
        load(tmp_path / "keys", write_p12(tmp_path / "x.p12", make()))


def test_an_ed25519_key_is_refused_because_poppler_refuses_its_signatures(tmp_path):
    load(tmp_path / "keys")
    key = ed25519.Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "keys" / "signer.key").write_bytes(pem)
    with pytest.raises(errors.SigningKeyKind, match="Ed25519"):
        load(tmp_path / "keys")
