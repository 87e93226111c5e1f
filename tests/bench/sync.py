"""Sync by the companion plugin's pages: ours, dlt and the wall in turns, and singer once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import peers
from tests.bench.intake import pulled
from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import Moodle, fake_moodle, fresh_home, server_for_the_peer

PAGE = 10_000
"""Rows a call for the peers: as many as the plugin gives. Ours asks as it does when nothing is said."""
ARROW = "arrow"
"""The fastest that we could make of dlt; whoever uses it so writes the source himself."""
_OWN_SOURCE = ("csv", "insert_values", "csv+2")
"""Set-ups with dlt's own source for web services: which is the fastest is looked at first."""
_ROWS_OF_SINGER = 100_000


def run(options: Options) -> Results:
    """Rows a second beside dlt, singer and the wall."""
    python = peers.environment() if options.peers else None
    mine: list[dict[str, Any]] = []
    theirs: dict[str, list[dict[str, Any]]] = {}
    wall: list[dict[str, Any]] = []
    others: dict[str, float] = {}
    singer = None
    with fake_moodle(options.rows, plugin=True) as moodle:
        if python:
            others = tried(python, [moodle], options.rows)
            theirs = {max(others, key=others.__getitem__): [], ARROW: []}
        for turn in range(1, options.runs + 1):
            mine.append(pulled(moodle, options.rows, f"sync {turn}/{options.runs}"))
            wall.append(_wall(moodle, options.rows, f"the wall {turn}/{options.runs}"))
            for setup, runs in theirs.items():
                assert python
                label = f"dlt ({setup}) {turn}/{options.runs}"
                runs.append(dlt(python, [moodle], options.rows, label, setup=setup))
    if python:
        with fake_moodle(min(_ROWS_OF_SINGER, options.rows), plugin=True) as moodle:
            singer = _singer(python, moodle, min(_ROWS_OF_SINGER, options.rows))
    return _results(options.rows, mine, theirs, wall, singer=singer, others=others)


def dlt(python: Path, moodles: list[Moodle], rows: int, label: str, *, setup: str, size: int = PAGE) -> dict[str, Any]:
    """The sites read by dlt, each into a table of its own, all at once."""
    script = Path(__file__).with_name("dlt_plugin_peer.py")
    sites = json.dumps([(moodle.url, moodle.token) for moodle in moodles])
    with server_for_the_peer() as database:
        found = measured([python, script, sites, str(size), database, setup], label=label)
    if found["rows"] != rows:
        raise MeasurementFailed(f"{label}: {found['rows']} rows instead of {rows}")
    say(f"{label}: {rows / found['seconds']:,.0f} rows/s, {found['megabytes']:.0f} MB")
    return found


def tried(python: Path, moodles: list[Moodle], rows: int, size: int = PAGE) -> dict[str, float]:
    """Rows a second of each set-up with dlt's own source."""
    return {
        setup: rows / dlt(python, moodles, rows, f"dlt ({setup}), a trial", setup=setup, size=size)["seconds"]
        for setup in _OWN_SOURCE
    }


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
    asked = Figure("sync", f"{rows:,} completions by the plugin's pages into PostgreSQL", "rows/s", rates)
    figures = beside(asked, theirs, rows)
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
            [one["megabytes"] for one in mine], figures[0].peer,
            [one["megabytes"] for one in next(iter(theirs.values()), [])],
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


def beside(ours: Figure, theirs: dict[str, list[dict[str, Any]]], rows: int) -> list[Figure]:
    """The same figure beside each set-up of dlt: its own source first, then what is the fastest at all."""
    figures = [
        replace(
            ours,
            name=f"{ours.name}_{setup}" if place else ours.name,
            what="the same beside the fastest that we could make of dlt" if place else ours.what,
            peer=f"{runs[0]['peer']} ({setup})",
            peer_runs=[rows / one["seconds"] for one in runs],
            ask="≥ 4 × dlt",
        ).judged(4)
        for place, (setup, runs) in enumerate(theirs.items())
    ]
    return figures or [ours]


def _note(rows: int, theirs: dict[str, list[dict[str, Any]]], others: dict[str, float], singer: dict[str, Any]) -> str:
    rates = others | {setup: rows / median(one["seconds"] for one in runs) for setup, runs in theirs.items()}
    told = ", ".join(f"`{setup}` {rate:,.0f}" for setup, rate in sorted(rates.items(), key=lambda one: one[1]))
    return (
        f"Set-ups of dlt on the plugin's pages, rows/s: {told}. singer read {singer['rows']:,} rows in "
        f"{singer['seconds']:.1f} s; the {singer['nothing_seconds']:.1f} s that its two processes take with nothing to "
        "read are not counted against it."
    )
