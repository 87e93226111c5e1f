"""Filings as a workbook: written so that no cell can act, and read back as forms that say what the sheet says.

Unlike a programme file (`filing.import_programmes`) a workbook that a page takes in makes drafts only: whatever the
sheet says stands in the form, and the checks tell what is wrong with it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from agent.organisations.models import Organisation
from agent.programmes.content import FIELDS, Typed, clean, different
from agent.programmes.drafts import begin, bodies, draft_of, save_draft
from agent.programmes.errors import ProgrammeFileInvalid
from agent.programmes.models import Mode, Programme
from agent.programmes.sheet import read_sheet
from agent.programmes.transitions import EDITABLE, State

_CATEGORIES = {"public": "公需科目", "professional": "专业科目"}
_HEADS = (
    "项目编号", "项目名称", "类别", "主办单位", "主办单位信用代码", "承办单位", "承办单位信用代码", "职称系列", "专业",
    "公需科目", "学时", "开始日期", "结束日期", "培训方式", "培训对象", "计划人数", "培训地点", "每人收费", "师资",
    "说明", "备案编号", "现状",
)  # fmt: skip
_LESSONS = ("项目编号", "日期", "主题", "教师", "学时")
_MOST = 200
_KEY = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a sheet would do. ``programme``: the number of the filing that it changes; None: a new one."""

    key: str
    title: str
    programme: int | None
    year: int
    what: str  # new | changed | unchanged | refused
    fields: list[str]
    typed: Typed
    lock: int


def written(filings: Iterable[tuple[Programme, Typed]]) -> bytes:
    """A workbook with a line for each filing, and a sheet of their lessons. Every cell is a text: none is a formula."""
    made = io.BytesIO()
    names = {each.uscc: each.name for each in bodies()}
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True})
        sheet, lessons = book.add_worksheet("备案"), book.add_worksheet("课程表")
        for page, heads in ((sheet, _HEADS), (lessons, _LESSONS)):
            page.freeze_panes(1, 1)
            page.set_column(0, len(heads) - 1, 16)
            for column, head in enumerate(heads):
                page.write_string(0, column, head, bold)
        lesson = 0
        for row, (programme, typed) in enumerate(filings, 1):
            for column, text in enumerate(_cells(programme, typed, names)):
                sheet.write_string(row, column, text)
            for each in typed["timetable"]:
                lesson += 1
                cells = (programme.key, each["date"], each["topic"], each["teacher"], each["hours"])
                for column, text in enumerate(cells):
                    lessons.write_string(lesson, column, text)
    return made.getvalue()


def _cells(programme: Programme, typed: Typed, names: Mapping[str, str]) -> Sequence[str]:
    mode = Mode(typed["mode"]).label if typed["mode"] in Mode.values else typed["mode"]
    return [str(each) for each in (
        programme.key, typed["title"], _CATEGORIES.get(typed["category"], typed["category"]), programme.organiser.name,
        programme.organiser.uscc, names.get(typed["implementer"], ""), typed["implementer"], typed["series"],
        typed["specialty"], typed["subject"], typed["hours"], typed["starts_on"], typed["ends_on"], mode,
        typed["audience"], typed["capacity"], typed["place"], typed["fee"], typed["teachers"], typed["remarks"],
        programme.filing_number or "", State(programme.state).label,
    )]  # fmt: skip


def read(data: bytes, organiser: Organisation, year: int) -> list[Line]:
    """What a workbook would do to the filings of ``organiser`` in ``year``. Nothing is written.

    :raises ProgrammeFileInvalid: it is no workbook that has the headings, or names another body.
    """
    path = Path("XLSX")
    content, _ = read_sheet(path, data)
    rows: list[dict[str, Any]] = content["programmes"]
    if len(rows) > _MOST:
        raise ProgrammeFileInvalid(path=path, count=1, problems=[f"more than {_MOST} lines"])
    codes = {name: body["uscc"] for name, body in content["departments"].items()}
    foreign = {
        str(row["organiser"]) for row in rows
        if "organiser" in row and (codes.get(str(row["organiser"])) or organiser.uscc) != organiser.uscc
    }  # fmt: skip
    misnamed = {str(row["organiser"]) for row in rows if str(row.get("organiser", organiser.name)) != organiser.name}
    if foreign | misnamed:
        problems = [f"«{name}» is not «{organiser.name}» ({organiser.uscc})" for name in sorted(foreign | misnamed)]
        raise ProgrammeFileInvalid(path=path, count=len(problems), problems=problems)
    known = {
        each.key: each
        for each in Programme.objects.filter(
            organiser=organiser, year=year, key__in=[_plain(r.get("key")) for r in rows]
        )
    }
    taken = set(
        Programme.objects.filter(region=organiser.region, year=year)
        .exclude(organiser=organiser)
        .values_list("key", flat=True)
    )
    lines = []
    for row in rows:
        line = _line(row, codes, known, taken, year)
        lines.append(line)
        taken.add(line.key)  # a second line of that key is none that can be taken
        known.pop(line.key, None)
    return lines


def _line(
    row: Mapping[str, Any], codes: Mapping[str, str], known: Mapping[str, Programme], taken: set[str], year: int
) -> Line:
    key = _plain(row.get("key"))
    given = {name: _plain(row[name]) for name in FIELDS if name in row and name != "implementer"}
    given |= {
        name: _plain(row[column]) for column, name in (("start", "starts_on"), ("end", "ends_on")) if column in row
    }
    if "implementer" in row:
        given["implementer"] = codes.get(str(row["implementer"])) or str(row["implementer"])
    lessons = [{name: _plain(value) for name, value in each.items()} for each in row.get("timetable", [])]
    if "category" in given:
        given["category"] = {"公需科目": "public", "专业科目": "professional"}.get(given["category"], given["category"])
    programme = known.get(key)
    if programme is None:
        typed = clean(given | {"timetable": lessons})
        what = "refused" if key in taken or not _KEY.fullmatch(key) else "new"
        return Line(key, typed["title"], None, year, what, [n for n in typed if typed[n]], typed, 0)
    draft = draft_of(programme)
    typed = clean(draft.typed | given | ({"timetable": lessons} if lessons else {}))
    fields = different(draft.typed, typed)
    what = "unchanged" if not fields else "changed" if programme.state in EDITABLE else "refused"
    return Line(key, typed["title"], programme.pk, year, what, fields, typed, draft.lock)


def take_over(lines: Iterable[Line], organiser: Organisation, *, by: str) -> int:
    """Do what the lines say, in the caller's transaction; how many forms were begun or changed.

    :raises DraftStale: somebody saved one of them since the sheet was looked at.
    """
    done = 0
    for line in lines:
        if line.what == "new":
            begin(organiser, line.year, by=by, typed=line.typed, key=line.key)
            done += 1
        elif line.what == "changed" and line.programme is not None:
            programme = Programme.objects.get(pk=line.programme, organiser=organiser)
            save_draft(programme, line.typed, lock=line.lock, by=by)
            done += 1
    return done


def _plain(value: object) -> str:
    """A cell as somebody would have typed it."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize():f}"
    return "" if value is None else str(value).strip()
