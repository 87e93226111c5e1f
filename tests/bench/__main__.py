"""`python -m tests.bench`: measure, and write it down. ``--help`` shows what can be chosen."""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.bench import (
    archives,
    evaluate,
    intake,
    issue,
    log,
    pages,
    pdf,
    reevaluate,
    report,
    rest,
    stages,
    sync,
    sync_growth,
    sync_many,
    sync_slow,
    verify_load,
)
from tests.bench.measure import MeasurementFailed, Options, Results, machine, say

_PARTS = {
    "intake": intake.run,
    "sync": sync.run,
    "sync_slow": sync_slow.run,
    "sync_growth": sync_growth.run,
    "sync_many": sync_many.run,
    "stages": stages.run,
    "issue": issue.run,
    "rest": rest.run,
    "pdf": pdf.run,
    "zip": archives.run,
    "verify": verify_load.run,
    "log": log.run,
    "pages": pages.run,
    "evaluate": evaluate.run,
    "reevaluate": reevaluate.run,
}


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=Options().rows, help="completions for intake and sync")
    parser.add_argument("--runs", type=int, default=Options().runs, help="runs of each, of which the median counts")
    parser.add_argument("--only", choices=_PARTS, help="one part; docs/benchmarks.md stays as it is then")
    parser.add_argument(
        "--no-peer", action="store_true", help="without the peers; docs/benchmarks.md stays as it is then"
    )
    chosen = parser.parse_args()
    options = Options(chosen.rows, chosen.runs, not chosen.no_peer)
    about, began = machine(), time.monotonic()
    everything = Results()
    for part in [chosen.only] if chosen.only else _PARTS:
        try:
            found = _PARTS[part](options)
        except MeasurementFailed as error:
            sys.stderr.write(f"{error}\n")
            return 1
        everything.figures += found.figures
        everything.notes += found.notes
    whole = chosen.only is None and options.peers
    report.write(everything.figures, everything.notes, about, options, whole=whole)
    _show(everything)
    say(f"{time.monotonic() - began:.0f} s; var/bench.json" + (" and docs/benchmarks.md" if whole else ""))
    return 0


def _show(results: Results) -> None:
    table = Table(box=None)
    for head in ("", "ours", "unit", "peer", "ratio", "asked"):
        table.add_column(head, justify="right" if head in {"ours", "peer", "ratio"} else "left")
    for one in results.figures:
        peer, ratio = (report.shown(value) if value else "" for value in (one.peer_value, one.ratio))
        mark = {True: " ✓", False: " ✗", None: ""}[one.met]
        table.add_row(one.name, report.shown(one.value), one.unit, peer, ratio, one.ask + mark)
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
