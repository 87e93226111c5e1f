"""From what is asked (`agent.credit.asked`) to what the rules judge; everything that is wrong is named at its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.audit.masking import masked
from agent.credit.asked import Asked, AskedAchievement, Fault, faults, last_day
from agent.credit.errors import YearInvalid, YearUnreadable
from agent.credit.policy_file import path_of
from agent.credit.policy_kinds import Absence
from agent.credit.policy_model import Policy
from agent.credit.reckoning import LearnerYear
from agent.credit.requirement import Away
from agent.credit.worth import Achievement

_READ = TypeAdapter(Asked)
_SHOWN = 60
_FIXES = {
    "missing": "Add it.",
    "hours": "Write hours above 0 as a number like 8, 7.5 or 0.25.",
    "greater_than": "Write more than 0.",
    "less_than_equal": "Write less.",
    "day": "Write a day like 2024-06-03, or an instant like 2024-06-03T11:30:00+08:00.",
    "literal_error": "Write one of the words that are expected.",
    "json_invalid": "Write it as JSON (UTF-8); xueshi credit schema shows the shape.",
}


def read(policy: Policy, content: bytes, file: str) -> LearnerYear:
    """The year that a JSON object says.

    :raises YearUnreadable: it is no JSON
    :raises YearInvalid: the first thing that is wrong, with place, masked value and fix; ``problems`` holds all of them
    """
    try:
        asked = _READ.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise YearUnreadable(file=file, reason=first["ctx"]["error"]) from None
        raise _invalid(file, content, [_fault(each) for each in error.errors(include_url=False)]) from None
    found = faults(asked) or unfit(policy, asked)
    if found:
        raise _invalid(file, content, found)
    return learner_year(policy, asked)


def _fault(error: Any) -> Fault:
    message = error["msg"][:1].lower() + error["msg"][1:]
    return error["loc"], message, _FIXES.get(error["type"], "Correct it; xueshi credit schema describes every field.")


def _invalid(file: str, content: bytes, found: Sequence[Fault]) -> YearInvalid:
    values = json.loads(content)  # takes NaN, as what read it before did
    problems = [
        {"path": path_of(place), "value": _value(values, place), "message": masked(message), "fix": fix}
        for place, message, fix in found
    ]
    first, more = problems[0], f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    raised = YearInvalid(
        file=file, path=first["path"], reason=first["message"], value=first["value"], how=first["fix"] + more
    )
    raised.problems = problems
    return raised


def _value(values: Any, place: Sequence[str | int]) -> str:
    """What stands at a place, short and without identity numbers."""
    for step in place:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            if isinstance(step, str):
                return "nothing"  # a number: it is one thing, where a list may stand
    return _short(values)


def _short(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = masked(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def unfit(policy: Policy, asked: Asked) -> list[Fault]:
    """Place, sentence and fix of everything that this policy does not know."""
    found: list[Fault] = []
    known, absence = ", ".join(policy.category_ids), policy.the(Absence)
    for number, each in enumerate(asked.achievements):
        for field, sentence, fix in _unfit(policy, each, known):
            found.append((("achievements", number, field), sentence, fix))
    for number, away in enumerate(asked.absences):
        allowed = [reason.absence for reason in absence.parameters.reasons] if absence else []
        if away.kind not in allowed:
            fix = f"Write one of {', '.join(allowed)}." if allowed else "Leave it out."
            found.append((("absences", number, "kind"), f"{policy.version} knows no such absence", fix))
    return found + [
        (("carried_over", category), f"{policy.version} has no such category", f"Write one of {known}.")
        for category in asked.carried_over
        if category not in policy.category_ids
    ]


def _unfit(policy: Policy, each: AskedAchievement, known: str) -> Iterator[tuple[str, str, str]]:
    if not policy.rules_kind(each.kind):
        yield "kind", f"{policy.version} has no rule for it", "Leave it out, or add the rule."
        return
    if each.category is not None and each.category not in policy.category_ids:
        yield "category", f"{policy.version} has no such category", f"Write one of {known}."
    if each.category is None and each.kind in {"training", "transfer"}:
        yield "category", "it says no category", f"Add it ({known}): it is never guessed."
    if each.half_days is not None and policy.rounding.parameters.hours_per_half_day is None:
        yield "half_days", f"{policy.version} counts no half days", "Write hours."
    if _needs_hours(policy, each) and not (each.hours or each.minutes or each.half_days or each.sessions):
        yield "hours", "it says no hours", "Add hours, minutes or sessions."


def _needs_hours(policy: Policy, each: AskedAchievement) -> bool:
    if each.kind == "training":
        return True
    return each.kind != "secondment" and policy.counting[each.kind].parameters.each is None


def learner_year(policy: Policy, asked: Asked) -> LearnerYear:
    """What the rules judge; ``asked`` has no `faults` and nothing `unfit`."""
    application = asked.title_application
    return LearnerYear(
        tuple(_achievement(policy, each) for each in asked.achievements),
        tuple(Away(each.kind, each.start, each.end) for each in asked.absences),
        application.filing_date if application else None,
        asked.learner.series,
        asked.learner.freelancer,
        asked.carried_over,
        tuple(
            (f"achievements[{number}].evidence[{position}].sha256", proof.sha256)
            for number, each in enumerate(asked.achievements)
            for position, proof in enumerate(each.evidence)
            if proof.sha256
        ),
    )


def _achievement(policy: Policy, each: AskedAchievement) -> Achievement:
    start, hours, last = each.start, each.hours, last_day(each)
    if last is None:
        raise AssertionError("`faults` refuses what has no day")
    if each.kind == "secondment" and start is not None and start.year <= policy.year < last.year:
        last = date(policy.year, 12, 31)  # of a longer one this year's part
    if hours is None and each.half_days is not None:
        hours = each.half_days * (policy.rounding.parameters.hours_per_half_day or 0)
    return Achievement(
        id=each.id,
        category=each.category or policy.category_ids[-1],
        hours=each.filed_hours or 0,
        learned_on=last,
        subject=each.subject,
        reported=hours,
        minutes=each.minutes,
        started_on=start,
        completed_at=each.end.at if each.end else None,
        sessions=tuple((s.date, s.hours, s.what) for s in each.sessions) if each.sessions else (),
        course_key=each.course,
        source=each.source,
        key=each.id,
        kind=each.kind,
        filed=each.filed,
        item=each.item,
        counted_before=each.counted_before,
        level=each.level or "",
        passed=each.passed,
        evidence=tuple((proof.type, proof.parts) for proof in each.evidence if proof.type) if each.evidence else (),
        auditor=each.auditor or "",
        synced_on=each.synced_on,
        covers=each.covers,
    )
