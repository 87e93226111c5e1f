"""Sources that answer slowly, eight at once: 50 ms a call, ours and dlt in turns."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from tests.bench import peers
from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fake_moodle, fresh_home
from tests.bench.sync import ARROW, beside, dlt, tried

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
    theirs: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        sites = [stack.enter_context(fake_moodle(each, plugin=True, pause=_PAUSE)) for _ in range(_SITES)]
        moodles = sites * (_SOURCES // _SITES)
        if python:
            rates = tried(python, moodles, rows, _PAGE)
            theirs = {max(rates, key=rates.__getitem__): [], ARROW: []}
        for turn in range(1, options.runs + 1):
            label = f"{_SOURCES} slow sources {turn}/{options.runs}"
            with fresh_home() as home:
                addresses = json.dumps([(moodle.url, moodle.token) for moodle in moodles])
                mine.append(measured(ours("sync_slow_run", addresses, _PAGE), home=home, label=label))
            if mine[-1]["rows"] != rows:
                raise MeasurementFailed(f"{label}: {mine[-1]} instead of {rows} rows")
            say(f"{label}: {rows / mine[-1]['seconds']:,.0f} rows/s")
            for setup, runs in theirs.items():
                assert python
                runs.append(dlt(python, moodles, rows, f"dlt ({setup}), {label}", size=_PAGE, setup=setup))
    what = f"{rows:,} rows, {_PAUSE * 1000:.0f} ms a call, {_SOURCES} sources at once"
    asked = Figure("sync_slow", what, "rows/s", [rows / one["seconds"] for one in mine])
    return Results(beside(asked, theirs, rows))
