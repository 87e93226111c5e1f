"""The way in: invited by a link, past a second factor where something is decided, and out of every session at will."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from django.contrib.auth.models import User
from django.test import Client

from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.localtime import now
from agent.organisations.models import Role
from agent.people import factor, invitations
from agent.portal import entrance
from agent.portal.views import sign_in
from tests.portal.conftest import PASSWORD


def code_of(name: str, later: int = 0) -> str:
    factor_ = User.objects.get(username=name).second_factor
    secret = vault().open(bytes(factor_.sealed), b"second factor").decode()
    return pyotp.TOTP(secret).at(now() + timedelta(seconds=30 * later))


def with_password(name: str) -> User:
    user = User.objects.get(username=name)
    user.set_password(PASSWORD)
    user.save()
    return user


def enrolled(name: str) -> User:
    """``name`` with a password and a second factor of whom a code was used already."""
    user = with_password(name)
    factor.begin(user)
    factor.confirm(user, code_of(name, -1))
    return User.objects.get(pk=user.pk)


def give_password(client: Client, name: str, after: str = "") -> str:
    answer = client.post("/sign-in/", {"username": name, "password": PASSWORD, "next": after})
    assert answer.status_code == 302
    return str(answer["Location"])


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_who_decides_nothing_needs_the_password_alone(town):
    with_password("operator")
    client = Client()
    assert give_password(client, "operator") == "/"
    assert signed_in(client)


@pytest.mark.parametrize("who", ["officer", "reviewer"])
def test_who_decides_sets_up_a_second_factor_before_anything_opens(town, text, who):
    with_password(who)
    client = Client()
    assert give_password(client, who, "/templates/") == "/sign-in/factor/"
    assert not signed_in(client)
    assert client.get("/templates/").status_code == 302
    page = text(client.get("/sign-in/factor/"))
    assert "<svg" in page
    wrong = "nonsense"
    assert "数字不对" in text(client.post("/sign-in/factor/", {"code": wrong}))
    assert not signed_in(client)
    done = text(client.post("/sign-in/factor/", {"code": code_of(who)}))
    assert done.count("<li><code>") == 10
    assert 'href="/templates/"' in done
    assert signed_in(client)
    assert "account.signed_in" in AuditEvent.objects.values_list("action", flat=True)


def test_afterwards_the_code_is_asked_for(town, text):
    enrolled("reviewer")
    client = Client()
    assert give_password(client, "reviewer", "/runs/") == "/sign-in/code/"
    assert not signed_in(client)
    assert client.get("/sign-in/factor/")["Location"] == "/sign-in/code/"  # nobody sets up another on the way
    assert "验证码不对" in text(client.post("/sign-in/code/", {"code": "abc"}))
    assert client.post("/sign-in/code/", {"code": code_of("reviewer")})["Location"] == "/runs/"
    assert signed_in(client)


def test_a_recovery_code_stands_in_for_the_telephone_once(town):
    codes = factor.renew_codes(enrolled("reviewer"))
    for opens in (True, False):
        client = Client()
        give_password(client, "reviewer")
        client.post("/sign-in/code/", {"code": codes[0]})
        assert signed_in(client) is opens


def test_guessed_codes_lock_the_account_from_wherever_they_come(town, monkeypatch):
    monkeypatch.setattr(entrance, "_CODES", 3)
    enrolled("reviewer")
    for place in range(3):
        client = Client(REMOTE_ADDR=f"10.1.1.{place}")
        give_password(client, "reviewer")
        assert client.post("/sign-in/code/", {"code": "x"}).status_code == 200
    client = Client(REMOTE_ADDR="10.9.9.9")
    give_password(client, "reviewer")
    assert client.post("/sign-in/code/", {"code": code_of("reviewer")}).status_code == 429
    assert AuditEvent.objects.latest("index").action == "account.locked"


def test_guessed_passwords_lock_the_account_from_wherever_they_come(town, monkeypatch):
    monkeypatch.setattr(sign_in, "_TRIES_ANYWHERE", 3)
    for place in range(3):
        Client(REMOTE_ADDR=f"10.1.1.{place}").post("/sign-in/", {"username": "xiaoming", "password": "x"})
    right = {"username": "xiaoming", "password": PASSWORD}
    assert Client(REMOTE_ADDR="10.9.9.9").post("/sign-in/", right).status_code == 429
    assert Client().post("/sign-in/", {**right, "username": "wangwu"}).status_code == 302


def test_the_way_in_is_open_for_ten_minutes(town, monkeypatch):
    enrolled("reviewer")
    client = Client()
    give_password(client, "reviewer")
    later = now() + timedelta(minutes=11)
    monkeypatch.setattr(entrance, "now", lambda: later)
    assert client.post("/sign-in/code/", {"code": code_of("reviewer")})["Location"] == "/sign-in/?late=1"
    assert not signed_in(client)


@pytest.mark.parametrize("address", ["/sign-in/code/", "/sign-in/factor/"])
def test_nobody_comes_in_without_a_password(town, address):
    enrolled("reviewer")
    client = Client()
    assert client.post(address, {"code": code_of("reviewer")})["Location"] == "/sign-in/?late=1"
    assert not signed_in(client)


def test_a_changed_password_or_a_closed_account_ends_the_way_in(town):
    user = enrolled("reviewer")
    for end in ("password", "closed"):
        client = Client()
        give_password(client, "reviewer")
        if end == "password":
            user.set_password(PASSWORD)  # the same, hashed anew
        user.is_active = end == "password"
        user.save()
        assert client.post("/sign-in/code/", {"code": code_of("reviewer")})["Location"] == "/sign-in/?late=1"


def test_an_invitation_becomes_an_account(town, text):
    link = invitations.invite(town.bodies["bureau"], Role.BUREAU_HEAD, by="test").link
    address = link.partition(":8000")[2]
    client = Client()
    answer = client.get(address)
    page = text(answer)
    assert answer["Referrer-Policy"] == "strict-origin"
    assert "人社局负责人" in page
    assert "示例bureau" in page
    said = {"first_name": "张三", "username": "zhangsan", "password1": PASSWORD, "password2": PASSWORD}
    for wrong in (
        {"password2": "another one"}, {"password1": "short", "password2": "short"}, {"username": "XiaoMing"},
        {"username": "370402199001010018"}, {"first_name": ""}, {"username": "<b>"},
    ):  # fmt: skip
        answer = client.post(address, {**said, **wrong})
        assert answer.status_code == 400
        assert 'role="alert"' in text(answer)
    assert client.post(address, said)["Location"] == "/sign-in/factor/"
    assert "<svg" in text(client.get("/sign-in/factor/"))
    client.post("/sign-in/factor/", {"code": code_of("zhangsan")})
    assert "张三" in text(client.get("/account/"))
    assert client.get(address).status_code == 404
    assert Client().post(address, said).status_code == 404


def test_invented_invitations_are_braked(house, monkeypatch):
    from agent.portal.views import invitations as view

    monkeypatch.setattr(view, "_GUESSES", 2)
    assert [Client().get(f"/invitations/x{n}/").status_code for n in range(3)] == [404, 404, 429]


def test_sessions_are_seen_and_ended(town, text):
    with_password("operator")
    here, there, elsewhere = Client(), Client(HTTP_USER_AGENT="<b>Firefox</b>"), Client()
    for client in (here, there, elsewhere):
        give_password(client, "operator")
    page = text(here.get("/account/"))
    assert page.count("就是这里") == 1
    assert "&lt;b&gt;Firefox" in page
    assert "<b>Firefox" not in page
    presences = list(User.objects.get(username="operator").presences.order_by("pk"))
    assert here.post(f"/account/sessions/{presences[1].pk}/end/").status_code == 302
    assert [signed_in(c) for c in (here, there, elsewhere)] == [True, False, True]
    here.post("/account/sessions/end/")
    assert [signed_in(c) for c in (here, there, elsewhere)] == [True, False, False]
    foreign = town.client("xiaoming")
    assert foreign.post(f"/account/sessions/{presences[0].pk}/end/").status_code == 404
    assert signed_in(here)


def test_a_password_is_changed_by_who_knows_the_old_one(town, text):
    client, other = Client(), Client()
    for each in (client, other):
        give_password(each, "xiaoming")
    new = {"new_password1": "one that is long enough", "new_password2": "one that is long enough"}
    assert client.post("/account/password/", {"old_password": "x", **new}).status_code == 400
    assert client.post("/account/password/", {"old_password": PASSWORD, **new})["Location"] == "/account/?saved=1"
    assert [signed_in(c) for c in (client, other)] == [True, False]
    assert text(client.get("/account/")).count("就是这里") == 1
    assert User.objects.get(username="xiaoming").check_password(new["new_password1"])


def test_an_address_for_letters_is_changed_with_the_password(town, text):
    client = town.client("xiaoming")
    typed = {"email": "me@example.org", "password": "wrong"}
    answer = client.post("/account/email/", typed)
    assert (answer.status_code, 'value="me@example.org"' in text(answer)) == (400, True)
    answer = client.post("/account/email/", {"email": "no address", "password": PASSWORD})
    assert (answer.status_code, "邮箱地址不对" in text(answer)) == (400, True)
    for _ in range(2):
        assert client.post("/account/email/", typed | {"password": PASSWORD}).status_code == 302
    assert User.objects.get(username="xiaoming").email == "me@example.org"
    assert AuditEvent.objects.filter(action="email.changed").count() == 1


def test_recovery_codes_are_renewed_with_the_password_and_a_code(town, text):
    user = enrolled("reviewer")
    user.set_password(PASSWORD)
    user.save()
    old = factor.renew_codes(user)
    client = town.client("reviewer")
    for wrong in ({"code": "x", "password": PASSWORD}, {"code": code_of("reviewer"), "password": "x"}):
        assert client.post("/account/codes/", wrong).status_code == 400
    right = {"code": code_of("reviewer"), "password": PASSWORD}  # not used up by the try without the password
    assert text(client.post("/account/codes/", right)).count("<li><code>") == 10
    assert not factor.opens(user, old[0])
