"""From a file to sheets of cells. What kind of file it is, its content says; its name may say anything.

Rows are given out one by one and can be gone through again, so that a long roster isn't held twice.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from connectors.errors import FileBroken, FileEncoding, FileMissing, FileTooLarge
from connectors.roster.archive import FILE_LIMIT, examine

Cell: TypeAlias = str | int | float | bool | date | datetime | time | timedelta
Row: TypeAlias = list[Cell]

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_DELIMITERS = ",;\t"
_LOOKED_AT = 30
# Python's codec follows GB 18030-2000; these 14 two-byte codes left the private-use area with the editions of 2005
# and 2022 (the standard's annex D), and people have them in their names.
_SINCE_2005 = str.maketrans(
    dict(
        zip(
            "\ue816\ue817\ue818\ue81e\ue826\ue82b\ue82c\ue831\ue832\ue83b\ue843\ue854\ue855\ue864",
            "\U00020087\U00020089\U000200cc\u9fb4\u9fb5\u9fb6\u9fb7\U000215d7\u9fb8\U0002298f\u9fb9\u9fba\U000241fe\u9fbb",
            strict=True,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of cells. ``name`` is "" for a CSV file."""

    name: str
    first_column: int  # of every row, from 0
    _text: str = field(default="", repr=False)  # everybody's numbers: no log shall show it
    _delimiter: str = ""
    _calamine: CalamineSheet | None = None
    _path: str = ""

    def rows(self) -> Iterator[tuple[int, Row]]:
        """All rows with their numbers as a spreadsheet shows them, from the top, each time anew.

        :raises FileBroken: a CSV file has a quotation mark too many or too few.
        """
        if self._calamine is not None:
            yield from enumerate(self._calamine.iter_rows(), 1)
            return
        number = 0
        lines = csv.reader(StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True)
        try:
            # strict: a quotation mark that is never closed would swallow the rest of the file into one cell
            for number, cells in enumerate(lines, 1):
                yield number, list(cells)
        except csv.Error as error:
            reason = f"row {number + 1} (line {lines.line_num}) has a quotation mark too many or too few"
            raise FileBroken(path=self._path, format="CSV", reason=reason) from error

    def place(self, row: int, column: int | None = None) -> str:
        """How a person finds it: ``学员名册!C5`` for a cell, ``学员名册!第5行`` for a row."""
        prefix = f"{self.name}!" if self.name else ""
        if column is None:
            return f"{prefix}第{row}行"
        letters, rest = "", column + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{prefix}{letters}{row}"


@dataclass(frozen=True, slots=True)
class Book:
    """A file as it was read."""

    path: Path
    format: str  # "xlsx", "CSV (GB 18030, «,»)"
    sheets: list[Sheet]
    hidden: list[str] = field(default_factory=list)  # sheets that nobody sees and that are not read


def to_path(url: str) -> Path:
    """The path that a source's address means: a plain path, or ``file:///…``."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "file":
        return Path(url)
    if parts.netloc not in {"", "localhost"}:
        raise FileMissing(path=url)
    return Path(unquote(parts.path))


def read(path: Path) -> Book:
    """The sheets of the file at ``path``.

    :raises FileMissing: nothing is there that can be read.
    :raises FileTooLarge: it is larger than a roster can be, or would unpack to more.
    :raises FileBroken: it is neither an .xlsx nor a CSV file, or a damaged or locked one.
    :raises FileEncoding: it is text in an encoding that isn't known.
    """
    try:
        if not path.is_file():  # a pipe or a device would be read for ever
            raise FileMissing(path=path)
        if path.stat().st_size > FILE_LIMIT:
            raise FileTooLarge(path=path.name, limit=FILE_LIMIT)
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        raise FileMissing(path=path) from error
    if not content.strip():
        raise FileBroken(path=path.name, format="a roster", reason="the file is empty")
    if content.startswith(_OLE):
        raise FileBroken(
            path=path.name,
            format=".xlsx",
            reason="it is an old .xls, or locked with a password; open it, take the password away and save it as .xlsx",
        )
    return _read_xlsx(content, path) if content.startswith(_ZIP) else _read_csv(content, path)


def _read_xlsx(content: bytes, path: Path) -> Book:
    examine(content, path)
    try:
        workbook = load_workbook(BytesIO(content))
        return _sheets(workbook, path)
    except CalamineError as error:
        raise FileBroken(path=path.name, format=".xlsx", reason=str(error)) from error


def _sheets(workbook: CalamineWorkbook, path: Path) -> Book:
    sheets, hidden = [], []
    for about in workbook.sheets_metadata:
        if about.typ is not SheetTypeEnum.WorkSheet:
            continue
        if about.visible is not SheetVisibleEnum.Visible:
            hidden.append(about.name)
            continue
        sheet = workbook.get_sheet_by_name(about.name)
        if sheet.start is not None:
            sheets.append(Sheet(about.name, sheet.start[1], _calamine=sheet, _path=path.name))
    return Book(path, "xlsx", sheets, hidden)


def _read_csv(content: bytes, path: Path) -> Book:
    text, encoding = _decode(content, path)
    if "\0" in text:
        raise FileBroken(path=path.name, format="CSV", reason="it is not text, and not an .xlsx either")
    head, _, rest = text.partition("\n")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=,"):
        # Excel's own way of naming the delimiter; the empty line keeps the numbers of rows as they are shown
        text = f"\n{rest}"
        delimiter = head.strip()[-1]
    else:
        delimiter = max(_DELIMITERS, key=lambda candidate: _columns(text, candidate))
    shown = "tab" if delimiter == "\t" else delimiter
    return Book(path, f"CSV ({encoding}, «{shown}»)", [Sheet("", 0, text, delimiter, _path=path.name)])


def _decode(content: bytes, path: Path) -> tuple[str, str]:
    for mark, codec, name in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(codec), name
            except UnicodeDecodeError as error:
                raise FileEncoding(path=path.name, position=error.start) from error
    try:
        return content.decode(), "UTF-8"
    except UnicodeDecodeError as not_utf8:
        reached = not_utf8.start
    try:
        return content.decode("gb18030").translate(_SINCE_2005), "GB 18030"
    except UnicodeDecodeError as error:
        # the encoding that got further is the one that was meant
        raise FileEncoding(path=path.name, position=max(reached, error.start)) from error


def _columns(text: str, delimiter: str) -> int:
    """How much of a table ``delimiter`` makes of the first rows."""
    total = 0
    try:
        for number, cells in enumerate(csv.reader(StringIO(text, newline=""), delimiter=delimiter)):
            if number > _LOOKED_AT:
                break
            total += len(cells) - 1 if cells else 0
    except csv.Error:
        return total
    return total
