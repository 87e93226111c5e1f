"""What a learner's year comes to: achievements and a policy in, a decision for each and the standing out.

Pure: no database, no clock, no order of arrival. All achievements of one learner and one credit year go in together, so
that a row that is taken back frees what it capped by itself. Hours are hundredths of an hour (``int``) throughout.
*claimed*: what the source says. *recognised*: what the achievement is worth by itself. *credited*: what remains after
the caps of day and year over all sources. Always credited ≤ recognised ≤ claimed, and claimed = credited + capped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from math import inf
from typing import Any

from agent.credit.bars import barred_by
from agent.credit.days import Days
from agent.credit.errors import AchievementInvalid
from agent.credit.policy_model import Policy
from agent.credit.reasons import hours_text, sentence
from agent.credit.requirement import Standing, standing
from agent.credit.secondment import Months
from agent.credit.worth import Achievement, Worth, own_worth

__all__ = ["Achievement", "Decision", "Evaluation", "Standing", "evaluate", "standing"]


@dataclass(slots=True)  # not frozen, as an achievement
class Decision:
    """What one achievement is worth, by which rule, and why. Hours in hundredths."""

    id: int | str
    category: str
    learned_on: date
    claimed: int
    recognised: int
    credited: int
    rule: str
    code: str
    filed: int
    days: int  # that it may stand on
    cap: int  # of a day
    step: int
    subject: str
    first_day: date | None = None  # of the same course that counts instead
    kind: str = "training"
    source: str = ""
    more: Mapping[str, str] = field(default_factory=dict)  # what the sentences of its kind show beside

    @property
    def capped(self) -> int:
        """What was claimed and is not credited."""
        return self.claimed - self.credited

    @property
    def params(self) -> Mapping[str, str]:
        """What the reason's sentence shows; may be stored beside the code (`agent.credit.reasons.sentence`)."""
        return _shown(*self._facts())

    @property
    def params_text(self) -> str:
        """The same as JSON."""
        return _text(*self._facts())

    def _facts(self) -> tuple[Any, ...]:
        return (
            self.claimed, self.filed, self.recognised, self.credited, self.days, self.cap, self.step, self.subject,
            self.first_day, tuple(self.more.items()),
        )  # fmt: skip

    @property
    def reasons(self) -> tuple[str, str]:
        """Why, in Chinese and English."""
        return _sentences(self.code, *self._facts())

    @property
    def reason_zh(self) -> str:
        """Why, in Chinese."""
        return self.reasons[0]

    @property
    def reason_en(self) -> str:
        """Why, in English."""
        return self.reasons[1]


# Most of a city's rows have one of a few hundred reasons: each is written once.
@lru_cache(maxsize=20_000)
def _shown(  # noqa: PLR0917 - the key of a cache
    claimed: int, filed: int, recognised: int, credited: int, days: int, cap: int, step: int, subject: str,
    first_day: date | None, more: Iterable[tuple[str, str]],
) -> dict[str, str]:  # fmt: skip
    return {
        "claimed": hours_text(claimed),
        "filed": hours_text(filed),
        "recognised": hours_text(recognised),
        "credited": hours_text(credited),
        "capped": hours_text(claimed - credited),
        "over": hours_text(recognised - credited),
        "days": str(days),
        "cap": hours_text(cap),
        "step": hours_text(step),
        "subject": subject,
        "first_day": first_day.isoformat() if first_day else "",
        **dict(more),
    }


@lru_cache(maxsize=20_000)
def _text(*facts: Any) -> str:
    return json.dumps(_shown(*facts), ensure_ascii=False)


@lru_cache(maxsize=20_000)
def _sentences(code: str, *facts: Any) -> tuple[str, str]:
    params = _shown(*facts)
    return sentence(code, "zh", params), sentence(code, "en", params)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A learner's year: the decisions in the order in which they were made, and the standing."""

    policy: str  # the policy's stamp: version and digest
    entries: tuple[Decision, ...]
    standing: Standing
    per_day: Mapping[int, int] = field(repr=False)  # ordinal of a day → hundredths that stand on it

    @property
    def days(self) -> dict[date, int]:
        """Hours that stand on each day, in hundredths, in the order of the days."""
        return {date.fromordinal(day): used for day, used in sorted(self.per_day.items()) if used}


def evaluate(
    policy: Policy,
    achievements: Iterable[Achievement],
    taken: Mapping[date, int] | None = None,
    *,
    freelancer: bool = False,
) -> Evaluation:
    """Judge all achievements of one learner in the policy's year (R01-R04, R10-R17, R19, R20, R22-R24, R28).

    Earlier ones go first, by (learned_on, completed_at, source, key): a cap cuts the later row, and the order of
    ``achievements`` does not matter. What was brought along from elsewhere (R22) comes after all that is our own.
    ``taken``: hundredths that days hold already; only wanted for a training that began in the old year and shares its
    December days with that year's own hours (`Evaluation.days`).
    Credit is floored to R28's step twice: an achievement's own worth, so that a fraction that is lost anyway takes no
    room on a day; and what the caps leave, which only matters where sessions have odd hundredths.
    Raises `AchievementInvalid` for what should have been quarantined: another year, nothing to count, days reversed.
    """
    year = _Year(policy, taken, freelancer=freelancer)
    for each in sorted(achievements, key=_order):
        year.take(each)
    return Evaluation(policy.stamp, tuple(year.entries), standing(policy, year.credited), year.days.used)


def _order(each: Achievement) -> tuple[bool, date, float, str, str, str]:
    at, own = each.completed_at, each.kind == "transfer"
    if at is None:
        return own, each.learned_on, inf, each.source, each.key, str(each.id)
    if at.tzinfo is None:
        raise AchievementInvalid(id=each.id, reason="its time of completion names no time zone")
    return own, each.learned_on, at.timestamp(), each.source, each.key, str(each.id)


class _Year:
    """A learner's year, one achievement after another."""

    def __init__(self, policy: Policy, taken: Mapping[date, int] | None, *, freelancer: bool) -> None:
        self.policy, self.freelancer = policy, freelancer
        self.cap, self.step = policy.day_cap.parameters.hours_per_day, policy.rounding.parameters.step
        self.once = policy.training.parameters.same_course_in_year == "earliest"
        self.entries: list[Decision] = []
        self.credited = dict.fromkeys(policy.category_ids, 0)
        self.days = Days(self.cap, {day.toordinal(): used for day, used in taken.items()} if taken else None)
        self.own_days: dict[str, Days] = {}  # of kinds with a day cap of their own
        self.spent: dict[str, int] = {}  # of the caps of a year
        self.months: Months | None = None
        self.seen: set[int | str] = set()
        self.courses: dict[str, date] = {}
        self.items: dict[tuple[str, str], date] = {}

    def take(self, each: Achievement) -> None:
        """Decide about the next."""
        _check(self.policy, each)
        if each.id in self.seen:
            raise AchievementInvalid(id=each.id, reason="its id stands there twice")
        self.seen.add(each.id)
        bar = barred_by(self.policy, each, freelancer=self.freelancer)
        if each.kind == "secondment":
            self.months = self.months or Months(self.policy)
            for worth in self.months.take(each, counts=bar is None):
                if bar:
                    worth.nothing(*bar)
                self.decide(each, worth, worth.demand.need)
            return
        worth = own_worth(self.policy, each)
        if bar:
            worth.nothing(*bar)
            worth.recognised = 0
        elif not self.again(each, worth) and each.kind != "training":
            self.limit(each, worth)
        self.decide(each, worth, self.placed(worth))

    def again(self, each: Achievement, worth: Worth) -> bool:
        """Whether the same course or item counts already, or the subject never does."""
        training = self.policy.training
        catalogue = self.policy.catalogues.get(each.category) if each.kind == "training" else None
        if catalogue and not catalogue.parameters.open and each.subject not in catalogue.parameters.subjects:
            worth.nothing("subject_not_listed", catalogue.id)
            return True
        if self.once and each.course_key:
            worth.first_day = self.courses.get(each.course_key)
            if worth.first_day:
                worth.nothing("duplicate_course", training.id)
                return True
            self.courses[each.course_key] = each.learned_on
        rule = self.policy.counting.get(each.kind)
        if rule is None or rule.parameters.item == "any":
            return False
        if each.counted_before and rule.parameters.item == "once_ever":
            worth.nothing("item_before", rule.id)
            return True
        if each.item:
            worth.first_day = self.items.get((each.kind, each.item))
            if worth.first_day:
                worth.nothing("item_used", rule.id)
                return True
            self.items[each.kind, each.item] = each.learned_on
        return False

    def limit(self, each: Achievement, worth: Worth) -> None:
        """Leave what the cap of a year leaves (R12, R14, R15), and what our own ledger does not have yet (R22)."""
        rule = self.policy.counting[each.kind]
        need, most = worth.demand.need, rule.parameters.per_year
        if each.covers:
            own = sum(e.credited for e in self.entries if str(e.id) in each.covers and e.category == worth.category)
            if own:
                need = max(0, need - own)
                worth.code, worth.rule, worth.more = "covered", rule.id, {"covered": hours_text(own)}
        if most is not None and need > (left := most - self.spent.get(rule.id, 0)):
            need = max(0, left)
            worth.code, worth.rule, worth.more = "year_cap", rule.id, {"per_year": hours_text(most)}
        worth.demand = worth.demand._replace(need=need)

    def placed(self, worth: Worth) -> int:
        """What its days have room for, floored."""
        got = need = worth.demand.need
        if need and worth.cap is not None:
            days = self.days if worth.shared else self.own_days.setdefault(worth.of_kind, Days(worth.cap))
            got = days.take(worth.demand)
            if got < need:
                worth.code = "day_cap" if worth.days == 1 else "days_cap"
                worth.rule = self.policy.day_cap.id if worth.shared else worth.of_kind
        return got - got % self.step

    def decide(self, each: Achievement, worth: Worth, credited: int) -> None:
        """Write it down."""
        self.credited[worth.category] += credited
        if each.kind != "training":
            self.spent[worth.of_kind] = self.spent.get(worth.of_kind, 0) + credited
        self.entries.append(
            Decision(
                each.id,
                worth.category,
                each.learned_on,
                worth.claimed,
                worth.recognised,
                credited,
                worth.rule,
                worth.code,
                worth.filed,
                worth.days,
                self.cap if worth.cap is None else worth.cap,
                self.step,
                each.subject,
                worth.first_day,
                each.kind,
                each.source,
                worth.more,
            )
        )


def _check(policy: Policy, each: Achievement) -> None:
    reason = ""
    if each.learned_on.year != policy.year:
        reason = f"learned on {each.learned_on}, which is not in {policy.year}"
    elif not policy.rules_kind(each.kind):
        reason = f"{policy.version} has no rule for «{each.kind}»"
    elif each.kind == "training" and each.category not in policy.category_ids:
        reason = f"{policy.version} has no category «{each.category}»"
    elif each.started_on is not None and each.started_on > each.learned_on:
        reason = f"it starts on {each.started_on}, after {each.learned_on}"
    elif each.hours < 0 or (each.reported is not None and each.reported <= 0):
        reason = "hours are not above 0"
    elif each.minutes is not None and each.minutes <= 0:
        reason = "minutes are not above 0"
    elif any(session[1] <= 0 or session[0] > each.learned_on for session in each.sessions):
        reason = "a session without hours, or after the completion"
    elif not (each.hours or each.reported or each.minutes or each.sessions) and _needs_hours(policy, each):
        reason = "hours are not above 0"
    if reason:
        raise AchievementInvalid(id=each.id, reason=reason)


def _needs_hours(policy: Policy, each: Achievement) -> bool:
    rule = policy.counting.get(each.kind)
    return each.kind == "training" or (rule is not None and rule.parameters.each is None)
