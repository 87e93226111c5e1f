"""Programme files written for one test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml

from agent.programmes.errors import ProgrammeFileInvalid
from agent.programmes.file import read_programmes
from agent.programmes.filing import import_programmes

HEALTH = {"name": "枣庄市卫生健康委员会（示例）", "uscc": "1137040000428A1B2W"}
BUREAU = {"name": "枣庄市人力资源和社会保障局（示例）", "uscc": "1137040000458G9H1G"}
BASE = {"name": "枣庄市在线学习中心（示例）", "uscc": "1237040049380J2K30"}
ROW = {
    "key": "K1", "title": "医师培训", "category": "professional", "organiser": "health", "series": "卫生", "hours": 20,
    "start": "2024-01-01", "end": "2024-12-31", "state": "filed",
}  # fmt: skip


def file(tmp_path: Path, *programmes: dict[str, Any], **more: Any) -> Path:
    path = tmp_path / "programmes.yaml"
    content = {"departments": {"health": HEALTH, "hr": BUREAU, "base": BASE}, "programmes": list(programmes)} | more
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def bring(path: Path, source: Any = None) -> Any:
    return import_programmes(read_programmes(path), path=str(path), source=source, actor="test")


def refused(path: Path) -> str:
    with pytest.raises(ProgrammeFileInvalid) as error:
        bring(path)
    assert error.value.exit_code == 2
    return error.value.message


SHEET = ("项目编号", "项目名称", "类别", "主办单位", "主办单位信用代码", "承办单位", "承办单位信用代码", "职称系列",
         "公需科目", "学时", "开始日期", "结束日期", "课程简称", "课程编号", "备案编号", "状态")  # fmt: skip


def sheet(path: Path, *lines: dict[str, Any], headings: tuple[str, ...] = SHEET, above: int = 0) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("项目")
        for column, heading in enumerate(headings):
            page.write(above, column, heading)
        for row, cells in enumerate(lines, start=above + 1):
            for heading, cell in cells.items():
                page.write(row, headings.index(heading), cell)
    return path


LINE = {
    "项目编号": "K1", "项目名称": "医师培训", "类别": "专业科目", "主办单位": HEALTH["name"],
    "主办单位信用代码": HEALTH["uscc"], "职称系列": "卫生", "学时": 20, "开始日期": "2024-01-01",
    "结束日期": "2024-12-31", "状态": "已备案",
}  # fmt: skip
