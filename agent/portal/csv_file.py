"""Tables to take away: CSV that a spreadsheet opens as it is (UTF-8 with its mark), and in which no cell can act."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from agent.localtime import SHANGHAI

Cell = str | int | float | date | datetime | None
# A spreadsheet takes a text that begins so for a formula, also behind blanks; a quote before it keeps it a text.
_ACTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    """What `csv.writer` writes into, so that each line can be sent as it is made."""

    def write(self, line: str) -> str:
        return line


def lines(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The file, line by line. Times are local (Asia/Shanghai), as the pages show them."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(heads)
    for row in rows:
        yield writer.writerow([_safe(cell) for cell in row])


def _safe(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, str) and cell.lstrip(" \u3000\xa0\ufeff").startswith(_ACTS):
        return "'" + cell
    return cell


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """An answer that is saved as ``name``.csv."""
    answer = StreamingHttpResponse(lines(heads, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv")
    return answer
