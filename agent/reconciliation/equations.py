"""The equations, and what it means that one holds. No database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NAMED = 100
"""Differences that a line names; all are counted."""


class Equation(StrEnum):
    """What must be equal, in the order of the way through the house."""

    UPSTREAM = "upstream"
    JUDGED = "judged"
    LEDGER = "ledger"
    EARNED = "earned"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Said:
    """An equation in English: its name, and what its two figures count."""

    name: str
    left: str
    right: str


SAID = {
    Equation.UPSTREAM: Said("LMS = landed", "rows that the source counts", "rows that came"),
    Equation.JUDGED: Said("landed = judged", "completions passed", "matched, or held with one code"),
    Equation.LEDGER: Said("judged = ledger", "achievements", "entries in force"),
    Equation.EARNED: Said("earned = issued", "certificates earned", "issued, or held with a code"),
    Equation.CERTIFICATES: Said(
        "certificates = ledger", "certificates in force", "backed by an entry of the same hours"
    ),
}
KINDS = {
    "not_counted": "the source counts {counted}, {came} came",
    "unjudged": "neither matched nor held",
    "judged_twice": "{matched} matched and {held} held",
    "no_entry": "no entry in force",
    "entries": "{entries} entries in force",
    "entry_of_withdrawn": "taken back, and {entries} in force all the same",
    "not_issued": "earned a certificate and has none",
    "not_backed": "no entry in force stands behind it",
    "other_hours": "says {hours} hundredths, the ledger {recognised}",
}
"""Why a difference is one, in English; the pages have their own words."""


@dataclass(slots=True)
class Figures:
    """One equation of one source, in rows. ``left`` is None where the source does not count what it has."""

    source: int
    equation: Equation
    left: int | None
    right: int
    on_the_way: int = 0
    differing: int = 0
    ids: list[int] = field(default_factory=list)
    run: int | None = None
    named: list[dict[str, Any]] = field(default_factory=list)

    @property
    def equal(self) -> bool | None:
        """Whether the sides agree, one by one and not by chance; None: there is nothing to compare with."""
        return holds(self.left, self.right, self.differing)


def holds(left: int | None, right: int, differing: int) -> bool | None:
    """Whether an equation holds: its figures are equal, and none of its rows stands on one side only."""
    return None if left is None else left == right and not differing


def apart(left: int | None, right: int, differing: int) -> int:
    """How many rows an equation is apart: those named, or where nobody can name them the difference of the figures."""
    return 0 if left is None else max(differing, abs(left - right))


def sentence(difference: dict[str, Any]) -> str:
    """A named difference in one English line; identity numbers and names in it are masked already."""
    who = " ".join(str(difference[key]) for key in ("name", "id_masked", "course", "learned_on") if difference.get(key))
    what = difference.get("number") or (f"{difference['what']} #{difference['id']}" if "id" in difference else "")
    return f"{' '.join(filter(None, (what, who)))}: {KINDS[difference['kind']].format_map(difference)}".lstrip(": ")
