"""The desk of each role: what waits leads to a list of as many, the workbook says what the charts say, old figures say
how old they are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.template import Template
from django.test.utils import CaptureQueriesContext, instrumented_test_render
from django.utils import translation
from python_calamine import load_workbook

from agent.certificates.models import Certificate
from agent.figures import look, stage
from agent.figures.models import Count
from agent.intake.models import Source, SyncRun
from agent.localtime import SHANGHAI, local_date, now
from agent.organisations.models import Membership, Organisation
from agent.portal import charts
from agent.portal.spans import choices, chosen
from agent.programmes.models import Programme, ProgrammeVersion, VoidProposal
from agent.quarantine.models import Held
from agent.reconciliation.models import Line, Snapshot
from agent.work.queue import defer_figures
from tests.portal.doors import ADMIN, AUDITOR, BASE, HEAD, OFFICER, REVIEWER, STAFF


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers bring what their page was made of."""
    monkeypatch.setattr(Template, "_render", instrumented_test_render)


@pytest.fixture
def busy(things: Any) -> Any:
    """The town with everybody in their role, and something of each kind that can wait."""
    town = things.town
    Organisation.objects.filter(pk=town.bodies["base"].pk).update(status_until=local_date(now()) + timedelta(9))
    SyncRun.objects.create(source=town.source, state="failed", error_code="E_TOKEN", error="The token is refused.")
    Held.objects.create(what="row", key="late", source=town.source.name, code="E_LATE_YEAR", opened_at=now())
    town.programme("R1", "退回的班", "professional", 8, organiser="industry", state="returned")
    delivered = town.programme("D1", "结业的班", "professional", 8, organiser="industry")
    Programme.objects.filter(pk=delivered.pk).update(state="delivered")
    mine = town.programmes["P2"]
    with connection.cursor() as cursor:  # somebody who waits for an approval
        cursor.execute(
            "INSERT INTO quarantine_held (what, key, source, code, params, opened_at) SELECT 'certificate', id::text,"
            " %s, 'E_CERT_NOT_APPROVED', '{}', now() FROM matching_achievement WHERE programme_version_id = %s",
            [town.source.name, mine.versions.get().pk],
        )
    VoidProposal.objects.create(
        programme=mine, fate="revoke", code="other", reason="test", proposed_by="somebody", proposed_at=now()
    )
    last = Snapshot.objects.latest("pk")
    later = Snapshot.objects.create(day=last.day, taken_at=now(), seconds=0)
    for line in last.lines.filter(left__isnull=False):
        Line.objects.create(snapshot=later, source=line.source, equation=line.equation, left=41, right=43)
    defer_figures()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    return things


def pairs_of(answer: Any) -> list[tuple[str, int]]:
    return [(item.href, item.count) for desk in answer.context["desks"] for item in desk.waits]


# what each page that something leads to calls its rows
LISTED: dict[str, Callable[[Any], int]] = {
    "/quarantine/": lambda page: page["page"].count,
    "/quarantine/E_LATE_YEAR/": lambda page: page["page"].total,
    "/mapping/?state=unmapped": lambda page: page["page"].total,
    "/sources/connect/": lambda page: len(page["begun"]),
    "/reconciliation/": lambda page: len(page["page"].unequal),
    "/approvals/": lambda page: sum(row.waiting for row in page["rows"]),
    "/filings/?state=returned": lambda page: len(page["rows"]),
    "/filings/?state=draft": lambda page: len(page["rows"]),
    "/filings/?state=delivered": lambda page: len(page["rows"]),
    "/organisations/?status=ends": lambda page: len(page["rows"]),
    "/accounts/?factor=none": lambda page: len(page["rows"]),
    "/accounts/#pending": lambda page: len(page["pending"]),
}
FILINGS = {f"/filings/?state={state}" for state in ("returned", "draft", "delivered")}
WAITS = {
    BASE: {"/quarantine/", "/mapping/?state=unmapped", "#base-sync", "/sources/connect/", "/reconciliation/"},
    OFFICER: {"/approvals/", *FILINGS},
    REVIEWER: {"/filings/", "/quarantine/E_LATE_YEAR/", "/approvals/", "/reconciliation/"},
    HEAD: {"/filings/", "/quarantine/E_LATE_YEAR/", "/approvals/", "/reconciliation/", "/organisations/?status=ends"},
    AUDITOR: {"#auditor-sync", "/reconciliation/"},
    ADMIN: {
        "/accounts/?factor=none", "/accounts/#pending", "/organisations/?status=ends", "#administrator-sync",
        "#administrator-jobs", "/sources/connect/", "/reconciliation/",
    },
}  # fmt: skip


@pytest.mark.parametrize("who", sorted(STAFF))
def test_what_waits_leads_to_a_page_that_opens_and_lists_as_many(busy, who):
    client = busy.town.client(who)
    answer = client.get("/desk/")
    found = pairs_of(answer)
    assert {href for href, _ in found} == WAITS[who]
    (desk,) = answer.context["desks"]
    for href, count in found:
        assert count > 0
        if href.startswith("#"):
            assert f'id="{href[1:]}"' in answer.content.decode()
            (health,) = (chart.health for chart in desk.charts if chart.key == "sync")
            shown = sum(each.trouble for each in health) if "sync" in href else sum(job["failed"] for job in desk.jobs)
            assert shown == count
        elif href != "/filings/":
            page = client.get(href)
            assert (href, page.status_code, LISTED[href](page.context)) == (href, 200, count)
    decided = sorted(count for href, count in found if href == "/filings/")
    if decided:  # filings to decide on, and voidings of somebody else to confirm: one queue has both
        queue = client.get("/filings/").context["queue"]
        assert decided == sorted([sum(row.due is not None for row in queue), sum(row.voiding for row in queue)])


@pytest.mark.parametrize("who", sorted(STAFF))
def test_an_empty_house_says_what_comes_next(empty_town, who, text):
    body = {BASE: "base", OFFICER: "industry"}.get(who, "bureau")
    SyncRun.objects.all().delete()
    Source.objects.all().delete()
    empty_town.staff("somebody", body, who)
    answer = empty_town.client("somebody").get("/")
    (desk,) = answer.context["desks"]
    assert all(chart.empty and chart.said for chart in desk.charts)
    assert desk.nothing
    assert '<svg class="bars' not in text(answer)
    assert set(read(empty_town.client("somebody").get(f"/desk.xlsx?desk={desk.key}"))) == {c.title for c in desk.charts}


def read(answer: Any) -> dict[str, list[list[Any]]]:
    """A workbook's sheets, and that no cell of it is a formula or a link."""
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    answer.close()
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        for name in parts.namelist():
            assert name.startswith("xl/") is False or b"<f>" not in parts.read(name)
            assert b"hyperlink" not in parts.read(name)
    book = load_workbook(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def plain(cell: Any) -> Any:
    """A cell as a reader of workbooks gives it back."""
    if cell is None:
        return ""
    return cell.replace(tzinfo=None, microsecond=0) if hasattr(cell, "tzinfo") else cell


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("who", sorted(STAFF))
def test_the_workbook_says_what_the_charts_say_and_no_cell_acts(busy, who, language):
    with connection.cursor() as cursor:  # as no page and no import would write it
        cursor.execute("ALTER TABLE programmes_programmeversion DISABLE TRIGGER append_only")
        ProgrammeVersion.objects.filter(series="工程").update(series='=HYPERLINK("https://x.example")')
        cursor.execute("ALTER TABLE programmes_programmeversion ENABLE TRIGGER append_only")
    Held.objects.filter(source=busy.town.source.name).update(source="@SUM(1+1)")
    Source.objects.filter(pk=busy.town.source.pk).update(name="@SUM(1+1)")
    client = busy.town.client(who)
    client.cookies["django_language"] = language
    with translation.override(language):
        (desk,) = client.get("/desk/").context["desks"]
    sheets = read(client.get(f"/desk.xlsx?desk={desk.key}"))
    assert list(sheets) == [chart.title[:31] for chart in desk.charts]
    for chart, rows in zip(desk.charts, sheets.values(), strict=True):
        assert desk.name in rows[0][1]
        table = rows[6:]  # body, days, moment, made at, sentence, a blank line
        assert [cell for cell in table[0] if cell != ""] == chart.heads
        assert len(table) - 1 == len(chart.cells)
        for row, cells in zip(table[1:], chart.cells, strict=True):
            for shown, cell in zip(row, cells, strict=False):
                if not hasattr(cell, "tzinfo"):
                    assert shown == plain(cell)
    if any("=HYPERLINK" in str(cell) for chart in desk.charts for row in chart.cells for cell in row):
        assert any("=HYPERLINK" in str(cell) for rows in sheets.values() for row in rows for cell in row)
    one = read(client.get(f"/desk.xlsx?desk={desk.key}&chart=landed"))
    assert len(one) == 1
    assert client.get(f"/desk.xlsx?desk={desk.key}&chart=nothing").status_code == 404


def test_a_department_counts_its_own_programmes_only(busy):
    (desk,) = busy.town.client(OFFICER).get("/").context["desks"]
    mine = Certificate.objects.filter(programme__organiser=busy.town.bodies["industry"])
    assert 0 < mine.count() < Certificate.objects.count()
    (shown,) = (chart for chart in desk.charts if chart.key == "certificates")
    assert sum(row[-1] for row in shown.cells) == mine.count()
    assert "sync" not in {chart.key for chart in desk.charts}


def test_kept_figures_say_of_when_they_are_and_complain_when_nobody_counts(town, text, monkeypatch):
    monkeypatch.setattr(look, "SMALL", 0)
    stage.count()
    client = town.client("operator")
    page = text(client.get("/"))
    assert f"截至{Count.objects.get().taken_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" in page
    assert "每小时清点一次" in page
    assert "此刻" not in page
    (desk,) = client.get("/").context["desks"]
    assert not desk.stale
    Count.objects.update(taken_at=now() - timedelta(hours=7))
    (desk,) = client.get("/").context["desks"]
    assert desk.stale
    old = Count.objects.get().taken_at
    assert desk.as_of == old


def test_many_sources_are_told_in_few_lines_and_few_questions(town):
    more = [Source(name=f"平台{n:03d}", kind="moodle", url="https://x.example") for n in range(300)]
    made = Source.objects.bulk_create(more)
    SyncRun.objects.bulk_create(SyncRun(source=each, state="done", finished_at=now()) for each in made)
    town.staff("auditor", "bureau", AUDITOR)
    client = town.client("auditor")
    with CaptureQueriesContext(connection) as queries:
        (desk,) = client.get("/").context["desks"]
    (chart,) = (chart for chart in desk.charts if chart.key == "sync")
    assert len(chart.health) + chart.more == len(chart.cells) == 301
    assert len(chart.health) == charts._SOURCES
    assert len(queries) < 45


def test_spans_meet_at_the_turn_of_the_year():
    new_year = date(2027, 1, 1)
    thirty, ninety, this, last = choices(new_year)
    assert (thirty.span.first, thirty.span.last, len(thirty.days)) == (date(2026, 12, 3), new_year, 30)
    assert ninety.span.first == date(2026, 10, 4)
    assert this.days == [new_year]
    assert not this.by_month
    assert (last.span.first, last.span.last) == (date(2026, 1, 1), date(2026, 12, 31))
    assert last.by_month
    # whatever is chosen is counted day by day
    assert all(each.span.first >= stage.since_of(new_year) for each in choices(new_year))
    assert chosen("nonsense", new_year) == thirty


def test_a_desk_for_each_role_of_somebody_with_two(things):
    user = User.objects.get(username=BASE)
    Membership.objects.create(user=user, organisation=things.town.bodies["industry"], role=OFFICER)
    client = things.town.client(BASE)
    assert [desk.key for desk in client.get("/desk/").context["desks"]] == ["department", "base"]
    assert len(read(client.get("/desk.xlsx?desk=department"))) == 5
    assert client.get("/desk.xlsx?desk=bureau").status_code == 404
