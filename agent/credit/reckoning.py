"""A learner's whole year: achievements, absences and a title application in; entries, standing and deadline out.

Pure, as all of the rules: what the year's rows come to is `agent.credit.rules.evaluate`; here is what stands around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from agent.credit.policy_kinds import AutomaticDelivery, Declaration, TitleDeadline
from agent.credit.policy_model import Policy
from agent.credit.reasons import hours_text
from agent.credit.requirement import Away, Standing, needed, standing
from agent.credit.rules import Achievement, Decision, evaluate
from agent.programmes import workdays

CARRIED = "carried_over"
"""The id of the entries that stand for last year's surplus."""


@dataclass(frozen=True, slots=True)
class LearnerYear:
    """Everything that is known of a learner's year. Hours in hundredths."""

    achievements: tuple[Achievement, ...] = ()
    absences: tuple[Away, ...] = ()
    filing_date: date | None = None  # of an application for a title
    series: str = ""
    freelancer: bool = False
    carried_over: Mapping[str, int] | None = None
    proofs: tuple[tuple[str, str], ...] = ()  # place and hash of each file that it rests on


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What it comes to. ``for_title``: where the year stood on the deadline; only for who applies for a title."""

    policy: str
    entries: tuple[Decision, ...]
    standing: Standing
    deadline: date
    for_title: Standing | None


def reckon(policy: Policy, year: LearnerYear) -> Reckoning:
    """Judge a whole year (R01-R28).

    :raises AchievementInvalid: something in it can't be judged
    :raises agent.programmes.workdays.CalendarUnknown: the deadline lies in a year whose holidays are not known (R21)
    """
    inside = [each for each in year.achievements if each.learned_on.year == policy.year]
    found = evaluate(policy, inside, freelancer=year.freelancer)
    entries = list(found.entries)
    entries += [_elsewhere(policy, each) for each in year.achievements if each.learned_on.year != policy.year]
    credited = dict(found.standing.credited)
    for entry in _carried(policy, year.carried_over or {}):
        entries.append(entry)
        credited[entry.category] += entry.credited
    required = needed(policy, series=year.series, absences=year.absences)
    last = deadline(policy, year.filing_date)
    in_time = None
    if year.filing_date is not None:
        until = dict.fromkeys(policy.category_ids, 0)
        for entry in entries:
            if entry.learned_on <= last:
                until[entry.category] += entry.credited
        in_time = standing(policy, until, required)
    return Reckoning(policy.stamp, tuple(entries), standing(policy, credited, required), last, in_time)


@lru_cache(maxsize=1024)
def _before(day: date, working_days: int) -> date:
    return workdays.before(day, working_days)


def deadline(policy: Policy, filing_date: date | None = None) -> date:
    """The last day for what shall count: the year's own end (R20), or working days before the filing (R21)."""
    end = date.fromisoformat(f"{policy.year}-{policy.year_end.parameters.done_by}")
    rule = policy.the(TitleDeadline)
    if filing_date is None or rule is None:
        return end
    return min(end, _before(filing_date, rule.parameters.working_days_before))


def delivery(policy: Policy, entry: Decision) -> str:
    """How an entry reaches the province: ``none`` (nothing was credited), ``automatic`` (another platform sends it,
    R06: never pushed, never declared again), else as R07 says.
    """
    automatic, declared = policy.the(AutomaticDelivery), policy.the(Declaration)
    if automatic and entry.source in automatic.parameters.sources:
        return "automatic"
    if not entry.credited:
        return "none"
    return declared.parameters.province_mode if declared else "auto"


def _elsewhere(policy: Policy, each: Achievement) -> Decision:
    """R20: hours belong to the year of the day they were learned."""
    claimed = each.reported or each.hours or sum(session[1] for session in each.sessions)
    category = each.category if each.category in policy.category_ids else policy.category_ids[-1]
    return Decision(
        each.id, category, each.learned_on, claimed, 0, 0, policy.year_end.id, "other_year", each.hours, 1,
        policy.day_cap.parameters.hours_per_day, policy.rounding.parameters.step, each.subject, None, each.kind,
        each.source, {"year": str(each.learned_on.year), "learned_on": each.learned_on.isoformat()},
    )  # fmt: skip


def _carried(policy: Policy, surplus: Mapping[str, int]) -> list[Decision]:
    """R25: last year's surplus lapses, or goes on up to so much."""
    its, entries = policy.carry_over.parameters, []
    for category, hours in surplus.items():
        got = min(hours, its.most) if its.allowed else 0
        got -= got % policy.rounding.parameters.step
        code = "carried_over" if its.allowed else "lapsed"
        entries.append(
            Decision(
                CARRIED, category, date(policy.year, 1, 1), hours, got, got, policy.carry_over.id, code, 0, 1,
                policy.day_cap.parameters.hours_per_day, policy.rounding.parameters.step, "", None, CARRIED, "",
                {"most": hours_text(its.most)},
            )
        )  # fmt: skip
    return entries
