"""What the page of rules shows: the policies that there are, a policy's rules, and what a year came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext

from agent.credit.bulk import Rules
from agent.credit.explain import shown_parameters
from agent.credit.policy import policy_files
from agent.credit.policy_model import Policy
from agent.credit.reckoning import Reckoning
from agent.credit.rules import Decision
from agent.home import mappings_folder, region
from agent.portal.words import english

EXAMPLE = """{"achievements": [
  {"id": "1", "kind": "training", "category": "public", "hours": 30, "start": "2024-03-01", "end": "2024-03-10"},
  {"id": "2", "kind": "achievement", "end": "2024-05-20"},
  {"id": "3", "kind": "study", "hours": 45, "start": "2024-01-08", "end": "2024-06-28"}
]}"""
"""A year to begin with."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as a reader sees it. ``ours``: parameters that the notice does not state."""

    id: str
    name: str
    sentence: str
    source: str
    ours: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A decision, its category in the reader's words."""

    decision: Decision
    category: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """Where a category stands, in hundredths."""

    name: str
    credited: int
    required: int
    missing: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a year came to."""

    entries: list[EntryLine]
    lines: list[Line]
    met: bool
    deadline: date
    stamp: str


def known() -> dict[str, Rules]:
    """Every policy by its name (370400/2024); those of this place first, the newest first."""
    folder = mappings_folder()
    names = sorted(((place, int(year)) for place, year, _ in policy_files(folder)), key=lambda each: -each[1])
    names.sort(key=lambda each: each[0] != region())
    return {f"{place}/{year}": Rules(place, year, folder) for place, year in names}


def rules_of(policy: Policy) -> list[RuleLine]:
    """A policy's rules in the reader's language."""
    lines = []
    for rule in policy.rules:
        name, sentence = (rule.name.en, rule.sentence.en) if english() else (rule.name.zh, rule.sentence.zh)
        parameters = shown_parameters(rule)
        silent = {key: value for key, value in parameters.items() if key.split(".")[0] in rule.silent}
        ours = "；".join(f"{key} {value}" for key, value in silent.items() if value not in {"", "-"})
        source = f"{rule.source.document} {rule.source.article}"
        lines.append(RuleLine(rule.id, name, sentence.format_map(parameters), source, ours))
    return lines


def result_of(policy: Policy, found: Reckoning) -> Result:
    """What a year came to, in the reader's language."""
    names = {each.id: each.name.en if english() else each.name.zh for each in policy.categories}
    now = found.standing
    lines = [
        Line(names[key], hours, now.required.get(key, 0), now.missing.get(key, 0))
        for key, hours in now.credited.items()
    ]
    lines.append(Line(gettext("合计"), now.total, now.required["total"], now.missing["total"]))
    entries = [
        EntryLine(each, names.get(each.category, each.category), each.reason_en if english() else each.reason_zh)
        for each in found.entries
    ]
    return Result(entries, lines, now.met, found.deadline, found.policy)
