"""The matching stage: every current completion without an achievement, judged in one pass of SQL.

Each waiting row gets an achievement or exactly one code: the first reason in the order who → when → which programme.
Nothing here is row by row, and running it again with nothing new changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django.db import connection, transaction

from agent.localtime import local_date, now
from agent.quarantine.settle import new_holding, settle


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
        cursor.execute(
            "CREATE TEMP TABLE policy_year (year int, grace_until date, credit_late bool, credit_history bool)"
            " ON COMMIT DROP"
        )
        cursor.executemany(
            "INSERT INTO policy_year VALUES (%s, %s, %s, %s)",
            [(y.year, y.grace_until, y.credit_late, y.credit_history) for y in years],
        )
        cursor.execute(_WITHDRAW)
        withdrawn = cursor.rowcount
        cursor.execute(_WAITING)
        cursor.execute(_CANDIDATES)
        cursor.execute("ANALYZE waiting")
        cursor.execute("ANALYZE candidate")
        cursor.execute(_JUDGE, {"today": local_date(now())})
        cursor.execute(_LEARNERS)
        cursor.execute(_ACHIEVEMENTS)
        matched = cursor.rowcount
        new_holding(cursor)
        cursor.execute(_HOLD)
        opened, released = settle(cursor, "completion")
        cursor.execute("SELECT code, count(*) FROM holding GROUP BY code ORDER BY code")
        held = dict(cursor.fetchall())
    return Matched(matched, withdrawn, opened, released, held)


# A newer version that says «not passed» takes the achievement back. A version that can't be judged (it is held) does
# not: what was matched before stays until somebody decides.
_WITHDRAW = """
UPDATE matching_achievement a
SET withdrawn = true, completion_id = c.id, revision = a.revision + 1, matched_at = now()
FROM intake_completion c
WHERE c.source_id = a.source_id AND c.key = a.key AND c.current AND NOT c.passed AND NOT a.withdrawn
"""

_WAITING = """
CREATE TEMP TABLE waiting ON COMMIT DROP AS
SELECT c.*, s.name AS source_name, s.kind AS source_kind,
       (s.connected_at AT TIME ZONE 'Asia/Shanghai')::date AS connected_on,
       (c.first_landed_at AT TIME ZONE 'Asia/Shanghai')::date AS landed_on
FROM intake_completion c
JOIN intake_source s ON s.id = c.source_id
LEFT JOIN matching_achievement a ON a.source_id = c.source_id AND a.key = c.key
WHERE c.current AND c.passed AND (a.id IS NULL OR a.completion_id <> c.id)
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
WHERE w.filing_number = ''
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
    FROM waiting WHERE id_fingerprint IS NOT NULL GROUP BY id_fingerprint
)
SELECT w.id, p.id AS programme_id, v.id AS version_id, link.link_id, v.title, v.starts_on, v.ends_on, p.state,
       y.grace_until,
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
           WHEN l.id IS NOT NULL AND l.name_folded <> w.name_folded THEN 'E_NAME_CONFLICT'
           WHEN l.id IS NULL AND claim.first_name <> claim.last_name THEN 'E_NAME_CONFLICT'
           WHEN w.learned_on IS NULL THEN 'E_TIME_UNKNOWN'
           WHEN link.any_links = 0 AND w.filing_number <> '' THEN 'E_FILING_UNKNOWN'
           WHEN link.any_links = 0 THEN 'E_COURSE_UNMAPPED'
           WHEN link.links > 1 THEN 'E_COURSE_AMBIGUOUS'
           WHEN NOT p.on_record THEN 'E_PROGRAMME_NOT_FILED'
           WHEN link.links = 0 OR w.learned_on > %(today)s OR w.learned_on NOT BETWEEN v.starts_on AND v.ends_on
               THEN 'E_DATE_RANGE'
           WHEN y.year IS NULL THEN 'E_NO_POLICY'
           WHEN w.landed_on > y.grace_until
               AND NOT CASE WHEN w.connected_on > y.grace_until THEN y.credit_history ELSE y.credit_late END
               THEN 'E_LATE_YEAR'
       END AS code
FROM waiting w
JOIN link ON link.completion_id = w.id
LEFT JOIN claim ON claim.id_fingerprint = w.id_fingerprint
LEFT JOIN learners_learner l ON l.fingerprint = w.id_fingerprint
LEFT JOIN programmes_programme p ON p.id = COALESCE(link.programme_id, link.any_programme_id)
LEFT JOIN latest v ON v.programme_id = p.id
LEFT JOIN policy_year y ON y.year = extract(year FROM w.learned_on)
"""

_LEARNERS = """
INSERT INTO learners_learner (fingerprint, sealed, id_masked, name, name_folded, created_at)
SELECT DISTINCT ON (w.id_fingerprint) w.id_fingerprint, w.id_sealed, w.id_masked, w.name, w.name_folded, now()
FROM waiting w JOIN judged j ON j.id = w.id
WHERE j.code IS NULL
ORDER BY w.id_fingerprint, w.completed_at, w.id
ON CONFLICT (fingerprint) DO NOTHING
"""

_ACHIEVEMENTS = """
INSERT INTO matching_achievement (source_id, key, completion_id, learner_id, programme_version_id, course_link_id, name,
    learned_on, started_on, completed_at, reported, minutes, lateness, withdrawn, revision, matched_at)
SELECT w.source_id, w.key, w.id, l.id, j.version_id, j.link_id, w.name, w.learned_on,
       -- a start that the source does not know is the programme's own; none lies before it or after the completion
       LEAST(w.learned_on, GREATEST(COALESCE(w.started_on, j.starts_on), j.starts_on)),
       w.completed_at, w.hours, w.minutes, j.lateness, false, 1, now()
FROM waiting w
JOIN judged j ON j.id = w.id AND j.code IS NULL
JOIN learners_learner l ON l.fingerprint = w.id_fingerprint
ON CONFLICT (source_id, key) DO UPDATE SET
    completion_id = EXCLUDED.completion_id, learner_id = EXCLUDED.learner_id,
    programme_version_id = EXCLUDED.programme_version_id, course_link_id = EXCLUDED.course_link_id,
    name = EXCLUDED.name, learned_on = EXCLUDED.learned_on, started_on = EXCLUDED.started_on,
    completed_at = EXCLUDED.completed_at, reported = EXCLUDED.reported, minutes = EXCLUDED.minutes,
    lateness = EXCLUDED.lateness, withdrawn = false,
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
