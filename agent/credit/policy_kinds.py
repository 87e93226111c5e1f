"""The rules of everything that is not a filed training: conversions, secondments, absences, evidence, who audits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.credit.policy_types import Category, Frozen, Hours, Line, RuleBase, Word

Counted = Literal["study", "exam", "achievement", "competition", "expert_activity", "digital_engineer", "transfer"]
"""Kinds of achievements that a rule of kind ``counting`` may be about."""
Kind = Literal["training", Counted, "secondment"]
"""Every kind of achievement."""
NotLearning = Literal["ceremony", "travel", "rest"]
"""What a session may be instead of learning or work."""


class Prevailing(Frozen):
    """A rule of the country or a province that takes the place of this one's hours."""

    level: Word = Field(description="As the achievement says it: national, provincial")
    each: Hours
    document: Line


class CountingParameters(Frozen):
    """How one kind of achievement counts."""

    achievement: Counted
    categories: tuple[Category, ...] = Field(
        min_length=1, description="What it may count as; the first of them where the achievement says none of them"
    )
    each: Annotated[Hours, Field(gt=0)] | None = Field(
        None, description="Hours of one item; without it the actual hours"
    )
    per_year: Hours | None = Field(None, description="The most in a year, all items of this kind together")
    share_day_cap: bool = Field(strict=True, description="Whether its days have the day cap in common with training")
    without_days: Literal["completion_day", "no_day"] = Field(
        "completion_day", description="Neither start nor sessions are known: it stands on its last day, or on none"
    )
    hours_per_day: Hours | None = Field(None, description="A day cap of its own, apart from that of training")
    item: Literal["once_ever", "once_a_year", "any"] = Field(
        "any", description="How often one certificate, paper or course counts"
    )
    not_counted: tuple[NotLearning, ...] = Field((), description="Sessions of these sorts count nothing")
    prevailing: tuple[Prevailing, ...] = ()


class Counting(RuleBase):
    """Hours of one kind of achievement; one rule a kind."""

    kind: Literal["counting"]
    parameters: CountingParameters


class CategoryHours(Frozen):
    """Hours of one category."""

    category: Category
    hours: Hours


class SecondmentParameters(Frozen):
    """What a secondment is worth."""

    full_year: tuple[CategoryHours, ...] = Field(min_length=1, description="Hours of twelve months")
    days_of_a_month: Annotated[int, Field(ge=1, le=28)] = Field(
        description="So many days of a calendar month make it count"
    )
    round_to: Annotated[Hours, Field(gt=0)] = Field(description="Hours of the months are rounded half up to this")


class Secondment(RuleBase):
    """Work for the party, the government or the grass roots, by month."""

    kind: Literal["secondment"]
    parameters: SecondmentParameters


class AbsenceReason(Frozen):
    """A reason to be absent that lowers the requirement."""

    absence: Word
    longer_than_months: Annotated[int, Field(ge=0, le=12)] = Field(
        description="More than so many months in the year; 0: any length"
    )


class Parts(Frozen):
    """A category's parts of what a year needs."""

    category: Category
    parts: Annotated[int, Field(ge=0, le=1000)]


class AbsenceParameters(Frozen):
    """How absence lowers the requirement; it never grants hours."""

    reasons: tuple[AbsenceReason, ...] = Field(min_length=1)
    split: tuple[Parts, ...] = Field(min_length=1, description="How what is lowered is shared by the categories")
    round_to: Annotated[Hours, Field(gt=0)] = Field(description="The lowered hours are rounded half up to this")


class Absence(RuleBase):
    """Absence for good reasons: the year needs as much as the time in post."""

    kind: Literal["absence"]
    parameters: AbsenceParameters


class DeadlineParameters(Frozen):
    """When who applies for a title must have done."""

    working_days_before: Annotated[int, Field(ge=0, le=60)]


class TitleDeadline(RuleBase):
    """Working days before the filing of a title application, by the Chinese calendar."""

    kind: Literal["title_deadline"]
    parameters: DeadlineParameters


class EvidenceOf(Frozen):
    """What proves achievements of a kind."""

    achievement: Kind
    types: tuple[Word, ...] = Field(min_length=1)


class EvidenceParts(Frozen):
    """The pages that a proof consists of."""

    type: Word
    parts: tuple[Word, ...] = Field(min_length=1)


class EvidenceParameters(Frozen):
    """Which evidence stands for what. Its SHA-256 is kept, and one file counts once."""

    types: tuple[EvidenceOf, ...] = Field(min_length=1)
    parts: tuple[EvidenceParts, ...] = ()
    otherwise: Word = Field(description="What proves any kind, too: stamped by the department or unit")


class Evidence(RuleBase):
    """What proves an achievement."""

    kind: Literal["evidence"]
    parameters: EvidenceParameters


class AuditorParameters(Frozen):
    """Who audits declarations."""

    employed: tuple[Word, ...] = Field(min_length=1)
    freelancer: tuple[Word, ...] = Field(min_length=1)


class Auditor(RuleBase):
    """Who audits what a learner declares."""

    kind: Literal["auditor"]
    parameters: AuditorParameters


class ScopeParameters(Frozen):
    """Whose word decides the category, best first. A title never does."""

    trust: tuple[Literal["filing", "mapping", "source"], ...] = Field(min_length=1)


class ProfessionalScope(RuleBase):
    """What is professional: the filing says it."""

    kind: Literal["professional_scope"]
    parameters: ScopeParameters


class AutomaticParameters(Frozen):
    """What reaches the province without us."""

    sources: tuple[Word, ...] = Field(min_length=1, description="Names of sources: never pushed, never declared again")


class AutomaticDelivery(RuleBase):
    """Rows that another platform sends to the province by itself."""

    kind: Literal["automatic_delivery"]
    parameters: AutomaticParameters


class DeclarationParameters(Frozen):
    """How everything else reaches the province."""

    province_mode: Literal["learner_declares", "auto"]


class Declaration(RuleBase):
    """How hours reach the province's register."""

    kind: Literal["declaration"]
    parameters: DeclarationParameters


class SeriesDemand(Frozen):
    """What a provincial department demands of a title series, in place of the year's own."""

    series: Line
    document: Line
    total: Hours
    required: tuple[CategoryHours, ...] = Field(min_length=1)


class PrecedenceParameters(Frozen):
    """Special demands, by title series."""

    demands: tuple[SeriesDemand, ...] = ()


class Precedence(RuleBase):
    """A provincial department's special demand goes before the year's own."""

    kind: Literal["precedence"]
    parameters: PrecedenceParameters
