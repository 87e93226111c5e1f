"""Signing in and out, headers, errors, health."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import get_resolver

from agent.portal import throttle
from agent.portal.views import sign_in
from tests.portal.conftest import PASSWORD


def test_signing_in_and_out(town, text):
    client = Client()
    answer = client.post("/sign-in/", {"username": "xiaoming", "password": PASSWORD, "next": "/certificates/"})
    assert answer["Location"] == "/certificates/"
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/").status_code == 302


def test_a_foreign_address_is_no_place_to_go_after_signing_in(town):
    answer = Client().post("/sign-in/", {"username": "xiaoming", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_wrong_password_is_told_and_tells_nothing(town, text):
    wrong = text(Client().post("/sign-in/", {"username": "xiaoming", "password": "x"}))
    assert "用户名或密码不对" in wrong
    unknown = text(Client().post("/sign-in/", {"username": "nobodyhere", "password": "x"}))
    assert "用户名或密码不对" in unknown


def test_guessing_a_password_is_braked_for_that_account_from_that_place_only(town, monkeypatch):
    monkeypatch.setattr(sign_in, "_TRIES", 3)
    wrong = {"username": "xiaoming", "password": "x"}
    right = {"username": "XiaoMing", "password": PASSWORD}
    assert [Client().post("/sign-in/", wrong).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert Client().post("/sign-in/", right).status_code == 429
    assert Client().post("/sign-in/", {"username": "wangwu", "password": PASSWORD}).status_code == 302
    assert Client(REMOTE_ADDR="10.1.1.1").post("/sign-in/", {**right, "username": "xiaoming"}).status_code == 302


def test_the_brake_lets_go_after_its_window(town, monkeypatch):
    brake = throttle.Brake(RequestFactory().get("/"), "test", limit=1)
    brake.miss()
    assert brake.on()
    later = throttle.now() + throttle.WINDOW * 2
    monkeypatch.setattr(throttle, "now", lambda: later)
    assert not brake.on()
    brake.miss()
    assert brake.on()


@pytest.mark.parametrize("address", ["/", "/certificates/", "/verify/", "/sign-in/", "/healthz", "/nowhere"])
def test_every_answer_carries_the_headers(town, address):
    answer = town.client("xiaoming").get(address)
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]


def test_pages_hold_no_inline_script_or_style(town, text, certificate):
    pages = ["/", "/certificates/", "/verify/", "/sign-in/", "/nowhere", certificate.verify_url.split(":8000")[1]]
    for who in ("xiaoming", "operator", "officer", "reviewer"):
        client = town.client(who)
        for address in pages:
            page = text(client.get(address, follow=True)).casefold()
            # one page has a script, from a file of ours: it shows how far an upload is
            scripts = page.count('<script src="/static/portal/upload.js" defer></script>')
            assert (page.count("<script"), scripts) == ((1, 1) if address == "/verify/" else (0, 0))
            assert "<style" not in page
            assert " style=" not in page
            assert " onclick=" not in page


def test_no_search_engine_is_wanted(house, text):
    assert text(Client().get("/robots.txt")) == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize(
    ("header", "told", "place"),
    [
        ("", "10.9.9.9", "192.0.2.1"),  # nobody's word is taken unless a proxy is known to stand in front
        ("X-Real-IP", "10.9.9.9", "10.9.9.9"),
        ("X-Forwarded-For", "1.1.1.1, 10.9.9.9", "10.9.9.9"),  # the first, the client wrote itself
        ("X-Real-IP", "2001:db8::1:2:3:4", "2001:db8::/64"),
        ("X-Real-IP", "::ffff:10.9.9.9", "10.9.9.9"),
        ("X-Real-IP", "no address", "192.0.2.1"),
    ],
)
def test_who_asks_is_the_connection_or_what_the_trusted_proxy_says(settings_of, header, told, place):
    settings_of("CLIENT_HEADER", header)
    name = header or "X-Real-IP"
    request = RequestFactory().get("/", headers={name: told}, REMOTE_ADDR="192.0.2.1")
    assert throttle.client_of(request) == place


@pytest.fixture
def settings_of(monkeypatch):
    return lambda name, value: monkeypatch.setattr(settings, name, value)


def test_language_is_switched_by_a_button(town, text):
    client = Client()
    answer = client.post("/language/", {"language": "en"}, headers={"referer": "http://testserver/verify/"})
    assert answer["Location"].endswith("/verify/")
    assert "Verify a certificate" in text(client.get("/verify/"))


def test_what_is_not_there_says_so(house, text):
    answer = Client().get("/nowhere")
    assert answer.status_code == 404
    assert "没有这个页面" in text(answer)
    assert "nowhere" not in text(answer)


def test_a_form_without_token_is_refused_with_a_sentence(town, text):
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "xiaoming", "password": PASSWORD})
    assert answer.status_code == 403
    assert "请再提交一次" in text(answer)


def test_forbidden_and_broken_have_pages_of_ours(town, text, monkeypatch):
    from agent.portal.views import home

    client = town.client("xiaoming")
    client.raise_request_exception = False

    def refuse(_request):
        raise PermissionDenied

    def fail(_request):
        raise ValueError("a secret detail")

    monkeypatch.setattr(home, "person_of", refuse)
    answer = client.get("/")
    assert (answer.status_code, "这个页面不对您的账号开放" in text(answer)) == (403, True)
    monkeypatch.setattr(home, "person_of", fail)
    answer = client.get("/")
    assert (answer.status_code, "系统出了问题" in text(answer)) == (500, True)
    assert "secret" not in text(answer)


def test_health_is_asked_of_the_database(house, text, monkeypatch):
    answer = Client().get("/healthz")
    assert (answer.status_code, text(answer)) == (200, "ok\n")
    from django.db import OperationalError

    def gone():
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", gone)
    answer = Client().get("/healthz")
    assert (answer.status_code, text(answer)) == (503, "database unavailable\n")


def test_every_address_has_a_name(house):
    (pages,) = get_resolver().url_patterns
    assert {pattern.name for pattern in pages.url_patterns} >= {"home", "sign-in", "certificates", "verify", "healthz"}
