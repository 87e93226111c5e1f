"""A desk's charts as a workbook: a sheet for each, with whose figures they are, of which days, and of when."""

from __future__ import annotations

from django.http import FileResponse
from django.utils.translation import gettext

from agent.localtime import local_date, now
from agent.portal.csv_file import Cell
from agent.portal.desks import Desk
from agent.portal.role_words import role_name
from agent.portal.spans import Choice
from agent.portal.xlsx_file import Sheet, xlsx_book


def book_of(desk: Desk, choice: Choice, only: str = "") -> FileResponse:
    """All charts of ``desk``, or the one of the key ``only``."""
    shown = [chart for chart in desk.charts if only in ("", chart.key)]
    sheets = [
        Sheet(chart.title, chart.heads, chart.cells, [*_above(desk, choice, now_only=chart.now), (chart.said, "")])
        for chart in shown
    ]
    name = shown[0].title if only else gettext("工作台数字")
    return xlsx_book(f"{name}_{local_date(now())}", sheets)


def _above(desk: Desk, choice: Choice, *, now_only: bool) -> list[tuple[str, Cell]]:
    span = f"{choice.span.first:%Y-%m-%d} {gettext('至')} {choice.span.last:%Y-%m-%d}"
    return [
        (gettext("单位"), f"{desk.name} {role_name(desk.role)}"),
        (gettext("期间"), gettext("现在的情况，不分期间") if now_only else span),
        (gettext("数字截至"), desk.as_of), (gettext("制表时间"), now()),
    ]  # fmt: skip
