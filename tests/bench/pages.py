"""Certificates as pages: drawn and signed, ours and by pyHanko in turns."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import Figure, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_COUNT, _COUNT_OF_PEER = 200, 100


def run(options: Options) -> Results:
    """Signed pages for a second of CPU, and their size."""
    mine: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    for turn in range(1, options.runs + 1):
        mine.append(_run("ours", _COUNT, f"pages {turn}/{options.runs}"))
        if options.peers:
            theirs.append(_run("pyhanko", _COUNT_OF_PEER, f"pyHanko {turn}/{options.runs}"))
    rates = [_COUNT / one["cpu"] for one in mine]
    peer = f"{theirs[0]['name']}, as documented" if theirs else None
    sizes = [one["kilobytes"] for one in mine]
    met = sorted(rates)[len(rates) // 2] >= 20
    figures = [
        Figure(
            "pdf", "certificates drawn and signed (PDF/A-3b, PAdES), for a second of CPU", "PDF/CPU-s",
            rates, peer, [_COUNT_OF_PEER / one["cpu"] for one in theirs], "≥ 20", met,
        ),
        Figure("pdf_size", "size of one", "kB", sizes, peer, [one["kilobytes"] for one in theirs]),
        Figure("pdf_memory", "memory of the process at its most", "MB", [one["megabytes"] for one in mine]),
    ]  # fmt: skip
    return Results(figures)


def _run(how: str, count: int, label: str) -> dict[str, Any]:
    with fresh_home() as home:
        found = measured(ours("page_run", count, how), home=home, label=label)
    say(f"{label}: {count / found['cpu']:.1f} pages a CPU-second, {found['kilobytes']:.0f} kB each")
    return found
