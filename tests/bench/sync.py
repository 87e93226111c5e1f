"""Sync by the companion plugin's pages: ours, dlt and the wall in turns, and singer once."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import peers
from tests.bench.intake import pulled
from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import Moodle, fake_moodle, fresh_home, server_for_the_peer

PAGE = 10_000
"""Rows a call for the peers: as many as the plugin gives. Ours asks as it does when nothing is said."""
FASTEST, ARROW = "csv+2", "arrow"
"""Set-ups of dlt: the fastest of its own source for web services, and the fastest of all, where whoever uses it writes the
source himself. `Results.notes` says what the others came to.
"""
_OTHERS = ("csv", "insert_values")
_ROWS_OF_SINGER = 20_000


def run(options: Options) -> Results:
    """Rows a second beside dlt, singer and the wall."""
    python = peers.environment() if options.peers else None
    mine: list[dict[str, Any]] = []
    theirs: dict[str, list[dict[str, Any]]] = {FASTEST: [], ARROW: []}
    wall: list[dict[str, Any]] = []
    others: dict[str, float] = {}
    singer = None
    with fake_moodle(options.rows, plugin=True) as moodle:
        for turn in range(1, options.runs + 1):
            mine.append(pulled(moodle, options.rows, f"sync {turn}/{options.runs}"))
            wall.append(_wall(moodle, options.rows, f"the wall {turn}/{options.runs}"))
            if python:
                for setup, runs in theirs.items():
                    label = f"dlt ({setup}) {turn}/{options.runs}"
                    runs.append(dlt(python, [moodle], options.rows, label, setup=setup))
        if python:
            for setup in _OTHERS:
                found = dlt(python, [moodle], options.rows, f"dlt ({setup})", setup=setup)
                others[setup] = options.rows / found["seconds"]
    if python:
        with fake_moodle(min(_ROWS_OF_SINGER, options.rows), plugin=True) as moodle:
            singer = _singer(python, moodle, min(_ROWS_OF_SINGER, options.rows))
    return _results(options.rows, mine, theirs, wall, singer=singer, others=others)


def dlt(
    python: Path, moodles: list[Moodle], rows: int, label: str, *, size: int = PAGE, setup: str = FASTEST
) -> dict[str, Any]:
    """The sites read by dlt, each into a table of its own, all at once."""
    script = Path(__file__).with_name("dlt_plugin_peer.py")
    sites = json.dumps([(moodle.url, moodle.token) for moodle in moodles])
    with server_for_the_peer() as database:
        found = measured([python, script, sites, str(size), database, setup], label=label)
    if found["rows"] != rows:
        raise MeasurementFailed(f"{label}: {found['rows']} rows instead of {rows}")
    say(f"{label}: {rows / found['seconds']:,.0f} rows/s, {found['megabytes']:.0f} MB")
    return found


def _wall(moodle: Moodle, rows: int, label: str) -> dict[str, Any]:
    with fresh_home() as home:
        found = measured(ours("sync_wall", moodle.url, moodle.token), home=home, label=label)
    if found["rows"] != rows:
        raise MeasurementFailed(f"{label}: {found['rows']} rows instead of {rows}")
    say(f"{label}: {rows / found['seconds']:,.0f} rows/s")
    return found


def _singer(python: Path, moodle: Moodle, rows: int) -> dict[str, Any]:
    script = Path(__file__).with_name("singer_peer.py")
    site = json.dumps([moodle.url, moodle.token, PAGE, 0])
    with server_for_the_peer() as database:
        found = measured([python, script, site, database], label="singer")
    if found["rows"] != rows:
        raise MeasurementFailed(f"singer: {found['rows']} rows instead of {rows}")
    found["rate"] = rows / (found["seconds"] - found["nothing_seconds"])
    say(f"singer: {found['rate']:,.0f} rows/s, and {found['nothing_seconds']:.1f} s for nothing")
    return found


def _results(
    rows: int,
    mine: list[dict[str, Any]],
    theirs: dict[str, list[dict[str, Any]]],
    wall: list[dict[str, Any]],
    *,
    singer: dict[str, Any] | None,
    others: dict[str, float],
) -> Results:
    rates = [rows / one["first_seconds"] for one in mine]
    figures = []
    for setup, name, what in (
        (FASTEST, "sync", f"{rows:,} completions by the plugin's pages into PostgreSQL"),
        (ARROW, "sync_arrow", "the same beside the fastest that dlt can do"),
    ):
        told = [rows / one["seconds"] for one in theirs[setup]]
        figures.append(Figure(name, what, "rows/s", rates, peer(theirs[setup], setup), told, "≥ 4 × dlt").judged(4))
    figures += [
        Figure(
            "sync_singer", "the same beside singer", "rows/s",
            rates, singer and singer["peer"], [singer["rate"]] if singer else [], "≥ 20 × singer",
        ).judged(20),
        Figure(
            "sync_wall", "the same beside the wall: ready bytes, COPY to a temporary table and upsert", "rows/s",
            rates, "psycopg, binary COPY", [rows / one["seconds"] for one in wall], "≥ 0.6 of the wall",
        ).judged(0.6),
        Figure(
            "sync_memory", f"memory of the process at its most, {rows:,} rows", "MB",
            [one["megabytes"] for one in mine], peer(theirs[FASTEST], FASTEST),
            [one["megabytes"] for one in theirs[FASTEST]],
        ),
        Figure(
            "sync_cpu", "processor time of our process for a million rows", "s",
            [one["first_cpu"] / rows * 1e6 for one in mine],
        ),
        Figure(
            "sync_server_cpu", "processor time of PostgreSQL's process for a million rows", "s",
            [one["first_server_cpu"] / rows * 1e6 for one in mine], "at the wall",
            [one["server_cpu"] / rows * 1e6 for one in wall],
        ),
    ]  # fmt: skip
    return Results(figures, [_note(rows, theirs, others, singer)] if singer else [])


def peer(runs: list[dict[str, Any]], setup: str) -> str | None:
    """How dlt stands in the table."""
    return f"{runs[0]['peer']} ({setup})" if runs else None


def _note(rows: int, theirs: dict[str, list[dict[str, Any]]], others: dict[str, float], singer: dict[str, Any]) -> str:
    rates = others | {setup: rows / median(one["seconds"] for one in runs) for setup, runs in theirs.items()}
    told = ", ".join(f"`{setup}` {rate:,.0f}" for setup, rate in sorted(rates.items(), key=lambda one: one[1]))
    return (
        f"Set-ups of dlt on the plugin's pages, rows/s: {told}. singer read {singer['rows']:,} rows in "
        f"{singer['seconds']:.1f} s; the {singer['nothing_seconds']:.1f} s that its two processes take with nothing to "
        "read are not counted against it."
    )
