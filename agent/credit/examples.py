"""Running the examples that stand in a policy file: each says what a learner's year must come to, and why."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from agent.credit.asking import learner_year
from agent.credit.eligibility import entitled
from agent.credit.errors import AchievementInvalid
from agent.credit.policy_file import Place
from agent.credit.policy_model import Example, Policy
from agent.credit.reasons import hours_text
from agent.credit.reckoning import Reckoning, delivery, reckon
from agent.programmes.workdays import CalendarUnknown


def differences(policy: Policy, example: Example) -> Iterator[tuple[Place, str]]:
    """Where the rules come to something else than the example says: its place inside the example, and a sentence."""
    try:
        policy = policy.with_parameters(example.parameters)
        result = reckon(policy, learner_year(policy, example.asked))
    except ValidationError as error:
        yield ("parameters",), str(error.errors()[0]["msg"])
        return
    except (AchievementInvalid, CalendarUnknown) as error:
        yield ("achievements",), error.message
        return
    yield from _entries(policy, example, result)
    expected, found = example.standing, result.standing
    for field in ("credited", "required", "missing"):
        for name, hours in getattr(expected, field).items():
            yield from _hours(("standing", field, name), hours, getattr(found, field).get(name))
    if expected.total is not None:
        yield from _hours(("standing", "total"), expected.total, found.total)
    if expected.met is not None and expected.met != found.met:
        yield ("standing", "met"), f"the rules say {str(found.met).lower()}"
    if example.deadline and example.deadline != result.deadline.isoformat():
        yield ("deadline",), f"the rules say {result.deadline}"
    for number, case in enumerate(example.certificates):
        if ((case.category, case.organiser, case.state) in entitled(policy)) != case.entitled:
            yield ("certificates", number, "entitled"), f"the rules say {str(not case.entitled).lower()}"


def _entries(policy: Policy, example: Example, result: Reckoning) -> Iterator[tuple[Place, str]]:
    left = list(result.entries)
    for number, entry in enumerate(example.entries):
        decision = next((d for d in left if str(d.id) == entry.id and entry.category in {None, d.category}), None)
        if decision is None:
            yield ("entries", number, "id"), "no achievement of this example has the id, or it stands there twice"
            continue
        left.remove(decision)
        yield from _hours(("entries", number, "credited"), entry.credited, decision.credited)
        if entry.rule != decision.rule:
            yield ("entries", number, "rule"), f"{decision.rule} decides it"
        if entry.reason != decision.code:
            yield ("entries", number, "reason"), f"the reason is {decision.code}: {decision.reason_zh}"
        if entry.delivery and entry.delivery != (way := delivery(policy, decision)):
            yield ("entries", number, "delivery"), f"the rules say {way}"
    if left:
        yield ("entries",), f"nothing is expected of {', '.join(str(each.id) for each in left)}"


def _hours(place: Place, expected: int, found: int | None) -> Iterator[tuple[Place, str]]:
    if found is None:
        yield place, "the policy has no such category"
    elif found != expected:
        yield place, f"the rules come to {hours_text(found)}"
