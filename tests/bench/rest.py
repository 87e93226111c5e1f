"""The stages when there is nothing to do and a million rows wait for people."""

from __future__ import annotations

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_ROWS, _EARNED = 1_000_000, 20_000
_LONGEST = 5  # seconds


def run(_: Options) -> Results:
    """A pass that finds nothing, and one that need not look."""
    label = f"stages with {_ROWS:,} rows that wait"
    with fresh_home() as home:
        found = measured(ours("rest_run", _ROWS, _EARNED), home=home, label=label)
    if found["held"] != _ROWS or not found["rested"]:
        raise MeasurementFailed(f"{label}: not what was expected: {found}")
    say(f"{label}: a whole pass {found['pass_seconds']:.1f} s, at rest {found['rest_seconds']:.2f} s")
    figures = [
        Figure(
            "stages_at_rest", f"the stages with {_ROWS:,} rows held, nothing written since the last pass", "s",
            [found["rest_seconds"]], ask=f"≤ {_LONGEST}", met=found["rest_seconds"] <= _LONGEST,
        ),
        Figure("stages_whole_pass", "a whole pass over them that finds nothing", "s", [found["pass_seconds"]]),
        Figure("stages_whole_pass_cpu", "the same, CPU of PostgreSQL's process", "s", [found["pass_server_cpu"]]),
    ]  # fmt: skip
    return Results(figures)
