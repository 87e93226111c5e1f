"""The audit log: searched, taken away, checked; and a full identity number, on demand and with a purpose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext

from agent.audit.chain import record
from agent.audit.check import check, head
from agent.audit.keeping import months
from agent.audit.models import AuditEvent, AuditSeal
from agent.audit.search import Wanted, change_of, events
from agent.localtime import local_date, now
from agent.organisations.rights import Right
from agent.portal.csv_file import Cell, csv_file
from agent.portal.people import person_of, requires
from agent.portal.role_words import action_name, field_name, value_name
from agent.portal.xlsx_file import xlsx_file

_PAGE = 50
_LONGEST_XLSX = 100_000
_LONGEST = 100


@requires(Right.AUDIT_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """The events that the address asks for, the newest first."""
    wanted, wrong = _wanted(request)
    found = events(wanted)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:  # noqa: PLR2004 - what a bigint holds
        found = found.filter(index__lt=int(before))
    rows = list(found[: _PAGE + 1])
    shown = rows[:_PAGE]
    asked = {key: value for key, value in request.GET.items() if key in _NAMES and value}
    context = {
        "person": person_of(request), "rows": [(each, _difference(each)) for each in shown], "wrong": wrong,
        "asked": asked, "query": urlencode(asked), "paged": bool(before),
        "older": urlencode({**asked, "before": shown[-1].index}) if len(rows) > _PAGE else "",
        "head": head(), "months": months(), "sealed": AuditSeal.objects.order_by("-through").first(),
    }  # fmt: skip
    return render(request, "portal/audit.html", context)


@requires(Right.AUDIT_SEE)
def one(request: HttpRequest, index: int) -> HttpResponse:
    """One event whole, as it was hashed."""
    event = get_object_or_404(AuditEvent.objects.select_related("organisation"), index=index)
    context = {
        "person": person_of(request), "event": event, "difference": _difference(event),
        "hash": bytes(event.hash).hex(),
    }  # fmt: skip
    return render(request, "portal/audit_event.html", context)


@requires(Right.AUDIT_SEE)
def checked(request: HttpRequest) -> HttpResponse:
    """Every hash made again, now."""
    return render(request, "portal/audit_check.html", {"person": person_of(request), "found": check(), "at": now()})


@requires(Right.AUDIT_SEE)
def export_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All that the address asks for, oldest first."""
    wanted = _exported(request, "csv")
    return csv_file(_name(), _heads(), _cells(wanted))


@requires(Right.AUDIT_SEE)
def export_xlsx(request: HttpRequest) -> FileResponse:
    """The same as a workbook; of very many the newest."""
    wanted = _exported(request, "xlsx")
    return xlsx_file(_name(), _heads(), _cells(wanted, most=_LONGEST_XLSX))


_NAMES = ("who", "action", "on", "from", "to")


def _wanted(request: HttpRequest) -> tuple[Wanted, list[str]]:
    who, action, on = (request.GET.get(name, "").strip()[:_LONGEST].replace("\0", "") for name in _NAMES[:3])
    days, wrong = [], []
    for name in _NAMES[3:]:
        text = request.GET.get(name, "")
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            days.append(None)
            wrong.append(text[:20])
    return Wanted(who, action, on, *days), wrong


def _difference(event: AuditEvent) -> list[dict[str, Any]]:
    """Field by field what was and what is."""
    before, after = change_of(event)
    fields = dict.fromkeys([*(before or {}), *(after or {})])
    return [
        {"field": field_name(field), "before": _said(field, before), "after": _said(field, after)} for field in fields
    ]


def _said(field: str, values: dict[str, Any] | None) -> str | None:
    return value_name(field, _text(values[field])) if values and field in values else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "—" if value is None else orjson.dumps(value).decode()


def _exported(request: HttpRequest, form: str) -> Wanted:
    """What is wanted; that it was taken away is an event, too."""
    wanted, _ = _wanted(request)
    said = {key: request.GET[key][:_LONGEST] for key in _NAMES if request.GET.get(key)}
    with transaction.atomic():
        record(person_of(request).username, "audit.exported", on="audit log", after={"form": form, **said})
    return wanted


def _name() -> str:
    return f"{gettext('审计记录')}_{local_date(now())}"


def _heads() -> list[str]:
    return [
        gettext("序号"), gettext("时间"), gettext("谁"), gettext("做了什么"), gettext("代码"), gettext("对什么"),
        gettext("单位"), gettext("之前"), gettext("之后"), gettext("哈希"),
    ]  # fmt: skip


def _cells(wanted: Wanted, most: int | None = None) -> Iterator[list[Cell]]:
    found = events(wanted)
    first = found[most] if most and found.count() > most else None
    if first:
        found = found.filter(index__gt=first.index)
    for event in found.order_by("index").iterator(2000):
        before, after = change_of(event)
        yield [
            event.index, event.at, event.actor, action_name(event.action), event.action, event.target,
            event.organisation.name if event.organisation else "", orjson.dumps(before).decode() if before else "",
            orjson.dumps(after).decode() if after else "", bytes(event.hash).hex(),
        ]  # fmt: skip
