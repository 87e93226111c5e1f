"""One answer of a report, taken apart: headings, rows, count; or refused, when it has another form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.errors import Malformed


@dataclass(frozen=True, slots=True)
class Sheet:
    """One answer of the report."""

    headers: list[str]
    rows: list[Any]
    total: int


def sheet_of(answer: Any) -> Sheet:
    """The parts of an answer that matter.

    :raises Malformed: one of them is missing
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise Malformed(what="The report", url="the site", reason="it has no data")
    headers, rows, total = data.get("headers"), data.get("rows"), data.get("totalrowcount")
    if not isinstance(headers, list) or not all(isinstance(one, str) for one in headers):
        raise Malformed(what="The report", url="the site", reason="it has no headings")
    if not isinstance(rows, list) or not isinstance(total, int):
        raise Malformed(what="The report", url="the site", reason="it has no rows or no count")
    if not all(isinstance(row, dict) and isinstance(row.get("columns"), list) for row in rows):
        raise Malformed(what="The report", url="the site", reason="a row is no list of cells")
    return Sheet(headers, rows, total)


def mark_of(row: dict[str, Any]) -> int:
    """A row as eight bytes, to know it again."""
    return hash(tuple(map(str, row["columns"])))
