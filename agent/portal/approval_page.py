"""Who waits for a department's approval before certificates are issued: by programme, and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils.translation import gettext, ngettext

from agent.organisations.models import Organisation
from agent.organisations.rights import Right
from agent.portal.people import Person, ids_of
from agent.programmes.models import Programme

AT_ONCE = 200
"""People on one page: each is a field of its form, and Django takes no more than a thousand."""


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme whose certificates may need an approval. Hours in hundredths."""

    pk: int
    title: str
    organiser: str
    filing_number: str
    hours: int
    needed: bool
    waiting: int
    since: datetime | None  # how long the first one waits
    certificates: int
    everybody: int | None  # who wait in all programmes


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who waits, as their achievement is now. Hours in hundredths."""

    achievement: int
    revision: int
    name: str
    id_masked: str
    employer: str
    source: str
    started_on: date | None
    learned_on: date
    hours: int
    since: datetime

    @property
    def value(self) -> str:
        """What a form sends back of it: the achievement in the revision that was seen."""
        return f"{self.achievement}.{self.revision}"


_HELD = "h.what = 'certificate' AND h.code = 'E_CERT_NOT_APPROVED' AND h.released_at IS NULL"
_NOT_YET = """
NOT a.withdrawn AND NOT EXISTS (SELECT FROM certificates_approvedachievement y
                                WHERE y.achievement_id = a.id AND y.revision = a.revision)
"""
_PROGRAMMES = f"""
SELECT p.id, v.title, o.name, COALESCE(p.filing_number, ''), v.hours, p.certificates_need_approval,
       COALESCE(w.waiting, 0), w.since,
       (SELECT count(*) FROM certificates_certificate c WHERE c.programme_id = p.id AND c.state = 'issued'),
       sum(w.waiting) OVER ()
FROM programmes_programme p
JOIN organisations_organisation o ON o.id = p.organiser_id
JOIN LATERAL (SELECT * FROM programmes_programmeversion x WHERE x.programme_id = p.id
              ORDER BY x.version DESC LIMIT 1) v ON v.category = 'professional'
LEFT JOIN (
    SELECT u.programme_id, count(*) AS waiting, min(h.opened_at) AS since
    FROM quarantine_held h JOIN matching_achievement a ON a.id = h.key::bigint
    JOIN programmes_programmeversion u ON u.id = a.programme_version_id
    WHERE {_HELD} AND {_NOT_YET} GROUP BY 1
) w ON w.programme_id = p.id
WHERE (%(all)s OR p.organiser_id = ANY(%(bodies)s)) AND (p.on_record OR w.waiting > 0)
ORDER BY COALESCE(w.waiting, 0) = 0, NOT p.certificates_need_approval, w.since, p.year DESC, v.title, p.id
LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 - of our own parts
_WAITING = f"""
SELECT count(*), min(h.opened_at) FROM quarantine_held h
JOIN matching_achievement a ON a.id = h.key::bigint
JOIN programmes_programmeversion u ON u.id = a.programme_version_id
JOIN programmes_programme p ON p.id = u.programme_id
WHERE {_HELD} AND {_NOT_YET} AND (%(bodies)s::bigint[] IS NULL OR p.organiser_id = ANY(%(bodies)s))
"""  # noqa: S608 - of our own parts
_PEOPLE = f"""
SELECT a.id, a.revision, a.name, l.id_masked, c.employer, s.name,
       CASE WHEN c.started_on IS NULL THEN NULL ELSE a.started_on END, a.learned_on, e.recognised, h.opened_at
FROM quarantine_held h
JOIN matching_achievement a ON a.id = h.key::bigint
JOIN intake_completion c ON c.id = a.completion_id
JOIN intake_source s ON s.id = a.source_id
JOIN learners_learner l ON l.id = a.learner_id
JOIN programmes_programmeversion u ON u.id = a.programme_version_id
JOIN credit_creditentry e ON e.achievement_id = a.id AND e.reverses_id IS NULL
    AND NOT EXISTS (SELECT FROM credit_creditentry r WHERE r.reverses_id = e.id)
WHERE {_HELD} AND {_NOT_YET} AND u.programme_id = %s
ORDER BY h.opened_at, a.learned_on, a.id LIMIT %s
"""  # noqa: S608 - of our own parts


def programmes_of(person: Person, *, offset: int, limit: int) -> list[ProgrammeRow]:
    """Some of the programmes that ``person`` may approve for, those where somebody waits first."""
    bodies = ids_of(person.bodies_with(Right.APPROVALS_SEE))
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMMES, {"all": bodies is None, "bodies": bodies or [], "offset": offset, "limit": limit})
        return [ProgrammeRow(*row) for row in cursor.fetchall()]


def waiting_since(bodies: Sequence[Organisation] | None) -> tuple[int, datetime | None]:
    """How many wait in the programmes that ``bodies`` (None: all) organise, and since when the first one does."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"bodies": None if bodies is None else [body.pk for body in bodies]})
        count, since = cursor.fetchone()
        return count, since


def people_of(programme: Programme) -> list[PersonRow]:
    """Who waits in ``programme``, longest first; at most `AT_ONCE`."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [programme.pk, AT_ONCE])
        return [PersonRow(*row) for row in cursor.fetchall()]


def seen_in(values: Sequence[str]) -> list[tuple[int, int]]:
    """What a form sent back; what is no `PersonRow.value` is left out."""
    pairs = (value.split(".") for value in values)
    return [(int(p[0]), int(p[1])) for p in pairs if len(p) == 2 and all(x.isascii() and x.isdigit() for x in p)]  # noqa: PLR2004


def headline(rows: Sequence[ProgrammeRow]) -> str:
    """The first line of the overview."""
    waiting = int(rows[0].everybody or 0) if rows else 0
    return waiting_words(waiting) if waiting else gettext("没有人在等您批准证书")


def waiting_words(waiting: int) -> str:
    """That so many wait; on the desk, too."""
    return ngettext("%(n)s人等您批准证书", "%(n)s人等您批准证书", waiting) % {"n": f"{waiting:,}"}


def people_headline(waiting: int, *, needed: bool) -> str:
    """The first line of one programme."""
    if waiting:
        return ngettext("%(n)s人等您批准", "%(n)s人等您批准", waiting) % {"n": f"{waiting:,}"}
    return gettext("没有人在等批准") if needed else gettext("这个项目的证书无须审批")
