"""Issuing to 100,000 people at once."""

from __future__ import annotations

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_PEOPLE = 100_000
_LEAST = 3_000  # a second of a core
_LONGEST = 60  # seconds


def run(_: Options) -> Results:
    """100,000 certificates numbered, signed, written down, told of and put into the log."""
    label = f"issuing {_PEOPLE:,}"
    with fresh_home() as home:
        found = measured(ours("issue_run", _PEOPLE), home=home, label=label)
    if found["issued"] != _PEOPLE:
        raise MeasurementFailed(f"{label}: not what was expected: {found}")
    mine, server = found["cpu"], found["server_cpu"]
    rate, both = _PEOPLE / mine, _PEOPLE / (mine + server)
    say(f"{label}: {found['seconds']:.1f} s; CPU {mine:.1f} s here and {server:.1f} s in PostgreSQL")
    figures = [
        Figure(
            "issue_rate", "credentials numbered, signed and in PostgreSQL, for a second of our process's CPU",
            "credentials/CPU-s", [rate], ask=f"≥ {_LEAST:,}", met=rate >= _LEAST,
        ),
        Figure(
            "issue_rate_both", "the same for a second of CPU of our process and of PostgreSQL's together",
            "credentials/CPU-s", [both],
        ),
        Figure(
            "issue_seconds", f"{_PEOPLE:,} of them by the clock", "s", [found["seconds"]], ask=f"≤ {_LONGEST}",
            met=found["seconds"] <= _LONGEST,
        ),
        Figure("issue_server_cpu", "CPU of PostgreSQL's process for 1,000 of them", "s", [server / _PEOPLE * 1000]),
        Figure("issue_memory", "memory of our process at its most", "MB", [found["megabytes"]]),
    ]  # fmt: skip
    return Results(figures)
