"""A city in its year: the rows of a million completions that nobody's page was made for, written in a few statements.

Everything is invented. One source holds a fifth of all rows, the others share the rest; each person has ten courses,
one or two of them professional. What follows from the rows (matches, hours, certificates, what waits) the product's own
stages come to; beside them stand runs, accounts, filings and the audit log, in numbers of a city.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from django.db import connection

ROWS_EACH = 10
"""Completions of a person."""
SOURCES, BASES, DEPARTMENTS, EMPLOYERS = 300, 100, 40, 1_000
FILED, OLD, WAITING, DRAFTS = 1_500, 400, 60, 40
"""Programmes: of the year, of the year before, with the bureau, and with their departments."""
_RUNS_EACH = 200
_EVENTS = 10_000
_STAFF = 440

_BODIES = """
INSERT INTO organisations_organisation (uscc, kind, name, region, issuer_number, created_at, revision)
SELECT lpad(n::text, 18, '0'), kind, name, '370400', n, now(), 1 FROM (
    SELECT 1 AS n, 'hr_bureau' AS kind, '枣庄市人力资源和社会保障局（示例）' AS name
    UNION ALL SELECT 1 + n, 'sector_department', '枣庄市示例行业主管部门第' || n || '处'
    FROM generate_series(1, %(departments)s) n
    UNION ALL SELECT 100 + n, 'training_base', '枣庄市示例继续教育基地第' || n || '分院'
    FROM generate_series(1, %(bases)s) n
    UNION ALL SELECT 1000 + n, 'employer', '示例公司' || n FROM generate_series(1, %(employers)s) n
) body
"""
_SOURCES = """
INSERT INTO intake_source (name, kind, url, options, allow_private, most_missing, connected_at, scheduled, recent_at,
    full_at, time_zone, jitter, budget, organisation_id)
SELECT '在线学习平台' || n, 'moodle', 'https://lms' || n || '.example', '{}', false, 5, '2024-01-01', false, '15m', '1d',
       'Asia/Shanghai', 0, 3600,
       (SELECT id FROM organisations_organisation WHERE issuer_number = 101 + (n - 1) %% %(bases)s)
FROM generate_series(1, %(sources)s) n ORDER BY n
"""
_RUNS = """
INSERT INTO intake_syncrun (source_id, state, mode, because, started_at, finished_at, new, changed, unchanged, rejected,
    missing_upstream, calls, error_code, error)
SELECT s.id, CASE WHEN (n + s.id) %% 97 = 0 THEN 'failed' ELSE 'done' END,
       CASE WHEN n %% 96 = 0 THEN 'full' ELSE 'recent' END, 'clock',
       now() - n * interval '15 minutes' - s.id * interval '1 second' - interval '1 minute',
       now() - n * interval '15 minutes' - s.id * interval '1 second' - interval '50 seconds',
       (n + s.id) %% 7, n %% 3, 20, 0, 0, 3, CASE WHEN (n + s.id) %% 97 = 0 THEN 'E_SOURCE_TIMEOUT' ELSE '' END, ''
FROM generate_series(%(each)s, 1, -1) n, intake_source s ORDER BY n DESC, s.id
"""
_FIRST_RUNS = """
INSERT INTO intake_syncrun (source_id, state, mode, because, started_at, finished_at, new, changed, unchanged, rejected,
    missing_upstream, calls, error_code, error, counted)
SELECT id, 'done', 'full', 'hand', '2024-12-20', '2024-12-20 00:05', 0, 0, 0, 0, 0, 9, '', '', 0 FROM intake_source
RETURNING id
"""
# state, year and dates follow from the place: first the year's, then the year before, then what is being filed
_PROGRAMMES = """
WITH made AS (
    SELECT n, CASE WHEN n <= %(filed)s THEN 2024 WHEN n <= %(filed)s + %(old)s THEN 2023 ELSE 2026 END AS year,
           CASE WHEN n <= %(filed)s THEN (ARRAY['filed', 'filed', 'running', 'closed'])[1 + n %% 4]
                WHEN n <= %(filed)s + %(old)s THEN 'closed'
                WHEN n <= %(filed)s + %(old)s + %(waiting)s THEN 'submitted' ELSE 'returned' END AS state
    FROM generate_series(1, %(filed)s + %(old)s + %(waiting)s + %(drafts)s) n
)
INSERT INTO programmes_programme (region, year, key, sequence, organiser_id, implementer_id, state, filing_number,
    certificates_need_approval)
SELECT '370400', year, 'B' || n, n, o.id, CASE WHEN n %% 3 > 0 THEN i.id END, state,
       CASE WHEN state IN ('submitted', 'returned') THEN NULL ELSE '枣人社备〔' || year || '〕' || n || '号' END, n %% 60 = 0
FROM made
JOIN organisations_organisation o ON o.issuer_number = 2 + n %% %(departments)s
JOIN organisations_organisation i ON i.issuer_number = 101 + n %% %(bases)s ORDER BY n
"""
_VERSIONS = """
INSERT INTO programmes_programmeversion
    (programme_id, version, title, category, subject, series, hours, starts_on, ends_on, created_at)
SELECT id, 1, (ARRAY['大数据与人工智能应用能力提升研修', '建筑施工新技术', '知识产权保护与运用', '安全生产管理', '乡村医生实用技能',
               '新能源装备制造', '会计准则解读'])[1 + sequence %% 7] || '（第' || sequence || '期）',
       CASE WHEN sequence %% 3 = 0 THEN 'professional' ELSE 'public' END,
       CASE WHEN sequence %% 3 = 0 THEN '' ELSE (ARRAY['知识产权', '安全生产', '职业道德'])[1 + sequence %% 2] END,
       CASE WHEN sequence %% 3 = 0 THEN (ARRAY['工程', '会计', '卫生', '农业'])[1 + sequence %% 4] ELSE '' END,
       800 + 100 * (sequence %% 20), make_date(year, 1, 1), make_date(year, 12, 31), now()
FROM programmes_programme ORDER BY id
"""
_STEPS = """
INSERT INTO programmes_filingevent (programme_id, at, kind, from_state, to_state, actor, reason, remarks, second, code)
SELECT id, now() - interval '20 days' + place * interval '1 hour', kind, before, after, 'bench', '', '{}', '', ''
FROM programmes_programme p, (VALUES
    (1, 'submit', 'draft', 'submitted'), (2, 'accept', 'submitted', 'filed'), (3, 'return', 'submitted', 'returned'),
    (4, 'start', 'filed', 'running'), (5, 'deliver', 'running', 'delivered'), (6, 'report', 'delivered', 'closing'),
    (7, 'close', 'closing', 'closed')
) AS step(place, kind, before, after)
WHERE place = 1 OR (place = 3 AND state = 'returned') OR (place = 2 AND on_record)
   OR (place = 4 AND state IN ('running', 'closed')) OR (place > 4 AND state = 'closed') ORDER BY place, id
"""
# twenty courses a source: three professional, fifteen public, one that nobody mapped, one whose programme is not filed
_LINKS = """
INSERT INTO programmes_courselink (source_id, kind, course, programme_id, valid_from, valid_to, confirmed_by,
    confirmed_at, because, withdrawn_by, withdrawn_because)
SELECT s.id, 'moodle', 'P' || c, p.id, '2024-01-01', '2024-12-31', 'bench', now(), '', '', ''
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM intake_source) s, generate_series(0, 19) c
JOIN programmes_programme p ON true
WHERE c <> 18 AND p.sequence = CASE
    WHEN c = 19 THEN %(filed)s + %(old)s + 1 + s.n %% %(waiting)s
    WHEN c < 3 THEN 3 + 3 * ((s.n * 3 + c) %% (%(filed)s / 3))
    ELSE 1 + 3 * ((s.n * 15 + c) %% (%(filed)s / 3)) + c %% 2 END
"""
_COMPLETIONS = """
INSERT INTO intake_completion (source_id, run_id, key, version, current, digest, account, course, course_name, name,
    name_folded, name_code, id_masked, id_fingerprint, id_sealed, id_code, completed_at, precision, learned_on,
    started_on, hours, passed, active, grade, employer, filing_number, place, raw_page_id, raw_place, first_landed_at,
    landed_at)
SELECT s.id, s.run, 'k' || n, 1, true, sha256(n::text::bytea), 'u' || p, 'P' || c, '课程' || s.place || '之' || c,
       '王' || chr(19968 + p %% 3000), '王' || chr(19968 + p %% 3000), '',
       CASE WHEN unknown THEN '' ELSE '370402********' || lpad((p %% 10000)::text, 4, '0') END,
       CASE WHEN unknown THEN NULL ELSE sha256(('p' || p)::bytea) END,
       CASE WHEN unknown THEN NULL ELSE sha256(p::text::bytea) END,
       CASE WHEN unknown THEN 'E_ID_MISSING' ELSE '' END,
       day + interval '4 hours' + (n %% 3600) * interval '1s', 'second', day::date, day::date,
       800 + 100 * (c %% 20), true, true, '', concat('示例公司', nullif(p %% %(employers)s, 0)), '', '', 0, 0, day, day
FROM (
    SELECT n, n %% %(people)s AS p, (2 * (n / %(people)s) + n %% 2) %% 20 AS c, n %% 101 = 7 AS unknown,
           timestamptz '2024-01-02 00:00+08' + (n * 7 %% 350) * interval '1 day' AS day,
           CASE WHEN n %% 5 = 0 THEN 1 ELSE 2 + (n / 5) %% (%(sources)s - 1) END AS source
    FROM generate_series(0, %(people)s * %(each)s - 1) n
) row
JOIN (SELECT s.id, row_number() OVER (ORDER BY s.id) AS place, r.id AS run FROM intake_source s
      JOIN intake_syncrun r ON r.source_id = s.id AND r.because = 'hand') s ON s.place = row.source
"""
_ROWS_HELD = """
INSERT INTO quarantine_held (what, key, source, code, params, opened_at, released_at)
SELECT 'row', 'r' || n, '在线学习平台' || CASE WHEN n %% 5 = 0 THEN 1 ELSE 1 + n %% %(sources)s END,
       (ARRAY['E_ROW_MALFORMED', 'E_DATE_INVALID', 'E_HOURS_INVALID'])[1 + n %% 3],
       jsonb_build_object('row', n, 'field', 'hours', 'value', '八学时', 'place', '第' || n || '行'),
       now() - (n %% 120) * interval '1 day', CASE WHEN n > %(rows)s THEN now() - (n %% 50) * interval '1 day' END
FROM generate_series(1, %(rows)s * 3) n
"""
# the names that the list of doors asks for
_NAMED = """
UPDATE intake_source SET name = '别家平台' WHERE name = '在线学习平台2';
UPDATE quarantine_held SET source = '别家平台' WHERE source = '在线学习平台2';
"""
_ACCOUNTS = """
WITH account AS (
    INSERT INTO auth_user (username, password, first_name, last_name, email, is_active, is_staff, is_superuser,
        date_joined)
    SELECT 'learner' || id, '!', '', '', '', true, false, false, now()
    FROM (SELECT id FROM learners_learner ORDER BY id LIMIT (SELECT count(*) / 2 FROM learners_learner)) half
    RETURNING id, username
)
INSERT INTO learners_account (user_id, learner_id) SELECT id, substr(username, 8)::bigint FROM account
"""
_STAFF_MADE = """
WITH account AS (
    INSERT INTO auth_user (username, password, first_name, last_name, email, is_active, is_staff, is_superuser,
        date_joined)
    SELECT 'staff' || n, '!', '经办' || n, '', '', true, false, false, now() FROM generate_series(1, %(staff)s) n
    RETURNING id, substr(username, 6)::int AS n
)
INSERT INTO organisations_membership (user_id, organisation_id, role)
SELECT a.id, o.id, CASE o.kind WHEN 'training_base' THEN 'base_operator' WHEN 'hr_bureau' THEN 'bureau_reviewer'
                   ELSE 'department_officer' END
FROM account a JOIN organisations_organisation o ON o.issuer_number = CASE
    WHEN n %% 4 = 0 THEN 101 + n %% %(bases)s WHEN n %% 4 = 1 THEN 1 ELSE 2 + n %% %(departments)s END
"""
_ALIASES = """
INSERT INTO matching_decision (kind, source_id, account, name, name_folded, key, code, fingerprint, id_masked, by, at,
    reason)
SELECT 'alias', source_id, '', name || '氏', name_folded || '氏', '', 'E_NAME_CONFLICT', id_fingerprint, id_masked, 'bench',
       now() - n * interval '1 hour', '户口本上的曾用名'
FROM (SELECT c.*, row_number() OVER (ORDER BY id) AS n FROM intake_completion c
      WHERE id_fingerprint IS NOT NULL ORDER BY id LIMIT %(some)s) row
"""
_SIZES = {
    "sources": SOURCES, "bases": BASES, "departments": DEPARTMENTS, "employers": EMPLOYERS, "filed": FILED, "old": OLD,
    "waiting": WAITING, "drafts": DRAFTS, "each": ROWS_EACH, "staff": _STAFF,
}  # fmt: skip


def landed(rows: int) -> None:
    """Bodies, filings, sources with their runs, and so many completions that no stage has looked at."""
    sizes = _SIZES | {"people": rows // ROWS_EACH, "rows": rows // 50}
    with connection.cursor() as cursor:
        for statement in (_BODIES, _SOURCES, _FIRST_RUNS):
            cursor.execute(statement, sizes)
        cursor.execute(_RUNS, sizes | {"each": _RUNS_EACH})
        for statement in (_PROGRAMMES, _VERSIONS, _STEPS, _LINKS, _COMPLETIONS, _ROWS_HELD, _STAFF_MADE):
            cursor.execute(statement, sizes)
        cursor.execute(_NAMED)
        cursor.execute(_ALIASES, {"some": rows // 2_000})
        cursor.execute("ANALYZE")


def lived_in() -> None:
    """What stands beside the rows when the stages were through: learners' accounts, and a year of audit events."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS)
    _audited(_EVENTS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _audited(count: int) -> None:
    from agent.audit.chain import START, entry_of, hash_of, seal_of
    from agent.audit.models import AuditEvent
    from agent.localtime import now

    first = AuditEvent.objects.order_by("-index").values_list("index", "hash").first()
    last, made = (first[0], bytes(first[1])) if first else (0, START)
    columns = "index, at, actor, action, target, organisation_id, entry, hash, seal"
    with connection.cursor() as cursor, cursor.copy(f"COPY audit_auditevent ({columns}) FROM STDIN") as copy:
        for index in range(last + 1, last + 1 + count):
            at = (now() - timedelta(minutes=30 * (count + last - index))).astimezone(UTC)
            said = {
                "actor": f"staff{index % _STAFF}", "action": ("filing.accept", "mapping.link", "person.signed_in")[index % 3],
                "target": f"programme 370400/2024/B{index % FILED}",
            }  # fmt: skip
            entry = entry_of(index, at, **said, organisation=None, before=None, after={"state": "filed"})
            made = hash_of(made, entry)
            copy.write_row((index, at, *said.values(), None, entry, made, seal_of(made)))


def days_of_reconciliation(days: int) -> None:
    """The newest snapshot, kept on so many days before it, too."""
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOTS, {"days": days})


_SNAPSHOTS = """
WITH newest AS (SELECT * FROM reconciliation_snapshot ORDER BY id DESC LIMIT 1), before AS (
    INSERT INTO reconciliation_snapshot (day, taken_at, seconds)
    SELECT day - d, taken_at - d * interval '1 day', seconds FROM newest, generate_series(1, %(days)s) d RETURNING id
)
INSERT INTO reconciliation_line (snapshot_id, source_id, equation, "left", "right", on_the_way, differing, named, run_id)
SELECT b.id, l.source_id, l.equation, l."left", l."right", l.on_the_way, l.differing, l.named, l.run_id
FROM before b, reconciliation_line l WHERE l.snapshot_id = (SELECT id FROM newest)
"""
