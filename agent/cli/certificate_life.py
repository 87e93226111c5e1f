"""`xueshi certificate suspend | resume | supersede | revoke | restore`: what people decide about certificates."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.boot import start
from agent.cli.certificate import group
from agent.cli.output import AsJson, emit, hours, page, table

if TYPE_CHECKING:
    from agent.certificates.life import Because, Effects

Numbers = Annotated[list[str], typer.Argument(help="Numbers of certificates.", show_default=False)]
Class = Annotated[str, typer.Option("--because", help="The reason class; a wrong one is told with those there are.")]
Reason = Annotated[str, typer.Option("--reason", help="The reason in a sentence; the learner is told it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the effects, and change nothing.")]
By = Annotated[str, typer.Option("--by", help="Who decided; without it the account that runs the command.")]


def register(_app: typer.Typer) -> None:
    """The commands join the group `certificate` when this module is imported."""


@group.command("suspend")
def suspend(
    numbers: Numbers, because: Class, reason: Reason, by: By = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Put certificates out of force for a while; their hours stand."""
    start()
    from agent.certificates import life  # noqa: PLC0415 - it needs Django

    _do(lambda why: life.suspend(numbers, why, dry_run=dry_run), because, reason, by, as_json, dry_run)


@group.command("resume")
def resume(
    numbers: Numbers, because: Class, reason: Reason, by: By = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Put suspended certificates in force again."""
    start()
    from agent.certificates import life  # noqa: PLC0415

    _do(lambda why: life.resume(numbers, why, dry_run=dry_run), because, reason, by, as_json, dry_run)


@group.command("supersede")
def supersede(
    numbers: Numbers, because: Class, reason: Reason,
    name: Annotated[str | None, typer.Option("--name", help="The holder's right name, for one person.")] = None,
    by: By = "", dry_run: DryRun = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Sign corrected certificates in the place of these; the old QR codes lead on to them."""
    start()
    from agent.certificates import life  # noqa: PLC0415

    _do(lambda why: life.supersede(numbers, why, holder=name, dry_run=dry_run), because, reason, by, as_json, dry_run)


@group.command("revoke")
def revoke(
    numbers: Numbers, because: Class, reason: Reason, by: By = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take certificates back for ever; the hours that they stood for are reversed."""
    start()
    from agent.certificates import life  # noqa: PLC0415
    from agent.flow import policies  # noqa: PLC0415

    _do(lambda why: life.revoke(numbers, why, policies(), dry_run=dry_run), because, reason, by, as_json, dry_run)


@group.command("restore")
def restore(
    numbers: Numbers, because: Class, reason: Reason, by: By = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Sign new certificates, with numbers of their own, in the place of revoked ones; the hours count again."""
    start()
    from agent.certificates import life  # noqa: PLC0415
    from agent.flow import policies  # noqa: PLC0415

    _do(lambda why: life.restore(numbers, why, policies(), dry_run=dry_run), because, reason, by, as_json, dry_run)


def _do(step: Callable[[Because], Effects], because: str, reason: str, by: str, as_json: bool, dry_run: bool) -> None:
    from agent.certificates.life import Because  # noqa: PLC0415

    effects = step(Because(because, reason, by or getpass.getuser()))
    value = _value(effects, dry_run)
    if as_json:
        emit(value)
        return
    title = "将会这样（未改动） What would be" if dry_run else "已办理 Done"
    columns = ("number", "before", "after", "successor")
    table(title, columns, [[row[c] for c in columns] for row in value["changed"]])
    if value["hours"]:
        figures = ("learner", "year", "category", "before", "after")
        table(
            "学时账 Ledger", figures, [[row[c] for c in figures] for row in value["hours"]], right=("before", "after")
        )
    page.print(f"通知 {value['notices']} 条 notices")


def _value(effects: Effects, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "changed": [each._asdict() for each in effects.changed],
        "hours": [
            each._asdict() | {"before": hours(each.before), "after": hours(each.after)} for each in effects.hours
        ],
        "notices": effects.notices,
    }
