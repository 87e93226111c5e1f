"""Everything of one run: what was refused and where, what waits, what is missing; masked, and with what mends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import XueshiError
from agent.intake import errors as intake_errors
from agent.intake.models import Completion, MissingUpstream, SourceState, SyncRun
from agent.localtime import now
from agent.portal.run_page import masked
from agent.portal.run_words import duration
from agent.portal.stops import STOPS, stop_of
from agent.quarantine.models import Held
from connectors.base import kinds, load
from connectors.errors import ConnectorError

PASSED_BY = {
    *("E_SOURCE_UNKNOWN", "E_KIND_UNKNOWN", "E_ERROR", "E_RANGE", "E_BACKFILL_OPEN", "E_NO_BACKFILL"),
    *("E_SOURCE_NAME", "E_UPLOAD", "E_NOT_CHECKED", "E_TOKEN_AGAIN", "E_SOURCE_STALE"),
}
"""Errors of a command or a page that began no run."""


@pytest.fixture
def page(town, text):
    """What the page of a run says."""
    return lambda run: text(town.client("operator").get(f"/runs/{run.pk}/"))


def test_refused_rows_are_told_with_code_and_place_and_no_number_in_clear(town, page):
    run = town.run
    for place, key in (("三月班 第17行", "1:a"), ("370402199001010018", "1:b")):
        Held.objects.create(
            what="row", key=key, source=town.source.name, code="E_DATE_INVALID", opened_at=now(),
            params={"place": place, "value": "37040219900101001", "row": key},
        )  # fmt: skip
    SyncRun.objects.filter(pk=run.pk).update(rejected=2, finished_at=now())
    said = page(run)
    assert "三月班 第17行" in said
    assert "E_DATE_INVALID" in said
    assert "370*************18" in said
    assert "370402199001010018" not in said
    assert "37040219900101001" not in said
    assert "请在表格中更正该单元格后重新上传" in said
    Held.objects.filter(what="row").update(released_at=now())
    assert "已放行" in page(run)


def test_refused_rows_of_other_runs_and_sources_are_not_shown(town, page):
    Held.objects.create(
        what="row", key="x", source="别家", code="E_DATE_INVALID", opened_at=now(), params={"place": "别家的行"}
    )
    Held.objects.create(
        what="row", key="y", source=town.source.name, code="E_DATE_INVALID", opened_at=now() - timedelta(days=9),
        params={"place": "早先的行"},
    )  # fmt: skip
    SyncRun.objects.filter(pk=town.run.pk).update(rejected=1, finished_at=now())
    said = page(town.run)
    assert "别家的行" not in said
    assert "早先的行" not in said
    assert "退回的行以前就在等" in said


def test_missing_rows_are_listed_masked(town, page):
    completion = Completion.objects.filter(name="李·小明").first()
    MissingUpstream.objects.create(completion=completion, run=town.run, since=now())
    said = page(town.run)
    assert "来源不再显示" in said
    assert "李·**" in said
    assert "小明" not in said
    assert "学时和证书都不动" in said


def test_what_landed_and_waits_is_told_by_reason(town, page):
    said = page(town.run)
    assert "到了，还在等" in said
    assert "E_COURSE_UNMAPPED" in said
    assert "E_PROGRAMME_NOT_FILED" in said


def test_how_far_the_source_is_read_and_whether_it_rests(town, page):
    assert "还没有读完过一次" in page(town.run)
    SourceState.objects.create(
        source=town.source, reached=now(), sequence=123456, compared_at=now(), failures=4, open_code="E_BUSY",
        open_until=now() + timedelta(hours=1),
    )  # fmt: skip
    said = page(town.run)
    assert "123,456" in said
    assert "连续失败4次（E_BUSY）" in said
    assert "暂停" in said
    SourceState.objects.update(open_until=now() - timedelta(hours=1))
    assert "照常" in page(town.run)


def test_a_stop_is_told_in_the_readers_language_with_the_errors_own_words_beside_it(town, text):
    run = SyncRun.objects.create(
        source=town.source, state="failed", finished_at=now(), error_code="E_COLUMN_MISSING",
        error="The report lacks the column <b>sfzh</b>.", new=7,
    )  # fmt: skip
    client = town.client("operator")
    said = text(client.get(f"/runs/{run.pk}/"))
    assert "报表里缺一列" in said
    assert "请在报表编辑器里加上" in said
    assert "The report lacks the column &lt;b&gt;sfzh&lt;/b&gt;." in said
    assert "停下以前到达的7条是完整的" in said
    client.post("/language/", {"language": "en"})
    said = text(client.get(f"/runs/{run.pk}/"))
    assert "The report lacks the column" in said
    assert "Open the report in Report builder" in said
    assert "报表里缺一列" not in said


def test_a_code_of_somebody_elses_connector_is_told_in_its_own_words(town, page):
    run = SyncRun.objects.create(
        source=town.source, state="failed", finished_at=now(), error_code="E_WEIKE_CLOSED", error="微课今天关门。"
    )
    said = page(run)
    assert "微课今天关门" in said
    assert "E_WEIKE_CLOSED" in said


def test_every_error_that_can_stop_a_run_has_its_sentence():
    for kind in ("moodle", "roster"):
        assert kind in kinds()
        load(kind)

    def below(root):
        for each in root.__subclasses__():
            yield each
            yield from below(each)

    ours = ("connectors.", intake_errors.__name__)
    codes = {
        each.code for root in (ConnectorError, XueshiError) for each in below(root)
        if each.__module__.startswith(ours) and ".testing" not in each.__module__
    }  # fmt: skip
    assert codes - PASSED_BY - set(STOPS) == set()


def test_a_fix_names_the_source_and_no_blank(town):
    for code in STOPS:
        run = SyncRun(source=town.source, error_code=code, error="x")
        stop = stop_of(run)
        assert stop is not None
        assert "{" not in stop.fix
        assert stop.sentence


def test_runs_beside_it_are_of_the_same_source(town, page):
    before = SyncRun.objects.create(source=town.source, state="done", finished_at=now())
    SyncRun.objects.filter(pk=before.pk).update(started_at=now() - timedelta(days=2))
    said = page(town.run)
    assert f'rel="next" href="/runs/{before.pk}/"' in said
    assert f'rel="prev" href="/runs/{town.run.pk}/"' in page(before)


@given(st.text(alphabet="0123456789Xx张 ，-", max_size=60))
def test_no_ten_figures_in_a_row_are_ever_shown(said):
    import re

    assert not re.search("[0-9]{10}", masked(said))
    assert len(masked(said)) == len(said)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0秒"),
        (8.44, "8.4秒"),
        (59.4, "59秒"),
        (192, "3分12秒"),
        (7500, "2小时5分"),
        (273600, "3天4小时"),
        (None, ""),
    ],
)
def test_durations_as_people_say_them(seconds, said):
    assert duration(seconds) == said
