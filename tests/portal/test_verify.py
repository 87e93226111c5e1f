"""The page behind the QR code: open to anyone, so it shows little, and to guesses nothing."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from django.test import Client

from agent.certificates.models import Certificate, CertificateEvent
from agent.localtime import now
from agent.portal.views import verify as views


def path_of(certificate: Certificate) -> str:
    return urlsplit(certificate.verify_url).path


def other(token: str) -> str:
    """One like it that differs."""
    return token[:-1] + ("3" if token.endswith("2") else "2")


def revoke(certificate: Certificate) -> None:
    Certificate.objects.filter(pk=certificate.pk).update(state="revoked")
    CertificateEvent.objects.create(
        certificate=certificate,
        at=now(),
        kind="revoked",
        state="revoked",
        reason_class="source_withdrew",
        reason="taken back by the source",
    )


def test_the_upper_case_address_of_a_qr_code_shows_the_certificate_masked(certificate, text):
    assert path_of(certificate).isupper()
    page = text(Client().get(path_of(certificate)))
    assert "<h1>证书有效</h1>" in page
    assert "李·**" in page
    assert "370***********0018" in page
    for shown in (
        "建筑施工新技术",
        "40学时",
        "专业科目",
        "示例health",
        "示例base",
        "枣人社备〔2024〕002号",
        "2024-05-17",
    ):
        assert shown in page
    assert "内容自签发后未被改动" in page
    assert "小明" not in page


def test_lower_case_and_a_slash_at_the_end_do_as_well(certificate):
    for address in (path_of(certificate).lower(), path_of(certificate) + "/"):
        assert Client().get(address).status_code == 200


def test_wrong_token_and_unknown_number_give_the_same_bytes(certificate):
    number, token = certificate.number, certificate.token
    wrong = Client().get(f"/verify/{number}/{other(token)}")
    assert wrong.status_code == 404
    others = [
        f"/verify/{'0' * 26}/{token}",
        f"/verify/{number}/{token}2",
        f"/verify/{number}/%F0%9F%98%80",
        "/verify/x/y",
        f"/VERIFY/{number[:-1]}/{token}",
    ]
    for address in others:
        answer = Client().get(address)
        assert (answer.status_code, answer.content, answer.headers) == (404, wrong.content, wrong.headers)
    by_name = Client().post("/verify/", {"number": number, "name": "王五"})
    assert (by_name.status_code, by_name.content) == (404, wrong.content)


def test_a_stranger_gets_no_cookie(certificate):
    for address in (path_of(certificate), "/verify/", "/verify/1/2"):
        assert not Client().get(address).cookies


def test_number_and_full_name_show_the_same_and_no_name_lands_in_an_address(certificate, text):
    spaced = f" {certificate.number[:6]} {certificate.number[6:]} "
    for name in ("李·小明", " 李•小明 "):
        answer = Client(enforce_csrf_checks=True).post("/verify/", {"number": spaced, "name": name})
        assert answer.status_code == 200
        assert text(answer) == text(Client().get(path_of(certificate)))
    for name in ("李", "李·**", "小明"):
        assert Client().post("/verify/", {"number": certificate.number, "name": name}).status_code == 404
    assert Client().post("/verify/", {"number": certificate.number, "name": " "}).status_code == 400


def test_guessing_names_is_braked(certificate, monkeypatch):
    monkeypatch.setattr(views, "_GUESSES", 3)
    wrong, right = ({"number": certificate.number, "name": name} for name in ("王五", "李·小明"))
    assert [Client().post("/verify/", wrong).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert Client().post("/verify/", right).status_code == 429
    assert Client(REMOTE_ADDR="10.0.0.9").post("/verify/", right).status_code == 200


def test_a_revoked_one_says_when_and_why(certificate, text):
    revoke(certificate)
    page = text(Client().get(path_of(certificate)))
    assert "<h1>证书已撤销</h1>" in page
    assert "来源撤回了这条学习记录" in page
    assert f"{now():%Y}" in page


def test_a_row_that_was_tampered_with_is_not_called_valid(certificate, text):
    Certificate.objects.filter(pk=certificate.pk).update(hours=9900)
    page = text(Client().get(path_of(certificate)))
    assert "证书有效" not in page
    assert "<h1>证书不能确认</h1>" in page


def test_machines_get_json_with_the_same_masks(certificate):
    accept = {"accept": "application/json"}
    answer = Client().get(path_of(certificate), headers=accept)
    shown = json.loads(answer.content)
    assert shown["number"] == certificate.number
    assert (shown["state"], shown["signature"], shown["hours"]) == ("issued", "valid", "40")
    assert (shown["holder"], shown["id_masked"]) == ("李·**", "370***********0018")
    assert "Accept" in answer["Vary"]
    unknown = Client().get("/verify/1/2", headers=accept)
    wrong = Client().get(path_of(certificate) + "X", headers=accept)
    assert unknown.status_code == wrong.status_code == 404
    assert unknown.content == wrong.content == b'{"error": "not_found"}'
    revoke(certificate)
    shown = json.loads(Client().get(path_of(certificate), headers=accept).content)
    assert (shown["state"], shown["ended_why"]) == ("revoked", "来源撤回了这条学习记录")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_an_address_is_only_read(certificate, method):
    assert getattr(Client(), method)(path_of(certificate)).status_code == 405
