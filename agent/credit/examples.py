"""Running the examples that stand in a policy file: each says what some achievements must come to, and why."""

from __future__ import annotations

from collections.abc import Iterator

from agent.credit.errors import AchievementInvalid
from agent.credit.policy_file import Place
from agent.credit.policy_model import Example, ExampleAchievement, Policy
from agent.credit.reasons import hours_text
from agent.credit.rules import Achievement, Evaluation, evaluate


def achievement(example: ExampleAchievement) -> Achievement:
    """An example's achievement as `evaluate` takes it."""
    return Achievement(
        id=example.id,
        category=example.category,
        hours=example.hours,
        learned_on=example.learned_on,
        subject=example.subject,
        reported=example.reported,
        minutes=example.minutes,
        started_on=example.started_on,
        completed_at=example.completed_at,
        sessions=tuple((session.date, session.hours) for session in example.sessions),
        course_key=example.course,
        source=example.source,
        key=example.id,
    )


def differences(policy: Policy, example: Example) -> Iterator[tuple[Place, str]]:
    """Where the rules come to something else than the example says: its place inside the example, and a sentence."""
    try:
        result = evaluate(policy, [achievement(each) for each in example.achievements])
    except AchievementInvalid as error:
        yield ("achievements",), error.message
        return
    yield from _entries(example, result)
    expected, found = example.standing, result.standing
    for name, hours in expected.credited.items():
        yield from _hours(("standing", "credited", name), hours, found.credited.get(name))
    for name, hours in expected.missing.items():
        yield from _hours(("standing", "missing", name), hours, found.missing.get(name))
    if expected.total is not None:
        yield from _hours(("standing", "total"), expected.total, found.total)
    if expected.met is not None and expected.met != found.met:
        yield ("standing", "met"), f"the rules say {str(found.met).lower()}"


def _entries(example: Example, result: Evaluation) -> Iterator[tuple[Place, str]]:
    decisions = {str(decision.id): decision for decision in result.entries}
    for number, entry in enumerate(example.entries):
        decision = decisions.pop(entry.id, None)
        if decision is None:
            yield ("entries", number, "id"), "no achievement of this example has the id, or it stands there twice"
            continue
        yield from _hours(("entries", number, "credited"), entry.credited, decision.credited)
        if entry.rule != decision.rule:
            yield ("entries", number, "rule"), f"{decision.rule} decides it"
        if entry.reason != decision.code:
            yield ("entries", number, "reason"), f"the reason is {decision.code}: {decision.reason_zh}"
    if decisions:
        yield ("entries",), f"nothing is expected of {', '.join(decisions)}"


def _hours(place: Place, expected: int, found: int | None) -> Iterator[tuple[Place, str]]:
    if found is None:
        yield place, "the policy has no such category"
    elif found != expected:
        yield place, f"the rules come to {hours_text(found)}"
