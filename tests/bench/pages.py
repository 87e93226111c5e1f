"""Every page of the portal, asked in a city with a million completions."""

from __future__ import annotations

import statistics
from typing import Any

from tests.bench.measure import Figure, MeasurementFailed, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_ROWS = 1_000_000
_MOST = 200  # ms
_SLOWEST = 10


def run(_: Options) -> Results:
    """How long the slowest page takes; what is downloaded (workbooks, PDFs, archives, pictures) apart."""
    label = f"every page of the portal with {_ROWS:,} completions"
    with fresh_home() as home:
        found = measured(ours("pages_run", _ROWS), home=home, label=label)
    wrong = [one for one in found["pages"] if not one["right"]]
    if wrong or found["size"]["completions"] != _ROWS:
        raise MeasurementFailed(f"{label}: not what was expected: {found['size']} {wrong[:3]}")
    pages, files = _slowest_first(found["pages"], page=True), _slowest_first(found["pages"], page=False)
    say(f"{label}: made in {found['made']:.0f} s, {len(pages)} pages, the slowest {_told(pages[0])}")
    slowest = _median(pages[0])
    figures = [
        Figure(
            "pages", f"the slowest of {len(pages)} pages (address and who asks) with {_ROWS:,} completions", "ms",
            [slowest], ask=f"≤ {_MOST} ms", met=slowest <= _MOST,
        ),
        Figure("pages_median", "the median of them", "ms", [statistics.median(map(_median, pages))]),
        Figure("pages_queries", "the most queries that one of them asks", "", [max(one["queries"] for one in pages)]),
        Figure("pages_files", f"the slowest of {len(files)} downloads", "ms", [_median(files[0])]),
    ]  # fmt: skip
    return Results(figures, [_note(found["size"], pages, files)])


def _note(size: dict[str, int], pages: list[dict[str, Any]], files: list[dict[str, Any]]) -> str:
    city = ", ".join(f"{count:,} {what}" for what, count in size.items())
    return f"The city whose pages were asked: {city}. The slowest pages: {_list(pages)}. The slowest downloads: {_list(files)}."


def _list(asked: list[dict[str, Any]]) -> str:
    """The slowest, each address once, as whoever waited longest for it."""
    once: dict[str, dict[str, Any]] = {}
    for one in asked:
        once.setdefault(one["name"], one)
    return "; ".join(map(_told, list(once.values())[:_SLOWEST]))


def _told(one: dict[str, Any]) -> str:
    return f"`{one['name']}` ({one['who']}) {_median(one):.0f} ms, {one['queries']} queries"


def _slowest_first(asked: list[dict[str, Any]], *, page: bool) -> list[dict[str, Any]]:
    return sorted((one for one in asked if one["page"] == page), key=_median, reverse=True)


def _median(one: dict[str, Any]) -> float:
    return statistics.median(one["ms"])
