"""How sync grows: a tenth, the whole and ten times the rows by the plugin's pages; and a million rows that are known."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from typing import Any

from tests.bench.intake import pulled
from tests.bench.measure import Figure, MeasurementFailed, Options, Results
from tests.bench.servers import fake_moodle

_PARTS = (100, 10, 1)
"""One in so many of the rows of one site, so that all are served by the same server in the same way."""
_END, _DAYS = date(2025, 1, 1), 366
"""The site's completions are spread evenly over 2024."""
_MOST_CALLS, _MOST_SECONDS = 10, 5.0


def run(options: Options) -> Results:
    """Seconds and memory for few rows and for many; calls and seconds when nothing changed."""
    found: dict[int, list[dict[str, Any]]] = {part: [] for part in _PARTS}
    with fake_moodle(options.rows * 10, plugin=True) as moodle:
        for turn in range(1, options.runs + 1):
            for part, runs in found.items():
                label = f"one in {part}" if part > 1 else "all"
                label = f"{label} of {options.rows * 10:,} rows {turn}/{options.runs}"
                since = _END - timedelta(days=-(-_DAYS // part))
                runs.append(pulled(moodle, None, label, **({"since": since.isoformat()} if part > 1 else {})))
    if any(one["first_rows"] != options.rows * 10 for one in found[1]):
        raise MeasurementFailed(f"not every row landed: {found[1]}")
    return _results(found)


def _results(found: dict[int, list[dict[str, Any]]]) -> Results:
    few, usual, many = (found[part] for part in _PARTS)
    each = [statistics.median(one["first_seconds"] / one["first_rows"] for one in runs) for runs in (few, usual, many)]
    rows, least = many[0]["first_rows"], few[0]["first_rows"]
    memory = [one["megabytes"] for one in many]
    calls, seconds = ([one[f"second_{what}"] for one in many] for what in ("calls", "seconds"))
    figures = [
        Figure(
            "sync_unchanged", f"nothing changed, {rows:,} rows known, compared by digest", "s",
            seconds, ask=f"≤ {_MOST_SECONDS:.0f} s", met=max(seconds) <= _MOST_SECONDS,
        ),
        Figure(
            "sync_unchanged_calls", "the same in calls", "calls",
            calls, ask=f"≤ {_MOST_CALLS}", met=max(calls) <= _MOST_CALLS,
        ),
        Figure(
            "sync_growth", f"time for a row: {rows:,} rows to {least:,} rows", "×",
            [each[2] / each[0]], ask="≤ 1.1", met=each[2] <= 1.1 * each[0],
        ),
        Figure("sync_growth_upper", f"the same to {usual[0]['first_rows']:,} rows", "×", [each[2] / each[1]]),
        Figure(
            "sync_growth_memory", f"memory of the process at its most, {rows:,} rows", "MB",
            memory, ask="≤ 150 MB", met=max(memory) <= 150,
        ),
        Figure(
            "sync_growth_memory_few", f"the same for {least:,} rows", "MB", [one["megabytes"] for one in few],
        ),
    ]  # fmt: skip
    told = ", ".join(
        f"{runs[0]['first_rows']:,} rows in {statistics.median(one['first_seconds'] for one in runs):.2f} s "
        f"({statistics.median(one['megabytes'] for one in runs):.0f} MB)"
        for runs in (few, usual, many)
    )
    after = max(one["second_megabytes"] for one in many)
    return Results(figures, [f"Growth: {told}. With the comparison by digest: {after:.0f} MB."])
