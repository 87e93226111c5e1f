"""What a house says, in a form that two houses can be compared by; and what no log may hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from agent.reconciliation import stage as reconciliation
from agent.reconciliation.stage import lines_of
from tests.house.houses import in_force, sql

Said = dict[str, list[tuple[Any, ...]]]

_QUESTIONS = {
    "completions": """SELECT s.name, c.key, c.version, c.current, encode(c.digest, 'hex'), c.account, c.course, c.name,
        c.name_code, c.id_masked, c.id_code, c.completed_at::text, c.learned_on::text, c.passed, c.active, c.grade
        FROM intake_completion c JOIN intake_source s ON s.id = c.source_id ORDER BY 1, 2, 3""",
    "missing upstream": """SELECT s.name, c.key, c.version FROM intake_missingupstream m
        JOIN intake_completion c ON c.id = m.completion_id JOIN intake_source s ON s.id = c.source_id ORDER BY 1, 2""",
    "achievements": """SELECT s.name, a.key, c.version, l.id_masked, p.key, v.version, a.name, a.learned_on::text,
        a.lateness, a.withdrawn FROM matching_achievement a JOIN intake_source s ON s.id = a.source_id
        JOIN intake_completion c ON c.id = a.completion_id JOIN learners_learner l ON l.id = a.learner_id
        JOIN programmes_programmeversion v ON v.id = a.programme_version_id
        JOIN programmes_programme p ON p.id = v.programme_id ORDER BY 1, 2""",
    "certificates": """SELECT p.key, c.id_masked, c.holder, c.hours, c.learned_on::text, c.state
        FROM certificates_certificate c JOIN programmes_programme p ON p.id = c.programme_id
        ORDER BY 1, 2, 3, 4, 5, 6""",
    "quarantine": """SELECT h.what, COALESCE(c.key, a.key, h.key), h.source, h.code FROM quarantine_held h
        LEFT JOIN intake_completion c ON h.what = 'completion' AND c.id::text = h.key
        LEFT JOIN matching_achievement a ON h.what = 'certificate' AND a.id::text = h.key
        WHERE h.released_at IS NULL ORDER BY 1, 2, 3, 4""",
}
_NEVER = {
    "two current versions": """SELECT source_id, key FROM intake_completion WHERE current GROUP BY 1, 2
        HAVING count(*) > 1""",
    "a gap in the versions": """SELECT source_id, key FROM intake_completion GROUP BY 1, 2
        HAVING max(version) <> count(*) OR count(*) FILTER (WHERE current) <> 1""",
    "a gap in the serials": """SELECT s.programme_id, s.last FROM certificates_serial s LEFT JOIN (
        SELECT programme_id, count(*) AS n FROM certificates_certificate GROUP BY 1) c USING (programme_id)
        WHERE s.last <> COALESCE(c.n, 0)""",
    "a certificate without its event": """SELECT c.number FROM certificates_certificate c WHERE NOT EXISTS
        (SELECT 1 FROM certificates_certificateevent e WHERE e.certificate_id = c.id AND e.state = c.state)""",
    "an entry reversed twice": """SELECT reverses_id FROM credit_creditentry WHERE reverses_id IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1""",
    "two entries in force": """SELECT achievement_id FROM credit_creditentry e WHERE e.reverses_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id)
        GROUP BY 1 HAVING count(*) > 1""",
}
_ORPHANS = {
    "a run that nobody makes": "SELECT id FROM intake_syncrun WHERE state = 'running'",
    "a job that nobody does": "SELECT id, task_name FROM procrastinate_jobs WHERE status IN ('doing', 'todo')",
}
_ID_NUMBER = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")


def said() -> Said:
    """Everything that must be the same in two houses; who wrote it when, and numbers by order of issue, left out."""
    return {name: sql(query) for name, query in _QUESTIONS.items()} | {"ledger": in_force()}


def differences(disturbed: Said, twin: Said, *, shown: int = 3) -> list[str]:
    """What one house says and the other does not, a few of each."""
    found = []
    for name, rows in twin.items():
        ours, theirs = Counter(disturbed[name]), Counter(rows)
        for words, rest in (("invented or doubled", ours - theirs), ("lost", theirs - ours)):
            if rest:
                found.append(f"{name}: {rest.total()} {words}, as {list(rest)[:shown]}")
    return found


def wrong(*, at_rest: bool = True) -> list[str]:
    """What may be so in no house, disturbed or not; ``at_rest`` also what may only pass by."""
    found = []
    for name, query in (_NEVER | _ORPHANS if at_rest else _NEVER).items():
        if rows := sql(query):
            found.append(f"{name}: {rows[:3]}")
    if at_rest:
        lines = lines_of(reconciliation.run(patience=timedelta(0)))
        found += [f"{one.equation}: {one.left} ≠ {one.right} {one.named}" for one in lines if one.equal is False]
    return found


def leaks(texts: Iterable[str], token: str) -> list[str]:
    """What may stand in no log: the token, an identity number, a traceback. Quoted only where it is no secret."""
    found = []
    for text in texts:
        if token in text:
            found.append("the token stands in a log")
        if _ID_NUMBER.search(text):
            found.append("an identity number stands in a log")
        if "Traceback" in text:
            found.append("a traceback in a log: …" + text[text.index("Traceback") :][-600:])
    return found
