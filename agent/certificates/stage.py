"""The issuing stage: one statement finds what is due, one numbers it, one pass signs, one COPY writes.

A batch is one transaction: serials move only together with the certificates, so a batch that dies leaves no gap, and
the next run takes up where it stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from agent.certificates.credential import sign_credentials
from agent.certificates.due import Due, find_due, hold_waiting
from agent.certificates.errors import GlyphMissing
from agent.certificates.events import Happened, record
from agent.certificates.facts import CertificateFacts
from agent.certificates.fonts import require_glyphs
from agent.certificates.numbers import make_number, make_token
from agent.certificates.signer import issuer_id, key_fault, keys_to_sign
from agent.certificates.status import take
from agent.certificates.takeback import take_back
from agent.certificates.transitions import Kind
from agent.credit.policy import Policy
from agent.localtime import now
from agent.quarantine.settle import new_holding, settle

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_BATCH = 2_000
PRINTED = ("name", "title", "series", "organiser", "implementer")
"""The fields that the page shows, and that the fonts must have the characters of."""
_PROFESSIONAL_DIGIT = "2"  # the category digit in numbers: 1 public (never issued, R09), 2 professional


@dataclass(slots=True)
class Issued:
    """What one run did, in certificates."""

    issued: int = 0
    revoked: int = 0
    superseded: int = 0
    held: int = 0


_IN_ORDER = "SELECT achievement_id FROM due WHERE code IS NULL ORDER BY programme_id, learned_on, achievement_id"
_BATCH_OF_DUE = "SELECT * FROM due WHERE code IS NULL ORDER BY programme_id, learned_on, achievement_id"
_SERIALS = """
INSERT INTO certificates_serial (programme_id, last)
SELECT * FROM unnest(%s::bigint[], %s::int[])
ON CONFLICT (programme_id) DO UPDATE SET last = certificates_serial.last + EXCLUDED.last
RETURNING programme_id, last
"""
_COPY = """
COPY certificates_certificate (number, token, achievement_id, learner_id, programme_id, programme_version_id, holder,
    id_masked, hours, learned_from, learned_on, issued_at, verify_url, credential, state, predecessor_id,
    status_list_id, status_index) FROM STDIN
"""
_IDS = "SELECT id FROM certificates_certificate WHERE number = ANY(%s) ORDER BY number"


def run(policies: Mapping[int, Policy], progress: Callable[[int, int], None] | None = None) -> Issued:
    """Issue every certificate that is due under the years' ``policies``, and revoke those whose completion the source
    took back.

    Without a key that can sign, what is due is held with the reason, and issued by the first run after it is back.

    :raises agent.certificates.errors.SigningKeyError: the key was lost on the way; the batch is undone and stays due.
    """
    done = Issued()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor)
        done.revoked = take_back(cursor)
        find_due(cursor, policies)
        new_holding(cursor)
        waiting_for_somebody = hold_waiting(cursor)
        held = _hold(cursor)
        settle(cursor, "certificate")
        done.held = waiting_for_somebody + len(held)
        cursor.execute(_IN_ORDER)
        waiting = [achievement for (achievement,) in cursor.fetchall() if achievement not in held]
    for start in range(0, len(waiting), _BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            _lock(cursor)
            # looked at again under the lock: another worker may have been faster, or a correction
            find_due(cursor, policies, only=waiting[start : start + _BATCH])
            cursor.execute(_BATCH_OF_DUE)
            batch = [due for due in map(Due._make, cursor.fetchall()) if not undrawable(due.texts)]
            if batch:
                issue(cursor, batch)
        done.issued += len(batch)
        if progress:
            progress(min(start + _BATCH, len(waiting)), len(waiting))
    return done


def _lock(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")


def issue(cursor: CursorWrapper, batch: list[Due], predecessors: Mapping[int, int] | None = None) -> list[int]:
    """Number, sign and write a certificate for each of ``batch``, in the caller's transaction; their ids.

    :param predecessors: by achievement, the certificate whose place the new one takes
    """
    counts: dict[int, int] = defaultdict(int)
    for due in batch:
        counts[due.programme] += 1
    # in the order of the programmes' ids, so that two workers never wait for each other crosswise
    programmes = sorted(counts)
    cursor.execute(_SERIALS, [programmes, [counts[p] for p in programmes]])
    next_serial = {programme: last - counts[programme] + 1 for programme, last in cursor.fetchall()}
    issued_at = now().replace(microsecond=0)
    facts = []
    for due, (status_list, status_index) in zip(batch, take(cursor, len(batch)), strict=True):
        serial = next_serial[due.programme]
        next_serial[due.programme] += 1
        number = make_number(due.region, due.year, _PROFESSIONAL_DIGIT, due.issuer_number, due.sequence, serial)
        token = make_token()
        facts.append(
            CertificateFacts(
                number=number,
                token=token,
                holder=due.name,
                id_masked=due.id_masked,
                programme=due.title,
                category="professional",
                series=due.series,
                organiser=due.organiser,
                organiser_uscc=due.organiser_uscc,
                implementer=due.implementer,
                filing_number=due.filing_number,
                hours=due.hours,
                learned_from=due.started_on,
                learned_on=due.learned_on,
                issued_at=issued_at,
                verify_url=verify_url(number, token),
                status_list=status_list,
                status_index=status_index,
            )
        )
    keys = keys_to_sign()
    credentials = sign_credentials(facts, keys, issuer_id=issuer_id(keys), base_url=settings.BASE_URL)
    with cursor.copy(_COPY) as copy:
        for due, fact, credential in zip(batch, facts, credentials, strict=True):
            copy.write_row((
                fact.number, fact.token, due.achievement, due.learner, due.programme, due.version, fact.holder,
                fact.id_masked, fact.hours, fact.learned_from, fact.learned_on, fact.issued_at, fact.verify_url,
                credential, "issued", predecessors.get(due.achievement) if predecessors else None,
                fact.status_list, fact.status_index,
            ))  # fmt: skip
    cursor.execute(_IDS, [[fact.number for fact in facts]])
    issued = [pk for (pk,) in cursor.fetchall()]
    record(cursor, Kind.ISSUED, [Happened(pk, "issued") for pk in issued], issued_at)
    return issued


def verify_url(number: str, token: str) -> str:
    """The address in the QR code: upper-case, for it makes the code a third smaller (alphanumeric mode)."""
    return f"{settings.BASE_URL}/verify/{number}/{token}".upper()


def _hold(cursor: CursorWrapper) -> set[int]:
    """What the fonts can't draw waits with the character named; never a blank on a certificate. Without a key all of
    it waits: never one unsigned.
    """
    cursor.execute("SELECT achievement_id, name, title, series, organiser, implementer FROM due WHERE code IS NULL")
    held: dict[int, tuple[str, Jsonb]] = {}
    rows = cursor.fetchall()
    fault = key_fault() if rows else None
    for achievement, *texts in rows:
        if fault:
            held[achievement] = fault.code, Jsonb({"reason": fault.message})
        elif error := undrawable(texts):
            character, point, field = (error.params[name] for name in ("character", "code_point", "field"))
            shown = {"text": texts[PRINTED.index(str(field))], "code_points": f"{character}（{point}）"}
            held[achievement] = error.code, Jsonb(shown)
    with cursor.copy("COPY holding (key, source, code, params) FROM STDIN") as copy:
        for achievement, (code, params) in held.items():
            copy.write_row((str(achievement), "", code, params))
    return set(held)


def undrawable(texts: Iterable[str]) -> GlyphMissing | None:
    """Why the fonts can't draw one of ``texts``; None: they can."""
    try:
        require_glyphs(dict(zip(PRINTED, texts, strict=True)))
    except GlyphMissing as error:
        return error
    return None
