"""What counts in one region and year: the shape of a policy file.

A *policy* is data under a version: a list of *rules*, each with the id that people quote (R10), a *kind* that the code
knows how to apply, the sentence, where the notice says it, and its parameters. Hours are whole hundredths of an hour
(``int``) everywhere in the program; in the file they are written as people write them (8, 7.5, "0.1").
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

_A_YEAR = 366 * 24 * 100


def to_hundredths(value: object) -> int:
    """Hours as a person writes them (8, 7.5, "0.10") → hundredths of an hour, exactly, or ValueError."""
    text = str(value) if isinstance(value, int | Decimal | str) and not isinstance(value, bool) else ""
    match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,2}))?", text, re.ASCII)
    if match is None or (result := int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))) > _A_YEAR:
        kind, sentence = "hours", "not a number of hours: 0 to 8784, two digits after the point at most"
        raise PydanticCustomError(kind, sentence)
    return result


def _real_day(value: str) -> str:
    try:
        date.fromisoformat(f"2023-{value}")  # no leap year: the last day of February is written 02-28
    except ValueError:
        raise PydanticCustomError("month_day", "there is no such day in every year") from None
    return value


Hours = Annotated[
    int,
    BeforeValidator(to_hundredths),
    WithJsonSchema(
        {
            "description": "Hours (学时), two digits after the point at most",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 8784},
                {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,2})?$"},
            ],
        }
    ),
]
MonthDay = Annotated[str, Field(pattern=r"^[01][0-9]-[0-3][0-9]$", description="MM-DD"), AfterValidator(_real_day)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$", description="an identifier")]
Category = Word
RuleId = Annotated[str, Field(pattern=r"^R[0-9]{2}[a-z]?$", description="The id that people quote, like R10")]
Line = Annotated[str, Field(min_length=1, max_length=400)]


class Frozen(BaseModel):
    """A part of a policy: unknown names are refused, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Frozen):
    """A sentence in Chinese and English. In a rule's sentence ``{parameter}`` shows that parameter's value."""

    zh: Line
    en: Line


class Source(Frozen):
    """Where it is written."""

    document: Line = Field(description="The document's number")
    article: Line = Field(description="The place in it, in its own language")


class CategoryName(Frozen):
    """A category of hours. The split of a year is data: other places have three."""

    id: Category
    name: Text


class RuleBase(Frozen):
    """What every rule has; ``parameters`` and ``kind`` are its own."""

    id: RuleId
    name: Text
    sentence: Text
    source: Source
    silent: tuple[Word, ...] = Field((), description="Parameters that the notice does not state: our defaults")


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
    """Whether a surplus goes on into the next year."""

    allowed: Literal[False]


class CarryOver(RuleBase):
    """What becomes of a surplus at the end of the year."""

    kind: Literal["carry_over"]
    parameters: CarryOverParameters


class RoundingParameters(Frozen):
    """How hours are made whole."""

    step: Annotated[Hours, Field(gt=0)]
    minutes_per_hour: Annotated[int, Field(ge=1, le=60)]


class Rounding(RuleBase):
    """Credit is floored to a step; minutes become hours."""

    kind: Literal["rounding"]
    parameters: RoundingParameters


Rule = Annotated[
    RequiredTotal
    | RequiredCategory
    | Catalogue
    | CertificateIssuer
    | CertificateCategory
    | DayCap
    | Training
    | YearEnd
    | CarryOver
    | Rounding,
    Field(discriminator="kind"),
]


class Session(Frozen):
    """Hours attended on one day."""

    date: date
    hours: Hours


class ExampleAchievement(Frozen):
    """An achievement of an example, as `agent.credit.rules.Achievement` takes it."""

    id: Line
    category: Category
    subject: str = ""
    hours: Hours = Field(description="As filed")
    reported: Hours | None = Field(None, description="As the source reports them")
    minutes: Annotated[int, Field(gt=0)] | None = None
    started_on: date | None = None
    learned_on: date
    completed_at: AwareDatetime | None = None
    sessions: tuple[Session, ...] = ()
    course: str = Field("", description="The programme: the same word twice is the same course")
    source: str = ""


class ExpectedEntry(Frozen):
    """What an achievement of an example must come to."""

    id: Line
    credited: Hours
    rule: RuleId
    reason: Word


class ExpectedStanding(Frozen):
    """What the example's year must come to; what is left out is not compared."""

    credited: dict[Category, Hours] = {}
    total: Hours | None = None
    missing: dict[Category, Hours] = {}
    met: bool | None = None


class Example(Frozen):
    """Achievements of one learner and what they must come to. Run by `xueshi mapping lint` and by the tests."""

    name: Text
    achievements: tuple[ExampleAchievement, ...]
    entries: tuple[ExpectedEntry, ...]
    standing: ExpectedStanding = ExpectedStanding()


_R = TypeVar("_R", bound=RuleBase)


class Policy(Frozen):
    """The rules of hours of one region and year."""

    region: Annotated[str, Field(pattern=r"^[0-9]{6}$", description="Code of the administrative division, GB/T 2260")]
    year: Annotated[int, Field(ge=2000, le=2100)]
    version: Annotated[str, Field(pattern=r"^[0-9]{6}/[0-9]{4}\.[0-9]{1,4}$", description="region/year.number")]
    name: Text
    source: Source
    categories: tuple[CategoryName, ...] = Field(min_length=1)
    rules: tuple[Rule, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = ()

    _digest: str = PrivateAttr("")

    @property
    def digest(self) -> str:
        """SHA-256 of the file that the policy was read from, 64 hexadecimal digits."""
        return self._digest

    @cached_property
    def stamp(self) -> str:
        """What every decision stores: version and the beginning of the digest, ``370400/2024.1+0a1b2c3d4e5f``."""
        return f"{self.version}+{self._digest[:12]}"

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of an id, like R10."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def of_kind(self, kind: type[_R]) -> tuple[_R, ...]:
        """All rules of a kind, in the file's order."""
        return tuple(rule for rule in self.rules if isinstance(rule, kind))

    # Of these kinds a policy has exactly one (`agent.credit.policy.contradictions` sees to it).
    @cached_property
    def required_total(self) -> RequiredTotal:
        """The hours of all categories that a year needs (R01)."""
        return self.of_kind(RequiredTotal)[0]

    @cached_property
    def day_cap(self) -> DayCap:
        """The most that a day counts (R10)."""
        return self.of_kind(DayCap)[0]

    @cached_property
    def training(self) -> Training:
        """How a filed training counts (R11)."""
        return self.of_kind(Training)[0]

    @cached_property
    def year_end(self) -> YearEnd:
        """When the year is over (R20)."""
        return self.of_kind(YearEnd)[0]

    @cached_property
    def rounding(self) -> Rounding:
        """How hours are made whole (R28)."""
        return self.of_kind(Rounding)[0]

    @cached_property
    def catalogues(self) -> dict[str, Catalogue]:
        """The list of subjects of each category that has one (R04)."""
        return {rule.parameters.category: rule for rule in self.of_kind(Catalogue)}

    @cached_property
    def category_ids(self) -> tuple[str, ...]:
        """The categories of this year, in the file's order."""
        return tuple(category.id for category in self.categories)
