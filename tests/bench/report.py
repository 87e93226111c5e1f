"""What was measured, for machines (`var/bench.json`) and for people (`docs/benchmarks.md`, and a table here)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench.measure import ROOT, Figure, Options, commit

_JSON = ROOT / "var" / "bench.json"
_PAGE = ROOT / "docs" / "benchmarks.md"
_INTRODUCTION = """# How fast, how large

Written by `make bench`; do not edit. Figures of one machine on one day: **ratios carry over, absolute figures do not**.
"""
_METHOD = """## Method

- Every figure comes from a process of its own in a fresh home, on its own private PostgreSQL as it is shipped (durable:
  `fsync` and `synchronous_commit` on). Ours and the peer take turns; a cell shows the median, and behind it every run.
- **Intake**: a fake Moodle (`connectors.testing.fake_moodle`), itself a process, serves the custom report in pages of
  5,000 rows. Ours is `agent.intake.sync.pull` as `xueshi sync` calls it: windows of time, every row held against its
  window and validated, identity numbers judged and sealed, versions compared, raw rows sealed and kept. The clock runs
  from before the first call until the run is closed; processes, servers and tables are there before.
- **dlt** reads the same pages of the same process by page number (`rest_api`), merges them by key from CSV files (the
  fastest of its set-ups that we found) into the same build of PostgreSQL with the same settings, over the same kind of
  socket. It stores the cells as text and does none of the above. Rows come as lists of cells, so a `processing_steps` map
  names them. Its clock runs over `extract`, `normalize` and `load`.
- **Memory** is the most that the process ever had resident (`VmHWM`), Python and Django included.
- **Stages**: 10,000 people with ten courses each go through matching, credit and issuing, once, by the product's own
  functions; every course is filed, three in four as professional. CPU is that of our process; PostgreSQL's own is told
  beside it.
- **Pages**: the certificate's page with its credential attached, drawn and signed one after another on one core, caches
  warm. pyHanko signs the same page of the same typesetter, kept ready, loading its PKCS#12 for each signature as in its
  documentation.
- The peers are installed into `.bench/` from `tests/bench/requirements-peers.lock` for this purpose only; nothing of them
  is shipped.
"""


def write(
    figures: Sequence[Figure], notes: Sequence[str], machine: dict[str, str], options: Options, *, whole: bool
) -> None:
    """Write the results; the page only after a ``whole`` bench, because it shows one day as a whole."""
    known = json.loads(_JSON.read_text(encoding="utf-8")) if _JSON.exists() and not whole else {}
    known |= {one.name: _entry(one) for one in figures}
    _JSON.parent.mkdir(parents=True, exist_ok=True)
    _JSON.write_text(json.dumps(known, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if whole:
        _PAGE.parent.mkdir(exist_ok=True)
        _PAGE.write_text(_page(figures, notes, machine, options), encoding="utf-8")


def _entry(figure: Figure) -> dict[str, object]:
    return {
        "value": _rounded(figure.value), "unit": figure.unit, "peer": figure.peer,
        "peer_value": _rounded(figure.peer_value), "ratio": _rounded(figure.ratio),
    }  # fmt: skip


def _page(figures: Sequence[Figure], notes: Sequence[str], machine: dict[str, str], options: Options) -> str:
    lines = [_INTRODUCTION, "| what | unit | ours | peer | ratio | asked |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells(one))} |" for one in figures]
    lines += ["", *(f"{note}\n" for note in notes), "## Where and when", ""]
    day = datetime.now(UTC)
    lines += [f"- date: {day:%Y-%m-%d %H:%M} UTC, commit `{commit()}`, {options.runs} runs"]
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    return "\n".join([*lines, "", _METHOD])


def cells(figure: Figure) -> list[str]:
    """A figure as a line of a table."""
    peer = f"{_all(figure.peer_runs)}<br>{figure.peer}" if figure.peer_runs else "–"
    asked = figure.ask + {True: " ✓", False: " ✗", None: ""}[figure.met]
    ratio = f"**{figure.ratio:.2f}**" if figure.ratio else "–"
    return [f"{figure.what} (`{figure.name}`)", figure.unit, _all(figure.runs), peer, ratio, asked or "–"]


def _all(runs: Sequence[float]) -> str:
    middle = sorted(runs)[len(runs) // 2]
    return shown(middle) + (f" ({', '.join(map(shown, runs))})" if len(runs) > 1 else "")


def shown(value: float) -> str:
    """A value with three figures that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
