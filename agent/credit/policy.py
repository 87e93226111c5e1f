"""Loading the policy of a region and year, and the judgement whether a file is one.

`load_policy` is what the program calls; `judge` finds everything that is wrong with a file and is what
`xueshi mapping lint` shows. The shape of a policy is in `agent.credit.policy_model`.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from agent.credit.asked import Asked
from agent.credit.errors import PolicyInvalid, PolicyMissing
from agent.credit.policy_checks import RULES, contradictions, kind_of
from agent.credit.policy_file import Document, LintProblem, Unreadable, read
from agent.credit.policy_model import Policy

__all__ = ["Policy", "judge", "load_policy", "policy_files", "schema"]

FILE = "policy.yaml"

_KINDS = frozenset(kind_of(rule) for rule in RULES)
_FIXES = {
    "missing": "Add it.",
    "extra_forbidden": "Remove it, or correct its spelling.",
    "hours": 'Write hours like 8, 7.5 or "0.10".',
    "month_day": "Write month and day like 12-31.",
    "literal_error": "Write one of the words that are expected.",
    "union_tag_invalid": "Correct the rule's kind.",
    "union_tag_not_found": "Add the rule's kind.",
    "string_pattern_mismatch": "Correct the spelling; mappings/policy.schema.json describes every field.",
}


@lru_cache(maxsize=64)
def load_policy(region: str, year: int, folder: Path | None = None) -> Policy:
    """The policy of a region (six digits) and credit year, from the package ``mappings`` or from ``folder``.

    Kept for the life of the process: a changed file is a new version, and taking it over is an act
    (edge case 39); tests and long runs that change files call ``load_policy.cache_clear()``.
    Raises `PolicyMissing`, `PolicyInvalid` (file, path, line, value and fix of the first thing that is wrong).
    """
    root = _root(folder)
    shown = f"{_name(folder)}/{region}/{year}/{FILE}"
    safe = region.isascii() and region.isdigit()  # a region is part of a path: «../..» is none
    file = root.joinpath(region, str(year), FILE) if safe else None
    if file is None or not file.is_file():
        known = ", ".join(f"{r}/{y}" for r, y, _ in policy_files(folder)) or "none"
        raise PolicyMissing(region=region, year=year, file=shown, known=known)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PolicyMissing(region=region, year=year, file=f"{shown}: {error.strerror}", known="?") from None
    policy, problems = judge(shown, content, region, year)
    if policy is None or problems:
        first = problems[0]
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise PolicyInvalid(
            file=first.file,
            line=first.line or "?",
            path=first.path,
            reason=first.message,
            value=first.value or "nothing",
            how=first.fix + more,
        )
    return policy


def policy_files(folder: Path | None = None) -> list[tuple[str, str, Traversable]]:
    """Every policy file: name of its region's folder, of its year's folder, and the file; sorted."""
    root = _root(folder)
    found = []
    for region in _folders(root):
        for year in _folders(region):
            file = year.joinpath(FILE)
            if file.is_file():
                found.append((region.name, year.name, file))
    return sorted(found, key=lambda each: each[:2])


def judge(file: str, content: bytes, region: str, year: int | str) -> tuple[Policy | None, list[LintProblem]]:
    """What a file says, and everything that is wrong with it. ``region`` and ``year`` are its folders' names."""
    try:
        document = read(file, content)
    except Unreadable as error:
        return None, [error.problem]
    try:
        policy = Policy.model_validate(document.values)
    except ValidationError as error:
        return None, [_problem(document, each) for each in error.errors(include_url=False)]
    policy._digest = hashlib.sha256(content).hexdigest()  # noqa: SLF001 - set once, here, where the bytes are known
    problems = [document.problem(*each) for each in contradictions(policy)]
    if (policy.region, str(policy.year)) != (region, str(year)):
        fix = f"Move the file to {policy.region}/{policy.year}/, or correct what it says."
        problems.append(document.problem(("region",), f"the folder says {region}/{year}", fix))
    return policy, problems


def _problem(document: Document, error: Any) -> LintProblem:
    # pydantic puts the rule's kind into the path, where the file has no such step: rules, 3, day_cap, parameters
    place = tuple(step for at, step in enumerate(error["loc"]) if not (at == 2 and step in _KINDS))  # noqa: PLR2004
    fix = _FIXES.get(error["type"], "Correct the value; mappings/policy.schema.json describes every field.")
    message = error["msg"][:1].lower() + error["msg"][1:]
    return document.problem(place, message, fix)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file; `mappings/policy.schema.json` is this, and a test compares them."""
    made = TypeAdapter(Policy).json_schema(mode="validation")
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": "urn:xueshi:policy:1", **made}


def input_schema() -> dict[str, Any]:
    """The JSON Schema of what `xueshi credit evaluate` reads; `mappings/credit-input.schema.json` is this."""
    made = TypeAdapter(Asked).json_schema(mode="validation")
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": "urn:xueshi:credit-input:1", **made}


def _root(folder: Path | None) -> Traversable:
    return files("mappings") if folder is None else folder


def _name(folder: Path | None) -> str:
    return "mappings" if folder is None else str(folder)


def _folders(root: Traversable) -> list[Traversable]:
    if not root.is_dir():
        return []
    return [each for each in root.iterdir() if each.is_dir() and each.name.isdigit()]
