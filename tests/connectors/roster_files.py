"""Rosters written for one test."""

from __future__ import annotations

import xlsxwriter

from connectors.base import SourceConfig
from connectors.roster import RosterConnector

HEAD = ["姓名", "身份证号", "完成日期", "学时"]
ANNA = ["赵安娜", "37040419660809055X", "2024-06-05", "24"]
BO = ["钱波", "370402197512098161", "2024-06-05", "24"]


def xlsx(path, *sheets, names=None):
    """Each sheet a list of rows; strings are written as text, numbers as numbers."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for at, rows in enumerate(sheets):
            sheet = book.add_worksheet(names[at] if names else None)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    elif cell is not None:
                        sheet.write(number, column, cell)
    return path


def csv(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def connector(path, **options):
    return RosterConnector(SourceConfig("r", str(path), options=options))


def read(path, **options):
    with connector(path, **options) as roster:
        pages = list(roster.completions())
    return [row for page in pages for row in page.completions], [row for page in pages for row in page.rejected]


def only(path, **options):
    """The one row of a file, whatever became of it."""
    completions, rejected = read(path, **options)
    (row,) = [*completions, *rejected]
    return row
