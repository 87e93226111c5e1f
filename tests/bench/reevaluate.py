"""A year of 100,000 learners judged again under another policy: tried, then one batch."""

from __future__ import annotations

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_PEOPLE, _EACH = 100_000, 10
_SECONDS = 120


def run(_: Options) -> Results:
    """Nothing differs; every day holds less; and back again."""
    label = f"re-evaluation of {_PEOPLE:,} learners"
    with fresh_home() as home:
        found = measured(ours("reevaluate_run", _PEOPLE, _EACH), home=home, label=label)
    if found["tried"]["learners"] != _PEOPLE or found["tried"] != found["done"] or found["again"]["entries"]:
        raise MeasurementFailed(f"{label}: not what was expected: {found}")
    say(f"{label}: tried in {found['tried_seconds']:.1f} s, carried out in {found['done_seconds']:.1f} s")
    figures = [
        Figure(
            "reevaluate_try", f"what another policy would come to for {_PEOPLE:,} learners with {_EACH} courses each", "s",
            [found["tried_seconds"]], ask=f"≤ {_SECONDS}", met=found["tried_seconds"] <= _SECONDS,
        ),
        Figure(
            "reevaluate", f"the same in one batch: {found['written']:,} entries", "s", [found["done_seconds"]],
            ask=f"≤ {_SECONDS}", met=found["done_seconds"] <= _SECONDS,
        ),
        Figure("reevaluate_nothing", "a try that finds no difference", "s", [found["again_seconds"]]),
        Figure("reevaluate_cpu", "CPU of our process for the batch", "s", [found["done_cpu"]]),
        Figure("reevaluate_server_cpu", "CPU of PostgreSQL's process for the batch", "s", [found["done_server_cpu"]]),
        Figure("reevaluate_memory", "memory of our process at its most", "MB", [found["megabytes"]]),
    ]  # fmt: skip
    lose, gain = found["done"]["lose"], found["done"]["gain"]
    return Results(
        figures, [f"The batch moved {lose:,} learners down and {gain:,} up, by a day cap of 6 h in place of 8."]
    )
