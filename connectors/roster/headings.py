"""Finding the row of headings, and knowing the columns by whatever name a base gives them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from connectors.errors import HeaderMissing
from connectors.roster.errors import HeaderTwice, SheetUnread
from connectors.roster.reader import Book, Cell, Row, Sheet

SEARCHED = 30
"""Rows of a sheet that are looked at for headings."""

# The names of a column, best first: of two columns that mean one thing, the better named is taken.
_NAMES: dict[str, str] = {
    "name": """姓名 学员姓名 学员 人员姓名 参训人员 参训人员姓名 名字 name fullname studentname learner""",
    "id_number": """身份证号 身份证号码 身份证 公民身份号码 公民身份证号码 居民身份证号 居民身份证号码 证件号码 证件号
        证件编号 身份证件号 身份证件号码 有效证件号 有效证件号码 idnumber idno idcard idcardno idcardnumber
        identitynumber identityno nationalid id""",
    "employer": """工作单位 单位 所在单位 单位名称 工作单位名称 所在单位名称 所属单位 用人单位 工作单位全称 单位全称
        就职单位 employer company organisation organization workunit""",
    "course_name": """课程名称 培训项目 项目名称 培训项目名称 培训班名称 培训名称 班次名称 班级名称 培训班次
        课程 项目 培训班 培训内容 coursename course programme program programmename programname title""",
    "course": """课程编号 课程代码 课程编码 课程号 项目编号 项目代码 班次编号 coursecode courseid courseno""",
    "filing_number": """备案编号 备案号 备案文号 项目备案编号 项目备案号 filingnumber filingno recordnumber""",
    "started_on": """开始日期 开始时间 起始日期 起始时间 开班日期 开班时间 培训开始日期 培训开始时间 报到日期
        startdate starttime startedon start from""",
    "completed_on": """完成日期 完成时间 结业日期 结业时间 培训完成日期 培训完成时间 学完时间 通过日期 通过时间
        结束日期 结束时间 终止日期 截止日期 培训结束日期 培训结束时间
        completiondate completedon completedat completed enddate endtime finishdate finished end to date""",
    "period": """培训时间 培训日期 起止时间 起止日期 培训起止时间 培训起止日期 培训期间 学习时间 学习日期 上课时间
        时间 日期 period trainingperiod trainingdates dates""",
    "hours": """学时 学时数 总学时 课时 课时数 培训学时 认定学时 完成学时 获得学时 实际学时 合计学时
        hours credithours credits hour traininghours""",
    "minutes": """分钟 分钟数 学习分钟 学习分钟数 时长分钟 学习时长分钟 培训时长分钟 minutes minutesstudied""",
    "result": """考核结果 结果 考核 考核情况 结业情况 结业结果 培训结果 是否合格 是否通过 是否结业 完成情况 考试结果
        考核等次 考核等级 result status passed outcome""",
    "grade": """成绩 考试成绩 考核成绩 总成绩 分数 得分 总分 grade score mark marks""",
    "remark": """备注 说明 备考 remark remarks note notes comment""",
    "index": """序号 编号 学号 no number index""",
    "phone": """手机 手机号 手机号码 联系电话 电话 联系方式 移动电话 phone mobile tel telephone""",
    "id_type": """证件类型 证件类别 证件种类 idtype""",
}
_KNOWN = {name: (column, rank) for column, names in _NAMES.items() for rank, name in enumerate(names.split())}
# Only beneath a heading that spans them: 培训时间 over 起 and 止.
_BENEATH = {"开始": "started_on", "起": "started_on", "自": "started_on", "始": "started_on"} | dict.fromkeys(
    ("结束", "止", "至", "终", "终止", "完成"), "completed_on"
)
CHINESE = {column: names.split()[0] for column, names in _NAMES.items()}
"""A column's name as people are told it."""

_REMARK = re.compile(r"[(\[【{].*?[)\]】}]")
_PUNCTUATION = re.compile(r"[\W_]+")
_MINUTES = re.compile(r"[(\[【]\W*(?:分钟?|min(?:ute)?s?)\W*[)\]】]", re.IGNORECASE)
_NUMBER = re.compile(r"\d{17}[\dXx]")
_NO_DATA = {"remark", "index", "phone", "id_type"}


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet's list: where it begins and what its columns are."""

    sheet: Sheet
    row: int  # of the headings
    first: int  # row of the first that may be data
    columns: dict[str, int]  # our name for a column → its place in a row
    titles: list[str] = field(default_factory=list)  # every column's heading as its sender has it

    def cell(self, row: Row, column: str) -> Cell:
        """What stands in ``column``; "" when there is no such column or the row is shorter."""
        at = self.columns.get(column, -1)
        return row[at] if 0 <= at < len(row) else ""

    def title(self, column: str) -> str:
        """The heading of ``column`` as its sender has it."""
        return self.titles[self.columns[column]] if column in self.columns else CHINESE[column]

    def place(self, number: int, column: str) -> str:
        """The cell of ``column`` in row ``number``, or the row when there is no such column."""
        at = self.columns.get(column)
        return self.sheet.place(number, None if at is None else at + self.sheet.first_column)


def fold_title(cell: Cell) -> str:
    """A heading without spaces, width, case, punctuation and bracketed remarks (``* 姓  名（必填）`` → ``姓名``)."""
    text = _REMARK.sub("", unicodedata.normalize("NFKC", cell)) if isinstance(cell, str) else ""
    return _PUNCTUATION.sub("", text).casefold()


def find_tables(book: Book, *, dated: bool) -> list[Table]:
    """The lists of ``book``, one for each sheet that has headings. ``dated``: a date was given for the whole file.

    :raises HeaderMissing: no sheet has the headings that are needed.
    :raises HeaderTwice: a heading that matters stands over two columns.
    :raises SheetUnread: a sheet has identity numbers and no headings; its people would be lost in silence.
    """
    tables, without = [], []
    for sheet in book.sheets:
        table = _find_table(sheet)
        if table is None:
            without.append(sheet)
        else:
            tables.append(table)
    if not tables:
        raise HeaderMissing(path=book.path.name, column=_lacking(book), searched=SEARCHED)
    for sheet in without:
        if place := _first_number(sheet):
            raise SheetUnread(path=book.path.name, sheet=sheet.name, place=place, column=_both())
    for table in tables:
        if not dated and not table.columns.keys() & {"completed_on", "period"}:
            column = f"{CHINESE['completed_on']} (or give --option date=YYYY-MM-DD)"
            raise HeaderMissing(path=book.path.name, column=column, searched=SEARCHED)
    return tables


def _find_table(sheet: Sheet) -> Table | None:
    found: Table | None = None
    for number, row in sheet.rows():
        if found is not None:
            return _with_second_row(found, row)
        if number > SEARCHED:
            return None
        columns = _columns(sheet, number, row)
        if columns.keys() >= {"name", "id_number"}:
            found = Table(sheet, number, number + 1, columns, _titles(row))
    return found


def _columns(sheet: Sheet, number: int, row: Row) -> dict[str, int]:
    best: dict[str, tuple[int, int]] = {}
    twice: dict[str, Cell] = {}
    for at, cell in enumerate(row):
        column, rank = _KNOWN.get(fold_title(cell), ("", 0))
        if column == "hours" and _MINUTES.search(unicodedata.normalize("NFKC", str(cell))):
            column = "minutes"
        if not column:
            continue
        if column in best and column not in _NO_DATA and rank == best[column][0]:
            twice[column] = cell
        if column not in best or rank < best[column][0]:
            best[column] = (rank, at)
    if twice and best.keys() >= {"name", "id_number"}:
        column = str(next(iter(twice.values())))
        raise HeaderTwice(place=sheet.place(number), column=column.strip())
    return {column: at for column, (_, at) in best.items()}


def _with_second_row(table: Table, row: Row) -> Table:
    """``table`` with headings of two rows taken together: 培训时间 above, 开始 and 结束 beneath."""
    beneath: dict[str, int] = {}
    for at, cell in enumerate(row):
        title = fold_title(cell)
        if column := _BENEATH.get(title) or _KNOWN.get(title, ("",))[0]:
            beneath.setdefault(column, at)
    if not beneath or fold_title(table.cell(row, "name")) or table.cell(row, "id_number"):
        return table
    columns = table.columns | beneath
    if {"started_on", "completed_on"} <= beneath.keys():
        columns.pop("period", None)
    below = _titles(row)
    width = max(len(table.titles), len(below))
    titles = [
        " ".join(filter(None, (line[at] if at < len(line) else "" for line in (table.titles, below))))
        for at in range(width)
    ]
    return Table(table.sheet, table.row, table.first + 1, columns, titles)


def _titles(row: Row) -> list[str]:
    return [" ".join(str(cell).split()) for cell in row]


def _lacking(book: Book) -> str:
    """What the row that comes nearest to headings lacks."""
    nearest: set[str] = set()
    for sheet in book.sheets:
        for number, row in sheet.rows():
            if number > SEARCHED:
                break
            columns = {_KNOWN[title][0] for cell in row if (title := fold_title(cell)) in _KNOWN}
            nearest = max(nearest, columns, key=len)
    lacking = [CHINESE[column] for column in ("name", "id_number") if column not in nearest]
    return "、".join(lacking) or _both()


def _both() -> str:
    return f"{CHINESE['name']}、{CHINESE['id_number']}"


def _first_number(sheet: Sheet) -> str:
    for number, row in sheet.rows():
        for at, cell in enumerate(row):
            if isinstance(cell, str) and _NUMBER.fullmatch(unicodedata.normalize("NFKC", cell).strip()):
                return sheet.place(number, at + sheet.first_column)
    return ""
