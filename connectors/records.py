"""The records that every connector yields.

`Completion` is a ``TypedDict`` and not a model because a page of them is validated by one pydantic call, twice as fast
as models (measured). Text is as the source has it, entities unescaped: folding names and judging identity numbers is
the agent's business, and what a connector could not make sense of comes as `Rejected` with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AwareDatetime, Field, SkipValidation, TypeAdapter, with_config
from typing_extensions import TypedDict  # typing's own lacks what pydantic reads, before Python 3.12

Precision = Literal["second", "minute", "day", "unknown"]
"""How exactly the source knows the time of completion. ``unknown``: it says completed, and not when."""

LONGEST_KEY, LONGEST_TEXT = 300, 500
_Key = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
_Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


@with_config({"extra": "forbid"})
class Completion(TypedDict):
    """One learner's finished (or failed) course, as the source tells it."""

    key: _Key  # unique within the source, the same on every read
    user: _Text  # the account there; "" for a roster
    course: _Text  # the course's code there (Moodle: short name); "" when the file belongs to one class
    course_name: _Text
    name: _Text  # family name first, as claimed
    id_number: _Text  # identity number as claimed, untouched; "" when the source has none
    completed_at: AwareDatetime | None
    precision: Precision
    started_on: date | None  # local date, when the source knows it
    hours: Annotated[int, Field(gt=0, le=10_000_00)] | None  # hundredths of an hour as the source reports them
    minutes: Annotated[int, Field(gt=0, le=10_000_00)] | None  # for sources that count minutes (45 make an hour)
    passed: bool  # False: took part and failed; lands, counts nothing
    active: bool  # False: account or enrolment suspended since; takes nothing away
    grade: _Text
    employer: _Text
    filing_number: _Text  # the programme as the source names it, when it does
    place: NotRequired[_Text]  # sheet and row, for files
    serial: NotRequired[Annotated[int, Field(gt=0, lt=1 << 63)]]  # the source's own number of the row, for `Block`
    mark: NotRequired[Annotated[int, Field(ge=0, lt=1 << 32)]]  # the source's own digest of the row, for `Block`
    raw: Annotated[
        dict[str, Any] | Sequence[Any], SkipValidation
    ]  # the row as it came, a list's names in `Page.titles`


MAY_LACK = ("place", "serial", "mark")
MUST_HAVE = tuple(name for name in Completion.__annotations__ if name not in MAY_LACK)
"""What a `Completion` may lack, and the rest; the class itself can't tell, whose annotations are texts."""

Completions = TypeAdapter(list[Completion])

A_FEW = 500
"""Rows that are worked on at a time: they and what is made of them nearly fit into a processor's cache, which saves a
pull by large answers 10 to 15 % of its time, and memory (measured, ADR 17)."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that makes no completion: why, where, and what it said (``raw`` is kept for a replay)."""

    key: str
    code: str  # E_ID_PRECISION_LOST, E_HOURS_INVALID, E_DATE_INVALID, E_ROW_MALFORMED
    field: str  # the column as its sender calls it
    place: str  # "学员名册!C5", or the page and row
    value: str  # what stood there, masked where it is an identity number
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What one read yielded. All its rows are taken over together, or none."""

    completions: Sequence[Completion]
    rejected: list[Rejected] = field(default_factory=list)
    window: str = ""  # what was asked for, in words
    total: int | None = None  # rows in the whole pull as the source counts them, when it does
    skipped: dict[str, int] = field(default_factory=dict)  # rows that the source itself says nothing of, by its reason
    through: datetime | None = None  # every row of the span completed before that moment has come by now
    sequence: int | None = None  # for `Connector.changes`: the place in the log that is reached with this page
    titles: Sequence[str] = ()  # what the cells of ``raw`` are called, where it is a list
    gone: list[str] = field(default_factory=list)  # keys that the source itself says are there no more
    gone_serials: list[int] = field(default_factory=list)  # the number that each of them bore, where rows are numbered
    more: bool = False  # the next page is of the same answer, follows at once, and is taken over together with this one


@dataclass(frozen=True, slots=True)
class Span:
    """Completions from ``since`` up to just before ``until`` (time of completion, aware); None: no end there."""

    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Span()


@dataclass(frozen=True, slots=True)
class Block:
    """What a source says of its rows numbered ``first`` to ``last`` without sending them: how many, and their marks'
    sum. Equal to ours means: nothing new, changed or gone among them.
    """

    first: int
    last: int
    rows: int
    marks: int
    sequence: int | None = None  # where the log stood before, for a source that keeps one


@dataclass(frozen=True, slots=True)
class Course:
    """A course as the source has it."""

    code: str
    name: str
    external_id: str = ""
    idnumber: str = ""
    category: str = ""
    starts_on: date | None = None
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `check` found, in a form that a person can act on."""

    code: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `check` says of a source: `ok` when a sync would bring everything that is needed."""

    ok: bool
    site: str
    release: str
    route: str
    capabilities: dict[str, bool]
    problems: list[Problem]


def utc_or_none(value: datetime | None) -> str:
    """``value`` as ISO 8601, "" for none (for messages)."""
    return value.isoformat() if value else ""
