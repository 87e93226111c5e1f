"""What the shape of a policy file can't say: that one part of it contradicts another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from agent.credit.policy_file import Place
from agent.credit.policy_model import (
    CarryOver,
    Catalogue,
    CertificateCategory,
    CertificateIssuer,
    DayCap,
    Policy,
    RequiredCategory,
    RequiredTotal,
    Rounding,
    Rule,
    RuleBase,
    Training,
    YearEnd,
)

ONCE = (RequiredTotal, DayCap, Training, YearEnd, CarryOver, Rounding, CertificateIssuer, CertificateCategory)
"""Kinds of which a policy has exactly one."""
RULES: tuple[type[RuleBase], ...] = (*ONCE, RequiredCategory, Catalogue)

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
    for number, rule in enumerate(policy.rules):
        yield from _words(("rules", number), rule)
        yield from _categories(("rules", number, "parameters"), rule, policy)
        yield from _parameters(("rules", number, "parameters"), rule)
    needed = sum(rule.parameters.hours for rule in policy.of_kind(RequiredCategory))
    total = sum(rule.parameters.hours for rule in policy.of_kind(RequiredTotal))
    if needed > total:
        yield ("rules",), "the categories need more hours than the year", "Correct one of the required hours."
    for number, example in enumerate(policy.examples):
        yield from _twice(("examples", number, "achievements"), [each.id for each in example.achievements], "the id")


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
    for field in ("category", "categories", "filled_by"):
        value = getattr(rule.parameters, field, ())
        for name in (value,) if isinstance(value, str) else value:
            if name not in policy.category_ids:
                known = ", ".join(policy.category_ids)
                yield (*place, field), f"no category of this policy: {name}", f"Write one of {known}."
    if isinstance(rule, RequiredCategory | Catalogue):
        same = [other for other in policy.of_kind(type(rule)) if other.parameters.category == rule.parameters.category]
        if same[0] is not rule:
            yield (*place, "category"), f"rule {same[0].id} already rules this category", "Keep one of the two."


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


def _twice(place: Place, names: Iterable[str], what: str) -> Found:
    for name, number in Counter(names).items():
        if number > 1:
            yield place, f"{what} {name} stands there {number} times", "Keep one of them."
