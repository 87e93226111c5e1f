"""Secondments by month (R17): a calendar month counts when enough of its days are in one, and it counts once."""

from __future__ import annotations

from datetime import date, timedelta

from agent.credit.days import Demand
from agent.credit.errors import AchievementInvalid
from agent.credit.policy_kinds import Secondment
from agent.credit.policy_model import Policy
from agent.credit.worth import Achievement, Worth

_MONTHS = 12


def rounded(numerator: int, denominator: int, step: int) -> int:
    """``numerator / denominator`` hundredths, half up to the next ``step``: exact, without a fraction in between."""
    return (2 * numerator + denominator * step) // (2 * denominator * step) * step


class Months:
    """The months of a year that count, one secondment after another."""

    def __init__(self, policy: Policy) -> None:
        rule = policy.the(Secondment)
        if rule is None:
            raise AchievementInvalid(id="?", reason=f"{policy.version} has no rule for secondments")
        self.rule, self.its, self.year = rule, rule.parameters, policy.year
        self.days: dict[int, set[date]] = {}

    def take(self, each: Achievement, *, counts: bool) -> list[Worth]:
        """What it is worth in each category: the months that count by it and did not before.

        *Claimed* are all months that it touches; a month of a few days is claimed, and not credited.
        """
        first = max(each.started_on or each.learned_on, date(self.year, 1, 1))
        before, touched = self.counted(), {day.month for day in _between(first, each.learned_on)}
        if counts:
            for day in _between(first, each.learned_on):
                self.days.setdefault(day.month, set()).add(day)
        after = self.counted() if counts else before
        days, worths = (each.learned_on - first).days + 1, []
        for part in self.its.full_year:
            got = self.hours(part.hours, after) - self.hours(part.hours, before)
            claimed = max(got, self.hours(part.hours, len(touched)))
            more = {"months": str(after - before), "touched": str(len(touched)), "least": str(self.its.days_of_a_month)}
            code = "secondment" if after - before == len(touched) else "secondment_months"
            last = each.learned_on.toordinal()
            worths.append(
                Worth(
                    part.category, claimed, got, code, self.rule.id, Demand(last, last, got), days, 0, self.rule.id,
                    more=more,
                )
            )  # fmt: skip
        return worths

    def counted(self) -> int:
        """How many months count by now."""
        return sum(len(days) >= self.its.days_of_a_month for days in self.days.values())

    def hours(self, full_year: int, months: int) -> int:
        """Hours of so many months."""
        return full_year if months == _MONTHS else rounded(full_year * months, _MONTHS, self.its.round_to)


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(number) for number in range((last - first).days + 1)]
