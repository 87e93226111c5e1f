"""The reconciliation as a page: each sees its own sources' lines, differences by name, thirty days, and a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agent.certificates.models import Certificate
from agent.intake.models import Source
from agent.localtime import local_date, now
from agent.portal.equation_words import why, words_of
from agent.quarantine.models import Held
from agent.reconciliation.equations import KINDS, Equation
from agent.reconciliation.models import Line, Snapshot
from agent.reconciliation.stage import run


@pytest.fixture
def page(town, text):
    """What the page says to somebody."""
    return lambda who="operator", query="": text(town.client(who).get(f"/reconciliation/{query}"))


def earlier(days: int, source: Source, **values) -> Snapshot:
    """A snapshot of so many days ago with one line."""
    made = Snapshot.objects.create(
        day=local_date(now()) - timedelta(days), taken_at=now() - timedelta(days=days), seconds=1
    )
    Line.objects.create(snapshot=made, source=source, **{"equation": "ledger", "left": 5, "right": 5} | values)
    return made


def test_before_the_first_one_it_says_how_to_make_one(town, page):
    assert "还没有对过账" in page()
    assert "xueshi reconcile" in page()
    assert town.client("operator").get("/reconciliation.csv").status_code == 404


def test_equal_figures_say_so_in_the_first_line(town, page):
    run(patience=timedelta(0))
    said = page()
    assert "<h1>数都对得上</h1>" in said
    assert said.count('<li class="equal">') == 4
    assert said.count('<li class="unknown">') == 1
    assert "来源没有报总数，所以无从比较" in said
    assert "对不上的" not in said.split("</h1>")[1].split("各来源")[0]


def test_what_differs_is_named_masked_and_leads_on(town, page, certificate):
    Held.objects.filter(what="completion").first().delete()
    Certificate.objects.filter(pk=certificate.pk).update(hours=certificate.hours + 150)
    run(patience=timedelta(0))
    said = page()
    assert "2条对不上" in said
    assert "李·**" in said
    assert "小明" not in said
    assert "370402199001010018" not in said
    assert "证书写" in said
    assert f"/verify/{certificate.number}/{certificate.token}" in said
    assert f'href="/runs/{town.run.pk}/"' in said
    assert "差1条" in said


def test_a_base_sees_its_own_equations_and_the_bureau_all(town, page):
    other = Source.objects.create(name="别家平台", kind="moodle", url="https://x", organisation=town.bodies["health"])
    run(patience=timedelta(0))
    snapshot = earlier(0, other, right=2, differing=3)
    Line.objects.create(snapshot=snapshot, source=town.source, equation="ledger", left=5, right=5)
    assert "数都对得上" in page()
    assert "别家平台" not in page()
    assert "3条对不上" in page("reviewer")
    assert "别家平台" in page("reviewer")
    assert "别家平台" not in read(town.client("operator").get("/reconciliation.csv"))


def test_one_sources_surplus_hides_no_others_gap(town, page):
    other = Source.objects.create(name="第二平台", kind="moodle", url="https://x", organisation=town.bodies["base"])
    snapshot = earlier(0, town.source, left=5, right=6, differing=1)
    Line.objects.create(snapshot=snapshot, source=other, equation="ledger", left=6, right=5, differing=1)
    said = page()
    assert "2条对不上" in said
    assert '<li class="unequal">' in said


def test_thirty_days_at_a_glance_lead_to_each_day(town, page):
    earlier(40, town.source)
    earlier(5, town.source, right=2, differing=3)
    earlier(3, town.source, right=2, differing=3)
    earlier(3, town.source)  # the last one of a day counts
    today = local_date(now())
    run(patience=timedelta(0))
    said = page()
    bad, good = (today - timedelta(5)).isoformat(), (today - timedelta(3)).isoformat()
    assert f"<title>{bad} 不等 3</title>" in said
    assert f"<title>{good} 相等</title>" in said
    assert f'href="?day={bad}"' in said
    assert f"{today - timedelta(40)}" not in said
    assert "3条对不上" in page(query=f"?day={bad}")
    assert "看最新的" in page(query=f"?day={bad}")


@pytest.mark.parametrize("day", ["1999-01-01", "yesterday", "2024-02-31", "\x00"])
def test_a_day_without_snapshot_is_not_there(town, day):
    run(patience=timedelta(0))
    assert town.client("operator").get("/reconciliation/", {"day": day}).status_code == 404


def test_a_base_without_sources_reads_why_there_is_nothing(town, page):
    run(patience=timedelta(0))
    Source.objects.update(organisation=None)
    assert "这一天还没有您的来源" in page()


def read(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_file_has_each_equation_and_each_difference(town, certificate):
    Certificate.objects.update(hours=certificate.hours + 150)
    run(patience=timedelta(0))
    answer = town.client("operator").get("/reconciliation.csv")
    heads, *rows = csv.reader(io.StringIO(read(answer).removeprefix("\ufeff")))
    said = [dict(zip(heads, row, strict=True)) for row in rows]
    bad = [row for row in said if row["状态"] == "不等"]
    assert len(bad) == Certificate.objects.count() == 3
    assert all(row["学员"].endswith("*") and row["证书编号"].startswith("#") for row in bad)
    assert {row["右边是"] for row in said} == {words_of(each).right for each in Equation}


def test_few_queries(town):
    Certificate.objects.update(hours=1)
    run(patience=timedelta(0))
    client = town.client("reviewer")
    with CaptureQueriesContext(connection) as queries:
        client.get("/reconciliation/")
    assert len(queries) <= 11


def test_every_kind_of_difference_has_its_sentence():
    params = dict.fromkeys(("counted", "came", "matched", "held", "entries", "hours", "recognised"), 12345)
    for kind in KINDS:
        assert "%(" not in why({"kind": kind, **params})
    assert "12,345" in why({"kind": "not_counted", **params})
