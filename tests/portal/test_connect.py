"""Connecting a platform step by step: the token never comes back, and nobody is led into the own network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from procrastinate.contrib.django.models import ProcrastinateJob

from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.intake.models import Source, SourceDraft
from agent.intake.sync import pull
from agent.organisations.models import Kind, Organisation
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import number
from tests.portal.conftest import Town

CSV = "姓名,身份证号,完成日期,学时,备案编号\n赵一,{},2024-06-05,8,X\n钱二,370402198001010999,2024-06-05,8,X\n"


@pytest.fixture
def moodle(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMoodle]:
    monkeypatch.setattr(settings, "PRIVATE_HOSTS", {"127.0.0.1"})
    with FakeMoodle() as site:
        yield site


@pytest.fixture
def base(empty_town: Town) -> Town:
    empty_town.staff("operator", "base", "base_operator")
    return empty_town


def _begin(town: Town, kind: str = "moodle", name: str = "二号平台", user: str = "operator") -> str:
    body = town.bodies["base"].pk
    answer = town.client(user).post("/sources/connect/", {"kind": kind, "name": name, "organisation": body})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def test_from_the_kind_to_the_first_pull(base: Town, moodle: FakeMoodle, text):
    client, page = base.client("operator"), _begin(base)
    typed = {"do": "address", "url": moodle.url, "token": moodle.token}
    assert client.post(page, typed).status_code == 302
    shown = text(client.get(page))
    assert "可以同步。" in shown
    assert "令牌有效，能登录" in shown
    assert "前十行" in shown
    assert shown.count('<tr role="row"><th role="rowheader"') == 10
    assert moodle.token not in shown
    assert moodle.token.encode() not in bytes(SourceDraft.objects.get().token)
    answer = client.post(page, {"do": "connect", "recent": "30m", "full": "30 3 * * *"})
    source = Source.objects.get(name="二号平台")
    assert answer.headers["Location"] == f"/sources/connected/{source.pk}/"
    assert (source.organisation, source.recent_at, source.full_at) == (base.bodies["base"], "30m", "30 3 * * *")
    assert vault().open(bytes(source.token), b"source token").decode() == moodle.token
    assert not SourceDraft.objects.exists()
    assert ProcrastinateJob.objects.filter(task_name="pull").count() == 1
    event = AuditEvent.objects.get(action="source.connect")
    assert moodle.token not in event.entry
    assert "把课程对应到备案项目" in text(client.get(f"/sources/connected/{source.pk}/"))
    assert pull(source).new > 10


def test_a_preview_shows_no_number_in_clear(base: Town, moodle: FakeMoodle):
    client, page = base.client("operator"), _begin(base)
    client.post(page, {"do": "address", "url": moodle.url, "token": moodle.token})
    rows = SourceDraft.objects.get().found["rows"]
    assert rows
    assert all("*" in row["id"] or not row["id"] for row in rows)


def test_what_is_missing_is_named_with_what_to_click(base: Town, moodle: FakeMoodle, text):
    client, page = base.client("operator"), _begin(base)
    client.post(page, {"do": "address", "url": moodle.url, "token": "0" * 32})
    shown = text(client.get(page))
    assert "E_TOKEN_INVALID" in shown
    assert "管理令牌" in shown
    refused = client.post(page, {"do": "connect", "recent": "15m", "full": ""})
    assert (refused.status_code, "还没有检查" in text(refused)) == (409, True)
    assert not Source.objects.filter(name="二号平台").exists()
    client.post(page, {"do": "address", "url": moodle.url, "token": moodle.token})
    assert "可以同步。" in text(client.get(page))


def test_another_address_has_to_be_looked_at_again(base: Town, moodle: FakeMoodle):
    client, page = base.client("operator"), _begin(base)
    client.post(page, {"do": "address", "url": moodle.url, "token": moodle.token})
    refused = client.post(page, {"do": "address", "url": "ftp://elsewhere", "token": ""})
    assert refused.status_code == 409
    client.post(page, {"do": "address", "url": "http://127.0.0.1:1/", "token": ""})
    assert SourceDraft.objects.get().found["ok"] is False
    assert client.post(page, {"do": "connect", "recent": "15m", "full": ""}).status_code == 409


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://localhost/", "https://10.1.2.3/", "http://[::1]/"])
def test_nobody_is_led_into_the_own_network(base: Town, url: str):
    client, page = base.client("operator"), _begin(base)
    answer = client.post(page, {"do": "address", "url": url, "token": "x", "private": "1"})
    draft = SourceDraft.objects.get()
    assert not draft.allow_private
    if answer.status_code == 302:  # an address that only the connection itself can judge
        assert draft.found is not None
        assert draft.found["problems"][0]["code"] == "E_ADDRESS_PRIVATE"


def test_an_administrator_may_allow_it(base: Town):
    base.staff("root", "bureau", "administrator")
    with FakeMoodle() as moodle:
        page = _begin(base, user="root")
        base.client("root").post(page, {"do": "address", "url": moodle.url, "token": moodle.token, "private": "1"})
        assert SourceDraft.objects.get().found["ok"] is True


@pytest.mark.parametrize("url", ["", "x", "/etc/passwd", "file:///etc/passwd", "https://user:pw@lms.example/"])
def test_what_is_no_address_is_refused_and_what_was_typed_stays(base: Town, text, url: str):
    client, page = base.client("operator"), _begin(base)
    refused = client.post(page, {"do": "address", "url": url, "token": "secret-token"})
    assert refused.status_code == 409
    assert "secret-token" not in text(refused)
    assert SourceDraft.objects.get().url == ""


def test_options_that_name_a_file_are_not_taken(base: Town, moodle: FakeMoodle):
    client, page = base.client("operator"), _begin(base)
    typed = {"do": "address", "url": moodle.url, "token": moodle.token, "option-ca_file": "/etc/passwd",
             "option-report_id": "1"}  # fmt: skip
    client.post(page, typed)
    assert SourceDraft.objects.get().options == {"report_id": "1"}


def test_a_schedule_that_never_comes_is_refused(base: Town, moodle: FakeMoodle, text):
    client, page = base.client("operator"), _begin(base)
    client.post(page, {"do": "address", "url": moodle.url, "token": moodle.token})
    refused = client.post(page, {"do": "connect", "recent": "often", "full": ""})
    assert (refused.status_code, "看不懂" in text(refused), "often" in text(refused)) == (409, True, True)
    assert SourceDraft.objects.exists()


def test_a_roster_is_uploaded_looked_at_and_taken(base: Town, text):
    client, page = base.client("operator"), _begin(base, "roster", "六月班")
    file = SimpleUploadedFile("../../六月.csv", CSV.format(number(1)).encode())
    assert client.post(page, {"do": "file", "file": file}).status_code == 302
    shown = text(client.get(page))
    assert "可接收1人，未合格0人，退回1行。" in shown
    assert number(1) not in shown
    assert client.post(page, {"do": "connect"}).status_code == 302
    source = Source.objects.get(name="六月班")
    assert (source.scheduled, ".." in source.url) == (False, False)
    assert pull(source).new == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.exe", b"MZ"), ("x.xlsx", b"MZ\x90"), ("x.csv", b""), ("passwd", b"root"), ("x.csv", b"x" * 20_000_001)],
)
def test_what_is_no_roster_is_refused(base: Town, text, name: str, content: bytes):
    client, page = base.client("operator"), _begin(base, "roster", "六月班")
    refused = client.post(page, {"do": "file", "file": SimpleUploadedFile(name, content)})
    assert (refused.status_code, "没有收下" in text(refused)) == (409, True)


def test_a_path_typed_as_a_rosters_address_is_not_read(base: Town):
    client, page = base.client("operator"), _begin(base, "roster", "六月班")
    assert client.post(page, {"do": "address", "url": "/etc/passwd", "token": "x"}).status_code == 409
    assert client.post(page, {"do": "address", "url": "https://x.example", "token": "x"}).status_code == 409
    assert client.post(page, {"do": "look"}).status_code == 404


def test_a_name_that_is_taken_is_refused_and_nobodys_source_is_changed(base: Town, text):
    body = base.bodies["base"].pk
    asked = {"kind": "moodle", "name": base.source.name, "organisation": body}
    refused = base.client("operator").post("/sources/connect/", asked)
    assert (refused.status_code, "已经有了" in text(refused)) == (409, True)
    assert base.client("operator").post("/sources/connect/", asked | {"kind": "x", "name": "y"}).status_code == 409


def test_what_was_begun_can_be_given_up(base: Town):
    client, page = base.client("operator"), _begin(base, "roster", "六月班")
    client.post(page, {"do": "file", "file": SimpleUploadedFile("a.csv", CSV.format(number(1)).encode())})
    assert client.post(page, {"do": "discard"}).status_code == 302
    assert not SourceDraft.objects.exists()


def test_somebody_elses_draft_and_body_are_unknown(base: Town):
    page = _begin(base)
    base.bodies["other"] = Organisation.objects.create(
        uscc="9" * 18, kind=Kind.TRAINING_BASE, name="别的基地", region="370400", issuer_number=77
    )
    base.staff("elsewhere", "other", "base_operator")
    base.staff("reviewer", "bureau", "bureau_reviewer")
    client = base.client("elsewhere")
    assert client.get(page).status_code == 404
    assert client.post(page, {"do": "discard"}).status_code == 404
    asked = {"kind": "moodle", "name": "z", "organisation": base.bodies["base"].pk}
    assert client.post("/sources/connect/", asked).status_code == 404
    assert client.get(f"/sources/connected/{base.source.pk}/").status_code == 404
    assert base.client("reviewer").get("/sources/connect/").status_code == 404
