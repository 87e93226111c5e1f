"""A learner's own certificates, and nobody else's."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agent.certificates import life
from agent.certificates.errors import SigningKeyMissing
from agent.certificates.models import Certificate, CertificateEvent
from agent.localtime import now


def test_the_list_names_programme_hours_number_and_state(town, text, certificate):
    page = text(town.client("xiaoming").get("/certificates/"))
    assert "<h1>您有2张有效证书</h1>" in page
    assert "建筑施工新技术" in page
    assert certificate.number[:6] in page
    assert text(town.client("newcomer").get("/certificates/")).count("<h1>还没有证书</h1>") == 1


def test_the_pdf_is_made_at_the_first_wish_and_stays(town, certificate):
    client, address = town.client("xiaoming"), f"/certificates/{certificate.number}.pdf"
    first, second = client.get(address), client.get(address)
    assert first.content.startswith(b"%PDF-")
    assert first.content == second.content
    assert first["Content-Type"] == "application/pdf"
    assert f"filename*=utf-8''{quote('学时证书_建筑施工新技术')}" in first["Content-Disposition"]
    assert first["Cache-Control"] == "no-store"


def test_the_credential_is_what_was_signed(town, certificate):
    answer = town.client("xiaoming").get(f"/certificates/{certificate.number}.jwt")
    assert answer.content.decode() == certificate.credential
    assert answer["Content-Type"] == "application/vc+jwt"


@pytest.mark.parametrize("who", ["wangwu", "newcomer", "operator", "reviewer", "stranger"])
def test_somebody_elses_certificate_is_as_if_it_did_not_exist(town, certificate, who):
    client = town.client(who)
    for ending in ("pdf", "jwt"):
        theirs = client.get(f"/certificates/{certificate.number}.{ending}")
        nobodys = client.get(f"/certificates/{'0' * 26}.{ending}")
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.content == nobodys.content


def test_a_revoked_one_is_not_given_out(town, text, certificate):
    Certificate.objects.filter(pk=certificate.pk).update(state="revoked")
    CertificateEvent.objects.create(
        certificate=certificate, at=now(), kind="revoked", state="revoked", reason_class="other", reason="r"
    )
    client = town.client("xiaoming")
    for ending in ("pdf", "jwt"):
        answer = client.get(f"/certificates/{certificate.number}.{ending}")
        assert answer.status_code == 410
        assert "已撤销" in text(answer)
    assert f"{certificate.number}.pdf" not in text(client.get("/certificates/"))


def test_when_it_cant_be_made_the_page_says_why_and_what_to_do(town, text, certificate, monkeypatch):
    def no_key(_certificate):
        raise SigningKeyMissing(path="keys")

    monkeypatch.setattr("agent.portal.views.certificates.pdf_of", no_key)
    answer = town.client("xiaoming").get(f"/certificates/{certificate.number}.pdf")
    assert answer.status_code == 503
    assert "E_SIGNING_KEY_MISSING" in text(answer)
    assert "请平台管理员从备份放回密钥" in text(answer)
    assert "keys</" not in text(answer)  # where it is kept is nothing for who only reads


def test_few_queries(town):
    client = town.client("xiaoming")
    with CaptureQueriesContext(connection) as queries:
        client.get("/certificates/")
    assert len(queries) <= 5


def test_a_suspended_ones_hours_count_and_both_pages_say_so(town, text, certificate):
    life.suspend([certificate.number], life.Because("under_review", "a tip-off"))
    client = town.client("xiaoming")
    year = text(client.get("/2024/"))
    assert "其中40学时的证书正在核查，暂停使用。" in year
    assert f"{certificate.number}.pdf" not in year
    page = text(client.get("/certificates/"))
    assert "已暂停，学时仍计" in page
    assert f"{certificate.number}.pdf" not in page
    assert client.get(f"/certificates/{certificate.number}.pdf").status_code == 410
    life.resume([certificate.number], life.Because("cleared", "looked into"))
    assert "暂停" not in text(client.get("/2024/"))


def test_a_superseded_one_leads_to_the_one_in_its_place(town, text, certificate):
    (changed,) = life.supersede([certificate.number], life.Because("other", "as written"), holder="李小明").changed
    page = text(town.client("xiaoming").get("/certificates/"))
    assert f'<a href="#c{changed.successor}">见新证书' in page
    assert f'<tr role="row" id="c{changed.successor}">' in page
    assert f"{changed.successor}.pdf" in page
    assert f"{certificate.number}.pdf" not in page
