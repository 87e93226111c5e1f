"""Programme files as XLSX: one line a programme, read into the same form as the YAML file."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from agent.programmes.errors import ProgrammeFileInvalid
from agent.programmes.file import Loc, Place
from connectors.errors import ConnectorError
from connectors.roster.archive import examine

_HEADINGS = {
    "项目编号": "key",
    "项目名称": "title",
    "类别": "category",
    "主办单位": "organiser",
    "主办单位信用代码": "organiser_uscc",
    "承办单位": "implementer",
    "承办单位信用代码": "implementer_uscc",
    "职称系列": "series",
    "公需科目": "subject",
    "学时": "hours",
    "开始日期": "start",
    "结束日期": "end",
    "课程简称": "shortname",
    "课程编号": "code",
    "备案编号": "filing_number",
    "状态": "state",
    "证书须审批": "certificates_need_approval",
    "专业": "specialty",
    "培训方式": "mode",
    "培训对象": "audience",
    "计划人数": "capacity",
    "培训地点": "place",
    "每人收费": "fee",
    "师资": "teachers",
    "说明": "remarks",
}
_TIMETABLE = {"项目编号": "key", "日期": "date", "主题": "topic", "教师": "teacher", "学时": "hours"}
"""Headings of a further sheet: one line a lesson."""
_NEEDED = ("key", "title", "category", "organiser", "organiser_uscc", "hours", "start", "end")
_WORDS = {
    "category": {"公需科目": "public", "公需": "public", "专业科目": "professional", "专业": "professional"},
    "state": {"草稿": "draft", "待受理": "submitted", "已备案": "filed"},
    "certificates_need_approval": {"是": "true", "否": "false"},
    "mode": {"线下": "in_person", "线上": "online", "线上线下结合": "mixed"},
}
_ROLES = ("organiser", "implementer")


@dataclass
class _Bodies:
    """The bodies that the lines name, and the line and role where each one's code stands."""

    known: dict[str, dict[str, str]] = field(default_factory=dict)
    stands: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, name: str, code: str, line: int, role: str) -> str:
        """Note what a line says of a body; the code that an earlier line gave it, when it is another."""
        said = self.known.setdefault(name, {"name": name, "uscc": ""})
        if code and not said["uscc"]:
            said["uscc"] = code
            self.stands[name] = (line, role)
        self.stands.setdefault(name, (line, role))
        return said["uscc"] if code and said["uscc"] != code else ""


def read_sheet(path: Path, data: bytes) -> tuple[dict[str, Any], Place]:
    """The content of the first sheet that has the headings, and a function from a problem's place to its cell."""

    def stop(problem: str) -> ProgrammeFileInvalid:
        return ProgrammeFileInvalid(path=path, count=1, problems=[problem])

    try:
        examine(data, path)
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except ConnectorError as error:
        raise stop(error.message) from None
    except CalamineError as error:
        raise stop(f"this is not a whole XLSX file ({error}): save it again from the spreadsheet program") from None
    for sheet, rows in sheets.items():
        for at, row in enumerate(rows[:30]):
            columns = {_HEADINGS[h]: i for i, cell in enumerate(row) if (h := str(cell).strip()) in _HEADINGS}
            if "key" in columns and "title" in columns:
                missing = [zh for zh, key in _HEADINGS.items() if key in _NEEDED and key not in columns]
                if missing:
                    raise stop(f"sheet {sheet}, row {at + 1}: the columns {'、'.join(missing)} are missing")
                content, place, doubts = _content(sheet, rows, at, columns)
                _add_lessons(content, {name: other for name, other in sheets.items() if name != sheet})
                if doubts:
                    raise ProgrammeFileInvalid(path=path, count=len(doubts), problems=doubts)
                return content, place
    raise stop("no sheet has a row of headings with 项目编号 and 项目名称")


def _add_lessons(content: dict[str, Any], sheets: dict[str, list[list[Any]]]) -> None:
    """Give each programme the lessons that other sheets list under its key."""
    for rows in sheets.values():
        for at, row in enumerate(rows[:30]):
            columns = {_TIMETABLE[h]: i for i, cell in enumerate(row) if (h := str(cell).strip()) in _TIMETABLE}
            if not {"key", "topic", "hours"} <= columns.keys():
                continue
            for line in rows[at + 1 :]:
                lesson = {name: _cell(name, line[i]) for name, i in columns.items() if i < len(line) and line[i] != ""}
                key = _code(lesson.pop("key", ""))
                for programme in content["programmes"]:
                    if lesson and _code(programme.get("key", "")) == key:
                        programme.setdefault("timetable", []).append(lesson)
            return


def _code(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _content(
    sheet: str, rows: list[list[Any]], at: int, columns: dict[str, int]
) -> tuple[dict[str, Any], Place, list[str]]:
    bodies = _Bodies()
    programmes: list[dict[str, Any]] = []
    lines: list[int] = []
    doubts: list[str] = []

    def cell(line: int, column: str) -> str:
        found = columns.get(column)
        return f"sheet {sheet}, " + (f"row {line}" if found is None else f"cell {_letter(found)}{line}")

    for line, row in enumerate(rows[at + 1 :], start=at + 2):
        cells = {key: _cell(key, row[i]) for key, i in columns.items() if i < len(row) and row[i] != ""}
        if not cells:
            continue
        for role in _ROLES:
            code = str(cells.pop(f"{role}_uscc", ""))
            if role in cells and (other := bodies.take(str(cells[role]), code, line, role)):
                doubts.append(f"{cell(line, f'{role}_uscc')}: «{cells[role]}» has the code {other} further up")
        course = {key: cells.pop(key) for key in ("shortname", "code") if key in cells}
        if course:
            cells["course"] = course
        programmes.append(cells)
        lines.append(line)

    def place(loc: Loc) -> str:
        match loc:
            case ("programmes", int(number), *rest):
                return cell(lines[number], str(rest[-1]) if rest else "")
            case ("departments", str(name), column) if name in bodies.stands:
                line, role = bodies.stands[name]
                return cell(line, f"{role}_uscc" if column == "uscc" else role)
            case _:
                return f"sheet {sheet}"

    return {"departments": bodies.known, "programmes": programmes}, place, doubts


def _cell(key: str, value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str):
        value = value.strip()
        return _WORDS.get(key, {}).get(value, value)
    return value


def _letter(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
