"""Looking at the figures: those of a scope in a span, all in one look.

In a small house every question is asked now; where a count went through more than `SMALL` rows its answers are kept,
and whoever looks is told of when they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from agent.figures.models import Count
from agent.figures.questions import CERTIFICATES, HELD, HOURS, LANDED, LEARNERS, PULLS, QUESTIONS, What
from agent.figures.stage import since_of
from agent.localtime import local_date, now

SMALL = 10_000
"""Rows that are counted while somebody waits: a few hundredths of a second."""
_KEPT = "SELECT what, day, source, programme, name, n, amount FROM figures_figure WHERE what = ANY(%(whats)s)"
_ASKED = """
WITH figure AS ({question})
SELECT {columns} FROM figure WHERE what = ANY(%(whats)s) AND day BETWEEN %(first)s AND %(last)s
  AND (%(sources)s::bigint[] IS NULL OR source = ANY(%(sources)s))
  AND (%(organisers)s::bigint[] IS NULL
       OR programme IN (SELECT id FROM programmes_programme WHERE organiser_id = ANY(%(organisers)s)))
{group}
"""
_ALWAYS = (date.min, date.max)
_VALID = "AND (what <> 'certificates' OR name = 'issued')"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose things are counted: those of some sources, of programmes that some bodies organise, or (None) of all."""

    sources: Sequence[int] | None = None
    organisers: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From one local day to another, both counted."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Hours:
    """What was credited under one subject or series: entries less reversals, and hundredths of an hour."""

    name: str
    entries: int
    credited: int


@dataclass(frozen=True, slots=True)
class Held:
    """What waits under one code: since when, how many of which age in days, and the key of one of them."""

    code: str
    count: int
    since: date
    days: dict[date, int]
    one: int


@dataclass(slots=True)
class Pulls:
    """A source's pulls in a span."""

    runs: int = 0
    failed: int = 0
    calls: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a scope. ``kept``: the figures are those of ``as_of`` and not of now."""

    scope: Scope
    as_of: datetime
    kept: bool

    def landed(self, span: Span) -> dict[date, int]:
        """Completions by the day on which they landed."""
        return dict(self._ask([LANDED], "day, sum(n)", "GROUP BY 1 ORDER BY 1", span))

    def hours(self, span: Span, what: What) -> list[Hours]:
        """Hours by subject (`What.PUBLIC`) or series (`What.PROFESSIONAL`), most first."""
        asked = self._ask(
            [HOURS], "name, sum(n), sum(amount)", f"AND what = '{what}' GROUP BY 1 ORDER BY 3 DESC, 1", span
        )
        return [Hours(*row) for row in asked]

    def certificates(self, span: Span) -> list[tuple[date, str, int]]:
        """Certificates by the day of their issue and their state now."""
        return self._ask([CERTIFICATES], "day, name, sum(n)", "GROUP BY 1, 2 ORDER BY 1, 2", span)

    def held(self) -> list[Held]:
        """What waits, by code, most first; whatever the span."""
        by_code: dict[str, dict[date, int]] = defaultdict(dict)
        ones: dict[str, int] = {}
        asked = self._ask([HELD], "name, day, sum(n), min(amount)", "GROUP BY 1, 2 ORDER BY 1, 2", None)
        for code, day, n, one in asked:
            by_code[code][day] = n
            ones.setdefault(code, one)  # of the oldest day
        found = [Held(code, sum(days.values()), min(days), days, ones[code]) for code, days in by_code.items()]
        return sorted(found, key=lambda each: (-each.count, each.code))

    def pulls(self, span: Span) -> dict[int, Pulls]:
        """Pulls by source."""
        found: dict[int, Pulls] = defaultdict(Pulls)
        for what, source, name, n in self._ask([PULLS], "what, source, name, sum(n)", "GROUP BY 1, 2, 3", span):
            each = found[source]
            match what:
                case What.CALLS:
                    each.calls += n
                case What.ROWS:
                    each.rows += n
                case _:
                    each.runs += n
                    each.failed += n if name == "failed" else 0
        return dict(found)

    def whole(self) -> dict[str, tuple[int, int]]:
        """All that there ever was, by kind: number and amount; of certificates the valid ones, of what is held all."""
        asked = self._ask(
            [LANDED, HOURS, CERTIFICATES, HELD, LEARNERS], "what, sum(n), sum(amount)", f"{_VALID} GROUP BY 1", None
        )
        return {what: (n, amount) for what, n, amount in asked}

    def by_programme(self) -> dict[int, dict[str, tuple[int, int]]]:
        """What became of each programme: completions, and its certificates that are valid."""
        found: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
        columns = "programme, what, sum(n), sum(amount)"
        for programme, what, n, amount in self._ask(
            [LANDED, CERTIFICATES], columns, f"{_VALID} GROUP BY 1, 2", None
        ):  # fmt: skip
            found[programme][what] = (n, amount)
        return dict(found)

    def _ask(self, questions: Sequence[str], columns: str, group: str, span: Span | None) -> list[Any]:
        first, last = (span.first, span.last) if span else _ALWAYS
        params: dict[str, Any] = {
            "whats": [str(what) for each in questions for what in QUESTIONS[each]],
            "first": first, "last": last, "since": since_of(local_date(now())),
            "sources": None if self.scope.sources is None else list(self.scope.sources),
            "organisers": None if self.scope.organisers is None else list(self.scope.organisers),
        }  # fmt: skip
        question = _KEPT if self.kept else " UNION ALL ".join(f"({each})" for each in questions)
        said = _ASKED.format(question=question, columns=columns, group=group)
        with connection.cursor() as cursor:
            cursor.execute(said, params)
            return [tuple(int(v) if _is_sum(v) else v for v in row) for row in cursor.fetchall()]


def _is_sum(value: object) -> bool:
    """Sums of bigints come as decimals."""
    return not isinstance(value, str | date | int)


@contextmanager
def looking(scope: Scope) -> Iterator[Look]:
    """One look: every figure of it is of the same moment."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        last = Count.objects.first()
        kept = last is not None and last.rows > SMALL
        yield Look(scope, last.taken_at if last and kept else now(), kept)
