"""What every part of a policy file is made of: hours, days, sentences, and the head of a rule.

Hours are whole hundredths of an hour (``int``) everywhere in the program; in a file they are written as people write
them (8, 7.5, "0.1").
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_A_YEAR = 366 * 24 * 100


def to_hundredths(value: object) -> int:
    """Hours as a person writes them (8, 7.5, "0.10") → hundredths of an hour, exactly, or ValueError."""
    if type(value) is int and 0 <= value <= _A_YEAR // 100:
        return value * 100
    if type(value) is float and 0 <= value <= _A_YEAR:  # as JSON has it; no NaN is above 0
        result = round(value * 100)
        if result / 100 == value and result <= _A_YEAR:
            return result
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


class RuleBase(Frozen):
    """What every rule has; ``parameters`` and ``kind`` are its own."""

    id: RuleId
    name: Text
    sentence: Text
    source: Source
    silent: tuple[Word, ...] = Field((), description="Parameters that the notice does not state: our defaults")
