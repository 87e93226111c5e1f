"""The matching stage: every current completion without an achievement, judged in one pass of SQL.

Each waiting row gets an achievement or exactly one code: the first reason in the order who → when → which programme.
Nothing here is row by row, and running it again with nothing new changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from agent.localtime import local_date, now
from agent.quarantine.settle import new_holding, settle

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True, slots=True)
class YearRule:
    """What matching has to know of a year's policy (the policy itself belongs to credit)."""

    year: int
    grace_until: date  # local date; later arrivals of the year are late
    credit_late: bool  # what arrives after that is credited all the same
    credit_history: bool  # rows of a source that was connected only after that are credited as history


@dataclass(frozen=True, slots=True)
class Matched:
    """What one pass came to, in rows; ``held`` counts all that wait now, by code."""

    matched: int
    withdrawn: int
    opened: int
    released: int
    held: dict[str, int] = field(default_factory=dict)


def run(years: list[YearRule]) -> Matched:
    """Match everything that waits. ``years`` are the years whose policy is published."""
    with transaction.atomic(), connection.cursor() as cursor:
        # one stage at a time: another would judge rows that this one is about to change
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi stages'))")
        cursor.execute(_WITHDRAW)
        withdrawn = cursor.rowcount
        undone, matched = judge(cursor, years)
        withdrawn += undone
        new_holding(cursor)
        cursor.execute(_HOLD)
        opened, released = settle(cursor, "completion")
        cursor.execute("SELECT code, count(*) FROM holding GROUP BY code ORDER BY code")
        held = dict(cursor.fetchall())
    return Matched(matched, withdrawn, opened, released, held)


def judge(cursor: CursorWrapper, years: list[YearRule], scope: str = "true", **params: Any) -> tuple[int, int]:
    """Take back what rests on a mapping or a decision that was taken back, and judge all that waits, inside the
    caller's transaction, which holds the stages' lock. Leaves the temporary tables ``waiting`` and ``judged``.

    :param scope: a condition on ``c``, the completion, with ``params``: a trial judges what it changes, and no more
    :returns: how many rows were taken back, and how many were matched
    """
    cursor.execute(
        "CREATE TEMP TABLE policy_year (year int, grace_until date, credit_late bool, credit_history bool)"
        " ON COMMIT DROP"
    )
    cursor.executemany(
        "INSERT INTO policy_year VALUES (%s, %s, %s, %s)",
        [(y.year, y.grace_until, y.credit_late, y.credit_history) for y in years],
    )
    cursor.execute(_UNDO)
    undone = cursor.rowcount
    cursor.execute(_DECIDED)
    cursor.execute(_WAITING.format(scope=scope), params)
    cursor.execute(_SAME_PERSON)
    cursor.execute(_CANDIDATES)
    cursor.execute("ANALYZE waiting")
    cursor.execute("ANALYZE candidate")
    cursor.execute("ANALYZE decided")
    cursor.execute(_JUDGE, {"today": local_date(now())})
    cursor.execute(_LEARNERS)
    cursor.execute(_ACHIEVEMENTS)
    return undone, cursor.rowcount


# A newer version that says «not passed» takes the achievement back. A version that can't be judged (it is held) does
# not: what was matched before stays until somebody decides.
_WITHDRAW = """
UPDATE matching_achievement a
SET withdrawn = true, completion_id = c.id, revision = a.revision + 1, matched_at = now()
FROM intake_completion c
WHERE c.source_id = a.source_id AND c.key = a.key AND c.current AND NOT c.passed AND NOT a.withdrawn
"""

# A person took back the mapping, or the decision, that it rests on: it waits again, and is judged without it.
_UNDO = """
UPDATE matching_achievement SET withdrawn = true, revision = revision + 1, matched_at = now()
WHERE NOT withdrawn AND id IN (
    SELECT a.id FROM programmes_courselink l JOIN matching_achievement a ON a.course_link_id = l.id
    WHERE l.withdrawn_at IS NOT NULL AND NOT a.withdrawn
    UNION ALL
    SELECT a.id FROM matching_achievement a
    WHERE a.decisions IS NOT NULL AND NOT a.withdrawn
      AND a.decisions && ARRAY(SELECT takes_back_id FROM matching_decision WHERE takes_back_id IS NOT NULL)
)
"""

_DECIDED = """
CREATE TEMP TABLE decided ON COMMIT DROP AS
SELECT DISTINCT ON (d.kind, d.source_id, d.account, d.key, d.code, d.fingerprint, d.name_folded) d.*
FROM matching_decision d
WHERE d.takes_back_id IS NULL AND NOT EXISTS (SELECT 1 FROM matching_decision u WHERE u.takes_back_id = d.id)
ORDER BY d.kind, d.source_id, d.account, d.key, d.code, d.fingerprint, d.name_folded, d.id
"""

# A row that is withdrawn although it is passed and current rested on something that a person took back.
_WAITING = """
CREATE TEMP TABLE waiting ON COMMIT DROP AS
SELECT c.*, NULL::bigint AS person_decision, s.name AS source_name, s.kind AS source_kind,
       (s.connected_at AT TIME ZONE 'Asia/Shanghai')::date AS connected_on,
       (c.first_landed_at AT TIME ZONE 'Asia/Shanghai')::date AS landed_on
FROM intake_completion c
JOIN intake_source s ON s.id = c.source_id
LEFT JOIN matching_achievement a ON a.source_id = c.source_id AND a.key = c.key
WHERE c.current AND c.passed AND (a.id IS NULL OR a.completion_id <> c.id OR a.withdrawn) AND {scope}
"""

# Whose number a source does not say, a person may have: this account there is that learner.
_SAME_PERSON = """
UPDATE waiting w
SET id_fingerprint = l.fingerprint, id_sealed = l.sealed, id_masked = l.id_masked, id_code = '', person_decision = d.id
FROM decided d JOIN learners_learner l ON l.fingerprint = d.fingerprint
WHERE d.kind = 'same_person' AND d.source_id = w.source_id AND d.account = w.account AND w.id_fingerprint IS NULL
"""

# Order of trust: the filing number that the row itself names, then the confirmed mapping of its course.
_CANDIDATES = """
CREATE TEMP TABLE candidate ON COMMIT DROP AS
SELECT w.id AS completion_id, p.id AS programme_id, NULL::bigint AS link_id,
       '-infinity'::date AS valid_from, 'infinity'::date AS valid_to
FROM waiting w JOIN programmes_programme p ON p.filing_number = w.filing_number
WHERE w.filing_number <> ''
UNION ALL
SELECT w.id, l.programme_id, l.id, l.valid_from, l.valid_to
FROM waiting w JOIN programmes_courselink l ON l.source_id = w.source_id AND l.course = w.course
WHERE w.filing_number = '' AND l.withdrawn_at IS NULL
"""

_JUDGE = """
CREATE TEMP TABLE judged ON COMMIT DROP AS
WITH latest AS (  -- the version of each programme that is in force
    SELECT DISTINCT ON (v.programme_id) v.* FROM programmes_programmeversion v ORDER BY v.programme_id, v.version DESC
), link AS (  -- how many programmes are meant, counting only links that were valid on the day
    SELECT w.id AS completion_id,
           count(DISTINCT k.programme_id) AS any_links,
           count(DISTINCT k.programme_id) FILTER (WHERE w.learned_on BETWEEN k.valid_from AND k.valid_to) AS links,
           min(k.programme_id) FILTER (WHERE w.learned_on BETWEEN k.valid_from AND k.valid_to) AS programme_id,
           min(k.link_id) FILTER (WHERE w.learned_on BETWEEN k.valid_from AND k.valid_to) AS link_id,
           min(k.programme_id) AS any_programme_id
    FROM waiting w LEFT JOIN candidate k ON k.completion_id = w.id
    GROUP BY w.id
), claim AS (  -- whose names come with one number, among what waits
    SELECT id_fingerprint, min(name_folded) AS first_name, max(name_folded) AS last_name,
           min(name) AS first_shown, max(name) AS last_shown
    FROM waiting w WHERE id_fingerprint IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM decided d WHERE d.kind = 'alias' AND d.fingerprint = w.id_fingerprint
                      AND d.name_folded = w.name_folded)
    GROUP BY id_fingerprint
)
SELECT w.id, p.id AS programme_id, v.id AS version_id, link.link_id, v.title, v.starts_on, v.ends_on, p.state,
       y.grace_until, alias.id IS NOT NULL AS aliased,
       NULLIF(array_remove(ARRAY[w.person_decision, alias.id, waiver.id], NULL), '{}') AS decisions,
       COALESCE(l.name, CASE WHEN w.name_folded = claim.first_name THEN claim.last_shown ELSE claim.first_shown END)
           AS known_name,
       CASE WHEN y.year IS NULL THEN ''
            WHEN w.landed_on <= make_date(y.year, 12, 31) THEN 'no'
            WHEN w.landed_on <= y.grace_until THEN 'late_in_grace'
            WHEN w.connected_on > y.grace_until THEN 'history'
            ELSE 'late' END AS lateness,
       CASE
           WHEN w.id_code <> '' THEN w.id_code
           WHEN w.name_code <> '' THEN w.name_code
           WHEN l.id IS NOT NULL AND l.name_folded <> w.name_folded AND alias.id IS NULL THEN 'E_NAME_CONFLICT'
           WHEN l.id IS NULL AND alias.id IS NULL AND claim.first_name <> claim.last_name THEN 'E_NAME_CONFLICT'
           WHEN w.learned_on IS NULL THEN 'E_TIME_UNKNOWN'
           WHEN link.any_links = 0 AND w.filing_number <> '' THEN 'E_FILING_UNKNOWN'
           WHEN link.any_links = 0 THEN 'E_COURSE_UNMAPPED'
           WHEN link.links > 1 THEN 'E_COURSE_AMBIGUOUS'
           WHEN NOT p.on_record THEN 'E_PROGRAMME_NOT_FILED'
           WHEN link.links = 0 OR w.learned_on > %(today)s OR w.learned_on NOT BETWEEN v.starts_on AND v.ends_on
               THEN 'E_DATE_RANGE'
           WHEN y.year IS NULL THEN 'E_NO_POLICY'
           WHEN w.landed_on > y.grace_until AND waiver.id IS NULL
               AND NOT CASE WHEN w.connected_on > y.grace_until THEN y.credit_history ELSE y.credit_late END
               THEN 'E_LATE_YEAR'
       END AS code
FROM waiting w
JOIN link ON link.completion_id = w.id
LEFT JOIN claim ON claim.id_fingerprint = w.id_fingerprint
LEFT JOIN learners_learner l ON l.fingerprint = w.id_fingerprint
LEFT JOIN programmes_programme p ON p.id = COALESCE(link.programme_id, link.any_programme_id)
LEFT JOIN decided alias ON alias.kind = 'alias' AND alias.fingerprint = w.id_fingerprint
    AND alias.name_folded = w.name_folded
LEFT JOIN decided waiver ON waiver.kind = 'waiver' AND waiver.source_id = w.source_id AND waiver.key = w.key
    AND waiver.code = 'E_LATE_YEAR'
LEFT JOIN latest v ON v.programme_id = p.id
LEFT JOIN policy_year y ON y.year = extract(year FROM w.learned_on)
"""

_LEARNERS = """
INSERT INTO learners_learner (fingerprint, sealed, id_masked, name, name_folded, created_at)
SELECT DISTINCT ON (w.id_fingerprint) w.id_fingerprint, w.id_sealed, w.id_masked, w.name, w.name_folded, now()
FROM waiting w JOIN judged j ON j.id = w.id
WHERE j.code IS NULL
ORDER BY w.id_fingerprint, j.aliased, w.completed_at, w.id
ON CONFLICT (fingerprint) DO NOTHING
"""

_ACHIEVEMENTS = """
INSERT INTO matching_achievement (source_id, key, completion_id, learner_id, programme_version_id, course_link_id, name,
    learned_on, started_on, completed_at, reported, minutes, lateness, withdrawn, revision, matched_at, decisions)
SELECT w.source_id, w.key, w.id, l.id, j.version_id, j.link_id,
       -- another way of writing the name is for finding the person; a certificate bears the person's own
       CASE WHEN j.aliased THEN l.name ELSE w.name END, w.learned_on,
       -- a start that the source does not know is the programme's own; none lies before it or after the completion
       LEAST(w.learned_on, GREATEST(COALESCE(w.started_on, j.starts_on), j.starts_on)),
       w.completed_at, w.hours, w.minutes, j.lateness, false, 1, now(), j.decisions
FROM waiting w
JOIN judged j ON j.id = w.id AND j.code IS NULL
JOIN learners_learner l ON l.fingerprint = w.id_fingerprint
ON CONFLICT (source_id, key) DO UPDATE SET
    completion_id = EXCLUDED.completion_id, learner_id = EXCLUDED.learner_id,
    programme_version_id = EXCLUDED.programme_version_id, course_link_id = EXCLUDED.course_link_id,
    name = EXCLUDED.name, learned_on = EXCLUDED.learned_on, started_on = EXCLUDED.started_on,
    completed_at = EXCLUDED.completed_at, reported = EXCLUDED.reported, minutes = EXCLUDED.minutes,
    lateness = EXCLUDED.lateness, withdrawn = false, decisions = EXCLUDED.decisions,
    revision = matching_achievement.revision + 1, matched_at = EXCLUDED.matched_at
"""

# What is open already keeps what it said when it was opened: most of a million items need not be written as JSON again.
_HOLD = """
INSERT INTO holding (key, source, code, params)
SELECT w.id::text, w.source_name, j.code, CASE WHEN h.id IS NULL THEN jsonb_strip_nulls(jsonb_build_object(
    'id_masked', NULLIF(w.id_masked, ''), 'name', w.name, 'known', j.known_name, 'course', w.course,
    'course_name', w.course_name, 'filing_number', NULLIF(w.filing_number, ''), 'programme', j.title,
    'state', j.state, 'learned_on', w.learned_on, 'starts_on', j.starts_on, 'ends_on', j.ends_on,
    'year', extract(year FROM w.learned_on), 'grace_until', j.grace_until, 'place', NULLIF(w.place, ''),
    'programmes', CASE WHEN j.code = 'E_COURSE_AMBIGUOUS' THEN (
        SELECT string_agg(DISTINCT p.key, '、') FROM candidate k JOIN programmes_programme p ON p.id = k.programme_id
        WHERE k.completion_id = w.id) END)) END
FROM waiting w JOIN judged j ON j.id = w.id
LEFT JOIN quarantine_held h
    ON h.what = 'completion' AND h.key = w.id::text AND h.code = j.code AND h.released_at IS NULL
WHERE j.code IS NOT NULL
"""
