"""Hundreds of sources that fall due in the same minute: the product's own clock and workers, each a process."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fake_moodle, fresh_home

_SOURCES, _SITES = 300, 3
_ROWS_A_SOURCE_OF = 500
"""One in so many of the bench's rows: 200 when it has 100,000."""
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def run(options: Options) -> Results:
    """Seconds until all are served, the longest wait, how deep the queue was."""
    rows = max(1, options.rows // _ROWS_A_SOURCE_OF)
    label = f"{_SOURCES} sources due at once"
    with ExitStack() as stack:
        sites = [stack.enter_context(fake_moodle(rows, plugin=True)) for _ in range(_SITES)]
        home = stack.enter_context(fresh_home())
        addresses = json.dumps([(site.url, site.token) for site in sites])
        found = measured(ours("sync_many_run", addresses, _SOURCES), home=home, label=label)
    if found["rows"] != rows * _SOURCES:
        raise MeasurementFailed(f"{label}: {found['rows']} rows instead of {rows * _SOURCES}")
    say(f"{label}: {found['served']} served in {found['seconds']:.1f} s, the longest wait {found['longest']:.1f} s")
    return Results(_figures(found), [_note(found, rows)])


def _figures(found: dict[str, Any]) -> list[Figure]:
    return [
        Figure(
            "sync_many", f"sources served, of {_SOURCES} due in the same minute", "sources", [found["served"]],
            ask="all, none starved", met=found["served"] == _SOURCES and not found["failed"],
        ),
        Figure("sync_many_seconds", "from the first that was asked for to the last that was done", "s", [found["seconds"]]),
        Figure("sync_many_wait", "the longest that one waited in the queue", "s", [found["longest"]]),
        Figure("sync_many_depth", "jobs that waited in the queue, at most", "jobs", [max(found["depth"])]),
    ]  # fmt: skip


def _note(found: dict[str, Any], rows: int) -> str:
    return (
        f"{_SOURCES} sources of {rows:,} rows each: waits from {found['shortest']:.1f} s over {found['middle']:.1f} s "
        f"(median) to {found['longest']:.1f} s; served out of turn at most {found['out_of_turn']} places. The queue's "
        f"depth over {found['watched']:.0f} s, from 0 to {max(found['depth'])}: `{sparkline(found['depth'])}`"
    )


def sparkline(depths: list[int]) -> str:
    """What was seen over time as a line of bars, one for each stretch (its most)."""
    most = max([*depths, 1])
    stretch = -(-len(depths) // _WIDTH)
    seen = [max(depths[start : start + stretch]) for start in range(0, len(depths), stretch)]
    return "".join(_BARS[-(-depth * (len(_BARS) - 1) // most)] for depth in seen)
