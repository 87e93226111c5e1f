"""Learners' years as JSON lines, made the same on each machine: for the bench of `xueshi credit evaluate`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

_KINDS = ("training",) * 12 + (
    "study",
    "exam",
    "achievement",
    "competition",
    "expert_activity",
    "secondment",
    "transfer",
)
_FIRST = date(2024, 1, 1)


def made(learners: int, achievements: int, seed: int = 24) -> Iterator[dict[str, Any]]:
    """So many learners with so many achievements each, six in ten of them trainings."""
    chance = random.Random(seed)  # noqa: S311 - the same on each machine
    for number in range(learners):
        rows = [_row(chance, place) for place in range(achievements)]
        chance.shuffle(rows)
        year: dict[str, Any] = {"learner": {"id": f"L{number:06d}"}, "achievements": rows}
        if number % 50 == 0:
            year["absences"] = [{"kind": "maternity_leave", "start": "2024-03-01", "end": "2024-08-05"}]
        if number % 20 == 0:
            year["title_application"] = {"filing_date": "2024-09-20"}
        yield year


def _row(chance: random.Random, place: int) -> dict[str, Any]:
    kind = chance.choice(_KINDS)
    start = _FIRST + timedelta(chance.randrange(330))
    end = start + timedelta(chance.randrange(20))
    row: dict[str, Any] = {"id": f"a{place}", "kind": kind, "start": f"{start}", "end": f"{end}"}
    if kind in {"training", "study", "transfer", "expert_activity"}:
        row |= {"category": chance.choice(("public", "professional")), "hours": chance.randrange(2, 49) / 2}
    if kind == "training":
        row |= {"source": f"lms{chance.randrange(9)}", "course": f"P{chance.randrange(400)}", "filed_hours": 16}
        if chance.random() < 0.15:
            days = sorted({min(start + timedelta(chance.randrange(20)), end) for _ in range(3)})
            row["sessions"] = [{"date": f"{day}", "hours": 4} for day in days]
    if kind in {"exam", "achievement", "competition"}:
        row["evidence"] = [{"type": "certificate", "sha256": f"{chance.getrandbits(128):032x}"}]
    return row


def write(path: Path, learners: int, achievements: int) -> None:
    """Write them to a file, one a line."""
    with path.open("wb") as file:
        for year in made(learners, achievements):
            file.write(orjson.dumps(year) + b"\n")
