"""Voiding a filing: its state, its certificates and its hours in one transaction, by two people (edge case 41).

`impact` is what is shown before: how many people, hours and certificates, and who relies on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection, transaction

from agent.certificates.life import Because, Hours, revoke
from agent.credit.policy import Policy
from agent.credit.stage import rule
from agent.programmes.deciding import Taken, end_proposal, locked, move, newest
from agent.programmes.errors import NoProposal, NotByOneself
from agent.programmes.models import Programme, VoidProposal
from agent.programmes.transitions import Kind

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_LONGEST_REASON = 200
"""Of a certificate's event; the filing's own keeps the whole."""


@dataclass(frozen=True, slots=True)
class Employer:
    """Where holders work, as their sources say."""

    name: str
    people: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What stands on a programme. Hours in hundredths."""

    learners: int
    completions: int
    hours: int
    certificates: Mapping[str, int]  # by state
    downloaded: int  # of the live ones: the page was fetched at least once
    first: date | None  # of the live ones
    last: date | None
    by_version: Mapping[int, int]  # live certificates by the version that they say
    employers: tuple[Employer, ...]
    waiting: int  # completions that wait for the programme

    @property
    def live(self) -> int:
        """Certificates in force, or out of it for a while."""
        return self.certificates.get("issued", 0) + self.certificates.get("suspended", 0)


@dataclass(slots=True)
class Voided:
    """What voiding did, or would do."""

    fate: str
    revoked: list[str] = field(default_factory=list)
    hours: list[Hours] = field(default_factory=list)
    reversed: int = 0


_OF = """
FROM matching_achievement a JOIN programmes_programmeversion v ON v.id = a.programme_version_id
WHERE v.programme_id = %(programme)s AND NOT a.withdrawn
"""
_CREDITED = f"""
SELECT count(DISTINCT a.learner_id), count(*), COALESCE(sum(e.credited), 0)::int FROM (
    SELECT a.id, a.learner_id {_OF}
) a LEFT JOIN credit_creditentry e ON e.achievement_id = a.id AND e.reverses_id IS NULL
    AND NOT EXISTS (SELECT FROM credit_creditentry r WHERE r.reverses_id = e.id)
"""  # noqa: S608 - of our own parts
_STATES = (
    "SELECT state, count(*) FROM certificates_certificate WHERE programme_id = %(programme)s GROUP BY 1 ORDER BY 1"
)
_LIVE = """
SELECT count(p.certificate_id), (min(c.issued_at) AT TIME ZONE 'Asia/Shanghai')::date,
       (max(c.issued_at) AT TIME ZONE 'Asia/Shanghai')::date
FROM certificates_certificate c LEFT JOIN certificates_certificatepdf p ON p.certificate_id = c.id
WHERE c.programme_id = %(programme)s AND c.state IN ('issued', 'suspended')
"""
_VERSIONS = """
SELECT v.version, count(*) FROM certificates_certificate c
JOIN programmes_programmeversion v ON v.id = c.programme_version_id
WHERE c.programme_id = %(programme)s AND c.state IN ('issued', 'suspended') GROUP BY 1 ORDER BY 1
"""
_EMPLOYERS = """
SELECT m.employer, count(DISTINCT a.learner_id) FROM matching_achievement a
JOIN programmes_programmeversion v ON v.id = a.programme_version_id
JOIN intake_completion m ON m.id = a.completion_id
WHERE v.programme_id = %(programme)s AND NOT a.withdrawn AND m.employer <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
"""
_WAITING = """
SELECT count(*) FROM quarantine_held h JOIN intake_completion m ON m.id = h.key::bigint
WHERE h.what = 'completion' AND h.released_at IS NULL AND (
    m.filing_number = (SELECT filing_number FROM programmes_programme WHERE id = %(programme)s)
    OR EXISTS (SELECT FROM programmes_courselink l WHERE l.programme_id = %(programme)s AND l.source_id = m.source_id
               AND l.course = m.course AND l.withdrawn_at IS NULL))
"""
_NUMBERS = """
SELECT number FROM certificates_certificate WHERE programme_id = %(programme)s AND state IN ('issued', 'suspended')
ORDER BY id
"""
_ACHIEVEMENTS = f"""
SELECT a.id {_OF} AND NOT COALESCE(
    (SELECT r.barred FROM credit_ruling r WHERE r.achievement_id = a.id ORDER BY r.id DESC LIMIT 1), false)
ORDER BY a.id
"""  # noqa: S608 - of our own parts


def impact(programme: Programme) -> Impact:
    """What stands on ``programme`` now: six questions."""
    of = {"programme": programme.pk}
    with connection.cursor() as cursor:

        def ask(query: str) -> list[tuple[int, ...]]:
            cursor.execute(query, of)
            return list(cursor.fetchall())

        ((learners, completions, hours),) = ask(_CREDITED)
        cursor.execute(_STATES, of)
        states = dict(cursor.fetchall())
        cursor.execute(_LIVE, of)
        downloaded, first, last = cursor.fetchone()
        cursor.execute(_VERSIONS, of)
        versions = dict(cursor.fetchall())
        cursor.execute(_EMPLOYERS, of)
        employers = tuple(Employer(*row) for row in cursor.fetchall())
        ((waiting,),) = ask(_WAITING)
    return Impact(learners, completions, hours, states, downloaded, first, last, versions, employers, waiting)


def confirm(
    programme: Programme,
    policies: Mapping[int, Policy],
    *,
    by: str,
    reason: str = "",
    seen: int | None = None,
    dry_run: bool = False,
) -> Voided:
    """Void ``programme`` as somebody else proposed: all of it, or nothing.

    :param dry_run: do it all, and undo it: what is returned is what would be
    :raises NoProposal: nobody proposed it.
    :raises NotByOneself: ``by`` did.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # the stages wait: what one of them credits meanwhile would stay
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")
        programme = locked(programme, Kind.VOID, seen)
        proposal = programme.void_proposals.select_for_update().filter(outcome="").first()
        if proposal is None:
            raise NoProposal(programme=programme)
        if proposal.proposed_by == by and not dry_run:
            raise NotByOneself(programme=programme)
        version = newest(programme)
        why = "\n".join(filter(None, (proposal.reason, reason.strip())))
        how = Taken(actor=proposal.proposed_by, second=by, reason=why, code=proposal.code)
        move(programme, Kind.VOID, how, version=version.version if version else None)
        if not dry_run:
            end_proposal(proposal, VoidProposal.Outcome.CONFIRMED, by=by)
        done = Voided(proposal.fate)
        if proposal.fate == VoidProposal.Fate.REVOKE:
            because = Because("filing_voided", proposal.reason[:_LONGEST_REASON], f"{proposal.proposed_by}, {by}")
            _revoke(cursor, programme, because, policies, done)
        if dry_run:
            transaction.set_rollback(True)
    return done


def _revoke(
    cursor: CursorWrapper, programme: Programme, because: Because, policies: Mapping[int, Policy], done: Voided
) -> None:
    of = {"programme": programme.pk}
    cursor.execute(_NUMBERS, of)
    done.revoked = [number for (number,) in cursor.fetchall()]
    if done.revoked:
        done.hours = revoke(done.revoked, because, policies).hours
    # hours without a certificate: public ones, and those that still waited for one
    cursor.execute(_ACHIEVEMENTS, of)
    others = [pk for (pk,) in cursor.fetchall()]
    if others:
        done.reversed = rule(cursor, others, barred=True, reason=because.reason, policies=policies).reversed
