"""What the shape of a policy file can't say: that one part of it contradicts another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from agent.credit.asked import faults
from agent.credit.asking import unfit
from agent.credit.policy_file import Place
from agent.credit.policy_kinds import (
    Absence,
    Auditor,
    AutomaticDelivery,
    Counting,
    Declaration,
    Evidence,
    Precedence,
    ProfessionalScope,
    Secondment,
    TitleDeadline,
)
from agent.credit.policy_model import Policy, Rule
from agent.credit.policy_rules import (
    CarryOver,
    Catalogue,
    CertificateCategory,
    CertificateIssuer,
    DayCap,
    RequiredCategory,
    RequiredTotal,
    Rounding,
    Training,
    YearEnd,
)
from agent.credit.policy_types import RuleBase
from agent.credit.reasons import hours_text

ONCE = (RequiredTotal, DayCap, Training, YearEnd, CarryOver, Rounding, CertificateIssuer, CertificateCategory)
"""Kinds of which a policy has exactly one."""
AT_MOST_ONCE = (
    ProfessionalScope, AutomaticDelivery, Declaration, Secondment, Absence, TitleDeadline, Evidence, Auditor,
    Precedence,
)  # fmt: skip
RULES: tuple[type[RuleBase], ...] = (*ONCE, *AT_MOST_ONCE, RequiredCategory, Catalogue, Counting)

Found = Iterator[tuple[Place, str, str]]
"""Place, sentence, fix."""


def kind_of(rule: type[RuleBase]) -> str:
    """The word that a file writes for a kind of rule."""
    return str(get_args(rule.model_fields["kind"].annotation)[0])


def contradictions(policy: Policy) -> Found:
    """Place, sentence and fix of each thing in a policy that contradicts another."""
    if not policy.version.startswith(f"{policy.region}/{policy.year}."):
        yield ("version",), "not of this region and year", f"Write {policy.region}/{policy.year}.1 or a later number."
    yield from _twice(("categories",), policy.category_ids, "the category")
    yield from _twice(("rules",), [rule.id for rule in policy.rules], "the rule")
    for kind in ONCE:
        number = len(policy.of_kind(kind))
        if number != 1:
            yield ("rules",), f"{number} rules of kind {kind_of(kind)}", "A policy has exactly one of them."
    for other in AT_MOST_ONCE:
        if (number := len(policy.of_kind(other))) > 1:
            yield ("rules",), f"{number} rules of kind {kind_of(other)}", "A policy has one of them at most."
    for number, rule in enumerate(policy.rules):
        yield from _words(("rules", number), rule)
        yield from _categories(("rules", number, "parameters"), rule, policy)
        yield from _parameters(("rules", number, "parameters"), rule)
        yield from _of_kinds(("rules", number, "parameters"), rule, policy)
    needed = sum(rule.parameters.hours for rule in policy.of_kind(RequiredCategory))
    total = sum(rule.parameters.hours for rule in policy.of_kind(RequiredTotal))
    if needed > total:
        yield ("rules",), "the categories need more hours than the year", "Correct one of the required hours."
    for number, example in enumerate(policy.examples):
        for where, sentence, fix in faults(example.asked) or unfit(policy, example.asked):
            yield ("examples", number, *where), sentence, fix


def _words(place: Place, rule: Rule) -> Found:
    parameters = type(rule.parameters).model_fields
    for position, name in enumerate(rule.silent):
        if name not in parameters:
            yield (*place, "silent", position), "no parameter of this rule", "Name a parameter."
    for language in ("zh", "en"):
        try:
            getattr(rule.sentence, language).format_map(dict.fromkeys(parameters, ""))
        except (KeyError, ValueError, IndexError, AttributeError):
            fix = f"In braces only {', '.join(parameters)}."
            yield (*place, "sentence", language), "the sentence shows a parameter that is not there", fix


def _categories(place: Place, rule: Rule, policy: Policy) -> Found:
    for field, names in _named(rule.parameters):
        for name in names:
            if name not in policy.category_ids:
                known = ", ".join(policy.category_ids)
                yield (*place, *field), f"no category of this policy: {name}", f"Write one of {known}."
    if isinstance(rule, RequiredCategory | Catalogue):
        same = [other for other in policy.of_kind(type(rule)) if other.parameters.category == rule.parameters.category]
        if same[0] is not rule:
            yield (*place, "category"), f"rule {same[0].id} already rules this category", "Keep one of the two."


def _named(part: Any) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Where the parameters of a rule name categories."""
    for field in ("category", "categories", "filled_by"):
        value = getattr(part, field, ())
        if value:
            yield (field,), (value,) if isinstance(value, str) else value
    for field in ("full_year", "split", "required", "demands"):
        for number, inner in enumerate(getattr(part, field, ())):
            for place, names in _named(inner):
                yield (field, number, *place), names


def _parameters(place: Place, rule: Rule) -> Found:
    if isinstance(rule, RequiredCategory) and rule.parameters.category in rule.parameters.filled_by:
        yield (*place, "filled_by"), "a category can't fill itself", "Remove it."
    if isinstance(rule, Catalogue):
        yield from _twice((*place, "subjects"), rule.parameters.subjects, "the subject")
    if isinstance(rule, YearEnd) and rule.parameters.done_by != "12-31":
        # Hours are assigned to years by the calendar year of learned_on; another end would leave days to no year.
        yield (*place, "done_by"), "a credit year is the calendar year", 'Write "12-31".'
    if isinstance(rule, DayCap) and not 0 < rule.parameters.hours_per_day <= 24 * 100:
        yield (*place, "hours_per_day"), "a day has 24 hours", "Write more than 0 and at most 24."


def _of_kinds(place: Place, rule: Rule, policy: Policy) -> Found:
    """What contradicts itself, or another rule, in the rules of `agent.credit.policy_kinds`."""
    if isinstance(rule, Counting):
        yield from _counting(place, rule, policy)
    if isinstance(rule, Secondment | Absence):
        field = "full_year" if isinstance(rule, Secondment) else "split"
        yield from _twice((*place, field), [part.category for part in getattr(rule.parameters, field)], "the category")
    if isinstance(rule, Absence):
        yield from _twice((*place, "reasons"), [each.absence for each in rule.parameters.reasons], "the absence")
        if not sum(part.parts for part in rule.parameters.split):
            yield (*place, "split"), "no category has a part", "Give at least one of them a part."
    if isinstance(rule, Evidence):
        yield from _twice((*place, "types"), [each.achievement for each in rule.parameters.types], "the kind")
        yield from _twice((*place, "parts"), [each.type for each in rule.parameters.parts], "the type")
    if isinstance(rule, CarryOver) and rule.parameters.most and not rule.parameters.allowed:
        yield (*place, "most"), "nothing is carried over, and yet so much", "Write 0, or allow it."
    if isinstance(rule, Precedence):
        yield from _twice((*place, "demands"), [each.series for each in rule.parameters.demands], "the series")
        for number, demand in enumerate(rule.parameters.demands):
            if sum(part.hours for part in demand.required) > demand.total:
                yield (*place, "demands", number, "total"), "its categories need more", "Correct one of the hours."


def _counting(place: Place, rule: Counting, policy: Policy) -> Found:
    its, cap = rule.parameters, policy.of_kind(DayCap)
    same = [other for other in policy.of_kind(Counting) if other.parameters.achievement == its.achievement]
    if same[0] is not rule:
        yield (*place, "achievement"), f"rule {same[0].id} already rules this kind", "Keep one of the two."
    if its.share_day_cap and its.hours_per_day is not None:
        fix = "Write share_day_cap: false, or leave hours_per_day out."
        yield (*place, "hours_per_day"), "it shares the day cap, and has one of its own", fix
    if its.hours_per_day is not None and not 0 < its.hours_per_day <= 24 * 100:
        yield (*place, "hours_per_day"), "a day has 24 hours", "Write more than 0 and at most 24."
    for each in (its.each, *(other.each for other in its.prevailing)):
        if each is None:
            continue
        if its.per_year is not None and each > its.per_year:
            fix = "Correct each, or per_year."
            yield (*place, "each"), f"one item has {hours_text(each)} h, and a year {hours_text(its.per_year)}", fix
        if its.share_day_cap and cap and each > cap[0].parameters.hours_per_day:
            fix = f"Write share_day_cap: false, or see to {cap[0].id}."
            yield (*place, "each"), f"one item has {hours_text(each)} h, and {cap[0].id} lets no day hold them", fix
    if its.prevailing and its.each is None:
        yield (
            (*place, "prevailing"),
            "hours of an item, and the kind counts actual hours",
            "Give each, or leave it out.",
        )
    yield from _twice((*place, "prevailing"), [other.level for other in its.prevailing], "the level")


def _twice(place: Place, names: Iterable[str], what: str) -> Found:
    for name, number in Counter(names).items():
        if number > 1:
            yield place, f"{what} {name} stands there {number} times", "Keep one of them."
