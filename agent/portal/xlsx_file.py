"""Tables to take away as a workbook, in which no cell can act: every text is written as text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.http import FileResponse
from django.utils.http import content_disposition_header

from agent.localtime import SHANGHAI
from agent.portal.csv_file import Cell

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST = 32_000
"""Characters of a cell: above 32,767 the whole workbook is refused."""


def xlsx_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> FileResponse:
    """An answer that is saved as ``name``.xlsx; times are local, as the pages show them."""
    import xlsxwriter  # noqa: PLC0415 - only who takes a workbook away pays for it

    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, plain)
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, heads, bold)
    for at, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(at, column, cell.astimezone(SHANGHAI).replace(tzinfo=None), moment)
            elif isinstance(cell, str):
                sheet.write_string(at, column, cell[:_LONGEST])
            elif cell is not None:
                sheet.write_number(at, column, cell)
    book.close()
    file.seek(0)
    answer = FileResponse(file, content_type=_TYPE)
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.xlsx")
    return answer
