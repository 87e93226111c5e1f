"""Runs to look at: all of the sources that one may look at, and everything of one of them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from agent.intake.models import Source, SyncRun
from agent.localtime import local_date, now
from agent.organisations.rights import Right
from agent.portal.csv_file import csv_file
from agent.portal.days import runs_chart
from agent.portal.people import person_of, requires
from agent.portal.run_filter import RunFilter, run_filter
from agent.portal.run_list import exported, page_of
from agent.portal.run_page import run_page
from agent.portal.run_rows import backfills_of
from agent.portal.watched import watched
from agent.portal.words import runs_headline

_OFTEN = 5  # seconds between two looks at a run that goes on


@requires(Right.RUNS_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """The runs that the address asks for, newest first."""
    person = person_of(request)
    sources = list(watched(person, Right.RUNS_SEE))
    wanted = _wanted(request, sources)
    page = page_of(sources, wanted)
    context = {
        "person": person, "sources": sources, "page": page, "wanted": wanted, "chart": runs_chart(page.days, wanted),
        "headline": runs_headline(page.sums.runs, page.sums.failed), "backfills": backfills_of(sources),
        "states": _words(SyncRun.State.choices), "modes": _words(SyncRun.Mode.choices),
    }  # fmt: skip
    return render(request, "portal/runs.html", context)


@requires(Right.RUNS_SEE)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The same view as a file: all of it, and not a page."""
    sources = list(watched(person_of(request), Right.RUNS_SEE))
    wanted = _wanted(request, sources)
    heads = [
        gettext("编号"), gettext("来源"), gettext("开始"), gettext("结束"), gettext("方式"), gettext("起因"),
        gettext("状态"), gettext("来源自报"), gettext("新增"), gettext("变更"), gettext("未变"), gettext("退回"),
        gettext("来源不再显示"), gettext("调用"), gettext("用时（秒）"), gettext("条/秒"), gettext("代码"),
        gettext("为什么"), gettext("怎么办"),
    ]  # fmt: skip
    name = f"{gettext('同步记录')}_{wanted.first}_{wanted.last}"
    return csv_file(name, heads, exported(sources, wanted))


@requires(Right.RUNS_SEE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One run. While it goes on, the page looks again by itself, unless told to keep still."""
    person = person_of(request)
    run = SyncRun.objects.filter(pk=number, source__in=watched(person, Right.RUNS_SEE)).select_related("source").first()
    if run is None:
        raise Http404
    shown = run_page(run)
    context = {"person": person, "page": shown, "row": shown.row, "run": run}
    if shown.row.state == "running" and "still" not in request.GET:
        context["often"] = _OFTEN
    return render(request, "portal/run.html", context)


def _wanted(request: HttpRequest, sources: list[Source]) -> RunFilter:
    """The view of the address; a source that one may not look at is unknown.

    :raises Http404: there is no such source
    """
    wanted = run_filter(request.GET.dict(), local_date(now()))
    if wanted.source and wanted.source not in {source.name for source in sources}:
        raise Http404
    return wanted


def _words(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, gettext(str(label))) for value, label in choices]
