"""The baseline of `evaluate`: hours by a plain script, `evaluate_plain FILE.jsonl`, one JSON line a learner."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

_DAY = timedelta(1)
_ITEMS = {
    "exam": (Decimal(16), None),
    "achievement": (Decimal(10), Decimal(30)),
    "competition": (Decimal(10), Decimal(30)),
}
_YEAR = {"study": Decimal(40)}


def main(path: str) -> None:
    """Read, add up, print."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as one would
        for line in file:
            print(json.dumps(_learner(json.loads(line, parse_float=Decimal)), default=float))


def _learner(year: dict[str, Any]) -> dict[str, Any]:
    days: dict[date, Decimal] = defaultdict(Decimal)
    spent: dict[str, Decimal] = defaultdict(Decimal)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    entries = []
    for row in sorted(year["achievements"], key=lambda row: row["end"]):
        kind, got = row["kind"], Decimal(0)
        if kind in _ITEMS:
            got, most = _ITEMS[kind]
            if most is not None:
                got = min(got, most - spent[kind])
        elif "hours" in row:
            left = min(Decimal(row["hours"]), Decimal(row.get("filed_hours", 9999)))
            if kind in _YEAR:
                left = min(left, _YEAR[kind] - spent[kind])
            day, last = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
            while left > 0 and day <= last:
                take = min(left, 8 - days[day])
                days[day] += take
                got += take
                left -= take
                day += _DAY
        spent[kind] += got
        totals[row.get("category", "professional")] += got
        entries.append({"id": row["id"], "claimed": row.get("hours", 0), "credited": got})
    return {"entries": entries, "standing": totals, "met": totals["public"] >= 30 and totals["professional"] >= 60}


if __name__ == "__main__":
    main(*sys.argv[1:])
