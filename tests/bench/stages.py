"""The stages behind intake: matching, credit, and issuing."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fake_moodle, fresh_home

_ROWS = 100_000
_LEAST = 20_000


def run(_: Options) -> Results:
    """One way through the house with 10,000 learners of ten courses each."""
    label = "matching, credit, issuing"
    with fake_moodle(_ROWS) as moodle, fresh_home() as home:
        found = measured(ours("stages_run", moodle.url, moodle.token), home=home, label=label)
    if found["issued"] < _LEAST or found["matched"] + sum(found["held"].values()) != _ROWS:
        raise MeasurementFailed(f"{label}: not what was expected: {found}")
    say(
        f"matching {found['matching_seconds']:.1f} s, credit {found['credit_seconds']:.1f} s, "
        f"{found['issued']:,} certificates {found['issuing_seconds']:.1f} s"
    )
    return Results(_figures(found), [_note(found)])


def _figures(found: dict[str, Any]) -> list[Figure]:
    rate = found["issued"] / found["issuing_cpu"]
    per_hundred_thousand = found["issuing_seconds"] / found["issued"] * 100_000
    return [
        Figure("matching", f"matching of {_ROWS:,} rows to people and programmes", "s", [found["matching_seconds"]]),
        Figure(
            "credit", f"hours of {found['learners']:,} learners, {found['entries']:,} entries in the ledger", "s",
            [found["credit_seconds"]],
        ),
        Figure(
            "issuing", "credentials numbered, signed and in PostgreSQL, for a second of our process's CPU",
            "credentials/CPU-s", [rate], ask="≥ 3,000", met=rate >= 3000,
        ),
        Figure("issuing_wall", "the same by the clock", "credentials/s", [found["issued"] / found["issuing_seconds"]]),
        Figure(
            "issuing_100000", "100,000 of them at that rate, by the clock", "s", [per_hundred_thousand], ask="≤ 60",
            met=per_hundred_thousand <= 60,
        ),
        Figure(
            "issuing_server_cpu", "CPU of PostgreSQL's process for 1,000 of them", "s",
            [found["issuing_server_cpu"] / found["issued"] * 1000],
        ),
    ]  # fmt: skip


def _note(found: dict[str, Any]) -> str:
    cpu = {name: (found[f"{name}_cpu"], found[f"{name}_server_cpu"]) for name in ("matching", "credit", "issuing")}
    parts = "; ".join(f"{name} {mine:.1f} s here and {server:.1f} s there" for name, (mine, server) in cpu.items())
    return (
        f"The stages ran over {found['rows']:,} rows: {found['matched']:,} matched, {found['issued']:,} certificates. "
        f"CPU of our process and of PostgreSQL's: {parts}. Memory at its most: {found['megabytes']:.0f} MB."
    )
