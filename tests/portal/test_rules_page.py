"""The year's rules as a page, and what they come to for machines."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agent.portal.views import rules
from tests.credit.test_evaluate import OUTPUT, YEAR, valid

API = "/api/credit/evaluate/370400/2024"


def post(client, year, address=API):
    content = year if isinstance(year, str | bytes) else json.dumps(year)
    return client.post(address, content, content_type="application/json")


# --- for machines ------------------------------------------------------------------------------------------------
def test_the_api_answers_as_the_command_does(town):
    answer = post(town.client("officer"), YEAR)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert valid(OUTPUT, answer.json())["standing"]["total"] == 49
    assert "policy" in post(town.client("officer"), YEAR, API + "?full=1").json()


def test_a_list_is_answered_by_a_list_and_what_is_refused_in_its_place(town):
    wrong = {"achievements": [{"id": "a", "kind": "lecture"}]}
    first, second = post(town.client("reviewer"), [YEAR, wrong]).json()

    assert first["standing"]["total"] == 49
    assert (second["line"], second["error"]["problems"][0]["path"]) == (2, "achievements[0].kind")
    assert post(town.client("reviewer"), []).json() == []


@pytest.mark.parametrize(
    ("year", "address", "status", "code"),
    [
        ({"achievements": [{"id": "a", "kind": "lecture"}]}, API, 400, "E_YEAR_INVALID"),
        ("{", API, 400, "E_YEAR_UNREADABLE"),
        ("[1,", API, 400, "E_YEAR_UNREADABLE"),
        (YEAR, "/api/credit/evaluate/370400/2031", 404, "E_POLICY_MISSING"),
        (YEAR, "/api/credit/evaluate/..%2Fx/2024", 404, None),
        ({"title_application": {"filing_date": "2031-01-06"}}, API, 400, "E_CALENDAR_UNKNOWN"),
        (b" " * (rules.MOST_BYTES + 1), API, 413, "E_TOO_LARGE"),
    ],
)
def test_what_is_refused_says_its_code_and_its_fix(town, year, address, status, code):
    answer = post(town.client("officer"), year, address)

    assert answer.status_code == status
    if code:
        assert answer.json()["error"]["code"] == code
        assert answer.json()["error"]["fix"]


def test_who_asks_too_often_waits(town, monkeypatch):
    monkeypatch.setattr(rules, "MOST_CALLS", 2)
    client = town.client("officer")

    assert [post(client, YEAR).status_code for _ in range(3)] == [200, 200, 429]
    assert post(town.client("reviewer"), YEAR).status_code == 200


def test_only_staff_with_the_right_may_ask_and_only_by_their_own_page(town):
    assert post(Client(), YEAR).status_code == 302
    assert post(town.client("operator"), YEAR).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="officer"))
    assert post(strict, YEAR).status_code == 403


# --- for people --------------------------------------------------------------------------------------------------
def test_the_page_shows_every_rule_with_its_source_and_our_defaults(town):
    page = town.client("reviewer").get("/rules/").content.decode()

    for number in (1, 10, 17, 28):
        assert f'id="R{number:02d}"' in page
    assert "枣高社字〔2024〕17号" in page
    assert "通知未规定，默认：sync_grace_until 01-31" in page
    assert "440000/2024" in page


def test_a_year_is_tried_and_each_part_explained(town):
    client = town.client("reviewer")
    page = client.post("/rules/", {"policy": "370400/2024", "year": json.dumps(YEAR)}).content.decode()

    assert "试算：未达标" in page
    assert "认定 7.5 学时：援派 3 个月" in page
    assert "截止日期：2024-09-12" in page
    english = client.post("/rules/", {"year": json.dumps(YEAR)}, headers={"Accept-Language": "en"}).content.decode()
    assert "7.5 h credited: 3 month(s) of secondment" in english


def test_what_is_wrong_is_named_with_its_place_and_masked(town):
    year = {"achievements": [{"id": "a", "kind": "training", "category": "public", "hours": "11010519491231002X"}]}
    answer = town.client("reviewer").post("/rules/", {"year": json.dumps(year)})
    page = answer.content.decode()

    assert answer.status_code == 400
    assert "<code>achievements[0].hours</code>" in page
    assert "110***********002X" in page
    assert page.count("11010519491231002X") == 1  # in the field, where the person wrote it


def test_too_much_is_refused_and_too_often_too(town, monkeypatch):
    client = town.client("reviewer")
    assert client.post("/rules/", {"year": "x" * (rules.MOST_BYTES + 1)}).status_code == 413
    monkeypatch.setattr(rules, "MOST_CALLS", 1)
    assert client.post("/rules/", {"year": "{}"}).status_code == 429
