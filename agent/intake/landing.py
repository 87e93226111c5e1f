"""From a connector's record to a row of `Completion`: identity judged, number sealed, name cleaned. No database.

A row is made of pieces, as bytes of COPY: what repeats is kept (a course, a grade), people are judged page by page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from operator import add
from typing import Any, get_args

import orjson
import zstandard

from agent.crypto import Vault
from agent.intake.copying import NULL, boolean, day, int4, int8, moments_and_days, size, text
from agent.learners.identity import clean_name, fold_name, is_plain_name, mask_id, normalise_id
from connectors.record_table import RecordTable
from connectors.records import MUST_HAVE, Precision

_SAID = sorted({*MUST_HAVE} - {"key", "raw"})
ID_PURPOSE = b"identity number"
PAYLOAD_PURPOSE = b"raw row"
PAGE_PURPOSE = b"raw page"
_LONGEST_NAME = 200  # a learner's, and a certificate's; folding may lengthen a name, and is cut there too
_SHORTEST_NUMBER = 15
_DIGITS = re.compile("[0-9]{15}")  # three times as fast as looking for the whole
_NINES = bytes(ord("9") if chr(byte) in "0123456789" else byte for byte in range(256))
_NUMBER = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|[0-9]{15})(?![0-9])")


Said = tuple[Any, ...]


COLUMNS = (
    "digest", "key", "course", "course_name",
    "account", "name", "name_folded", "name_code", "id_masked", "id_fingerprint", "id_sealed", "id_code",
    "completed_at", "learned_on", "precision", "started_on",
    "hours", "minutes", "passed", "active", "grade", "employer", "filing_number", "place", "serial", "mark",
)  # fmt: skip
"""What the bytes of `Lander.rows` hold behind a row's head, in this order."""
_DIGEST = size(16)
_NOTHING = text("")
_PRECISIONS = {precision: text(precision) for precision in get_args(Precision)}
_COURSES, _REPEATED = 5_000, 5_000  # pieces that are kept
_MASKED, _FINGERPRINT, _SEALED = size(18), size(32), size(47)
"""How long the parts of an identity number are that is one: of one that is none each is as long as it is."""


class Lander:
    """Turns records into rows with one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._course = lru_cache(_COURSES)(lambda code, name: text(_storable(code)) + text(_storable(name)))
        self._rest = lru_cache(_REPEATED)(self._counted)
        self._day = lru_cache(_REPEATED)(day)

    def plain(self, text: str) -> str:
        """``text`` as it may stand in the database. An identity number in it, for many a site uses them as account
        names, gives way to a piece of its keyed hash: the same for the same number, and no longer.
        """
        if len(text) >= _SHORTEST_NUMBER and _DIGITS.search(text):
            text = _NUMBER.sub(lambda found: "~" + self._vault.fingerprint(found[0].upper()).hex()[:14], text)
        return _storable(text)

    def keys(self, keys: Sequence[str]) -> Sequence[str]:
        """``keys`` as they may stand in the database."""
        # one look in C at a whole page, ten times as fast as a regular expression, and seldom a second one
        page = "\n".join(keys).encode(errors="surrogatepass")
        odd = b"\0" in page or b"9" * _SHORTEST_NUMBER in page.translate(_NINES)
        return list(map(self.plain, keys)) if odd else keys

    def said(self, records: RecordTable) -> list[Said]:
        """What each record says, without its raw row and its place: a column more in a report, or a line more above in
        a list, is no change.
        """
        return list(zip(*(records.columns[name] for name in _SAID), strict=True))

    def digests(self, said: Iterable[Said]) -> list[bytes]:
        """A keyed hash of all that each record says: equal means unchanged."""
        dumps, digest = orjson.dumps, self._vault.digest
        return [digest(dumps(one)) for one in said]

    def rows(self, keys: Iterable[str], records: RecordTable, digests: Iterable[bytes]) -> list[bytes]:
        """The values of `COLUMNS` as bytes of COPY, a row each. Every row of a city passes here, column by column.

        :param keys: the records' keys as they may stand in the database
        :raises struct.error: a figure that its column can't hold
        :raises UnicodeEncodeError: half of a surrogate pair, which is no character
        """
        of, rows = records.columns, len(records)
        called = [key.encode() for key in keys]
        figures = (of[name] for name in ("hours", "minutes", "passed", "active", "grade", "employer", "filing_number"))
        columns = (
            repeat(_DIGEST, rows),
            digests,
            map(size, map(len, called)),
            called,
            map(self._course, of["course"], of["course_name"]),
            self._people(of["user"], of["name"], of["id_number"]),
            moments_and_days(of["completed_at"]),
            map(_PRECISIONS.__getitem__, of["precision"]),
            map(self._day, of["started_on"]),
            map(self._rest, *figures),
            [text(_storable(place or "")) for place in of["place"]] if "place" in of else repeat(_NOTHING, rows),
            _numbers(of.get("serial"), of.get("mark"), rows),
        )
        return list(map(b"".join, zip(*columns, strict=True)))

    def seal_page(self, titles: Sequence[str], raws: Sequence[Any]) -> bytes:
        """The raw rows of a page, sealed together: `open_raw` gives one back."""
        return self._vault.seal(zstandard.compress(orjson.dumps([titles, raws]), 1), PAGE_PURPOSE)

    def seal_row(self, raw: object) -> bytes:
        """A raw row by itself, sealed."""
        return self._vault.seal(orjson.dumps(raw), PAYLOAD_PURPOSE)

    def _people(self, users: Sequence[str], names: Sequence[str], numbers: Sequence[str]) -> list[bytes]:
        """Whose each record is: account, name, and the identity number masked, fingerprinted and sealed, or what is
        wrong with it. Nobody is kept: in the order of time thousands of a city's people pass by before one is back.
        """
        identities = list(map(normalise_id, numbers))
        known = [one.number for one in identities if one.number is not None]
        sealed_each = self._vault.seal_each(list(map(str.encode, known)), ID_PURPOSE)
        kept = zip(map(self._vault.fingerprint, known), sealed_each, strict=True)
        people: list[bytes] = []
        for user, name, (number, code, masked, _) in zip(self.keys(users), names, identities, strict=True):
            if number is None:
                said = text(masked) + NULL + NULL + text(code or "E_ID_FORMAT")
            else:
                fingerprint, sealed = next(kept)
                parts = _MASKED, masked.encode(), _FINGERPRINT, fingerprint, _SEALED, sealed, _NOTHING
                said = b"".join(parts)
            people.append(text(user) + _name(name) + said)
        return people

    def _counted(
        self,
        hours: int | None,
        minutes: int | None,
        passed: bool,
        active: bool,
        *said: str,
    ) -> bytes:
        grade, employer, filing_number = said
        figures = int4(hours) + int4(minutes) + boolean(passed) + boolean(active)
        return figures + b"".join(map(text, (self.plain(grade), self.plain(employer), _storable(filing_number))))


def open_raw(vault: Vault, sealed: bytes, place: int) -> dict[str, Any]:
    """The raw row at ``place`` (from 0) of a sealed page, by its titles.

    :raises agent.crypto.SealBroken: another key sealed it
    """
    titles, raws = orjson.loads(zstandard.decompress(vault.open(sealed, PAGE_PURPOSE)))
    raw = raws[place]
    return raw if isinstance(raw, dict) else dict(zip(titles, raw, strict=True))


def _numbers(serials: Sequence[int | None] | None, marks: Sequence[int | None] | None, rows: int) -> Iterable[bytes]:
    """The source's own number and digest of each row, where it has them."""
    unsaid = [None] * rows
    if serials is None and marks is None:
        return repeat(NULL + NULL, rows)
    return map(add, map(int8, serials or unsaid), map(int8, marks or unsaid))


def _storable(text: str) -> str:
    """``text`` without NUL, which PostgreSQL refuses: one row must not keep its page out."""
    return text.replace("\0", "\ufffd")


def _name(written: str) -> bytes:
    """A name as it is stored, its form for comparison, and what is wrong with it."""
    if len(written) >= _SHORTEST_NUMBER:
        # a number in a name is masked, and the stars then hold the row: no certificate shall show it
        written = _NUMBER.sub(lambda found: mask_id(found[0]), written)
    elif is_plain_name(written):
        said = text(written)
        return said + said + _NOTHING
    name, code, _ = clean_name(written)
    code = code or ("E_NAME_TOO_LONG" if len(name) > _LONGEST_NAME else "")
    return text(name[:_LONGEST_NAME]) + text(fold_name(name)[:_LONGEST_NAME]) + text(code)
