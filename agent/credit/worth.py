"""What an achievement is worth by itself, before anything else of the year is looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from agent.credit.days import Demand
from agent.credit.policy_kinds import Counting
from agent.credit.policy_model import Policy
from agent.credit.reasons import hours_text


@dataclass(slots=True)  # not frozen: of a million it would take 5 s more to make them, and nobody changes one
class Achievement:
    """Something learned or done: what `agent.credit.rules.evaluate` judges. Without ``kind`` it is a filed training.

    ``learned_on`` is the local date (`agent.localtime.local_date`). Without ``started_on`` it is one day: a caller
    who does not know the start passes the programme's. ``completed_at`` only orders what was learned on one day; pass
    None where the source knows the day only, it then comes last. Reported hours go before minutes, and both before
    sessions, when all are given. ``sessions`` are those attended; a third word says that one was no learning (R11).
    ``course_key`` is the same for the same programme wherever it was taken, ``item`` for the same certificate or paper;
    empty: never a duplicate.
    """

    id: int | str
    category: str
    hours: int  # hundredths, as filed; 0: not known
    learned_on: date
    subject: str = ""
    reported: int | None = None  # hundredths, as the source reports them
    minutes: int | None = None  # as the source reports them
    started_on: date | None = None
    completed_at: datetime | None = None
    sessions: tuple[tuple[date, int] | tuple[date, int, str], ...] = ()  # local date, hundredths
    course_key: str = ""
    source: str = ""
    key: str = ""
    barred: bool = False  # its certificate was revoked, or its programme was voided
    voided: bool = False  # the latter
    kind: str = "training"
    filed: bool = True  # the programme is on record
    item: str = ""
    counted_before: bool = False  # the item counted in another year or place
    level: str = ""
    passed: bool = True
    evidence: tuple[tuple[str, tuple[str, ...]], ...] = ()  # type, parts
    auditor: str = ""
    synced_on: date | None = None
    covers: tuple[str, ...] = ()  # ids whose hours a transfer holds already


@dataclass(slots=True)
class Worth:
    """Hours in hundredths. ``cap``: of each of its days; None where it stands on none."""

    category: str
    claimed: int
    recognised: int
    code: str
    rule: str
    demand: Demand
    days: int
    filed: int
    of_kind: str  # the rule of its kind; ``rule`` is the one that decided
    cap: int | None = None
    shared: bool = True
    first_day: date | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def nothing(self, code: str, rule: str) -> None:
        """Let it count nothing, and take no room from others."""
        self.code, self.rule, self.demand = code, rule, self.demand._replace(need=0)


def own_worth(policy: Policy, each: Achievement) -> Worth:
    """R11: actual hours, at most those filed. R12 to R16, R19, R22: as the rule of its kind says."""
    if each.kind == "training":
        rule = policy.training
        ceiling = each.hours or None if rule.parameters.ceiling == "filed" else None
        cap = policy.day_cap.parameters.hours_per_day
        return _of_hours(policy, each, rule.id, each.category, rule.parameters.not_counted, cap, ceiling=ceiling)
    rule_of_kind = policy.counting[each.kind]
    if rule_of_kind.parameters.each is not None:
        return _of_items(policy, each, rule_of_kind, rule_of_kind.parameters.each)
    return _by_rule(policy, each, rule_of_kind)


def _category(each: Achievement, rule: Counting) -> str:
    allowed = rule.parameters.categories
    return each.category if each.category in allowed else allowed[0]


def _of_items(policy: Policy, each: Achievement, rule: Counting, of_one: int) -> Worth:
    """So many hours an item, whatever time it took; less only where less is claimed."""
    code, more = "item", {"each": hours_text(of_one)}
    for other in rule.parameters.prevailing:
        if other.level == each.level:
            of_one, code = other.each, "prevailing"
            more = {"each": hours_text(of_one), "document": other.document}
    claimed = of_one if each.reported is None else each.reported
    recognised = _floor(policy, min(claimed, of_one))
    last = each.learned_on.toordinal()
    demand = Demand(last, last, recognised)
    cap = policy.day_cap.parameters.hours_per_day if rule.parameters.share_day_cap else None
    return Worth(
        _category(each, rule), claimed, recognised, code, rule.id, demand, 1, each.hours, rule.id, cap, more=more
    )


def _by_rule(policy: Policy, each: Achievement, rule: Counting) -> Worth:
    """Actual hours, on their days where the rule says so."""
    its = rule.parameters
    cap = policy.day_cap.parameters.hours_per_day if its.share_day_cap else its.hours_per_day
    if its.without_days == "no_day" and each.started_on is None and not each.sessions:
        cap = None
    worth = _of_hours(policy, each, rule.id, _category(each, rule), its.not_counted, cap)
    worth.shared = its.share_day_cap
    if worth.rule != rule.id and not its.share_day_cap:
        worth.rule = rule.id  # its own cap, not R10's
    return worth


def _of_hours(  # noqa: PLR0917 - one line for each of its limits, in their order
    policy: Policy, each: Achievement, rule: str, category: str, not_counted: Collection[str], cap: int | None,
    *, ceiling: int | None = None,
) -> Worth:  # fmt: skip
    """The hours claimed, at most ``ceiling``, those attended, and ``cap`` for each of its days (R10); floored (R28)."""
    last, of_kind = each.learned_on.toordinal(), rule
    per_day: dict[int, int] | None = None
    attended: int | None = None
    most: int | None = None  # that its days hold
    if each.sessions:
        per_day, claimed = _attended(each, not_counted)
        attended = sum(per_day.values())
        first, days = min(per_day, default=last), max(1, len(per_day))
        most = attended if cap is None else sum(min(cap, hours) for hours in per_day.values())
    else:
        spread = policy.day_cap.parameters.without_sessions == "spread" and each.started_on is not None
        first = each.started_on.toordinal() if spread and each.started_on else last
        days, claimed = last - first + 1, each.hours
        most = cap * days if cap is not None else None
    if each.reported is not None:
        claimed = each.reported
    elif each.minutes is not None:
        claimed = each.minutes * 100 // policy.rounding.parameters.minutes_per_hour
    filed = each.kind == "training" and each.hours > 0
    worth, code = claimed, "credited" if filed else "actual"
    if ceiling is not None and worth > ceiling:
        worth, code = ceiling, "over_filed"
    elif filed and worth < each.hours:
        code = "partial"
    if attended is not None and attended < worth:
        worth, code = attended, "attendance" if filed else "attended"
    if most is not None and most < worth:
        worth, code, rule = most, "duration", policy.day_cap.id
    recognised = _floor(policy, worth)
    if recognised < worth and code in {"credited", "actual"}:
        code, rule = "rounded", policy.rounding.id
    demand = Demand(first, last, recognised, per_day)
    return Worth(category, claimed, recognised, code, rule, demand, days, each.hours, of_kind, cap)


def _attended(each: Achievement, not_counted: Collection[str]) -> tuple[dict[int, int], int]:
    """Hours learned on each day of the sessions, and the hours of all of them."""
    per_day: dict[int, int] = {}
    for session in each.sessions:
        if len(session) < 3 or session[2] not in not_counted:  # noqa: PLR2004 - the word behind
            day = session[0].toordinal()
            per_day[day] = per_day.get(day, 0) + session[1]
    return per_day, sum(session[1] for session in each.sessions)


def _floor(policy: Policy, hours: int) -> int:
    return hours - hours % policy.rounding.parameters.step
