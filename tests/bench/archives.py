"""The archive of a programme: memory for few pages and for many."""

from __future__ import annotations

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_FEW, _MANY = 500, 5000
_MOST = 200  # MB


def run(_: Options) -> Results:
    """Memory and time of a ZIP of 5,000 certificates, and of a tenth."""
    found = {}
    for count in (_FEW, _MANY):
        label = f"ZIP of {count:,} certificates"
        with fresh_home() as home:
            found[count] = measured(ours("zip_run", count), home=home, label=label)
        if found[count]["files"] != count:
            raise MeasurementFailed(f"{label}: not what was expected: {found[count]}")
        say(f"{label}: {found[count]['megabytes']:.0f} MB, {found[count]['seconds']:.1f} s")
    few, many = found[_FEW], found[_MANY]
    figures = [
        Figure(
            "zip_memory", f"memory of the process at its most, ZIP of {_MANY:,}", "MB", [many["megabytes"]],
            ask=f"≤ {_MOST} MB", met=many["megabytes"] <= _MOST,
        ),
        Figure("zip_memory_few", f"the same for {_FEW:,}", "MB", [few["megabytes"]]),
        Figure("zip_seconds", f"ZIP of {_MANY:,} stored pages, {many['size']:.0f} MB", "s", [many["seconds"]]),
    ]  # fmt: skip
    return Results(figures)
