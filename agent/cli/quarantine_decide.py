"""`xueshi quarantine decide|decisions|take-back`: what a person decides about rows that no correction can release."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from agent.boot import start
from agent.cli.mapping_courses import DryRun, as_dict, tell
from agent.cli.output import AsJson, emit, table


def register(group: typer.Typer) -> None:
    """Add the commands to `xueshi quarantine`."""
    for name, command in (("decide", decide_), ("decisions", decisions_), ("take-back", take_back_)):
        group.command(name)(command)


def decide_(
    numbers: Annotated[list[int], typer.Argument(help="Numbers of held items (xueshi quarantine list --json).")],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    learner: Annotated[int | None, typer.Option(help="Who it is: the learner's number.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Decide: the account is that learner, the other name is the same person's, or the late row is accepted."""
    start()
    from django.db import transaction  # noqa: PLC0415 - it needs to be set up

    from agent.flow import run_stages  # noqa: PLC0415
    from agent.learners.models import Learner  # noqa: PLC0415
    from agent.mapping.preview import of_decision  # noqa: PLC0415
    from agent.matching.decisions import decide, note  # noqa: PLC0415

    who = Learner.objects.filter(pk=learner).first() if learner is not None else None
    by = getpass.getuser()
    trial = of_decision(numbers, by=by, reason=reason, learner=who)
    made = []
    if not dry_run:
        with transaction.atomic():
            made = decide(numbers, by=by, reason=reason, learner=who)
            for each in made:
                note(each, by=by)
        run_stages()
    if as_json:
        emit({"dry_run": dry_run, "decisions": [each.pk for each in made], "difference": as_dict(trial)})
    else:
        tell(trial, dry_run=dry_run)


def decisions_(as_json: AsJson = False) -> None:
    """The decisions in force: what, who, when, why."""
    start()
    from agent.matching.decisions import in_force  # noqa: PLC0415

    found = in_force()
    if as_json:
        emit([
            {"number": d.pk, "kind": d.kind, "source": d.source.name, "code": d.code, "id_masked": d.id_masked,
             "by": d.by, "at": d.at.isoformat(), "reason": d.reason}
            for d in found
        ])  # fmt: skip
        return
    rows = [[d.pk, d.get_kind_display(), d.source.name, d.code, d.by, f"{d.at:%Y-%m-%d}", d.reason] for d in found]
    table("决定 Decisions", ("#", "决定", "来源", "code", "谁", "何时", "为什么"), rows, right=("#",))


def take_back_(
    number: Annotated[int, typer.Argument(help="The decision's number.")],
    reason: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a decision back: what it released is judged again without it."""
    start()
    from django.db import transaction  # noqa: PLC0415

    from agent.flow import run_stages  # noqa: PLC0415
    from agent.mapping.preview import of_taking_back  # noqa: PLC0415
    from agent.matching.decisions import note, take_back  # noqa: PLC0415

    trial = of_taking_back(number, by=getpass.getuser())
    if not dry_run:
        with transaction.atomic():
            note(take_back(number, by=getpass.getuser(), reason=reason), by=getpass.getuser())
        run_stages()
    if as_json:
        emit({"dry_run": dry_run, "difference": as_dict(trial)})
    else:
        tell(trial, dry_run=dry_run)
