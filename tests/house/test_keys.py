"""Keys in a house: rotation, retirement, loss, and a token that gives no key away."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client

from agent.certificates.check import check_pdf
from agent.certificates.credential import read_credential
from agent.certificates.errors import (
    CredentialInvalid,
    KeyInUse,
    KeySame,
    KeyUnknown,
    SigningKeyError,
    SigningKeyRetired,
    Sm2Unavailable,
)
from agent.certificates.models import Certificate, PublishedKey
from agent.certificates.pdfs import pdf_of
from agent.certificates.signer import keys_to_sign, signing_keys
from agent.certificates.status import SIZE, take
from agent.certificates.trust import trusted
from agent.flow import run_stages
from agent.portal.lookup import by_token
from agent.quarantine.codes import CODES
from tests.house.houses import Base, held, sql

_SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "home"))
    signing_keys.cache_clear()
    yield tmp_path / "home"
    signing_keys.cache_clear()


@pytest.fixture
def first(base: Base) -> Certificate:
    base.learner("u1", "王小明")
    base.done("u1")
    base.sync()
    return Certificate.objects.get()


def another(base: Base) -> Certificate:
    base.learner("u2", "李二")
    base.done("u2")
    base.sync()
    return Certificate.objects.get(holder="李二")


def test_a_rotation_changes_who_signs_and_nothing_that_was_signed(base, first, xueshi):
    page, before = bytes(pdf_of(first).pdf), signing_keys().kid
    said = xueshi("keys", "rotate", "--json").json
    assert (said["signs"], said["ending"]) == (signing_keys().kid, [before])
    second = another(base)
    assert signing_keys().kid != before
    for each in (first, second):
        assert by_token(each.number, each.token).signature == "valid"
    assert check_pdf(page).valid
    assert check_pdf(bytes(pdf_of(second).pdf)).valid
    rows = xueshi("keys", "list", "--json").json
    assert [(row["kid"], row["signs"]) for row in rows] == [(before, False), (said["signs"], True)]


def test_a_running_process_takes_the_new_key_up_by_itself(first, own_home):
    from agent.certificates.keys import rotate

    before = signing_keys().kid
    rotate(own_home / "keys", "x")  # as another process does it
    assert signing_keys().kid != before


def test_what_a_retired_key_signs_later_is_not_believed(base, first, xueshi):
    before = keys_to_sign()
    xueshi("keys", "rotate", "--json")
    assert xueshi("keys", "retire", before.kid[:8], "--since", "2020-01-01", "--json").exit == 0
    assert by_token(first.number, first.token).signature == "invalid"
    with pytest.raises(CredentialInvalid, match="not to be trusted"):
        read_credential(first.credential, trusted())


def test_the_key_in_use_is_not_retired_and_an_unknown_one_is_named(first, xueshi):
    assert "E_KEY_IN_USE" in xueshi("keys", "retire", signing_keys().kid[:10]).err
    assert "E_KEY_UNKNOWN" in xueshi("keys", "retire", "nobody").err


def test_a_key_whose_name_begins_with_a_dash_is_no_option(first, xueshi):
    assert "E_KEY_UNKNOWN" in xueshi("keys", "retire", "-hg0FjLUue", "--since", "2020-01-01").err
    assert "E_KEY_UNKNOWN" in xueshi("keys", "retire", "--since", "2020-01-01", "--", "-hg0FjLUue").err
    assert "E_KEY_UNKNOWN" in xueshi("keys", "retire", "--since=2020-01-01", "--", "--0FjLUue").err
    assert "The key's name" in xueshi("keys", "retire", "-h").out


def test_a_retired_key_that_comes_back_signs_nothing(base, first, xueshi, own_home):
    old = signing_keys().kid
    xueshi("keys", "rotate", "--overlap", "0", "--json")
    for path in (own_home / "keys").glob("signer-2.*"):
        path.unlink()
    signing_keys.cache_clear()
    with pytest.raises(SigningKeyRetired, match=old):
        keys_to_sign()
    base.learner("u2", "李二")
    base.done("u2")
    assert base.sync().issued.issued == 0
    assert held() == {"E_SIGNING_KEY_RETIRED": 1}


def test_a_stolen_key_leaves_the_did_document(first, xueshi):
    old = signing_keys().kid
    xueshi("keys", "rotate", "--json")
    assert old in Client(HTTP_HOST="localhost").get("/.well-known/did.json").content.decode()
    xueshi("keys", "retire", old, "--compromised", "--json")
    assert old not in Client(HTTP_HOST="localhost").get("/.well-known/did.json").content.decode()
    assert by_token(first.number, first.token).signature == "valid"  # our register knows that it was before


def test_keys_that_were_published_are_never_taken_back(first):
    with pytest.raises(DatabaseError, match="append-only"):
        PublishedKey.objects.all().delete()


def test_without_a_key_all_wait_with_the_reason_and_go_out_when_it_is_back(base, first, own_home):
    key = own_home / "keys" / "signer.key"
    saved = key.read_bytes()
    key.unlink()
    signing_keys.cache_clear()
    base.learner("u2", "李二")
    base.done("u2")
    done = base.sync().issued
    assert (done.issued, done.held, held()) == (0, 1, {"E_SIGNING_KEY_MISSING": 1})
    assert by_token(first.number, first.token).signature == "valid"  # what was published needs no private key
    asked = {"number": first.number, "token": first.token, "name": first.holder, "form": "json"}
    answer = Client(HTTP_HOST="localhost").post("/verify/credential/", asked)
    assert (answer.status_code, "E_SIGNING_KEY_MISSING" in answer.content.decode()) == (503, True)
    key.write_bytes(saved)
    assert run_stages().issued.issued == 1
    assert held() == {}


# --- status lists ------------------------------------------------------------------------------------------------
def test_places_are_drawn_and_never_given_twice(house):
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        places = take(cursor, 1000) + take(cursor, SIZE)
    assert len(set(places)) == SIZE + 1000
    assert {number for number, _ in places} == {1, 2}
    gaps = [b - a for (_, a), (_, b) in pairwise(places[:1000])]
    assert sum(abs(gap) == 1 for gap in gaps) < 10  # no neighbour tells when another was issued


def test_a_list_that_did_not_change_is_not_sent_again(first):
    client = Client(HTTP_HOST="localhost")
    address = f"/status/{first.status_list_id}/revocation/"
    answer = client.get(address)
    assert answer["Cache-Control"] == "public, max-age=300"
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    sql("UPDATE certificates_certificate SET state = 'revoked'")
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.parametrize("address", ["/status/9/revocation/", "/status/1/refresh/"])
def test_what_is_not_there_is_not_found(first, address):
    assert Client(HTTP_HOST="localhost").get(address).status_code == 404


# --- a token -----------------------------------------------------------------------------------------------------
@pytest.fixture
def token(tmp_path, monkeypatch):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "xueshi", "--so-pin", "12345678", "--pin", "1234"],
        check=True, capture_output=True,
    )  # fmt: skip
    names = {"MODULE": str(_SOFTHSM), "TOKEN": "xueshi", "KEY": "k1", "PIN": "1234"}
    for name, value in names.items():
        monkeypatch.setenv(f"XUESHI_PKCS11_{name}", value)
    import pkcs11

    pkcs11.lib(str(_SOFTHSM)).reinitialize()  # it read its configuration at the first use in this process


@pytest.mark.needs("softhsm2-util")
def test_a_token_signs_and_no_key_is_in_a_file(base, token, xueshi, own_home, monkeypatch):
    assert xueshi("keys", "create", "--json").exit == 0
    certificate = another(base)
    assert by_token(certificate.number, certificate.token).signature == "valid"
    assert check_pdf(bytes(pdf_of(certificate).pdf)).valid
    assert not (own_home / "keys").exists()
    assert not [path for path in own_home.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    monkeypatch.setenv("XUESHI_PKCS11_KEY", "k2")  # rotation: a second key beside the first
    assert xueshi("keys", "create", "--json").exit == 0
    assert len(xueshi("keys", "rotate", "--json").json["ending"]) == 1
    assert by_token(certificate.number, certificate.token).signature == "valid"
    assert "E_KEY_SAME" in xueshi("keys", "rotate").err


@pytest.mark.needs("softhsm2-util")
def test_a_wrong_pin_or_label_leaves_certificates_pending(base, token, xueshi, monkeypatch):
    base.learner("u1", "王小明")
    base.done("u1")
    assert base.sync().issued.issued == 0
    assert held() == {"E_SIGNING_KEY_MISSING": 1}
    assert xueshi("keys", "create", "--json").exit == 0
    monkeypatch.setenv("XUESHI_PKCS11_PIN", "9999")
    signing_keys.cache_clear()
    run_stages()
    assert held() == {"E_SIGNING_KEY_TOKEN": 1}
    monkeypatch.setenv("XUESHI_PKCS11_PIN", "1234")
    assert run_stages().issued.issued == 1


def test_whatever_is_wrong_with_a_key_is_said_in_chinese_too():
    by_command = {KeySame.code, KeyUnknown.code, KeyInUse.code, Sm2Unavailable.code}  # answers to who typed it
    holding = {SigningKeyError.code, *(each.code for each in SigningKeyError.__subclasses__())} - by_command
    assert holding <= CODES.keys()
    for code in holding:
        assert CODES[code].zh
        assert "{" not in CODES[code].zh + CODES[code].fix_zh


def test_a_key_is_named_by_its_beginning_and_a_dash_may_be_left_out(first, xueshi):
    row = PublishedKey.objects.get()
    for kid in ("-Dash" + "a" * 38, "Dash" + "b" * 39):
        PublishedKey.objects.create(
            kid=kid, certificates=row.certificates, private_ca=True, multikey="", published_at=row.published_at
        )
    assert xueshi("keys", "retire", "Dasha", "--json").json["kid"].startswith("-Dash")
    assert xueshi("keys", "retire", "Dashb", "--json").json["kid"].startswith("Dash")
    assert "E_KEY_UNKNOWN" in xueshi("keys", "retire", "Dash").err
    assert "Dashaaaaaaaa" in xueshi("keys", "list").out
