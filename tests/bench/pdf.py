"""Certificates as pages: drawn and signed, ours and by peers in turns."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import peers
from tests.bench.measure import Figure, Options, Results, measured, ours, say
from tests.bench.servers import fresh_home

_COUNT = 400
_PEERS = {"pyhanko": 200, "reportlab": 200, "weasyprint": 60}  # pages: enough for a rate
_PEER_FILE = Path(__file__).with_name("pdf_peer.py")
_LEAST, _MOST_KB = 90, 60


def run(options: Options) -> Results:
    """Signed pages for a second of CPU, and their size."""
    found: dict[str, list[dict[str, Any]]] = {}
    python = peers.environment() if options.peers else None
    with tempfile.TemporaryDirectory(prefix="xueshi-bench-") as folder:
        file = Path(folder) / "pages"
        _run("write", max(_PEERS.values()), "what the pages say", file)
        for turn in range(1, options.runs + 1):
            for how in ("classic", "modern"):
                found.setdefault(how, []).append(_run(how, _COUNT, f"{how} {turn}/{options.runs}"))
            for how, count in _PEERS.items() if python else ():
                label = f"{how} {turn}/{options.runs}"
                if how == "pyhanko":
                    found.setdefault(how, []).append(_run(how, count, label))
                else:
                    command = [python, _PEER_FILE, how, file, str(count)]
                    found.setdefault(how, []).append(_told(measured(command, label=label), label))
    return Results(list(_figures(found)))


def _figures(found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    mine = found["classic"]
    rates, sizes = _rates(mine), [one["kilobytes"] for one in mine]
    figures = []
    what = "certificates drawn and signed (PDF/A-3b, PAdES), for a second of CPU"
    met = median(rates) >= _LEAST
    for how in [how for how in _PEERS if how in found] or [""]:
        name = {"": "pdf", "pyhanko": "pdf"}.get(how, f"pdf_{how}")
        theirs = found.get(how, [])
        note = {"pyhanko": ", as documented"}.get(how, ", unsigned")
        peer = theirs[0]["name"] + note if theirs else None
        asked = f"≥ {_LEAST}" if name == "pdf" else ""
        figures.append(Figure(name, what, "PDF/CPU-s", rates, peer, _rates(theirs), asked, met if asked else None))
    modern = _rates(found["modern"])
    met = median(modern) >= _LEAST
    figures.append(
        Figure("pdf_modern", "the same, the portrait template", "PDF/CPU-s", modern, ask=f"≥ {_LEAST}", met=met)
    )
    theirs = found.get("weasyprint", [])
    for name, each in (("pdf_size", sizes), ("pdf_modern_size", [one["kilobytes"] for one in found["modern"]])):
        small = median(each) <= _MOST_KB
        peer = theirs[0]["name"] if theirs and name == "pdf_size" else None
        against = [one["kilobytes"] for one in theirs] if peer else []
        figures.append(Figure(name, "size of one", "kB", each, peer, against, f"≤ {_MOST_KB}", small))
    memory = [one["megabytes"] for one in mine]
    against = [one["megabytes"] for one in theirs]
    peer = theirs[0]["name"] if theirs else None
    figures.append(Figure("pdf_memory", "memory of the process at its most", "MB", memory, peer, against))
    return figures


def _rates(runs: list[dict[str, Any]]) -> list[float]:
    return [one["pages"] / one["cpu"] for one in runs]


def _run(how: str, count: int, label: str, file: Path | None = None) -> dict[str, Any]:
    with fresh_home() as home:
        done = measured(ours("pdf_run", count, how, *([file] if file else [])), home=home, label=label)
    return _told(done, label) if "cpu" in done else done


def _told(done: dict[str, Any], label: str) -> dict[str, Any]:
    say(f"{label}: {done['pages'] / done['cpu']:.1f} pages a CPU-second, {done['kilobytes']:.0f} kB each")
    return done
