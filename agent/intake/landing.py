"""From a connector's record to a row of `Completion`: identity judged, number sealed, name cleaned. No database.

Twins of one number are sealed once: a learner's ten courses cost one encryption.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from agent.crypto import Vault
from agent.learners.identity import clean_name, fold_name, mask_id, normalise_id
from agent.localtime import local_date
from connectors.records import Completion

_said = itemgetter(*sorted(Completion.__annotations__.keys() - {"key", "raw", "place", "serial", "mark"}))
_identified = itemgetter("key", "user", "course", "course_name")
_dated = itemgetter("completed_at", "precision")
_counted = itemgetter("started_on", "hours", "minutes", "passed", "active")
ID_PURPOSE = b"identity number"
PAYLOAD_PURPOSE = b"raw row"
PAGE_PURPOSE = b"raw page"
_LARGEST = (1 << 31) - 1  # of hours and minutes
_LONGEST_NAME = 200  # a learner's, and a certificate's; folding may lengthen a name, and is cut there too
_SHORTEST_NUMBER = 15
_DIGITS = re.compile("[0-9]{15}")  # three times as fast as looking for the whole
_NUMBER = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|[0-9]{15})(?![0-9])")


class SealedId(NamedTuple):
    """An identity number as it may be stored."""

    masked: str
    fingerprint: bytes | None
    sealed: bytes | None
    code: str


class CleanName(NamedTuple):
    """A name as it is stored, its form for comparison, and what is wrong with it."""

    name: str
    folded: str
    code: str


COLUMNS = {
    "digest": "bytea", "key": "text", "account": "text", "course": "text", "course_name": "text",
    "name": "text", "name_folded": "text", "name_code": "text",
    "id_masked": "text", "id_fingerprint": "bytea", "id_sealed": "bytea", "id_code": "text",
    "completed_at": "timestamptz", "precision": "text", "learned_on": "date",
    "started_on": "date", "hours": "int4", "minutes": "int4", "passed": "bool", "active": "bool", "grade": "text",
    "employer": "text", "filing_number": "text", "place": "text", "serial": "int8", "mark": "int8",
}  # fmt: skip
"""What `Lander.row` gives, with its types in PostgreSQL: a binary COPY wants to be told, and is three times faster."""


class Lander:
    """Turns records into rows with one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.person = lru_cache(maxsize=50_000)(self._person)

    def plain(self, text: str) -> str:
        """``text`` as it may stand in the database. An identity number in it, for many a site uses them as account
        names, gives way to a piece of its keyed hash: the same for the same number, and no longer.
        """
        if len(text) >= _SHORTEST_NUMBER and _DIGITS.search(text):
            text = _NUMBER.sub(lambda found: "~" + self._vault.fingerprint(found[0].upper()).hex()[:14], text)
        return _storable(text)

    def digest(self, record: Completion) -> bytes:
        """A keyed hash of everything that the record says: equal means unchanged.

        The raw row and its place are left out: a column more in a report, or a line more above in a list, is no change.
        """
        return self._vault.digest(orjson.dumps(_said(record)))

    def row(self, record: Completion, digest: bytes) -> tuple[Any, ...]:
        """The values of `COLUMNS`.

        :raises OverflowError: a figure that its column can't hold
        """
        key, user, course, course_name = _identified(record)
        completed_at, precision = _dated(record)
        counted = _counted(record)
        if (counted[1] or 0) > _LARGEST or (counted[2] or 0) > _LARGEST:
            raise OverflowError("hours or minutes beyond what a column holds")  # a binary COPY would cut it silently
        return (
            digest,
            self.plain(key),
            self.plain(user),
            _storable(course),
            _storable(course_name),
            *self.person(record["name"], record["id_number"]),
            completed_at,
            precision,
            _learned_on(completed_at),
            *counted,
            self.plain(record["grade"]),
            self.plain(record["employer"]),
            _storable(record["filing_number"]),
            _storable(record.get("place", "")),
            record.get("serial"),
            record.get("mark"),
        )

    def seal_page(self, titles: Sequence[str], raws: list[Any]) -> bytes:
        """The raw rows of a page, sealed together: `open_raw` gives one back."""
        return self._vault.seal(zlib.compress(orjson.dumps([titles, raws]), 1), PAGE_PURPOSE)

    def seal_row(self, raw: object) -> bytes:
        """A raw row by itself, sealed."""
        return self._vault.seal(orjson.dumps(raw), PAYLOAD_PURPOSE)

    def _person(self, name: str, number: str) -> tuple[Any, ...]:
        return *_name(name), *self._identity(number)

    def _identity(self, text: str) -> SealedId:
        identity = normalise_id(text)
        if identity.number is None:
            return SealedId(identity.masked, None, None, identity.code or "E_ID_FORMAT")
        return SealedId(
            identity.masked,
            self._vault.fingerprint(identity.number),
            self._vault.seal(identity.number.encode(), ID_PURPOSE),
            "",
        )


def open_raw(vault: Vault, sealed: bytes, place: int) -> dict[str, Any]:
    """The raw row at ``place`` (from 0) of a sealed page, by its titles.

    :raises agent.crypto.SealBroken: another key sealed it
    """
    titles, raws = orjson.loads(zlib.decompress(vault.open(sealed, PAGE_PURPOSE)))
    raw = raws[place]
    return raw if isinstance(raw, dict) else dict(zip(titles, raw, strict=True))


def _storable(text: str) -> str:
    """``text`` without NUL, which PostgreSQL refuses: one row must not keep its page out."""
    return text.replace("\0", "\ufffd")


def _learned_on(completed_at: datetime | None) -> date | None:
    try:
        return local_date(completed_at) if completed_at else None
    except OverflowError:  # the last hours of the year 9999: a wrong clock, and no reason to stop a source
        return date.max


def _name(text: str) -> CleanName:
    # a number in a name is masked, and the stars then hold the row: no certificate shall show it
    cleaned = clean_name(_NUMBER.sub(lambda found: mask_id(found[0]), text))
    code = cleaned.code or ("E_NAME_TOO_LONG" if len(cleaned.name) > _LONGEST_NAME else "")
    return CleanName(cleaned.name[:_LONGEST_NAME], fold_name(cleaned.name)[:_LONGEST_NAME], code)
