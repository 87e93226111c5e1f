"""The reconciliation: figures that must be equal, of the sources that one may look at."""

from __future__ import annotations

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from agent.organisations.rights import Right
from agent.portal.csv_file import csv_file
from agent.portal.paged import paged
from agent.portal.people import person_of, requires
from agent.portal.reconciliation_page import exported, page_of, snapshot_of
from agent.portal.watched import watched
from agent.reconciliation.models import Snapshot


@requires(Right.RECONCILIATION_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """The newest snapshot, or the last one of the day in the address."""
    person = person_of(request)
    sources = list(watched(person, Right.RECONCILIATION_SEE))
    snapshot = _snapshot(request)
    page = page_of(snapshot, sources) if snapshot else None
    groups = paged(page.sources, request.GET) if page else None
    context = {"person": person, "sources": sources, "page": page, "groups": groups, "asked": request.GET.get("day")}
    return render(request, "portal/reconciliation.html", context)


@requires(Right.RECONCILIATION_SEE)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The same as a file, with the differences."""
    sources = list(watched(person_of(request), Right.RECONCILIATION_SEE))
    snapshot = _snapshot(request)
    if snapshot is None:
        raise Http404
    heads = [
        gettext("时间"), gettext("来源"), gettext("左边是"), gettext("左"), gettext("右边是"), gettext("右"),
        gettext("在途"), gettext("状态"), gettext("相差"), gettext("学员"), gettext("身份证号"), gettext("课程"),
        gettext("完成日期"), gettext("证书编号"), gettext("为什么"),
    ]  # fmt: skip
    return csv_file(f"{gettext('对账')}_{snapshot.day}", heads, exported(snapshot, sources))


def _snapshot(request: HttpRequest) -> Snapshot | None:
    """The one that the address asks for; None: none was taken yet.

    :raises Http404: there is none of that day
    """
    text = request.GET.get("day", "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise Http404 from None
    found = snapshot_of(day)
    if found is None and day:
        raise Http404
    return found
