"""The public log with 100,000 entries: appending, auditing, proving."""

from __future__ import annotations

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fake_moodle, fresh_home

_ROWS = 8_000
_ENTRIES = 100_000


def run(_: Options) -> Results:
    """Seconds, milliseconds of a proof, and memory."""
    with fresh_home() as home, fake_moodle(_ROWS) as moodle:
        found = measured(ours("log_run", moodle.url, moodle.token, _ENTRIES), home=home, label="a log of 100,000")
    if found["entries"] < _ENTRIES or found["findings"]:
        raise MeasurementFailed(f"the log is not what was expected: {found}")
    say(f"log: {found['append']:,.0f} appended a second, audited in {found['audit']:.1f} s")
    what = f"public log of {found['entries']:,}"
    return Results([
        Figure("log_append", f"{what}: entries appended (tree only)", "/CPU s", [found["append"]]),
        Figure("log_record", f"{what}: steps written down with event, notice and tree", "/s", [found["record"]]),
        Figure("log_audit", f"{what}: audited, all hashes and {found['heads']} heads", "s", [found["audit"]]),
        Figure("log_audit_cpu", "the same, processor time beside the database's", "s", [found["audit_cpu"]]),
        Figure("log_proof", f"{what}: an inclusion proof, half of them within", "ms", [found["proof"]]),
        Figure("log_consistency", f"{what}: a consistency proof, half of them within", "ms", [found["consistency"]]),
        Figure("log_memory", f"{what}: memory of the process at its most", "MB", [found["megabytes"]]),
    ])  # fmt: skip
