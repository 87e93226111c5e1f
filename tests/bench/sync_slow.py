"""Sources that answer slowly, eight at once: 50 ms a call, ours and dlt in turns."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from tests.bench import peers
from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fake_moodle, fresh_home
from tests.bench.sync import ARROW, FASTEST, dlt, peer

_SOURCES, _SITES = 8, 4
"""Each site, a process of its own, serves two sources."""
_PAUSE = 0.05
_PAGE = 1_000
"""Rows a call, so that there are calls to wait for."""


def run(options: Options) -> Results:
    """Rows a second of all sources together."""
    python = peers.environment() if options.peers else None
    each = -(-options.rows // _SOURCES)
    rows = each * _SOURCES
    mine: list[dict[str, Any]] = []
    theirs: dict[str, list[dict[str, Any]]] = {FASTEST: [], ARROW: []}
    with ExitStack() as stack:
        sites = [stack.enter_context(fake_moodle(each, plugin=True, pause=_PAUSE)) for _ in range(_SITES)]
        moodles = sites * (_SOURCES // _SITES)
        for turn in range(1, options.runs + 1):
            label = f"{_SOURCES} slow sources {turn}/{options.runs}"
            with fresh_home() as home:
                addresses = json.dumps([(moodle.url, moodle.token) for moodle in moodles])
                mine.append(measured(ours("sync_slow_run", addresses, _PAGE), home=home, label=label))
            if mine[-1]["rows"] != rows:
                raise MeasurementFailed(f"{label}: {mine[-1]} instead of {rows} rows")
            say(f"{label}: {rows / mine[-1]['seconds']:,.0f} rows/s")
            if python:
                for setup, runs in theirs.items():
                    runs.append(dlt(python, moodles, rows, f"dlt ({setup}), {label}", size=_PAGE, setup=setup))
    rates = [rows / one["seconds"] for one in mine]
    figures = []
    for setup, name, beside in (
        (FASTEST, "sync_slow", f"{rows:,} rows, {_PAUSE * 1000:.0f} ms a call, {_SOURCES} sources at once"),
        (ARROW, "sync_slow_arrow", "the same beside the fastest that dlt can do"),
    ):
        told = [rows / one["seconds"] for one in theirs[setup]]
        figures.append(Figure(name, beside, "rows/s", rates, peer(theirs[setup], setup), told, "≥ 4 × dlt").judged(4))
    return Results(figures)
