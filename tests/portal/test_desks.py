"""What stands on the desks of those who act for a body: their own, and no more."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agent.intake.models import Source, SyncRun
from agent.portal import words
from agent.programmes.models import Programme
from agent.quarantine.models import Held


def test_a_base_reads_what_arrived_and_what_waits(town, text):
    page = text(town.client("operator").get("/"))
    assert "今天到了5条，2条等您处理" in page
    assert "E_COURSE_UNMAPPED" in page
    assert "尚未备案（待受理）" in page
    assert "在线学习中心" in page
    assert '<svg class="bars days"' in page


def test_a_base_sees_only_its_own_sources(town, text):
    other = Source.objects.create(
        name="别家平台", kind="moodle", url="https://x.example", organisation=town.bodies["health"]
    )
    SyncRun.objects.create(source=other, state="done", new=900)
    Held.objects.filter(code="E_COURSE_UNMAPPED").update(source="别家平台")
    page = text(town.client("operator").get("/"))
    assert "今天到了5条，1条等您处理" in page
    assert "别家平台" not in page


def test_a_failed_run_shows_its_sentence(town, text):
    SyncRun.objects.create(
        source=town.source, state="failed", error_code="E_TOKEN", error="The token <b>is</b> refused."
    )
    page = text(town.client("operator").get("/"))
    assert "E_TOKEN" in page
    assert "The token &lt;b&gt;is&lt;/b&gt; refused." in page


def test_a_base_without_source_is_told_what_to_do(empty_town, text):
    Source.objects.update(organisation=None)
    empty_town.staff("operator", "base", "base_operator")
    page = text(empty_town.client("operator").get("/"))
    assert "今天还没有新记录，没有待处理的" in page
    assert "xueshi source add" in page


def test_a_department_sees_its_programmes_with_what_became_of_them(town, text):
    page = text(town.client("officer").get("/"))
    assert "1个项目等待受理" in page
    assert "人工智能工程师培训" in page
    assert "建筑施工新技术" not in page
    Programme.objects.filter(key="P4").update(state="returned")
    assert "1个项目被退回" in text(town.client("officer").get("/"))


def test_the_bureau_sees_what_to_decide_and_the_whole(town, text):
    page = text(town.client("reviewer").get("/"))
    assert "1件备案等待决定" in page
    assert f'<a href="/filings/{town.programmes["P4"].pk}/"' in page
    assert "大数据技术与应用" in page
    Programme.objects.filter(key="P4").update(state="rejected")
    assert "没有等待决定的备案" in text(town.client("reviewer").get("/"))


def test_a_learner_who_also_acts_for_a_body_has_both(town, text):
    from django.contrib.auth.models import User

    from agent.organisations.models import Membership

    user = User.objects.get(username="xiaoming")
    Membership.objects.create(user=user, organisation=town.bodies["base"], role="base_operator")
    client = town.client("xiaoming")
    assert 'href="/desk/"' in text(client.get("/"))
    assert "等您处理" in text(client.get("/desk/"))


@pytest.mark.parametrize("who", ["operator", "officer", "reviewer"])
def test_staff_have_no_year_and_no_certificates_of_their_own(town, who):
    client = town.client(who)
    assert client.get("/2024/").status_code == 404
    assert client.get("/certificates/").status_code == 404


@pytest.mark.parametrize(("who", "most"), [("operator", 35), ("officer", 21), ("reviewer", 28)])
def test_few_queries(town, who, most):
    client = town.client(who)
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert len(queries) <= most


def test_first_lines_count_right():
    assert words.arrivals(0, 0) == "今天还没有新记录，没有待处理的"
    assert words.filings(0, 0, 0, 0) == "还没有备案项目"
    assert words.filings(0, 0, 0, 3) == "3个项目都已办结"
    assert words.filings(0, 0, 2, 3) == "2个项目等待受理"
    assert words.filings(0, 4, 2, 3) == "4件事等您处理"
    assert words.filings(1, 4, 2, 3) == "1个项目被退回"
