"""The rules of a year and of filed training: what is needed, what counts, on which days, until when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.credit.policy_kinds import NotLearning
from agent.credit.policy_types import Category, Frozen, Hours, Line, MonthDay, RuleBase, Word


class TotalParameters(Frozen):
    """What a year needs in all."""

    hours: Hours


class RequiredTotal(RuleBase):
    """Hours of all categories together that a year needs."""

    kind: Literal["required_total"]
    parameters: TotalParameters


class CategoryParameters(Frozen):
    """What a year needs of one category."""

    category: Category
    hours: Hours
    filled_by: tuple[Category, ...] = Field((), description="Categories whose surplus fills this one")


class RequiredCategory(RuleBase):
    """Hours of one category that a year needs; one rule a category."""

    kind: Literal["required_category"]
    parameters: CategoryParameters


class CatalogueParameters(Frozen):
    """The subjects of a category."""

    category: Category
    open: bool = Field(strict=True, description="The list ends with 等: other filed subjects count")
    subjects: tuple[Line, ...] = Field(min_length=1)


class Catalogue(RuleBase):
    """The year's subjects of a category."""

    kind: Literal["catalogue"]
    parameters: CatalogueParameters


class IssuerParameters(Frozen):
    """Who may issue a certificate, for what."""

    organiser_kinds: tuple[Word, ...] = Field(min_length=1)
    implementer_kinds: tuple[Word, ...] = Field(min_length=1)
    programme_states: tuple[Word, ...] = Field(min_length=1)


class CertificateIssuer(RuleBase):
    """Whose programmes get a certificate."""

    kind: Literal["certificate_issuer"]
    parameters: IssuerParameters


class CertificateParameters(Frozen):
    """Categories whose hours a certificate proves."""

    categories: tuple[Category, ...] = Field(min_length=1)


class CertificateCategory(RuleBase):
    """What a certificate is good for."""

    kind: Literal["certificate_category"]
    parameters: CertificateParameters


class DayCapParameters(Frozen):
    """The most that counts of one day, over all sources."""

    hours_per_day: Hours
    without_sessions: Literal["spread", "completion_day"] = Field(
        description="Hours without sessions: over the days from start to completion, or all on the last day"
    )


class DayCap(RuleBase):
    """The most that a learner's calendar day counts."""

    kind: Literal["day_cap"]
    parameters: DayCapParameters


class TrainingParameters(Frozen):
    """How a filed training counts."""

    ceiling: Literal["filed", "none"] = Field(description="filed: never more than the hours filed")
    same_course_in_year: Literal["earliest", "all"] = Field(description="earliest: a course counts once a year")
    not_counted: tuple[NotLearning, ...] = Field((), description="Sessions of these sorts count nothing")


class Training(RuleBase):
    """Training by a filed programme: actual hours."""

    kind: Literal["training"]
    parameters: TrainingParameters


class LateSync(Frozen):
    """What becomes of hours that arrive after the grace; they never move to another year."""

    after_grace: Literal["hold", "credit"] = Field(description="The source was connected in time and delivered late")
    history_of_new_source: Literal["hold", "credit"] = Field(description="The source was connected after the grace")


class YearEndParameters(Frozen):
    """When a year is over."""

    year_of: Literal["learned_on"]
    done_by: MonthDay
    sync_grace_until: MonthDay = Field(description="In the following year")
    late_sync: LateSync


class YearEnd(RuleBase):
    """Which year hours belong to, and until when they may arrive."""

    kind: Literal["year_end"]
    parameters: YearEndParameters


class CarryOverParameters(Frozen):
    """Whether a surplus goes on into the next year, and how much of it."""

    allowed: bool = Field(strict=True)
    most: Hours = Field(0, description="Of a category, where it is allowed")


class CarryOver(RuleBase):
    """What becomes of a surplus at the end of the year."""

    kind: Literal["carry_over"]
    parameters: CarryOverParameters


class RoundingParameters(Frozen):
    """How hours are made whole."""

    step: Annotated[Hours, Field(gt=0)]
    minutes_per_hour: Annotated[int, Field(ge=1, le=60)]
    hours_per_half_day: Annotated[Hours, Field(gt=0)] | None = Field(
        None, description="Where half days are counted; without it they are not"
    )


class Rounding(RuleBase):
    """Credit is floored to a step; minutes become hours."""

    kind: Literal["rounding"]
    parameters: RoundingParameters
