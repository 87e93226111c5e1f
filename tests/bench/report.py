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
- **Sync**: the same fake Moodle with the companion plugin serves rows as objects or by columns, behind a cursor. Ours is
  the same `pull`, by columns as it takes them where the plugin has them; it asks for 5,000 rows a call, as it does when nothing is said, the peers for 10,000, the most that the plugin
  gives. *dlt* (`csv`, `insert_values`; `csv+2` normalises with two processes) is its `rest_api` source with a paginator
  of a few lines, merged by the row's number; each is tried once, and the fastest stands in the table. *dlt* (`arrow`) is the fastest
  that we could make of it: a resource of one's own asks for columns as ours does and makes tables of pyarrow of them,
  which dlt writes without looking into them. We know of no faster one, and hold ours against both. *singer* is a tap of singer-sdk piped into
  target-postgres with `use_copy`, over at most 20,000 rows; the time that its two processes take to start is measured
  with nothing to read, and taken off.
- **The wall**: psycopg writes the product's own rows, ready as bytes, into the product's own table with its indexes:
  binary COPY into a temporary table made beforehand, then one upsert, page by page in transactions like ours. It asks no
  server, reads no JSON, judges, seals and hashes nothing, and keeps no raw rows.
- **Slow sources**: four processes serve two sources each, 1,000 rows a call, 50 ms before each answer, for ours and dlt
  alike. Ours are two processes of four threads that call `pull`, as two workers do; dlt reads all eight resources in
  parallel (`parallelized`) in one pipeline. The stages behind a pull are not part of it, for neither.
- **Growth**: one server with all rows; fewer of them are read with the option `since`, so that the server is the same for
  each. The ratio is that of seconds a row. With everything known the same is pulled again in full, which compares digests;
  the table was written a moment before and nobody has vacuumed it by hand.
- **Many sources**: `xueshi serve --clock` and two `xueshi serve --worker --concurrency 4` as a person starts them; sources
  that nobody ever asked fall due all at once, without the jitter that usually spreads them. The workers do what they
  always do, the stages after the pulls too. Waits are from the queue's own record, from asked for to begun; depth is
  that of pulls, looked at four times a second.
- **Memory** is the most that the process ever had resident (`VmHWM`), Python and Django included.
- **Stages**: 10,000 people with ten courses each go through matching, credit and issuing, once, by the product's own
  functions; every course is filed, three in four as professional. CPU is that of our process; PostgreSQL's own is told
  beside it.
- **Issuing**: 100,000 people of five programmes have earned a certificate (made by SQL, intake is not measured here).
  The stage issues to all of them: number, signature, event, notice, place in the status lists, leaf and nodes of the
  transparency log, in transactions of 2,000. PostgreSQL's CPU is that of the session's process.
- **Rest**: a million completions of a course that nobody mapped wait, and 20,000 certificates were issued, all made by
  SQL. One process goes through the stages until there is nothing to do, and then once more.
- **Pages of the portal**: a city in its year, written by SQL (`tests/bench/city.py`): a million completions of 100,000
  people from 300 sources, of which one has a fifth; what follows from them came from the product's own stages. One
  process asks every address of `tests/portal/doors.py` as everybody who may, six times over, by Django's own test client
  with all middleware; the first is not counted, the median of the others is. No network, no second reader.
- **Rules**: `xueshi credit evaluate` as a person calls it reads a file of a line for each learner and writes the answers to
  another; the clock runs from the start of the process to its end, and memory is the sum over all of its processes.
- **PDF**: the certificate's page with its credential attached, drawn and signed one after another on one core, caches
  warm; 400 pages of the shipped templates. *pyHanko* signs the same page of the same typesetter, kept ready, loading its
  PKCS#12 for each signature as in its documentation. *reportlab* (a canvas as in its user guide, HanaMin as TrueType, its
  own QR widget, a plain frame for the border; no PDF/A, no attachment) and *WeasyPrint* (HTML and CSS, PDF/A-3b, the
  credential attached; border, seal and QR code given to it as ready SVG) draw the same texts, and do not sign.
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
