"""The template that bases fill in: everything set so that the spreadsheet can do no harm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

SHEET = "学员名册"
GUIDE = "填写说明"
ROWS = 2_000
"""Rows that are prepared. More may be added: below, the formats are the columns' own."""


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    needed: str
    rule: str
    example: str
    width: int
    format: str | int = 49  # text (ECMA-376, 18.8.30), unless said otherwise


_COLUMNS = (
    _Column("姓名", "必填", "与身份证一致。姓名中的间隔点用“·”。", "买买提·艾合买提", 14),
    _Column(
        "身份证号",
        "必填",
        "18 位。本列已设为文本，请勿改为数字，否则末三位会丢失。不要打码。",
        "11010519491231002X（示例）",
        24,
    ),
    _Column("工作单位", "选填", "单位全称。", "枣庄市示例医院", 26),
    _Column("培训项目", "必填", "与备案的项目名称一致。", "2024年全科医师培训", 30),
    _Column("备案编号", "建议填", "人社部门受理后的编号。", "枣人社备〔2024〕018号", 24),
    _Column("开始日期", "选填", "年-月-日。", "2024-05-13", 13, "yyyy-mm-dd"),
    _Column("结束日期", "必填", "年-月-日，不早于开始日期。学时计入该日所在年度。", "2024-05-15", 13, "yyyy-mm-dd"),
    _Column("学时", "必填", "大于 0 的数，只写数字。", "24", 9, "0.##"),
    _Column("考核结果", "必填", "从下拉列表中选：合格、优秀、良好、不合格、缺考。", "合格", 11),
    _Column("备注", "选填", "不影响学时。", "", 20),
)
_RESULTS = ["合格", "优秀", "良好", "不合格", "缺考"]
_MORE = (
    "一人一行，标题行不要改名；同一文件可以有多个工作表，每个工作表都要有标题行。",
    "复制粘贴时请用“选择性粘贴—值”，以免带入原表的格式。",
    "更正后重新上传整个文件即可：没有变化的行不会重复计入，改正的行会替换原来的记录。",
    "某一行有问题不影响其他行，系统会按单元格（如 学员名册!B4）说明原因。",
)


def write_template(path: Path | str) -> None:
    """Write the empty template to ``path``; read as it is, it has no rows.

    :raises OSError: the file can't be written there.
    """
    try:
        with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False}) as book:
            book.set_properties({"title": "继续教育学员名册", "comments": "xueshi roster template"})
            _write_list(book)
            _write_guide(book)
    except xlsxwriter.exceptions.FileCreateError as error:
        cause = error.args[0]
        raise OSError(cause.errno, cause.strerror, str(path)) from error


def _write_list(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet(SHEET)
    heading = {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
    needed = book.add_format({**heading, "bg_color": "#1F4E79", "font_color": "#FFFFFF"})
    optional = book.add_format({**heading, "bg_color": "#D9E2EC"})
    for at, column in enumerate(_COLUMNS):
        cells = book.add_format({"num_format": column.format, "align": "right" if column.title == "学时" else "left"})
        sheet.set_column(at, at, column.width, cells)
        sheet.write_string(0, at, column.title, needed if column.needed == "必填" else optional)
        sheet.write_comment(0, at, f"{column.needed}。{column.rule}", {"visible": False})
        if rule := _validation(column.title, at):
            sheet.data_validation(1, at, ROWS, at, rule)
    sheet.set_row(0, 24)
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&L&A&R第 &P 页，共 &N 页")


def _validation(title: str, at: int) -> dict[str, object] | None:
    cell = f"{chr(ord('A') + at)}2"
    match title:
        case "身份证号":
            # spaces and a mark for text are forgiven by the reader, so they only warn here
            formula = f"=OR(LEN({cell})=18,LEN({cell})=15)"
            return _rule(
                "custom", "身份证号", "应为 18 位（旧证 15 位），且本列为文本。", value=formula, error_type="warning"
            )
        case "开始日期" | "结束日期":
            years = {"minimum": "=DATE(2000,1,1)", "maximum": "=DATE(2099,12,31)"}
            return _rule("date", title, "请按 年-月-日 填写日期。", criteria="between", **years)
        case "学时":
            return _rule(
                "decimal", title, "请填大于 0 且不超过 10000 的数字。", criteria="between", minimum=0.01, maximum=10_000
            )
        case "考核结果":
            return _rule("list", title, "请从列表中选择。", source=_RESULTS)
    return None


def _rule(kind: str, title: str, message: str, **more: object) -> dict[str, object]:
    return {
        "validate": kind,
        "input_title": title,
        "input_message": message,
        "error_title": title,
        "error_message": message,
    } | more


def _write_guide(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet(GUIDE)
    bold = book.add_format({"bold": True, "border": 1, "bg_color": "#D9E2EC"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    title = book.add_format({"bold": True, "font_size": 14})
    sheet.write_string(0, 0, "填写说明（本表不会被读取，可以保留）", title)
    for at, (heading, width) in enumerate((("栏目", 14), ("是否必填", 12), ("填写要求", 60), ("示例", 30))):
        sheet.set_column(at, at, width)
        sheet.write_string(2, at, heading, bold)
    for row, column in enumerate(_COLUMNS, 3):
        for at, text in enumerate((column.title, column.needed, column.rule, column.example)):
            sheet.write_string(row, at, text, cell)
    for row, text in enumerate(_MORE, 4 + len(_COLUMNS)):
        sheet.write_string(row, 0, text)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 1)
