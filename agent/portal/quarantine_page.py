"""What waits: by code with its age, one by one, and one of them with its raw record. Numbers are never in clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext

from agent.audit import masking
from agent.crypto import SealBroken, vault
from agent.intake.landing import PAYLOAD_PURPOSE, open_raw
from agent.intake.models import Completion, RawPage, Source
from agent.localtime import now
from agent.matching.decisions import Candidate, Kind, candidates, kind_for, row_of
from agent.matching.models import Decision
from agent.organisations.rights import Right
from agent.portal.bars import bars
from agent.portal.people import EVERYTHING, Person, ids_of
from agent.portal.run_page import HeldItem, masked
from agent.quarantine.codes import CODES
from agent.quarantine.models import Held

PAGE = 50
SEARCHED = 20_000
"""Items in which one page looks for a text."""
LATELY = timedelta(30)
_LONGEST = 100
_DIGITS = 18
_AGES = (1, 7, 30, 90)
"""Days between the bars."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code: how many wait, since when, and one of them as an example."""

    code: str
    count: int
    item: HeldItem


@dataclass(frozen=True, slots=True)
class ReleasedRow:
    """What was released of one code in the last thirty days, and when last."""

    code: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Whole:
    """What the first page shows."""

    rows: list[CodeRow]
    released: list[ReleasedRow]
    chart: str
    ages: list[tuple[str, int]]

    @property
    def count(self) -> int:
        """How many wait in all."""
        return sum(row.count for row in self.rows)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One held item in a list."""

    pk: int
    source: str
    item: HeldItem


@dataclass(frozen=True, slots=True)
class Items:
    """A page of the items of one code. ``total`` waits in all; ``after`` is where the next page goes on; ``cut`` says
    that a text was looked for in a part only.
    """

    rows: list[ItemRow]
    total: int
    after: int | None
    cut: bool = False


_MINE = "(%(all)s OR source = ANY(%(sources)s))"
_BY_CODE = f"""
WITH counted AS (
    SELECT code, count(*) AS n, min(opened_at) AS since,
           count(*) FILTER (WHERE opened_at > %(d0)s), count(*) FILTER (WHERE opened_at > %(d1)s),
           count(*) FILTER (WHERE opened_at > %(d2)s), count(*) FILTER (WHERE opened_at > %(d3)s)
    FROM quarantine_held WHERE released_at IS NULL AND {_MINE} GROUP BY code
)
SELECT c.*, (SELECT params::text FROM quarantine_held h
             WHERE h.released_at IS NULL AND h.code = c.code AND {_MINE} LIMIT 1)
FROM counted c ORDER BY n DESC, code
"""  # noqa: S608 - of our own parts
_RELEASED = f"""
SELECT code, count(*), max(released_at) FROM quarantine_held
WHERE released_at > %(since)s AND {_MINE} GROUP BY code ORDER BY 2 DESC, 1
"""  # noqa: S608 - of our own parts
_ITEMS = f"""
SELECT id, source, code, params::text, opened_at, released_at FROM quarantine_held
WHERE released_at IS NULL AND code = %(code)s AND {_MINE} AND id > %(after)s
ORDER BY id LIMIT %(limit)s
"""  # noqa: S608 - of our own parts
# A text is looked for in so many items at a time, however many wait: the page says how far it got.
_SEARCH = f"""
WITH part AS MATERIALIZED (
    SELECT id, source, code, params::text AS said, opened_at, released_at FROM quarantine_held
    WHERE released_at IS NULL AND code = %(code)s AND {_MINE} AND id > %(after)s ORDER BY id LIMIT %(most)s
), hit AS (SELECT * FROM part WHERE position(lower(%(text)s) IN lower(said)) > 0 ORDER BY id LIMIT %(limit)s)
SELECT h.*, (SELECT count(*) FROM part), (SELECT max(id) FROM part) FROM (SELECT 1) one LEFT JOIN hit h ON true
ORDER BY h.id
"""  # noqa: S608 - of our own parts
_COUNT = f"""
SELECT count(*) FROM quarantine_held WHERE released_at IS NULL AND code = %(code)s AND {_MINE}
"""  # noqa: S608 - of our own parts


def scope(person: Person, right: Right = Right.QUARANTINE_SEE) -> dict[str, Any]:
    """Whose items: those of the sources that ``right`` reaches, or all."""
    bodies = ids_of(person.bodies_with(right))
    names = [] if bodies is None else Source.objects.filter(organisation__in=bodies).values_list("name", flat=True)
    return {"all": bodies is None, "sources": list(names)}


def whole(person: Person) -> Whole:
    """What waits for ``person``'s bodies by code, most first; its age; and what was released lately."""
    at = now()
    params = scope(person) | {f"d{i}": at - timedelta(days) for i, days in enumerate(_AGES)}
    rows = _asked(_BY_CODE, params)
    codes = [CodeRow(r[0], r[1], HeldItem(r[0], orjson.loads(r[7] or "{}"), r[2], None)) for r in rows]
    upto = [sum(row[3 + i] for row in rows) for i in range(len(_AGES))]
    total = sum(row[1] for row in rows)
    each = [upto[0], *(b - a for a, b in pairwise(upto)), total - upto[-1]]
    ages = list(zip(_names(), each, strict=True))
    chart = bars(ages, title=gettext("等了多久")) if total else ""
    released = [ReleasedRow(*r) for r in _asked(_RELEASED, scope(person) | {"since": at - LATELY})]
    return Whole(codes, released, chart, ages)


def _names() -> list[str]:
    return [gettext("1天"), gettext("7天"), gettext("30天"), gettext("90天"), gettext("更久")]


def items_of(person: Person, code: str, asked: Mapping[str, str], sources: Collection[Source]) -> Items:
    """The items of ``code`` that the address asks for, the oldest first."""
    mine = scope(person)
    if asked.get("source"):
        mine = {"all": False, "sources": [s.name for s in sources if s.name == asked["source"]]}
    after = asked.get("after", "")
    text = asked.get("q", "")[:_LONGEST].replace("\0", "").strip()
    params = mine | {
        "code": code, "text": text, "limit": PAGE + 1, "most": SEARCHED,
        "after": int(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS else 0,
    }  # fmt: skip
    rows = _asked(_SEARCH if text else _ITEMS, params)
    looked, last = (rows[0][6], rows[0][7]) if text else (0, None)
    rows = [row for row in rows if row[0] is not None]
    ((total,),) = _asked(_COUNT, params)
    shown = [ItemRow(r[0], r[1], HeldItem(r[2], orjson.loads(r[3]), r[4], r[5])) for r in rows[:PAGE]]
    cut = looked == SEARCHED and len(rows) <= PAGE
    return Items(shown, total, shown[-1].pk if len(rows) > PAGE else last if cut else None, cut)


def known(code: str) -> bool:
    """Whether that is a code of the quarantine at all."""
    return code in CODES


# --- one item -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OneItem:
    """One held item with all that is known of it."""

    held: Held
    item: HeldItem
    row: Completion | None
    raw: list[tuple[str, str]]
    others: list[Held]
    kind: Decision.Kind | None
    people: list[Candidate]


def mine(person: Person, numbers: Sequence[int], right: Right) -> list[Held]:
    """Those of the held items that ``right`` reaches."""
    of = scope(person, right)
    found = Held.objects.filter(pk__in=numbers)
    return list(found if of["all"] else found.filter(source__in=of["sources"]))


def decision_for(person: Person, code: str) -> Decision.Kind | None:
    """What ``person`` may decide about ``code``; None: nothing. What is waived, the bureau waives."""
    kind = kind_for(code)
    if not person.may(Right.QUARANTINE_DECIDE):
        return None
    bureau = person.bodies_with(Right.QUARANTINE_DECIDE) is EVERYTHING
    return None if kind is Kind.WAIVER and not bureau else kind


def one_item(person: Person, held: Held) -> OneItem:
    """Everything of ``held``, with whom it may be where that can be decided."""
    row = row_of(held)
    kind = decision_for(person, held.code) if held.released_at is None and row else None
    everywhere = person.bodies_with(Right.QUARANTINE_DECIDE) is EVERYTHING
    return OneItem(
        held=held,
        item=HeldItem(held.code, held.params, held.opened_at, held.released_at),
        row=row,
        raw=raw_of(held, row),
        others=list(
            Held.objects.filter(what=held.what, key=held.key, released_at__isnull=False)
            .exclude(pk=held.pk)
            .order_by("-opened_at")[:20]
        ),
        kind=kind,
        people=candidates(row, everywhere=everywhere) if kind is Kind.SAME_PERSON and row else [],
    )


def raw_of(held: Held, row: Completion | None) -> list[tuple[str, str]]:
    """The raw record as it came, by its titles; numbers masked. Empty: it was not kept, or another key sealed it."""
    try:
        if held.payload is not None:
            said: object = orjson.loads(vault().open(bytes(held.payload), PAYLOAD_PURPOSE))
        elif row is not None:
            page = RawPage.objects.filter(pk=row.raw_page_id).first()
            said = open_raw(vault(), bytes(page.sealed), row.raw_place) if page else {}
        else:
            said = {}
    except SealBroken:
        said = {}
    fields = said.items() if isinstance(said, dict) else enumerate(said if isinstance(said, list) else [said], 1)
    return [(str(name), masked(masking.masked(_plain(value)))) for name, value in fields]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def _asked(question: str, params: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question, params)
        return list(cursor.fetchall())
