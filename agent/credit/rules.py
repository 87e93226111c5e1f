"""What a learner's year comes to: achievements and a policy in, a decision for each and the standing out.

Pure: no database, no clock, no order of arrival. All achievements of one learner and one credit year go in together, so
that a row that is taken back frees what it capped by itself. Hours are hundredths of an hour (``int``) throughout.
*claimed*: what the source says. *recognised*: what the achievement is worth by itself. *credited*: what remains after
the day cap over all sources. Always credited ≤ recognised ≤ claimed, and claimed = credited + capped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import inf

from agent.credit.days import Demand, allocate
from agent.credit.errors import AchievementInvalid
from agent.credit.policy_model import CertificateCategory, Policy, RequiredCategory
from agent.credit.reasons import hours_text, sentence


@dataclass(frozen=True, slots=True)
class Achievement:
    """Something learned, matched to a filed programme: what `evaluate` judges.

    ``learned_on`` is the local date (`agent.localtime.local_date`). Without ``started_on`` it is one day: a caller
    who does not know the start passes the programme's. ``completed_at`` only orders what was learned on one day; pass
    None where the source knows the day only, it then comes last. Reported hours go before minutes, and both before
    sessions, when all are given. ``sessions`` are those attended, ceremonies and travel left out (R11).
    ``course_key`` is the same for the same programme wherever it was taken; empty: never a duplicate.
    """

    id: int | str
    category: str
    hours: int  # hundredths, as filed
    learned_on: date
    subject: str = ""
    reported: int | None = None  # hundredths, as the source reports them
    minutes: int | None = None  # as the source reports them
    started_on: date | None = None
    completed_at: datetime | None = None
    sessions: tuple[tuple[date, int], ...] = ()  # local date, hundredths
    course_key: str = ""
    source: str = ""
    key: str = ""
    barred: bool = False  # its certificate was revoked, or its programme was voided
    voided: bool = False  # the latter


@dataclass(frozen=True, slots=True)
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

    @property
    def capped(self) -> int:
        """What was claimed and is not credited."""
        return self.claimed - self.credited

    @property
    def params(self) -> dict[str, str]:
        """What the reason's sentence shows; may be stored beside the code (`agent.credit.reasons.sentence`)."""
        return {
            "claimed": hours_text(self.claimed),
            "filed": hours_text(self.filed),
            "recognised": hours_text(self.recognised),
            "credited": hours_text(self.credited),
            "capped": hours_text(self.capped),
            "over": hours_text(self.recognised - self.credited),
            "days": str(self.days),
            "cap": hours_text(self.cap),
            "step": hours_text(self.step),
            "subject": self.subject,
            "first_day": self.first_day.isoformat() if self.first_day else "",
        }

    @property
    def reason_zh(self) -> str:
        """Why, in Chinese."""
        return sentence(self.code, "zh", self.params)

    @property
    def reason_en(self) -> str:
        """Why, in English."""
        return sentence(self.code, "en", self.params)


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


@dataclass(slots=True)
class _Worth:
    """What an achievement is worth by itself."""

    claimed: int
    recognised: int
    code: str
    rule: str
    demand: Demand
    days: int
    first_day: date | None = None


def evaluate(
    policy: Policy, achievements: Iterable[Achievement], taken: Mapping[date, int] | None = None
) -> Evaluation:
    """Judge all achievements of one learner in the policy's year (R01-R04, R10, R11, R20, R28).

    Earlier ones go first, by (learned_on, completed_at, source, key): a cap cuts the later row, and the order of
    ``achievements`` does not matter. ``taken``: hundredths that days hold already; only wanted for a training that
    began in the old year and shares its December days with that year's own hours (`Evaluation.days`).
    Credit is floored to R28's step twice: an achievement's own worth, so that a fraction that is lost anyway takes no
    room on a day; and what the day cap leaves, which only matters where sessions have odd hundredths.
    Raises `AchievementInvalid` for what should have been quarantined: another year, nothing to count, days reversed.
    """
    ordered = sorted(achievements, key=_order)
    worths = _worths(policy, ordered)
    before = {day.toordinal(): used for day, used in taken.items()} if taken else None
    cap = policy.day_cap.parameters.hours_per_day
    given, per_day = allocate([worth.demand for worth in worths], cap, before)
    step = policy.rounding.parameters.step
    day_rule = policy.day_cap.id
    credited = dict.fromkeys(policy.category_ids, 0)
    entries = []
    for each, worth, got in zip(ordered, worths, given, strict=True):
        code, rule = worth.code, worth.rule
        if got < worth.demand.need:
            code, rule = ("day_cap" if worth.days == 1 else "days_cap"), day_rule
        hours = got - got % step
        credited[each.category] += hours
        entries.append(
            Decision(
                each.id,
                each.category,
                each.learned_on,
                worth.claimed,
                worth.recognised,
                hours,
                rule,
                code,
                each.hours,
                worth.days,
                cap,
                step,
                each.subject,
                worth.first_day,
            )
        )
    return Evaluation(policy.stamp, tuple(entries), standing(policy, credited), per_day)


def standing(policy: Policy, credited: Mapping[str, int]) -> Standing:
    """Credited hours of each category (hundredths) against what the year needs (R01-R03)."""
    total = sum(credited.values())
    required, missing, spare = {}, {}, dict(credited)
    rules = policy.of_kind(RequiredCategory)
    for rule in rules:
        name, needed = rule.parameters.category, rule.parameters.hours
        have = credited.get(name, 0)
        required[name], missing[name], spare[name] = needed, max(0, needed - have), max(0, have - needed)
    for rule in rules:
        for giver in rule.parameters.filled_by:
            filled = min(missing[rule.parameters.category], spare.get(giver, 0))
            missing[rule.parameters.category] -= filled
            spare[giver] -= filled
    required["total"] = policy.required_total.parameters.hours
    missing["total"] = max(0, required["total"] - total)
    return Standing(dict(credited), total, required, missing)


def _order(each: Achievement) -> tuple[date, float, str, str, str]:
    at = each.completed_at
    if at is None:
        return each.learned_on, inf, each.source, each.key, str(each.id)
    if at.tzinfo is None:
        raise AchievementInvalid(id=each.id, reason="its time of completion names no time zone")
    return each.learned_on, at.timestamp(), each.source, each.key, str(each.id)


def _worths(policy: Policy, ordered: Sequence[Achievement]) -> list[_Worth]:
    """Own worth of each, in order; what counts nothing has an empty demand and takes no day."""
    once = policy.training.parameters.same_course_in_year == "earliest"
    first: dict[str, date] = {}
    seen: set[int | str] = set()
    worths = []
    for each in ordered:
        _check(policy, each)
        if each.id in seen:
            raise AchievementInvalid(id=each.id, reason="its id stands there twice")
        seen.add(each.id)
        worth = _worth(policy, each)
        catalogue = policy.catalogues.get(each.category)
        if each.barred:  # and it stands in no other's way: neither on its days nor as the same course
            code = "programme_voided" if each.voided else "certificate_revoked"
            worth = _Worth(worth.claimed, 0, code, _rule_of_certificates(policy), worth.demand, worth.days)
            worth.demand = worth.demand._replace(need=0)
        elif catalogue and not catalogue.parameters.open and each.subject not in catalogue.parameters.subjects:
            worth.code, worth.rule, worth.demand = "subject_not_listed", catalogue.id, worth.demand._replace(need=0)
        elif once and each.course_key:
            if each.course_key in first:
                worth.code, worth.rule, worth.demand = (
                    "duplicate_course",
                    policy.training.id,
                    worth.demand._replace(need=0),
                )
                worth.first_day = first[each.course_key]
            else:
                first[each.course_key] = each.learned_on
        worths.append(worth)
    return worths


def _rule_of_certificates(policy: Policy) -> str:
    (rule,) = policy.of_kind(CertificateCategory)
    return rule.id


def _check(policy: Policy, each: Achievement) -> None:
    reason = ""
    if each.learned_on.year != policy.year:
        reason = f"learned on {each.learned_on}, which is not in {policy.year}"
    elif each.category not in policy.category_ids:
        reason = f"{policy.version} has no category «{each.category}»"
    elif each.started_on is not None and each.started_on > each.learned_on:
        reason = f"it starts on {each.started_on}, after {each.learned_on}"
    elif each.hours <= 0 or (each.reported is not None and each.reported <= 0):
        reason = "hours are not above 0"
    elif each.minutes is not None and each.minutes <= 0:
        reason = "minutes are not above 0"
    elif any(hours <= 0 or day > each.learned_on for day, hours in each.sessions):
        reason = "a session without hours, or after the completion"
    if reason:
        raise AchievementInvalid(id=each.id, reason=reason)


def _worth(policy: Policy, each: Achievement) -> _Worth:
    """R11: actual hours, at most those filed. R10: at most the cap on each of its days. R28: floored."""
    cap, training = policy.day_cap.parameters.hours_per_day, policy.training
    last = each.learned_on.toordinal()
    per_day: dict[int, int] | None = None
    attended = None
    if each.sessions:
        per_day = {}
        for day, hours in each.sessions:
            per_day[day.toordinal()] = per_day.get(day.toordinal(), 0) + hours
        first, days = min(per_day), len(per_day)
        attended = sum(per_day.values())
        most = sum(min(cap, hours) for hours in per_day.values())
    else:
        spread = policy.day_cap.parameters.without_sessions == "spread" and each.started_on is not None
        first = each.started_on.toordinal() if spread and each.started_on else last
        days = last - first + 1
        most = cap * days
    if each.reported is not None:
        claimed = each.reported
    elif each.minutes is not None:
        claimed = each.minutes * 100 // policy.rounding.parameters.minutes_per_hour
    else:
        claimed = each.hours if attended is None else attended
    worth, code, rule = claimed, "credited", training.id
    if worth > each.hours and training.parameters.ceiling == "filed":
        worth, code = each.hours, "over_filed"
    elif worth < each.hours:
        code = "partial"
    if attended is not None and attended < worth:
        worth, code = attended, "attendance"
    if most < worth:
        worth, code, rule = most, "duration", policy.day_cap.id
    recognised = worth - worth % policy.rounding.parameters.step
    if recognised < worth and code == "credited":
        code, rule = "rounded", policy.rounding.id
    return _Worth(claimed, recognised, code, rule, Demand(first, last, recognised, per_day), days)
