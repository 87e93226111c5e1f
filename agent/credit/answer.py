"""The answer of `xueshi credit evaluate`: entries, standing, deadline, as `mappings/credit-output.schema.json` says."""

from __future__ import annotations

from typing import Any

from agent.credit.policy_model import Policy
from agent.credit.reckoning import Reckoning, delivery
from agent.credit.requirement import Standing
from agent.credit.rules import Decision


def answer(policy: Policy, found: Reckoning, *, full: bool = False) -> dict[str, Any]:
    """The answer as JSON says it, hours as numbers.

    ``full``: also the policy's stamp; of each entry its day, kind, reason's code, own worth and how it reaches the
    province; and for who applies for a title, where the year stood on the deadline.
    """
    said: dict[str, Any] = {
        "entries": [_full(policy, entry) for entry in found.entries] if full else [_entry(e) for e in found.entries],
        "standing": _standing(found.standing),
        "deadline": found.deadline.isoformat(),
    }
    if full:
        said["policy"] = found.policy
        if found.for_title is not None:
            said["for_title"] = _standing(found.for_title)
    return said


def _entry(entry: Decision) -> dict[str, Any]:
    reason_zh, reason_en = entry.reasons
    return {
        "id": entry.id,
        "category": entry.category,
        "claimed": _hours(entry.claimed),
        "credited": _hours(entry.credited),
        "capped": _hours(entry.claimed - entry.credited),
        "rule": entry.rule,
        "reason_zh": reason_zh,
        "reason_en": reason_en,
    }


def _full(policy: Policy, entry: Decision) -> dict[str, Any]:
    return _entry(entry) | {
        "kind": entry.kind,
        "learned_on": entry.learned_on.isoformat(),
        "recognised": _hours(entry.recognised),
        "reason": entry.code,
        "delivery": delivery(policy, entry),
    }


def _standing(now: Standing) -> dict[str, Any]:
    return {
        **{name: _hours(hours) for name, hours in now.credited.items()},
        "total": _hours(now.total),
        "required": {name: _hours(hours) for name, hours in now.required.items()},
        "met": now.met,
        "missing": {name: _hours(hours) for name, hours in now.missing.items()},
    }


def _hours(hundredths: int) -> int | float:
    whole, rest = divmod(hundredths, 100)
    return hundredths / 100 if rest else whole
