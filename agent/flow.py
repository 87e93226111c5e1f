"""The way through the house: each stage over all rows that wait for it, in order. Any of them can run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter
from typing import TypeVar

from django.db import connection

from agent.certificates import life
from agent.certificates import stage as certificates
from agent.credit import stage as credit
from agent.credit.policy import Policy, load_policy, policy_files
from agent.home import mappings_folder, region
from agent.matching import stage as matching

_T = TypeVar("_T")
Tell = Callable[[str, int, int | None], None]
"""Told how far a stage is: its name, done, of all (None: not known)."""


@dataclass(slots=True)
class Through:
    """What one way through the house did."""

    matched: matching.Matched
    credited: credit.Credited
    issued: certificates.Issued
    seconds: dict[str, float] = field(default_factory=dict)


def policies() -> dict[int, Policy]:
    """Every published policy of this installation's region, by year.

    :raises agent.credit.errors.PolicyInvalid: a file is wrong; nothing is credited by half a rule book.
    """
    folder = mappings_folder()
    return {
        int(year): load_policy(place, int(year), folder) for place, year, _ in policy_files(folder) if place == region()
    }


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
        return _run_stages(tell)


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

    matched = timed("matching", lambda: matching.run([_year_rule(policy) for policy in rules.values()]))
    credited = timed("credit", lambda: credit.run(rules, teller("credit")))
    issued = timed("certificates", lambda: certificates.run(rules, teller("certificates")))
    issued.superseded = timed("corrections", life.supersede_corrected)
    return Through(matched, credited, issued, seconds)


def _year_rule(policy: Policy) -> matching.YearRule:
    end = policy.year_end.parameters
    return matching.YearRule(
        year=policy.year,
        grace_until=date.fromisoformat(f"{policy.year + 1}-{end.sync_grace_until}"),
        credit_late=end.late_sync.after_grace == "credit",
        credit_history=end.late_sync.history_of_new_source == "credit",
    )
