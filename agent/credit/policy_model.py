"""What counts in one region and year: the shape of a policy file.

A *policy* is data under a version: a list of *rules*, each with the id that people quote (R10), a *kind* that the code
knows how to apply, the sentence, where the notice says it, and its parameters. Their kinds are in
`agent.credit.policy_rules` (years and training) and `agent.credit.policy_kinds` (everything else).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, PrivateAttr

from agent.credit.asked import Asked, AskedAbsence, AskedAchievement, AskedApplication, AskedLearner
from agent.credit.policy_kinds import (
    Absence,
    Auditor,
    AutomaticDelivery,
    Counting,
    Declaration,
    Evidence,
    Precedence,
    ProfessionalScope,
    Secondment,
    TitleDeadline,
)
from agent.credit.policy_rules import (
    CarryOver,
    Catalogue,
    CertificateCategory,
    CertificateIssuer,
    DayCap,
    RequiredCategory,
    RequiredTotal,
    Rounding,
    Training,
    YearEnd,
)
from agent.credit.policy_types import Category, Frozen, Hours, Line, RuleBase, RuleId, Source, Text, Word

Rule = Annotated[
    RequiredTotal
    | RequiredCategory
    | Catalogue
    | ProfessionalScope
    | AutomaticDelivery
    | Declaration
    | CertificateIssuer
    | CertificateCategory
    | DayCap
    | Training
    | Counting
    | Secondment
    | Absence
    | YearEnd
    | TitleDeadline
    | Evidence
    | Auditor
    | CarryOver
    | Precedence
    | Rounding,
    Field(discriminator="kind"),
]


class CategoryName(Frozen):
    """A category of hours. The split of a year is data: other places have three."""

    id: Category
    name: Text


class ExpectedEntry(Frozen):
    """What an achievement of an example must come to; a secondment has one for each category."""

    id: Line
    category: Category | None = None
    credited: Hours
    rule: RuleId
    reason: Word
    delivery: Word | None = Field(None, description="none, automatic, learner_declares or auto")


class ExpectedStanding(Frozen):
    """What the example's year must come to; what is left out is not compared."""

    credited: dict[Category, Hours] = {}
    total: Hours | None = None
    required: dict[Category, Hours] = {}
    missing: dict[Category, Hours] = {}
    met: bool | None = None


class ExpectedCertificate(Frozen):
    """Whether a programme may have certificates."""

    category: Category
    organiser: Word
    state: Word
    entitled: bool = Field(strict=True)


class Example(Frozen):
    """A learner's year, written like the input of `xueshi credit evaluate`, and what it must come to.

    Run by `xueshi mapping lint` and by the tests. ``parameters`` puts other parameters in a rule's place, to show what
    they do.
    """

    name: Text
    of: tuple[RuleId, ...] = Field(min_length=1, description="The rules that it shows")
    case: Literal["notice", "edge"] = Field(description="What the notice says, or a case at a rule's edge")
    parameters: dict[RuleId, Any] = {}
    learner: AskedLearner = AskedLearner()
    achievements: tuple[AskedAchievement, ...] = ()
    absences: tuple[AskedAbsence, ...] = ()
    title_application: AskedApplication | None = None
    carried_over: dict[Category, Hours] = {}
    entries: tuple[ExpectedEntry, ...] = ()
    standing: ExpectedStanding = ExpectedStanding()
    deadline: str = ""
    certificates: tuple[ExpectedCertificate, ...] = ()

    @property
    def asked(self) -> Asked:
        """The learner's year."""
        return Asked.model_construct(**{name: getattr(self, name) for name in Asked.model_fields})


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
        return tuple(self._by_kind.get(kind, ()))  # type: ignore[arg-type] # a list of its own for each kind

    def the(self, kind: type[_R]) -> _R | None:
        """The rule of a kind of which there is one at most."""
        found = self._by_kind.get(kind)
        return found[0] if found else None  # type: ignore[return-value]

    @cached_property
    def _by_kind(self) -> dict[type[RuleBase], list[Rule]]:
        found: dict[type[RuleBase], list[Rule]] = {}
        for rule in self.rules:
            found.setdefault(type(rule), []).append(rule)
        return found

    def rules_kind(self, kind: str) -> bool:
        """Whether there is a rule for achievements of a kind."""
        return (
            kind == "training" or kind in self.counting or (kind == "secondment" and self.the(Secondment) is not None)
        )

    # Of these kinds a policy has exactly one (`agent.credit.policy_checks` sees to it).
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
    def carry_over(self) -> CarryOver:
        """What becomes of a surplus (R25)."""
        return self.of_kind(CarryOver)[0]

    @cached_property
    def rounding(self) -> Rounding:
        """How hours are made whole (R28)."""
        return self.of_kind(Rounding)[0]

    @cached_property
    def required(self) -> dict[str, RequiredCategory]:
        """What a year needs of each category (R02, R03)."""
        return {rule.parameters.category: rule for rule in self.of_kind(RequiredCategory)}

    @cached_property
    def counting(self) -> dict[str, Counting]:
        """The rule of each kind of achievement beside training and secondment (R12-R16, R19, R22)."""
        return {rule.parameters.achievement: rule for rule in self.of_kind(Counting)}

    @cached_property
    def catalogues(self) -> dict[str, Catalogue]:
        """The list of subjects of each category that has one (R04)."""
        return {rule.parameters.category: rule for rule in self.of_kind(Catalogue)}

    @cached_property
    def evidence(self) -> Mapping[str, frozenset[str]]:
        """The types of evidence that stand for each kind (R23)."""
        rule = self.the(Evidence)
        if rule is None:
            return {}
        return {each.achievement: frozenset((*each.types, rule.parameters.otherwise)) for each in rule.parameters.types}

    @cached_property
    def auditors(self) -> tuple[frozenset[str], frozenset[str]]:
        """Who audits the employed, and who freelancers (R24)."""
        rule = self.the(Auditor)
        return (
            (frozenset(rule.parameters.employed), frozenset(rule.parameters.freelancer)) if rule else (frozenset(),) * 2
        )

    @cached_property
    def category_ids(self) -> tuple[str, ...]:
        """The categories of this year, in the file's order."""
        return tuple(category.id for category in self.categories)

    def with_parameters(self, changed: Mapping[str, Any]) -> Policy:
        """The same policy with other parameters of some rules, as a file writes them.

        :raises pydantic.ValidationError: they are none of that rule
        """
        rules = tuple(
            rule.model_copy(update={"parameters": type(rule.parameters).model_validate(changed[rule.id])})
            if rule.id in changed
            else rule
            for rule in self.rules
        )
        made = Policy.model_construct(
            **{name: getattr(self, name) for name in type(self).model_fields} | {"rules": rules}
        )
        made._digest = self._digest  # noqa: SLF001 - one of its own kind
        return made
