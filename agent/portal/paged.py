"""Long lists in pages: so many rows, and the addresses of the pages on both sides, with all that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import QuerySet
from django.http import QueryDict

PAGE = 50
_DIGITS = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """One page of a list. ``newer`` and ``older`` are the queries of the pages before and behind; empty: none."""

    rows: list[T]
    newer: str
    older: str


def number_of(asked: QueryDict) -> int:
    """The page that the address asks for, from 1 on; what is no number is the first."""
    text = asked.get("page", "")
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 1


def offset_of(asked: QueryDict) -> int:
    """Rows before that page."""
    return (number_of(asked) - 1) * PAGE


def cut(found: Sequence[T], asked: QueryDict) -> Paged[T]:
    """The page of ``found``, which begins where the page does and may have one row more than a page."""
    number = number_of(asked)
    newer = _query(asked, number - 1) if number > 1 else ""
    return Paged(list(found[:PAGE]), newer, _query(asked, number + 1) if len(found) > PAGE else "")


def paged(found: Sequence[T] | QuerySet[T], asked: QueryDict) -> Paged[T]:  # type: ignore[type-var] # a query, too
    """The page of a whole list or query."""
    first = offset_of(asked)
    return cut(list(found[first : first + PAGE + 1]), asked)


def _query(asked: QueryDict, number: int) -> str:
    said = asked.copy()
    said["page"] = str(number)
    return said.urlencode()
