"""Many people with what they learned, written into an empty house in a few statements: what a part of the bench starts
from that does not measure intake. They are invented, and their sealed parts are no numbers.
"""

from __future__ import annotations

from django.db import connection

_LARGEST = 20_000
"""People of one programme."""

_PROGRAMMES = """
WITH body AS (
    INSERT INTO organisations_organisation (uscc, kind, name, region, issuer_number, created_at, revision)
    VALUES ('1137040000431C3D4B', 'sector_department', '枣庄市工业和信息化局（示例）', '370400', 1, now(), 1),
           ('52370400MJE00000X9', 'training_base', '枣庄市示例继续教育基地', '370400', 2, now(), 1)
    RETURNING id, kind
), programme AS (
    INSERT INTO programmes_programme (region, year, key, sequence, organiser_id, implementer_id, state, filing_number)
    SELECT '370400', 2024, 'B' || n, n, o.id, i.id, 'filed', '枣人社备〔2024〕' || n || '号'
    FROM generate_series(1, %(programmes)s) n, body o, body i
    WHERE o.kind = 'sector_department' AND i.kind = 'training_base' RETURNING id, sequence
)
INSERT INTO programmes_programmeversion
    (programme_id, version, title, category, subject, series, hours, starts_on, ends_on, created_at)
SELECT id, 1, '大数据与人工智能应用能力提升研修（第' || sequence || '期）', 'professional', '', '工程', 2400,
       '2024-01-01', '2024-12-31', now() FROM programme
"""
_SOURCE = """
WITH source AS (
    INSERT INTO intake_source (name, kind, url, options, allow_private, most_missing, connected_at, scheduled, recent_at,
        full_at, time_zone, jitter, budget)
    VALUES (%(name)s, 'moodle', 'https://lms.example', '{}', false, 5, '2024-01-01', false, '1d', '1d', 'Asia/Shanghai',
        0, 3600) RETURNING id
)
INSERT INTO intake_syncrun (source_id, state, mode, because, started_at, new, changed, unchanged, rejected,
    missing_upstream, calls, error_code, error)
SELECT id, 'done', 'full', 'hand', now(), 0, 0, 0, 0, 0, 0, '', '' FROM source RETURNING source_id, id
"""
_COMPLETIONS = """
INSERT INTO intake_completion (source_id, run_id, key, version, current, digest, account, course, course_name, name,
    name_folded, name_code, id_masked, id_fingerprint, id_sealed, id_code, completed_at, precision, learned_on,
    started_on, hours, passed, active, grade, employer, filing_number, place, raw_page_id, raw_place, first_landed_at,
    landed_at)
SELECT %(source)s, %(run)s, 'k' || n, 1, true, sha256(n::text::bytea), 'u' || n, %(course)s, '课程' || n %% 50,
    '王' || chr(19968 + n %% 3000), '王' || chr(19968 + n %% 3000), '', '370402********' || lpad((n %% 10000)::text, 4, '0'),
    sha256(('p' || n)::bytea), sha256(n::text::bytea), '', timestamptz '2024-06-05 04:00+00' + n %% 3600 * interval '1s',
    'second', '2024-06-05', '2024-06-01', 2400, true, true, '', '', '', '', 0, 0, '2024-06-06', '2024-06-06'
FROM generate_series(%(first)s, %(last)s) n
"""
_LEARNED = """
WITH person AS (
    INSERT INTO learners_learner (fingerprint, sealed, id_masked, name, name_folded, created_at)
    SELECT id_fingerprint, id_sealed, id_masked, name, name_folded, now() FROM intake_completion ORDER BY id
    RETURNING id, fingerprint
), version AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM programmes_programmeversion
)
INSERT INTO matching_achievement (source_id, key, completion_id, learner_id, programme_version_id, name, learned_on,
    started_on, completed_at, reported, lateness, withdrawn, revision, matched_at)
SELECT c.source_id, c.key, c.id, p.id, v.id, c.name, c.learned_on, c.started_on, c.completed_at, c.hours, 'no',
       false, 1, now()
FROM intake_completion c JOIN person p ON p.fingerprint = c.id_fingerprint
JOIN version v ON v.place = c.id %% %(programmes)s
"""
_CREDITED = """
WITH known AS (
    INSERT INTO credit_evaluated (achievement_id, revision) SELECT id, 1 FROM matching_achievement
)
INSERT INTO credit_creditentry (learner_id, year, achievement_id, category, claimed, recognised, credited, rule, policy,
    reason, params, created_at)
SELECT learner_id, 2024, id, 'professional', 2400, 2400, 2400, 'R03', 'bench', 'full', '{}', now() FROM matching_achievement
"""
_TABLES = """
ANALYZE intake_completion, learners_learner, matching_achievement, credit_evaluated, credit_creditentry
"""


def learned(people: int, *, programmes: int) -> None:
    """So many people have finished one of so many programmes, and nobody credited it yet."""
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMMES, {"programmes": programmes})
        _land(1, people, course="C")
        cursor.execute(_LEARNED, {"programmes": programmes})


def earned(people: int) -> None:
    """So many people have earned a certificate each, and none was issued."""
    learned(people, programmes=-(-people // _LARGEST))
    with connection.cursor() as cursor:
        cursor.execute(_CREDITED)
        cursor.execute(_TABLES)


def _land(first: int, last: int, *, course: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SOURCE, {"name": f"bench {course}"})
        source, run = cursor.fetchone()
        cursor.execute(_COMPLETIONS, {"source": source, "run": run, "first": first, "last": last, "course": course})


def waiting(rows: int) -> None:
    """So many completions of courses that nobody mapped: they wait for a person."""
    _land(1, rows, course="NOBODYS")
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
