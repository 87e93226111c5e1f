"""The runs of a base's sources: who sees which, filters in the address, pages by key, sums, and a file of the same."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from agent.intake.models import Backfill, Completion, RawPage, Source, SyncRun
from agent.intake.sync import running
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.portal import run_list
from agent.portal.run_filter import RunFilter, run_filter
from agent.portal.run_list import page_of
from agent.quarantine.models import Held
from connectors.records import Span


def ran(source: Source, ago: timedelta = timedelta(), **values) -> SyncRun:
    """A run that began so long ago and took ten seconds."""
    run = SyncRun.objects.create(source=source, **{"state": "done", "because": "clock"} | values)
    began = now() - ago
    ended = None if run.state == "running" else began + timedelta(seconds=10)
    SyncRun.objects.filter(pk=run.pk).update(started_at=began, finished_at=ended)
    run.refresh_from_db()
    return run


@pytest.fixture
def other(town) -> Source:
    """A source of another base."""
    body = Organisation.objects.create(
        uscc=f"{99:018d}", kind="training_base", name="别家基地", region="370400", issuer_number=99
    )
    return Source.objects.create(name="别家平台", kind="moodle", url="https://x.example", organisation=body)


# --- who sees what -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["xiaoming", "officer", "stranger"])
@pytest.mark.parametrize("path", ["/runs/", "/runs.csv", "/runs/1/", "/reconciliation/", "/reconciliation.csv"])
def test_learners_and_departments_find_nothing_here(town, who, path):
    assert town.client(who).get(path).status_code == 404


def test_who_has_not_signed_in_is_asked_to(town):
    for path in ("/runs/", "/runs.csv", "/runs/1/", "/reconciliation/", "/reconciliation.csv"):
        assert Client().get(path)["Location"] == f"/sign-in/?next={path}"


def test_a_base_sees_the_runs_of_its_own_sources_and_the_bureau_all(town, other, text):
    theirs = ran(other, new=900)
    assert "别家平台" not in text(town.client("operator").get("/runs/"))
    assert town.client("operator").get(f"/runs/{theirs.pk}/").status_code == 404
    assert town.client("operator").get("/runs/999999/").status_code == 404
    assert town.client("operator").get("/runs/?source=别家平台").status_code == 404
    assert "别家平台" not in read(town.client("operator").get("/runs.csv"))
    assert "别家平台" in text(town.client("reviewer").get("/runs/"))
    assert town.client("reviewer").get(f"/runs/{theirs.pk}/").status_code == 200


def test_a_token_is_never_read(town):
    client = town.client("operator")
    with CaptureQueriesContext(connection) as queries:
        client.get("/runs/")
    assert not any('"intake_source"."token"' in query["sql"] for query in queries)


# --- what stands there ---------------------------------------------------------------------------------------------
def test_each_run_says_how_it_went_and_why(town, text):
    ran(town.source, timedelta(hours=3), new=12, changed=3, unchanged=800, rejected=2, missing_upstream=5, counted=822)
    ran(town.source, timedelta(hours=2), state="failed", error_code="E_TOKEN_EXPIRED", error="The token has expired.")
    page = text(town.client("operator").get("/runs/"))
    assert "新增12条，变更3条，退回2条，来源不再显示5条" in page
    assert "令牌过期了，平台已经把它删掉。" in page
    assert "E_TOKEN_EXPIRED" in page
    assert "同步了3次，1次停下了" in page
    assert "全面比对" in page
    assert "定时" in page


def test_sums_at_the_foot_are_of_the_whole_view_and_not_of_the_page(town, monkeypatch, text):
    monkeypatch.setattr(run_list, "PAGE", 2)
    for hour in range(1, 6):
        ran(town.source, timedelta(hours=hour), new=1000, changed=1)
    ran(town.source, timedelta(hours=7), state="failed", unchanged=7)
    page = page_of([town.source], run_filter({}, local_date(now())))
    assert (page.sums.runs, page.sums.failed, page.sums.new, page.sums.changed) == (7, 1, 5005, 5)
    assert page.sums.unchanged == 7
    assert page.sums.seconds == pytest.approx(60, abs=5)
    assert "5,005" in text(town.client("operator").get("/runs/"))


def test_what_a_run_landed_and_what_waits_today_is_counted_for_it(town, text):
    rows = {row.run.pk: row for row in page_of([town.source], run_filter({}, local_date(now()))).rows}
    assert rows[town.run.pk].waiting == Held.objects.filter(what="completion", released_at=None).count() == 2
    Held.objects.update(released_at=now())
    rows = {row.run.pk: row for row in page_of([town.source], run_filter({}, local_date(now()))).rows}
    assert rows[town.run.pk].waiting == 0


def test_few_queries_however_many_runs(town):
    client = town.client("operator")
    for hour in range(40):
        ran(town.source, timedelta(hours=hour), new=1)
    with CaptureQueriesContext(connection) as few:
        assert client.get("/runs/").status_code == 200
    assert len(few) <= 11
    with CaptureQueriesContext(connection) as one:
        assert client.get(f"/runs/{town.run.pk}/").status_code == 200
    assert len(one) <= 15


# --- filters -------------------------------------------------------------------------------------------------------
def test_a_view_can_be_sent(town, text):
    second = Source.objects.create(name="第二平台", kind="roster", url="/x", organisation=town.bodies["base"])
    ran(second, timedelta(hours=1), mode="recent", new=1)
    ran(second, timedelta(days=3), state="failed", mode="full", error_code="E_BUSY", error="busy")
    ran(second, timedelta(days=80), mode="backfill", new=3)
    client = town.client("operator")

    def shown(query: str) -> int:
        return text(client.get(f"/runs/?{query}")).count('class="when"')

    assert shown("") == 3  # the last thirty days
    assert shown("source=第二平台") == 2
    assert shown("source=第二平台&state=failed") == 1
    assert shown("mode=recent") == 1
    old = (local_date(now()) - timedelta(80)).isoformat()
    assert shown(f"from={old}&to={old}") == 1
    assert shown(f"from={old}") == 4
    page = text(client.get(f"/runs/?state=failed&from={old}"))
    assert '<option value="failed" selected>' in page
    assert f'value="{old}"' in page
    assert f"/runs.csv?state=failed&amp;from={old}" in page


@pytest.mark.parametrize(
    "query",
    ["from=2024-13-01", "to=yesterday", "state=lost", "mode=x", "from=2024-05-02&to=2024-05-01", "to=9999-01-01"],
)
def test_what_is_not_understood_is_said_and_left_out(town, text, query):
    answer = town.client("operator").get(f"/runs/?{query}")
    assert answer.status_code == 200
    assert "有的筛选条件没有看懂" in text(answer)


@given(
    st.dictionaries(
        st.sampled_from(["source", "state", "mode", "from", "to", "before", "after"]),
        st.text(max_size=12) | st.sampled_from(["failed", "full", "2024-05-06", "0001-01-01", "٣", "1" * 19]),
    )
)
def test_any_address_gives_a_view_that_its_own_address_gives_again(asked):
    today = local_date(datetime(2024, 6, 1, tzinfo=UTC))
    wanted = run_filter(asked, today)
    assert wanted.first <= wanted.last
    start, end = wanted.span
    assert start < end
    again = run_filter(QueryDict(wanted.query()).dict(), today)
    assert again == RunFilter(**{**{n: getattr(wanted, n) for n in RunFilter.__slots__}, "not_understood": ()})


# --- pages ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("amount", [0, 1, 2, 3, 4, 5, 9])
def test_pages_show_every_run_once_in_both_directions(empty_town, monkeypatch, amount):
    monkeypatch.setattr(run_list, "PAGE", 2)
    SyncRun.objects.all().delete()
    at = now() - timedelta(hours=1)
    for place in range(amount):
        run = ran(empty_town.source)
        SyncRun.objects.filter(pk=run.pk).update(started_at=at - timedelta(seconds=place // 2))  # some at the same time
    everything = list(SyncRun.objects.order_by("-started_at", "-pk").values_list("pk", flat=True))
    wanted = run_filter({}, local_date(now()))
    there, pages = [], []
    page = page_of([empty_town.source], wanted)
    assert page.newer is None
    while True:
        pages.append([row.run.pk for row in page.rows])
        there += pages[-1]
        if page.older is None:
            break
        page = page_of([empty_town.source], page.older)
    assert there == everything
    back = [pages[-1]]
    while page.newer is not None:
        page = page_of([empty_town.source], page.newer)
        back.insert(0, [row.run.pk for row in page.rows])
    assert list(chain(*back)) == everything


def test_an_edge_that_does_not_exist_is_the_first_page(town, text):
    page = text(town.client("operator").get("/runs/?before=987654321"))
    assert page.count('class="when"') == 1


# --- the file ------------------------------------------------------------------------------------------------------
def read(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_file_is_the_view_in_a_form_that_a_spreadsheet_opens(town):
    Source.objects.update(name="=cmd|' /C calc'!A0")
    ran(town.source, timedelta(hours=1), state="failed", error_code="E_BUSY", error="busy", new=5, calls=3)
    answer = town.client("operator").get("/runs.csv?state=failed")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    content = read(answer)
    assert content.startswith("\ufeff编号,来源,")
    heads, row = csv.reader(io.StringIO(content.removeprefix("\ufeff")))
    said = dict(zip(heads, row, strict=True))
    assert said["来源"] == "'=cmd|' /C calc'!A0"
    assert (said["新增"], said["调用"], said["代码"], said["状态"]) == ("5", "3", "E_BUSY", "失败")
    assert said["为什么"] == "平台说它正忙，请我们等一等。"


def test_the_file_has_all_runs_and_not_a_page(town, monkeypatch):
    monkeypatch.setattr(run_list, "PAGE", 2)
    for hour in range(5):
        ran(town.source, timedelta(hours=hour))
    assert read(town.client("operator").get("/runs.csv")).count("\r\n") == 7


# --- runs that go on -----------------------------------------------------------------------------------------------
def test_a_run_that_goes_on_shows_true_progress_and_looks_again(town, text):
    client = town.client("operator")
    with running(town.source, "full", "hand") as run:
        RawPage.objects.create(run=run, rows=1500, sealed=b"")
        SyncRun.objects.filter(pk=run.pk).update(started_at=now() - timedelta(seconds=10), counted=6000)
        page = text(client.get(f"/runs/{run.pk}/"))
        assert '<meta http-equiv="refresh" content="5">' in page
        assert "已到1,500条，共6,000条（25%）" in page
        assert "还要约" in page
        assert 'value="25"' in page
        still = text(client.get(f"/runs/{run.pk}/?still"))
        assert "http-equiv" not in still
        assert "已到1,500条" in text(client.get("/runs/"))
    # the process is gone without a word
    page = text(client.get(f"/runs/{run.pk}/"))
    assert "进程已经不在了" in page
    assert "http-equiv" not in page
    assert "已中断" in text(client.get("/runs/"))


def test_a_source_that_counts_too_few_gets_no_share(town, text):
    client = town.client("operator")
    with running(town.source, "full", "hand") as run:
        SyncRun.objects.filter(pk=run.pk).update(counted=10, new=20)
        page = text(client.get(f"/runs/{run.pk}/"))
    assert "已到20条" in page
    assert "<progress" not in page


def test_a_backfill_shows_its_figure_while_it_waits_and_while_it_runs(town, text):
    client = town.client("operator")
    since, until = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 11, tzinfo=UTC)
    work = Backfill.objects.create(
        source=town.source, since=since, until=until, reached=since + timedelta(days=3), rows=4321
    )
    page = text(client.get("/runs/"))
    assert "补采" in page
    assert "4,321" in page
    assert '<progress max="100" value="30"' in page
    assert "xueshi backfill 在线学习中心" in page
    with running(town.source, "backfill", "backfill", Span(work.reached, until)) as run:
        SyncRun.objects.filter(pk=run.pk).update(started_at=now() - timedelta(seconds=60), new=600)
        Backfill.objects.update(reached=since + timedelta(days=5))
        page = text(client.get(f"/runs/{run.pk}/"))
        assert "这段时间读完了50%" in page
        assert re.search("还要约[2-9]分", page)  # 20 % of the range in a minute, and half of it is left
    Backfill.objects.update(finished_at=now())
    assert "补采" not in text(client.get("/runs/")).split("<form", maxsplit=1)[0]


# --- nothing -------------------------------------------------------------------------------------------------------
def test_empty_pages_say_what_to_do(empty_town, text):
    empty_town.staff("operator", "base", "base_operator")
    client = empty_town.client("operator")
    SyncRun.objects.all().delete()
    page = text(client.get("/runs/"))
    assert "这段时间没有同步" in page
    assert "xueshi sync 在线学习中心" in page
    assert "没有符合这些条件的同步" in text(client.get("/runs/?state=failed"))
    Source.objects.update(organisation=None)
    page = text(client.get("/runs/"))
    assert "还没有接入学习平台" in page
    assert "<form class=" not in page


def test_the_desk_leads_here(town, text):
    for who in ("operator", "reviewer"):
        page = text(town.client(who).get("/"))
        assert 'href="/runs/"' in page
        assert 'href="/reconciliation/"' in page
    assert f'href="/runs/{town.run.pk}/"' in text(town.client("operator").get("/"))
    for who in ("xiaoming", "officer"):
        assert 'href="/runs/"' not in text(town.client(who).get("/"))


def test_completions_are_counted_by_course_for_the_run_that_landed_them(town, text):
    page = text(town.client("operator").get(f"/runs/{town.run.pk}/"))
    assert "到达的行，按课程" in page
    assert "课程P1" in page
    assert Completion.objects.filter(run=town.run).count() == 6
