"""Intake: the report of a fake Moodle into PostgreSQL, ours and dlt in turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench import peers
from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import Moodle, fake_moodle, fresh_home, server_for_the_peer

_FEW = 20_000


def run(options: Options) -> Results:
    """Rows a second, first and second time; memory for few rows and for many."""
    python = peers.environment() if options.peers else None
    mine: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    with fake_moodle(options.rows) as moodle:
        for turn in range(1, options.runs + 1):
            mine.append(pulled(moodle, options.rows, f"intake {turn}/{options.runs}", report_id="1"))
            if python:
                theirs.append(_dlt(python, moodle, options.rows, f"dlt {turn}/{options.runs}"))
    with fake_moodle(_FEW) as moodle:
        few = pulled(moodle, _FEW, f"intake of {_FEW:,} rows, for its memory", report_id="1")
    return _results(options, mine, theirs, few)


def pulled(moodle: Moodle, rows: int | None, label: str, **options: str) -> dict[str, Any]:
    """Everything pulled twice by our own code, in a process and a house of its own.

    :param rows: that must land; None: whatever there is
    :param options: of the source
    """
    with fresh_home() as home:
        command = ours("intake_run", moodle.url, moodle.token, json.dumps(options))
        found = measured(command, home=home, label=label)
    rows = found["first_rows"] if rows is None else rows
    if (found["first_new"], found["second_new"], found["second_rows"]) != (rows, 0, rows):
        raise MeasurementFailed(f"{label}: not every row landed exactly once: {found}")
    say(f"{label}: {rows / found['first_seconds']:,.0f} rows/s, {found['megabytes']:.0f} MB")
    return found


def _dlt(python: Path, moodle: Moodle, rows: int, label: str) -> dict[str, Any]:
    with server_for_the_peer() as database:
        script = Path(__file__).with_name("dlt_peer.py")
        found = measured([python, script, moodle.url, moodle.token, database], label=label)
    if found["rows"] != rows:
        raise MeasurementFailed(f"{label}: {found['rows']} rows instead of {rows}")
    say(f"{label}: {rows / found['seconds']:,.0f} rows/s, {found['megabytes']:.0f} MB")
    return found


def _results(
    options: Options, mine: list[dict[str, Any]], theirs: list[dict[str, Any]], few: dict[str, Any]
) -> Results:
    rows = options.rows
    peer = f"{theirs[0]['peer']} (rest_api, merge, csv)" if theirs else None
    first = Figure(
        "intake", f"{rows:,} completions from Moodle's report into PostgreSQL", "rows/s",
        [rows / one["first_seconds"] for one in mine], peer, [rows / one["seconds"] for one in theirs], "≥ 3 × dlt",
    )  # fmt: skip
    memory = [one["megabytes"] for one in mine]
    figures = [
        first.judged(3),
        Figure(
            "intake_unchanged", "the same again, nothing changed", "rows/s",
            [rows / one["second_seconds"] for one in mine],
        ),
        Figure(
            "intake_memory", f"memory of the process at its most, {rows:,} rows", "MB",
            memory, peer, [one["megabytes"] for one in theirs], "≤ 150 MB", max(memory) <= 150,
        ),
        Figure(
            "intake_memory_few", f"the same for {_FEW:,} rows", "MB",
            [few["megabytes"]], ask="flat: within 15 %", met=max(memory) <= 1.15 * few["megabytes"],
        ),
        Figure(
            "intake_cpu", "processor time of our process for a million rows", "s",
            [one["first_cpu"] / rows * 1e6 for one in mine],
        ),
        Figure(
            "intake_server_cpu", "processor time of PostgreSQL's process for a million rows", "s",
            [one["first_server_cpu"] / rows * 1e6 for one in mine],
        ),
    ]  # fmt: skip
    return Results(figures)
