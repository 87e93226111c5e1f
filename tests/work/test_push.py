"""What an LMS posts to us: signed, fresh, once, and never believed."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.test import Client

from agent.intake.models import PushSeen
from agent.localtime import now
from agent.work import push
from tests.house.houses import Base, sql

BODY = json.dumps({"event": "completed", "sequence": 7, "time": 1714960800}).encode()


@pytest.fixture
def secret(base: Base) -> str:
    return push.new_secret(base.source)


def post(secret: str, *, source: str = "base", at: int | None = None, body: bytes = BODY, signed: bytes | None = None):
    moment = int(time.time()) if at is None else at
    header = f"t={moment},v1={push.signature(secret, moment, signed or body).hex()}"
    client = Client(SERVER_NAME="127.0.0.1", headers={"X-Xueshi-Signature": header})
    return client.post(f"/hooks/{source}", body, content_type="application/json")


def unsigned(headers: dict[str, str]):
    client = Client(SERVER_NAME="127.0.0.1", headers=headers)
    return client.post("/hooks/base", BODY, content_type="application/json")


def asked() -> list[tuple]:
    return sql("SELECT task_name, args->>'because', priority FROM procrastinate_jobs")


def test_a_signed_push_asks_for_the_next_pull(base: Base, secret: str):
    answer = post(secret)
    assert (answer.status_code, answer.json()) == (202, {"queued": True})
    assert asked() == [("pull", "push", 10)]


def test_the_same_push_again_is_refused(base: Base, secret: str):
    at = int(time.time())
    assert [post(secret, at=at).status_code for _ in range(2)] == [202, 401]
    assert post(secret, at=at + 1).status_code == 202  # a new one is taken, and nothing more waits
    assert len(asked()) == 1


@pytest.mark.parametrize("off", [-301, 301, -100_000])
def test_an_old_push_and_one_from_the_future_are_refused(base: Base, secret: str, off: int):
    assert post(secret, at=int(time.time()) + off).status_code == 401


def test_wrong_unknown_and_changed_get_the_same_answer(base: Base, secret: str):
    answers = [
        post("another secret"),
        post(secret, source="nobody"),
        post(secret, body=BODY.replace(b"7", b"8"), signed=BODY),
        unsigned({}),
        Client(SERVER_NAME="127.0.0.1", headers={"X-Xueshi-Signature": "t=x,v1=y"}).post(
            "/hooks/base", BODY, content_type="application/json"
        ),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, b'{"error": "signature"}')}
    assert asked() == []


def test_a_source_without_a_secret_takes_none(base: Base):
    assert post("").status_code == 401
    assert post("-").status_code == 401


def test_too_much_is_not_read(base: Base, secret: str):
    assert post(secret, body=b"x" * 5000).status_code == 413


def test_who_guesses_waits(base: Base, secret: str, monkeypatch):
    monkeypatch.setattr("agent.portal.views.hooks._GUESSES", 2)
    assert [post("wrong").status_code for _ in range(3)] == [401, 401, 429]


def test_only_posts_are_answered(base: Base):
    assert Client(SERVER_NAME="127.0.0.1").get("/hooks/base").status_code == 405


def test_seen_signatures_are_forgotten_when_they_would_not_be_taken_any_more(base: Base, secret: str):
    post(secret)
    PushSeen.objects.update(at=now() - timedelta(seconds=601))
    post(secret, body=b"{}")
    assert PushSeen.objects.count() == 1


def test_a_new_secret_ends_the_old_one_and_is_shown_once(base: Base, xueshi, secret: str):
    shown = xueshi("source", "hook", "base", "--json").json
    assert shown["url"].endswith("/hooks/base")
    assert post(secret).status_code == 401
    assert post(shown["secret"]).status_code == 202
    base.source.refresh_from_db()
    assert shown["secret"].encode() not in bytes(base.source.push_secret)
