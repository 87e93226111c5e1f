"""Connecting a platform step by step: the token never comes back, and nobody is led into the own network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from procrastinate.contrib.django.models import ProcrastinateJob

from agent.audit.models import AuditEvent
from agent.audit.search import change_of
from agent.crypto import vault
from agent.flow import run_stages
from agent.intake.models import Source, SourceDraft
from agent.intake.sources import save
from agent.intake.sync import pull
from agent.organisations.models import Kind, Organisation
from agent.quarantine.models import Held
from agent.work.clock import planned
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
    refused = client.post(page, {"do": "address", "url": "http://127.0.0.1:1/", "token": ""})
    assert refused.status_code == 409  # what was stored for one place is sent to no other
    assert SourceDraft.objects.get().url == moodle.url
    client.post(page, {"do": "address", "url": "http://127.0.0.1:1/", "token": "x"})
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


# --- changing what is connected -------------------------------------------------------------------------------------
@pytest.fixture
def connected(base: Town, moodle: FakeMoodle) -> Source:
    """A platform that is read, with its token."""
    source, _ = save(
        "一号平台", kind="moodle", url=moodle.url, token=moodle.token, options={"report_id": "1", "page_size": "50"},
        allow_private=True,
    )  # fmt: skip
    Source.objects.filter(pk=source.pk).update(organisation=base.bodies["base"])
    source.refresh_from_db()
    return source


def _change(town: Town, source: Source, user: str = "operator") -> str:
    return str(town.client(user).post(f"/sources/{source.pk}/", {"do": "change"}).headers["Location"])


def token_of(source: Source) -> str:
    return vault().open(bytes(Source.objects.get(pk=source.pk).token or b""), b"source token").decode()


def test_an_address_changes_after_a_live_look_and_the_token_is_replaced_never_shown(base, moodle, connected, text):
    client, page = base.client("operator"), _change(base, connected)
    assert moodle.token not in text(client.get(page))
    moodle.token = "the-new-one"
    answer = client.post(page, {"do": "address", "url": moodle.url, "option-report_id": "1"})
    assert "平台不认识我们的令牌" in text(client.get(answer.headers["Location"]))
    assert client.post(page, {"do": "connect"}).status_code == 409  # nothing takes effect that was not well
    assert token_of(connected) != "the-new-one"
    client.post(page, {"do": "address", "url": moodle.url, "token": "the-new-one", "option-report_id": "1"})
    assert "检查过了，可以生效" in (shown := text(client.get(page)))
    assert shown.count('<tr role="row"><th role="rowheader"') == 10
    assert "the-new-one" not in shown
    answer = client.post(page, {"do": "connect"})
    assert answer.headers["Location"] == f"/sources/{connected.pk}/?saved=1"
    assert "已保存" in text(client.get(answer.headers["Location"]))
    connected.refresh_from_db()
    assert (token_of(connected), connected.revision) == ("the-new-one", 2)
    assert connected.options == {"report_id": "1", "page_size": "50"}  # what no page sets stays
    assert ProcrastinateJob.objects.filter(task_name="pull").count() == 1
    event = AuditEvent.objects.get(action="source.change")
    assert change_of(event) == (None, {"token": "replaced"})
    assert "the-new-one" not in event.entry


def test_a_stored_token_goes_to_no_other_place(base, moodle, connected, text):
    """Whoever is in for a moment must not have it sent to a machine of their own."""
    client, page = base.client("operator"), _change(base, connected)
    with FakeMoodle() as elsewhere:
        before = len(elsewhere.calls)
        answer = client.post(page, {"do": "address", "url": elsewhere.url})
        assert (answer.status_code, "原来的令牌不会送过去" in text(answer)) == (409, True)
        client.post(page, {"do": "look"})
        assert len(elsewhere.calls) == before
        answer = client.post(page, {"do": "address", "url": elsewhere.url, "token": elsewhere.token})
        assert answer.status_code == 302
        assert "可以生效" in text(client.get(page))


def test_nobody_is_led_into_the_own_network_by_a_change(base, connected, monkeypatch, text):
    monkeypatch.setattr(settings, "PRIVATE_HOSTS", set())
    client, page = base.client("operator"), _change(base, connected)
    client.post(page, {"do": "address", "url": connected.url, "option-report_id": "1"})
    assert "可以生效" in text(client.get(page))  # what an administrator allowed stays so, for that very place
    client.post(page, {"do": "address", "url": "https://127.0.0.1:9/", "token": "x", "private": "1"})
    assert "平台的网址指向内网地址" in text(client.get(page))
    assert client.post(page, {"do": "connect"}).status_code == 409


def test_of_two_who_change_it_the_second_is_told(base, moodle, connected, text):
    client, page = base.client("operator"), _change(base, connected)
    client.post(page, {"do": "address", "url": moodle.url, "option-report_id": "1"})
    at = f"/sources/{connected.pk}/"
    times = {"do": "times", "recent": "1h", "full": "30 4 * * *", "budget": "500", "revision": "1"}
    assert client.post(at, times).status_code == 302
    assert client.post(at, times | {"recent": "2h"}).status_code == 409
    answer = client.post(page, {"do": "connect"})
    assert (answer.status_code, "别人改过“一号平台”" in text(answer)) == (409, True)
    client.post(page, {"do": "address", "url": moodle.url, "option-report_id": "1"})  # seen, and typed again
    assert client.post(page, {"do": "connect"}).status_code == 302
    connected.refresh_from_db()
    assert (connected.recent_at, connected.full_at, connected.budget) == ("1h", "30 4 * * *", 500)


def test_times_are_looked_at_and_the_clock_is_told_to_rest(base, connected, text):
    client, at = base.client("operator"), f"/sources/{connected.pk}/"
    answer = client.post(at, {"do": "times", "recent": "soon", "full": "", "budget": "5", "revision": "1"})
    assert (answer.status_code, 'value="soon"' in text(answer)) == (409, True)
    assert client.post(at, {"do": "pause", "revision": "1"}).status_code == 302
    assert "已暂停" in text(client.get(at))
    assert planned() == [each for each in planned() if each.source != connected.pk]
    assert client.post(at, {"do": "resume", "revision": "2"}).status_code == 302
    actions = AuditEvent.objects.filter(target="source 一号平台").order_by("index").values_list("action", flat=True)
    assert list(actions) == ["source.paused", "source.resumed"]


def test_it_is_called_otherwise_everywhere(base, moodle, connected, text):
    client, at = base.client("operator"), f"/sources/{connected.pk}/"
    pull(connected)
    run_stages()
    waits = Held.objects.filter(source="一号平台").count()
    assert waits
    for taken in ("在线学习中心", " ", "a/b"):
        answer = client.post(at, {"do": "rename", "name": taken, "revision": "1"})
        assert (answer.status_code, "已经有了，或者不能用" in text(answer)) == (409, True)
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:  # somebody reads it
        other.execute("SELECT pg_advisory_lock(hashtext('xueshi sync'), %s)", [connected.pk])
        answer = client.post(at, {"do": "rename", "name": "新平台", "revision": "1"})
        assert (answer.status_code, "正在读这个来源" in text(answer)) == (409, True)
    assert client.post(at, {"do": "rename", "name": "新平台", "revision": "1"}).status_code == 302
    assert client.post(at, {"do": "rename", "name": "又一个", "revision": "1"}).status_code == 409
    connected.refresh_from_db()
    assert connected.name == "新平台"
    assert Held.objects.filter(source="新平台").count() == waits
    assert not Held.objects.filter(source="一号平台").exists()
    assert "E_COURSE_UNMAPPED" in text(client.get("/quarantine/"))  # theirs, by the new name
    pull(connected)
    run_stages()
    assert not Held.objects.filter(source="一号平台").exists()
    assert change_of(AuditEvent.objects.get(action="source.renamed")) == ({"name": "一号平台"}, {"name": "新平台"})


def test_who_only_looks_sees_what_is_set_and_no_form(base, connected, text):
    base.staff("auditor", "bureau", "auditor")
    page = text(base.client("auditor").get(f"/sources/{connected.pk}/"))
    assert connected.url in page
    assert 'name="do"' not in page
    assert base.client("auditor").post(f"/sources/{connected.pk}/", {"do": "change"}).status_code == 404


def test_a_roster_has_its_next_file(base, text):
    client, page = base.client("operator"), _begin(base, "roster", "线下班")
    file = SimpleUploadedFile("一.csv", CSV.format(number(1)).encode())
    client.post(page, {"do": "file", "file": file})
    client.post(page, {"do": "connect"})
    source = Source.objects.get(name="线下班")
    first = Path(source.url)
    page = _change(base, source)
    more = SimpleUploadedFile("二.csv", (CSV.format(number(1)) + f"孙三,{number(3)},2024-06-05,8,X\n").encode())
    client.post(page, {"do": "file", "file": more})
    assert "新的名册代替旧的" in text(client.get(page))
    assert first.exists()
    assert client.post(page, {"do": "connect"}).status_code == 302
    source.refresh_from_db()
    assert pull(source).new == 3
    assert not first.exists()  # numbers in clear lie nowhere that nobody reads
    assert change_of(AuditEvent.objects.get(action="source.change"))[1]["file"] == "二.csv"
