"""Over which days a desk looks: a choice of four, as plain links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext

from agent.figures.look import Span

_MOST_DAYS = 92
USUAL = "30"


@dataclass(frozen=True, slots=True)
class Choice:
    """A span that can be chosen; ``key`` stands in the address."""

    key: str
    name: str
    span: Span

    @property
    def days(self) -> list[date]:
        """Its days, in their order."""
        return [self.span.first + timedelta(n) for n in range((self.span.last - self.span.first).days + 1)]

    @property
    def by_month(self) -> bool:
        """Whether its days are too many to be drawn one by one."""
        return len(self.days) > _MOST_DAYS


def choices(today: date) -> list[Choice]:
    """All that can be chosen, the usual one first."""
    last_year = today.year - 1
    return [
        Choice(USUAL, gettext("近30天"), Span(today - timedelta(29), today)),
        Choice("90", gettext("近90天"), Span(today - timedelta(89), today)),
        Choice("this-year", gettext("今年"), Span(date(today.year, 1, 1), today)),
        Choice("last-year", gettext("去年"), Span(date(last_year, 1, 1), date(last_year, 12, 31))),
    ]


def chosen(asked: str, today: date) -> Choice:
    """The choice of that key; the usual one where there is none."""
    found = choices(today)
    return next((each for each in found if each.key == asked), found[0])
