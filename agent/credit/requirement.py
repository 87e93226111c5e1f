"""What a year needs: by the policy, by a department's special demand (R27), and less for absences (R18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from agent.credit.policy_kinds import Absence, Precedence
from agent.credit.policy_model import Policy
from agent.credit.secondment import rounded


@dataclass(frozen=True, slots=True)
class Away:
    """Days not in post, both included, and why, as the policy calls it."""

    absence: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the year stands, in hundredths. ``required`` and ``missing`` hold every category and ``total``."""

    credited: Mapping[str, int]
    total: int
    required: Mapping[str, int]
    missing: Mapping[str, int]

    @property
    def met(self) -> bool:
        """Whether the year suffices."""
        return not any(self.missing.values())

    @property
    def public(self) -> int:
        """Credited public hours (公需科目)."""
        return self.credited.get("public", 0)

    @property
    def professional(self) -> int:
        """Credited professional hours (专业科目)."""
        return self.credited.get("professional", 0)


def standing(policy: Policy, credited: Mapping[str, int], required: Mapping[str, int] | None = None) -> Standing:
    """Credited hours of each category (hundredths) against what the year needs (R01-R03).

    ``required``: what this learner needs (`needed`); without it the year's own.
    """
    total = sum(credited.values())
    wanted = required or _plain(policy)
    missing, spare = {}, dict(credited)
    for name, hours in wanted.items():
        if name != "total":
            have = credited.get(name, 0)
            missing[name], spare[name] = max(0, hours - have), max(0, have - hours)
    for name, rule in policy.required.items():
        for giver in rule.parameters.filled_by:
            filled = min(missing[name], spare.get(giver, 0))
            missing[name] -= filled
            spare[giver] -= filled
    missing["total"] = max(0, wanted["total"] - total)
    return Standing(dict(credited), total, dict(wanted), missing)


def _plain(policy: Policy) -> dict[str, int]:
    by_category = {name: rule.parameters.hours for name, rule in policy.required.items()}
    return {**by_category, "total": policy.required_total.parameters.hours}


def needed(policy: Policy, *, series: str = "", absences: Iterable[Away] = ()) -> dict[str, int]:
    """What this learner's year needs, in hundredths, by category and in total.

    R27: the demand of a series takes the place of the year's own. R18: time in post over the days of the year; what is
    lowered is shared by the categories as the rule says (1 : 2), each rounded half up. Absence never grants hours.
    """
    required = _plain(policy)
    special = policy.the(Precedence)
    for demand in special.parameters.demands if special and series else ():
        if demand.series == series:
            required |= {part.category: part.hours for part in demand.required} | {"total": demand.total}
    rule = policy.the(Absence)
    away = _days_away(policy, rule, absences) if rule else 0
    if rule is None or not away:
        return required
    its = rule.parameters
    all_days = (date(policy.year, 12, 31) - date(policy.year, 1, 1)).days + 1
    parts = sum(part.parts for part in its.split)
    lowered = dict(required)
    for part in its.split:
        needs = required.get(part.category, 0)
        left = needs * all_days * parts - required["total"] * away * part.parts
        lowered[part.category] = max(0, rounded(left, all_days * parts, its.round_to))
    categories = [name for name in required if name != "total"]
    beyond = required["total"] - sum(required[name] for name in categories)  # what no category asks for
    rest = rounded(beyond * (all_days - away), all_days, its.round_to)
    return lowered | {"total": rest + sum(lowered[name] for name in categories)}


def _days_away(policy: Policy, rule: Absence, absences: Iterable[Away]) -> int:
    """Days of the year that count as absence: those of each reason together, where they are long enough."""
    by_reason: dict[str, set[date]] = {}
    for away in absences:
        first, last = max(away.start, date(policy.year, 1, 1)), min(away.end, date(policy.year, 12, 31))
        days = {first + timedelta(number) for number in range((last - first).days + 1)}
        by_reason.setdefault(away.absence, set()).update(days)
    counted: set[date] = set()
    for reason in rule.parameters.reasons:
        days = by_reason.get(reason.absence, set())
        if days and _longer(days, reason.longer_than_months):
            counted |= days
    return len(counted)


def _longer(days: set[date], months: int) -> bool:
    """Whether days are more than so many months: whole months of each stretch, the rest in months of 30 days."""
    if not months:
        return True
    total = 0
    for day in sorted(days):
        if day - timedelta(1) in days:
            continue
        whole, begin = 0, day
        while _until(begin, whole + 1, days):
            whole += 1
        rest = _later(begin, whole)
        while rest in days:
            total += 1
            rest += timedelta(1)
        total += 30 * whole
    return total > 30 * months


def _until(begin: date, months: int, days: set[date]) -> bool:
    """Whether every day from ``begin`` on for so many months is there."""
    end = _later(begin, months)
    return all(begin + timedelta(number) in days for number in range((end - begin).days))


def _later(day: date, months: int) -> date:
    """The same day of a later month; where that month is shorter, the first of the next."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)
