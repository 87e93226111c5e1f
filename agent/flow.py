"""The way through the house: each stage over all rows that wait for it, in order. Any of them can run again.

They *rest* when a pass came to its end without having done anything and nothing that they read was written since
(`agent.changes`), nor is anything outside of the database another: then there is nothing to be found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from django.db import connection

from agent.certificates import life
from agent.certificates import stage as certificates
from agent.certificates.fonts import font_folders
from agent.changes import rest
from agent.credit import stage as credit
from agent.credit.policy import Policy, load_policy, policy_files
from agent.home import mappings_folder, region
from agent.localtime import local_date, now
from agent.matching import stage as matching
from agent.programmes.checks import Rules

_T = TypeVar("_T")
_STAGES = ("matching", "credit", "certificates", "corrections")
Tell = Callable[[str, int, int | None], None]
"""Told how far a stage is: its name, done, of all (None: not known)."""


@dataclass(slots=True)
class Through:
    """What one way through the house did."""

    matched: matching.Matched
    credited: credit.Credited
    issued: certificates.Issued
    seconds: dict[str, float] = field(default_factory=dict)
    rested: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing at all was done."""
        matched, issued = self.matched, self.issued
        return not (
            matched.matched or matched.withdrawn or matched.opened or matched.released or self.credited.learner_years
            or issued.issued or issued.revoked or issued.superseded or issued.opened or issued.released
        )  # fmt: skip


def policies() -> dict[int, Policy]:
    """Every published policy of this installation's region, by year.

    :raises agent.credit.errors.PolicyInvalid: a file is wrong; nothing is credited by half a rule book.
    """
    folder = mappings_folder()
    return {
        int(year): load_policy(place, int(year), folder) for place, year, _ in policy_files(folder) if place == region()
    }


def filing_rules(year: int) -> Rules:
    """What is known of filings of ``year``: by its policy, otherwise by the newest before it."""
    known = policies()
    policy = known.get(max((each for each in known if each <= year), default=0))
    if policy is None:
        return Rules()
    listed = policy.catalogues.get("public")
    cap = next((rule for rule in policy.rules if rule.kind == "day_cap"), None)
    return Rules(
        subjects=tuple(listed.parameters.subjects) if listed else (), year=policy.year,
        open=listed.parameters.open if listed else True, day_cap=cap.parameters.hours_per_day if cap else 800,
    )  # fmt: skip


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: what two would find waiting, both would judge. The lock goes with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('xueshi stages'))")
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext('xueshi stages'))")


def run_stages(tell: Tell | None = None) -> Through:
    """Match, credit, issue. Whoever comes while another process is at it waits, and does what is left."""
    with _alone():
        seen, mark = rest.noted(), _outside()
        if not seen and rest.at_rest(mark):
            return _rested()
        through = _run_stages(tell)
        rest.passed(seen, mark if through.idle and not _asked_again() else None)
        return through


def _outside() -> str:
    """What the stages depend on beside the database: the policies, the day, the fonts, and the program itself."""
    digest = hashlib.sha256(f"{_program()} {region()} {local_date(now())}".encode())
    for place, year, file in policy_files(mappings_folder()):
        if place == region():
            digest.update(f"{year} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    for file in sorted(file for folder in font_folders() for file in folder.iterdir()):
        digest.update(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns} ".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _program() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


_HELD = """
SELECT what, code, count(*) FROM quarantine_held WHERE released_at IS NULL AND what <> 'row' GROUP BY 1, 2 ORDER BY 1, 2
"""
# what a signing key keeps waiting, and whatever else has no cause that is noted or in `_outside`
_ASKED_AGAIN = """
SELECT EXISTS (SELECT FROM quarantine_held WHERE released_at IS NULL AND what = 'certificate'
    AND NOT (left(code, 7) = 'E_CERT_' OR code IN ('E_GLYPH_MISSING', 'E_PRIVATE_USE', 'E_TEXT_CONTROL')))
"""


def _asked_again() -> bool:
    """Whether something waits that only asking can release."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED_AGAIN)
        return bool(cursor.fetchone()[0])


def _rested() -> Through:
    """What a pass would have said."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        held = cursor.fetchall()
    waiting = {code: count for what, code, count in held if what == "completion"}
    certificate = sum(count for what, _, count in held if what == "certificate")
    return Through(
        matching.Matched(0, 0, 0, 0, waiting), credit.Credited(), certificates.Issued(held=certificate),
        dict.fromkeys(_STAGES, 0.0), rested=True,
    )  # fmt: skip


def _run_stages(tell: Tell | None) -> Through:
    rules = policies()
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], _T]) -> _T:
        started = perf_counter()
        if tell:
            tell(name, 0, None)
        result = work()
        seconds[name] = round(perf_counter() - started, 3)
        return result

    def teller(name: str) -> Callable[[int, int], None] | None:
        return (lambda done, total: tell(name, done, total)) if tell else None

    matched = timed("matching", lambda: matching.run([year_rule(policy) for policy in rules.values()]))
    credited = timed("credit", lambda: credit.run(rules, teller("credit")))
    issued = timed("certificates", lambda: certificates.run(rules, teller("certificates")))
    issued.superseded = timed("corrections", life.supersede_corrected)
    return Through(matched, credited, issued, seconds)


def year_rule(policy: Policy) -> matching.YearRule:
    """What matching has to know of a policy."""
    end = policy.year_end.parameters
    return matching.YearRule(
        year=policy.year,
        grace_until=date.fromisoformat(f"{policy.year + 1}-{end.sync_grace_until}"),
        credit_late=end.late_sync.after_grace == "credit",
        credit_history=end.late_sync.history_of_new_source == "credit",
    )
