"""Faults inside a good report: columns lost or renamed, rows cut, totals that lie."""

from __future__ import annotations

import json
from typing import Any

from connectors.testing._faults import Faults

RETRIEVE = "core_reportbuilder_retrieve_report"
_KINDS = ("identity_hidden", "column_missing", "column_renamed", "malformed_row", "bad_time", "totals_lie")


def distorted(answer: str, faults: Faults) -> Any:
    """The report's ``answer`` (JSON) as the faults that are on leave it; untouched, and fast, when none is."""
    taken = [fault for kind in _KINDS if (fault := faults.take(kind, RETRIEVE))]
    if not taken:
        return answer
    whole = json.loads(answer)
    data = whole["data"]
    for fault in taken:
        match fault.kind:
            case "identity_hidden":
                _drop(data, "身份证号")
            case "column_missing":
                _drop(data, fault["column"])
            case "column_renamed":
                data["headers"] = [fault["to"] if name == fault["column"] else name for name in data["headers"]]
            case "malformed_row" if data["rows"]:
                row = data["rows"][min(fault["row"], len(data["rows"]) - 1)]
                row["columns"] = row["columns"][: -fault["cells"]]
            case "bad_time" if data["rows"]:
                row = data["rows"][min(fault["row"], len(data["rows"]) - 1)]
                row["columns"][data["headers"].index("Time completed")] = fault["text"]
            case "totals_lie":
                data["totalrowcount"] += fault["by"]
    return whole


def _drop(data: dict[str, Any], column: str) -> None:
    if column not in data["headers"]:
        return
    place = data["headers"].index(column)
    for cells in (data["headers"], *(row["columns"] for row in data["rows"])):
        del cells[place]
