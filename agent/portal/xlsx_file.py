"""Tables to take away as a workbook, in which no cell can act: every text is written as text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.http import FileResponse
from django.utils.http import content_disposition_header

from agent.localtime import SHANGHAI
from agent.portal.csv_file import Cell

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST = 32_000
"""Characters of a cell: above 32,767 the whole workbook is refused."""
_FORMATS = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd", float: "#,##0.00", int: "#,##0"}
_WIDE = 20
"""Characters of a column: a moment has nineteen, and one that does not fit is shown as ####."""
_LONGEST_NAME = 31
"""Characters of a sheet's name: a longer one refuses the workbook, too."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: what stands ``above`` the table (a name and a value a line), its heads and its rows."""

    name: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    above: Sequence[tuple[str, Cell]] = ()


def xlsx_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> FileResponse:
    """An answer that is saved as ``name``.xlsx; times are local, as the pages show them."""
    return xlsx_book(name, [Sheet("Sheet1", heads, rows)])


def xlsx_book(name: str, sheets: Iterable[Sheet]) -> FileResponse:
    """The same with several sheets. A float is shown with two decimals."""
    import xlsxwriter  # noqa: PLC0415 - only who takes a workbook away pays for it

    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, plain)
    formats = {kind: book.add_format({"num_format": shown}) for kind, shown in _FORMATS.items()}
    bold = book.add_format({"bold": True})
    for each in sheets:
        sheet = book.add_worksheet(each.name[:_LONGEST_NAME])
        sheet.set_column(0, max(len(each.heads), 2) - 1, _WIDE)
        top = len(each.above) + bool(each.above)
        for at, row in enumerate(each.above):
            _write(sheet, at, row, formats)
        sheet.freeze_panes(top + 1, 0)
        sheet.write_row(top, 0, each.heads, bold)
        for at, cells in enumerate(each.rows, top + 1):
            _write(sheet, at, cells, formats)
    book.close()
    file.seek(0)
    answer = FileResponse(file, content_type=_TYPE)
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.xlsx")
    return answer


def _write(sheet: Worksheet, at: int, row: Sequence[Cell], formats: dict[Any, Any]) -> None:
    for column, cell in enumerate(row):
        if isinstance(cell, datetime):
            sheet.write_datetime(at, column, cell.astimezone(SHANGHAI).replace(tzinfo=None), formats[datetime])
        elif isinstance(cell, date):
            sheet.write_datetime(at, column, cell, formats[date])
        elif isinstance(cell, str):
            sheet.write_string(at, column, cell[:_LONGEST])
        elif cell is not None:
            sheet.write_number(at, column, cell, formats[type(cell)])
