"""A certificate for machines, its chain, and its credential for who knows the holder's name."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cryptography import x509
from django.db import connection
from django.test import Client

from agent.certificates import life
from agent.certificates.credential import read_credential
from agent.certificates.models import Certificate
from agent.certificates.signer import signing_keys
from agent.portal.views import verify as views
from tests.portal.test_verify import other, path_of, revoke

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "verify.schema.json").read_text("utf-8"))


def api(token: str, **headers: str):
    return Client().get(f"/api/verify/{token}", headers=headers)


def test_the_answer_is_as_its_schema_says(certificate):
    answer = api(certificate.token)
    told = json.loads(answer.content)
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert set(told) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert (told["number"], told["holder"], told["state"]) == (certificate.number, "李·**", "issued")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Cache-Control"] == "private, no-cache"
    assert not answer.cookies


def test_what_has_not_changed_is_not_sent_again_and_what_has_is(certificate):
    etag = api(certificate.token)["ETag"]
    again = api(certificate.token, **{"if-none-match": etag, "accept-language": "en"})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert again["Access-Control-Allow-Origin"] == "*"
    revoke(certificate)
    answer = api(certificate.token, **{"if-none-match": etag})
    assert (answer.status_code, json.loads(answer.content)["state"]) == (200, "revoked")
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(answer.content))


def test_every_wrong_token_gets_the_same_answer(certificate):
    wrong = [other(certificate.token), "X", "%F0%9F%98%80", "x" * 500, certificate.number]
    answers = {(a.status_code, a.content, tuple(sorted(a.headers.items()))) for a in map(api, wrong)}
    assert len(answers) == 1
    assert next(iter(answers))[:2] == (404, b'{"error":"not_found"}')


def test_whoever_tries_addresses_waits_and_a_right_one_is_answered_all_the_same(certificate, monkeypatch):
    monkeypatch.setattr(views, "_MISSES", 2)
    assert [api("X").status_code for _ in range(3)] == [404, 404, 429]
    assert Client().get("/verify/1/2").status_code == 429
    assert api(certificate.token).status_code == 200
    assert Client().get(path_of(certificate)).status_code == 200


def test_a_browser_may_ask_from_anywhere(house):
    answer = Client().options("/api/verify/X", headers={"origin": "https://elsewhere.example"})
    assert (answer.status_code, answer["Access-Control-Allow-Headers"]) == (204, "If-None-Match")
    assert Client().post("/api/verify/X").status_code == 405


# --- the chain ---------------------------------------------------------------------------------------------------
@pytest.fixture
def replaced(certificate) -> tuple[Certificate, Certificate]:
    """An old certificate, and the one that took its place."""
    because = life.Because("name_corrected", "identity card seen")
    (changed,) = life.supersede([certificate.number], because, holder="李小明").changed
    certificate.refresh_from_db()
    return certificate, Certificate.objects.get(number=changed.successor)


def test_the_old_qr_code_leads_on_to_the_successor(replaced, text):
    old, new = replaced
    page = text(Client().get(path_of(old)))
    assert "<h1>已换发新证书</h1>" in page
    assert f'<a href="{path_of(new)}">查看现在有效的证书</a>' in page
    page = text(Client().get(path_of(new)))
    assert "<h1>证书有效</h1>" in page
    assert f'<a href="{path_of(old)}">' in page
    told = json.loads(api(old.token).content)
    assert [(one["number"], one["state"]) for one in told["chain"]] == [
        (old.number, "superseded"),
        (new.number, "issued"),
    ]


@pytest.mark.parametrize(
    ("state", "says"), [("suspended", "证书已暂停使用"), ("revoked", "证书已撤销"), ("melted", "证书不是有效状态")]
)
def test_every_other_state_is_told_at_once_and_none_is_called_valid(certificate, text, state, says):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE certificates_certificate DISABLE TRIGGER USER")  # of one state it knows nothing
        cursor.execute("UPDATE certificates_certificate SET state = %s WHERE id = %s", [state, certificate.pk])
    page = text(Client().get(path_of(certificate)))
    assert f"<h1>{says}</h1>" in page
    assert "verdict ended" in page


# --- the credential, and the keys ---------------------------------------------------------------------------------
def test_who_has_the_code_and_the_name_gets_the_credential(certificate):
    asked = {"number": certificate.number, "token": certificate.token, "name": "李·小明"}
    answer = Client().post("/verify/credential/", asked | {"form": "jwt"})
    assert answer["Content-Type"] == "application/vc+jwt"
    assert answer.content.decode() == certificate.credential
    answer = Client().post("/verify/credential/", asked | {"form": "json"})
    assert answer["Content-Type"] == "application/vc"
    told = json.loads(answer.content)
    signed = read_credential(certificate.credential, signing_keys().trusted)
    assert told["credentialSubject"] == signed["credentialSubject"]
    assert told["proof"]["cryptosuite"] == "eddsa-rdfc-2022"


def test_without_the_name_or_the_code_nobody_gets_it(certificate, monkeypatch):
    monkeypatch.setattr(views, "_GUESSES", 3)
    asked = {"number": certificate.number, "token": certificate.token, "name": "李·小明"}
    wrong = [asked | {"name": "李·**"}, asked | {"token": "X"}, asked | {"number": "1"}]
    assert [Client().post("/verify/credential/", one).status_code for one in wrong] == [404, 404, 404]
    assert Client().post("/verify/credential/", asked).status_code == 429


def test_the_certificates_to_trust_are_published_and_a_rotated_key_stays(certificate, xueshi):
    def published() -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(Client().get("/verify/keys.pem").content)

    before = signing_keys().certificate
    assert published() == [before]
    xueshi("keys", "rotate")
    assert published() == [before, signing_keys().certificate]
    assert before != signing_keys().certificate
