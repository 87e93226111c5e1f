"""Everything that is wrong with the mapping files: `xueshi mapping lint`."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from agent.credit.examples import differences
from agent.credit.policy import judge, policy_files
from agent.credit.policy_file import LintProblem, read
from agent.credit.policy_model import Policy

__all__ = ["LintProblem", "lint", "lint_policy"]


def lint(folder: Path | None = None) -> list[LintProblem]:
    """Check every policy of the package ``mappings``, or of ``folder``: shape, schema, contradictions, examples.

    An empty list means that all is well. A folder without any policy is a problem too: it is the wrong folder.
    """
    shown = "mappings" if folder is None else str(folder)
    found = policy_files(folder)
    if not found:
        fix = "A policy stands in REGION/YEAR/policy.yaml: six digits, four digits."
        return [LintProblem(shown, "(folder)", "there is no policy in this folder", fix)]
    problems = []
    for region, year, file in found:
        name = f"{shown}/{region}/{year}/{file.name}"
        try:
            content = file.read_bytes()
        except OSError as error:
            fix = "Give this account the right to read it."
            problems.append(LintProblem(name, "(file)", f"can't be read: {error.strerror}", fix))
            continue
        problems += lint_policy(name, content, region, year)
    return problems


def lint_policy(file: str, content: bytes, region: str, year: str) -> list[LintProblem]:
    """Check one policy file, whose folders are called ``region`` and ``year``."""
    policy, problems = judge(file, content, region, year)
    if policy is None or problems:
        return problems  # the examples of a policy that contradicts itself would only repeat it
    document = read(file, content)
    for error in sorted(Draft202012Validator(published_schema()).iter_errors(document.values), key=str):
        place = tuple(error.absolute_path)
        problems.append(
            document.problem(place, error.message[:200], "mappings/policy.schema.json describes the field.")
        )
    for number, example in enumerate(policy.examples):
        for place, message in differences(policy, example):
            fix = f"Correct the example «{example.name.zh}», or the rule."
            problems.append(document.problem(("examples", number, *place), message, fix))
    return problems + _without_example(policy, file)


def _without_example(policy: Policy, file: str) -> list[LintProblem]:
    fix = "Add what the notice says by example, and a case at the edge of each rule."
    if not policy.examples:
        return [LintProblem(file, "examples", "the policy has no example", fix)]
    shown = {(rule, example.case) for example in policy.examples for rule in example.of}
    missing = [
        LintProblem(file, "examples", f"{rule.id} has no example of the {case}", fix)
        for rule in policy.rules
        for case in ("notice", "edge")
        if (rule.id, case) not in shown
    ]
    known = {rule.id for rule in policy.rules}
    return missing + [
        LintProblem(file, f"examples[{number}].of", f"{rule} is no rule of this policy", "Correct its id.")
        for number, example in enumerate(policy.examples)
        for rule in {*example.of, *example.parameters}
        if rule not in known
    ]


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file as it is published in the package."""
    schema: dict[str, Any] = json.loads(files("mappings").joinpath("policy.schema.json").read_text("utf-8"))
    return schema
