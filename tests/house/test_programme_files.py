"""A wrong file says what is wrong and where: place in the YAML file, sheet and cell in the XLSX file."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from agent.programmes.errors import ProgrammeFileInvalid
from agent.programmes.file import read_programmes
from tests import bombs
from tests.house.programme_files import BASE, HEALTH, LINE, ROW, SHEET, file, sheet


def problems(path: Path) -> list[str]:
    with pytest.raises(ProgrammeFileInvalid) as error:
        read_programmes(path)
    assert error.value.code == "E_PROGRAMME_FILE"
    assert str(path) in error.value.message
    assert error.value.params["count"] == len(error.value.params["problems"])
    return error.value.params["problems"]


def only(path: Path) -> str:
    (problem,) = problems(path)
    return problem


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"hours": "viel"}, "hours", "«viel» is not a number of hours"),
        ({"hours": 0}, "hours", "between 0.01 and 1000"),
        ({"hours": 1000.01}, "hours", "between 0.01 and 1000"),
        ({"hours": 20.005}, "hours", "steps of 0.01"),
        ({"hours": float("inf")}, "hours", "between 0.01 and 1000"),
        ({"hours": float("nan")}, "hours", "between 0.01 and 1000"),
        ({"hours": "1e999999999"}, "hours", "between 0.01 and 1000"),
        ({"hours": True}, "hours", "not a number of hours"),
        ({"category": "private"}, "category", "it is «private»"),
        ({"category": "public"}, "subject", "names its subject"),
        ({"series": ""}, "series", "names its title series"),
        ({"organiser": "nobody"}, "organiser", "«nobody» is not among departments"),
        ({"implementer": "nobody"}, "implementer", "«nobody» is not among departments"),
        ({"key": "a b"}, "key", "it is «a b»"),
        ({"key": "x" * 61}, "key", "60"),
        ({"title": ""}, "title", "at least 1 character"),
        ({"title": "长" * 201}, "title", "200"),
        ({"start": "soon"}, "start", "it is «soon»"),
        ({"end": "2023-12-31"}, "end", "lies before the start"),
        ({"end": "2025-01-01"}, "end", "within one year"),
        ({"state": "closed"}, "state", "it is «closed»"),
        ({"state": "draft", "filing_number": "枣〔2024〕1号"}, "filing_number", "only draft has no filing number"),
        ({"filing_number": "1"}, "filing_number", "at least 4"),
        ({"course": {}}, "course", "either shortname (Moodle) or code (roster)"),
        ({"course": {"shortname": "A", "code": "B"}}, "course", "either shortname"),
        ({"course": {"name": "A"}}, "course.name", "Extra inputs"),
        ({"hour": 1}, "hour", "Extra inputs"),
    ],
)
def test_each_field_of_a_yaml_file_is_judged_at_its_place(tmp_path, change: dict[str, Any], place: str, said: str):
    found = problems(file(tmp_path, ROW, ROW | {"key": "K2"} | change))
    assert [p for p in found if p.startswith(f"programmes[1].{place}: ") and said in p], found


def test_all_problems_are_told_at_once(tmp_path):
    found = problems(file(tmp_path, ROW | {"hours": 0}, ROW | {"key": "K2", "category": "x", "start": ""}))
    assert [p.partition(":")[0] for p in found] == [
        "programmes[0].hours",
        "programmes[1].category",
        "programmes[1].start",
    ]
    found = problems(file(tmp_path, ROW | {"series": ""}, ROW | {"end": "2023-01-01"}))
    assert [p.partition(":")[0] for p in found] == [
        "programmes[0].series",
        "programmes[1].end",
        "programmes[1].key",
    ]


def test_a_wrong_credit_code_is_named(tmp_path):
    wrong = {"health": HEALTH | {"uscc": HEALTH["uscc"][:-1] + "1"}}
    assert only(file(tmp_path, ROW, departments=wrong)).startswith(
        "departments.health.uscc: «1137040000428A1B21» is not"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Input should be a valid dictionary"),
        ("- a\n- b\n", "Input should be a valid dictionary"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
        ("programmes:\n  - {start: 2024-02-30}", "line 2, column 13: «2024-02-30» is not a date"),
        ("programmes:\n  - {hours: 1, title: x, hours: 2}", "line 2, column 26: «hours» is there twice"),
        ("a: !!python/object/apply:os.system [date]", "line 1, column 4: could not determine a constructor"),
        ("a: !!int b", "invalid literal"),
        ("a: !!timestamp b", ""),
        ("[" * 20_000, "nested too deeply"),
        ("a: &a [*a]", "departments: Field required"),
    ],
)
def test_what_is_no_yaml_programme_file_is_refused(tmp_path, text: str, said: str):
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    assert said in "\n".join(problems(path))


def test_references_that_multiply_are_no_danger(tmp_path):
    path = tmp_path / "p.yaml"
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30))
    path.write_text(f"l0: &l0 [x]\n{levels}\nprogrammes: *l29\ndepartments: {{}}\n", encoding="utf-8")
    assert problems(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("programmes: 备案".encode("gb18030"), "not UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "an old .xls"),
        (b"PK\x03\x04" + bytes(100), "can't be read as .xlsx"),
        (b"\0" * 100, "unacceptable character"),
    ],
)
def test_what_is_no_text_and_no_sheet_is_refused(tmp_path, data: bytes, said: str):
    path = tmp_path / "p.xlsx"
    path.write_bytes(data)
    assert said in only(path)


def test_what_is_no_file_is_refused(tmp_path):
    assert "can't be read: No such file" in only(tmp_path / "none.yaml")
    assert "can't be read: Is a directory" in only(tmp_path)
    large = tmp_path / "large.yaml"
    with large.open("wb") as empty:
        empty.truncate(20_000_001)
    assert "larger than" in only(large)


# --- sheets ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "cell", "said"),
    [
        ({"学时": "二十"}, "J4", "«二十» is not a number of hours"),
        ({"类别": "其他"}, "C4", "it is «其他»"),
        ({"开始日期": "明天"}, "K4", "it is «明天»"),
        ({"结束日期": "2023-12-31"}, "L4", "lies before the start"),
        ({"职称系列": ""}, "H4", "title series"),
        ({"类别": "公需"}, "I4", "names its subject"),
        ({"主办单位信用代码": "1137040000428A1B21"}, "E4", "has the code 1137040000428A1B2W further up"),
        ({"主办单位": BASE["name"], "主办单位信用代码": "123"}, "E4", "«123» is not a unified social credit code"),
        ({"主办单位": "枣庄市人力资源和社会保障局", "主办单位信用代码": "1137040000458G9H1G"}, "D4", "rule R08"),
        ({"项目编号": "K1"}, "A4", "«K1» is there twice"),
        ({"状态": "结项"}, "P4", "it is «结项»"),
        ({"状态": "草稿", "备案编号": "枣〔2024〕1号"}, "O4", "has no filing number yet"),
        ({"课程简称": "A", "课程编号": "B"}, "row 4", "either shortname"),
    ],
)
def test_each_cell_of_a_sheet_is_judged_at_its_place(tmp_path, change: dict[str, Any], cell: str, said: str):
    path = sheet(tmp_path / "p.xlsx", LINE, LINE | {"项目编号": "K2"} | change, above=1)
    where = f"sheet 项目, {cell}: " if " " in cell else f"sheet 项目, cell {cell}: "
    found = problems(path)
    assert [p for p in found if p.startswith(where) and said in p], found


def test_a_field_without_a_column_is_named_by_its_row(tmp_path):
    headings = tuple(h for h in SHEET if h != "职称系列")
    path = sheet(tmp_path / "p.xlsx", {k: v for k, v in LINE.items() if k in headings}, headings=headings)
    assert only(path) == "sheet 项目, row 2: a professional programme names its title series"


def test_columns_that_are_needed_are_named(tmp_path):
    headings = tuple(h for h in SHEET if h not in ("学时", "主办单位信用代码"))
    path = sheet(tmp_path / "p.xlsx", headings=headings)
    assert only(path) == "sheet 项目, row 1: the columns 主办单位信用代码、学时 are missing"
    assert "no sheet has a row of headings" in only(sheet(tmp_path / "q.xlsx", headings=("名称", "学时")))


def test_figures_and_dates_of_a_spreadsheet_are_read_as_meant(tmp_path):
    path = tmp_path / "p.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy/m/d"}) as book:
        page = book.add_worksheet()
        cells = LINE | {
            "项目编号": 7, "学时": 7.5, "课程编号": 101, "开始日期": dt.date(2024, 3, 1),
            "结束日期": dt.datetime(2024, 6, 30, 17, 30),  # noqa: DTZ001 - a spreadsheet knows no zones
        }  # fmt: skip
        for column, heading in enumerate(SHEET):
            page.write(0, column, heading)
            page.write(2, column, cells.get(heading, ""))
    row = read_programmes(path).programmes[0]
    assert (row.key, row.hours, row.start, row.end) == ("7", 750, dt.date(2024, 3, 1), dt.date(2024, 6, 30))
    assert row.course.kind_and_code == ("roster", "101")


def test_a_sheet_that_was_cut_off_is_refused(tmp_path):
    path = sheet(tmp_path / "p.xlsx", LINE)
    path.write_bytes(path.read_bytes()[:-500])
    assert "cut off or damaged" in only(path)


@pytest.mark.parametrize("lies", [False, True])
def test_a_sheet_that_unpacks_to_more_than_a_machine_holds_is_refused(tmp_path, lies: bool):
    path = sheet(tmp_path / "p.xlsx", LINE)
    bombs.put_into(path)
    if lies:  # the directory says that it is small
        data = path.read_bytes().replace(struct.pack("<I", 300 << 20), struct.pack("<I", 100))
        path.write_bytes(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.getinfo("xl/bomb").file_size == 100
    assert "would unpack to more than" in only(path)
