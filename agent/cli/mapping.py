"""`xueshi mapping`: which course is which programme; check the rule files, and explain what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.output import AsJson, emit, page
from agent.errors import USAGE, XueshiError

group = typer.Typer(help="Map courses to programmes; check and explain the year's rules.", no_args_is_help=True)


class PolicyNameInvalid(XueshiError):
    """«{name}» does not name a policy."""

    code = "E_POLICY_NAME"
    fix = "Say region and year, like 370400/2024."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    from agent.cli import mapping_courses  # noqa: PLC0415 - it adds to the group

    mapping_courses.register(group)
    app.add_typer(group, name="mapping")


@group.command("lint")
def lint(
    folder: Annotated[Path | None, typer.Argument(help="A folder of policies instead of the shipped ones.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every policy against its schema, run its own examples, and look for contradictions."""
    from agent.credit.lint import lint as run  # noqa: PLC0415
    from agent.home import mappings_folder  # noqa: PLC0415

    problems = run(folder or mappings_folder())
    if as_json:
        emit([{"file": p.file, "line": p.line, "path": p.path, "message": p.message, "fix": p.fix} for p in problems])
    else:
        for problem in problems:
            page.print(
                f"{problem.file}:{problem.line or '?'} {problem.path}: {problem.message}\n  → {problem.fix}",
                markup=False,
            )
        if not problems:
            page.print("规则文件没有问题。 The policies are sound.")
    if problems:
        raise typer.Exit(USAGE)


@group.command("explain")
def explain(
    policy: Annotated[str, typer.Argument(help="region/year, like 370400/2024")],
    rule: Annotated[str | None, typer.Argument(help="One rule, like R10; all of them otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """What the rules of a year say, with their source."""
    from agent.credit.explain import explain as lines  # noqa: PLC0415
    from agent.credit.policy import load_policy  # noqa: PLC0415
    from agent.home import mappings_folder  # noqa: PLC0415

    region, _, year = policy.partition("/")
    if not (year.isascii() and year.isdigit()):
        raise PolicyNameInvalid(name=policy)
    loaded = load_policy(region, int(year), mappings_folder())
    text = lines(loaded, rule)  # refuses a rule that is not there
    if not as_json:
        page.print(text, markup=False)
        return
    of = loaded.rule(rule.upper()) if rule else loaded
    emit(of.model_dump(mode="json") if of else None)
