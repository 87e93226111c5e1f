"""A policy in the words of a person: `xueshi mapping explain 370400/2024 [RULE]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from agent.credit.errors import RuleUnknown
from agent.credit.policy_model import Policy, Rule
from agent.credit.policy_types import Frozen, Hours
from agent.credit.reasons import hours_text


def explain(policy: Policy, rule: str | None = None) -> str:
    """The whole policy, or one of its rules (an id like R10; case does not matter), in Chinese and English.

    Raises `RuleUnknown`, which names the rules there are.
    """
    if rule is None:
        blocks = [_head(policy), *(_rule(each) for each in policy.rules)]
        return "\n\n".join("\n".join(block) for block in blocks)
    found = policy.rule(rule.upper())
    if found is None:
        raise RuleUnknown(version=policy.version, rule=rule, known=", ".join(each.id for each in policy.rules))
    return "\n".join(_rule(found))


def shown_parameters(rule: Rule) -> dict[str, str]:
    """A rule's parameters as a person reads them: hours as hours, lists with commas, parts as ``part.name``."""
    return dict(_parameters(rule.parameters, ""))


def _head(policy: Policy) -> list[str]:
    categories = "、".join(each.name.zh for each in policy.categories)
    return [
        f"{policy.name.zh} / {policy.name.en}",
        f"  版本 version: {policy.stamp}",
        f"  依据 source: {policy.source.document} {policy.source.article}",
        f"  类别 categories: {categories} / {', '.join(each.name.en for each in policy.categories)}",
    ]


def _rule(rule: Rule) -> list[str]:
    parameters = shown_parameters(rule)
    lines = [
        f"{rule.id} {rule.name.zh} / {rule.name.en}",
        f"  {rule.sentence.zh.format_map(parameters)}",
        f"  {rule.sentence.en.format_map(parameters)}",
        f"  依据 source: {rule.source.document} {rule.source.article}",
    ]
    for name, value in ((name, value) for name, value in parameters.items() if value):
        ours = "（通知未规定，默认值 / the notice is silent, a default）" if name.split(".")[0] in rule.silent else ""
        lines.append(f"  {name}: {value}{ours}")
    return lines


def _parameters(part: Frozen, prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in type(part).model_fields.items():
        value: Any = getattr(part, name)
        if isinstance(value, Frozen):
            yield from _parameters(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value, hours=_is_hours(field.annotation, field.metadata))


def _shown(value: Any, *, hours: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "、".join(_shown(each, hours=hours) for each in value) or "-"
    if isinstance(value, Frozen):
        return " ".join(text for _, text in _parameters(value, ""))
    return hours_text(value) if hours else str(value)


def _is_hours(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    """Whether a field holds hours, also where it may be left out."""
    return any(each in _HOURS for each in metadata) or any(
        each in _HOURS or _is_hours(each) for each in get_args(annotation)
    )


_HOURS = get_args(Hours)[1:]
