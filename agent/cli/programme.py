"""`xueshi programme`: put programmes on record and decide on filings."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, hours, page, table

group = typer.Typer(help="Import, list and decide on filed programmes.", no_args_is_help=True)


class Decision(StrEnum):
    """The steps of docs/programmes.md that one person takes; a test compares them with the table."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    REJECT = "reject"
    ACCEPT = "accept"
    CHANGE = "change"
    WITHDRAW_CHANGE = "withdraw_change"
    REFUSE_CHANGE = "refuse_change"
    ACCEPT_CHANGE = "accept_change"
    START = "start"
    DELIVER = "deliver"
    REPORT = "report"
    REOPEN = "reopen"
    CLOSE = "close"
    DISCARD = "discard"
    CANCEL = "cancel"


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="programme")


@group.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="YAML or XLSX; docs/programmes.md describes both.")],
    source: Annotated[
        str | None, typer.Option(help="The source whose courses the file maps; needed when there are several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take over a programme file, whole or not at all."""
    from agent.programmes.file import read_programmes  # noqa: PLC0415 - a wrong file is refused before any database

    content = read_programmes(file)
    start()
    from agent.flow import policies, run_stages  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.programmes.filing import import_programmes  # noqa: PLC0415

    policies()  # a wrong rule file is told before anything is done
    of_source = get(source) if source else None
    done = import_programmes(content, path=str(file), source=of_source, actor=getpass.getuser())
    run_stages()  # what waited for these programmes is released
    if as_json:
        emit({
            "new": done.new, "changed": done.changed, "unchanged": done.unchanged, "linked": done.linked,
            "waiting_for_source": done.waiting_for_source,
        })  # fmt: skip
    else:
        page.print(f"新增 {done.new}，变更 {done.changed}，未变 {done.unchanged}；确认课程对应 {done.linked} 个。")
        if done.waiting_for_source:
            page.print(f"{done.waiting_for_source} 个课程对应在等来源接入（xueshi source add）。")


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """All programmes with state and filing number."""
    start()
    from agent.programmes.models import Programme  # noqa: PLC0415

    rows = []
    for programme in (
        Programme.objects.order_by("region", "year", "key").select_related("organiser").prefetch_related("versions")
    ):
        version = max(programme.versions.all(), key=lambda v: v.version, default=None)
        if version is None:  # a form that was never submitted
            continue
        rows.append({
            "programme": str(programme), "key": programme.key, "state": programme.state,
            "filing_number": programme.filing_number, "title": version.title, "category": version.category,
            "organiser": programme.organiser.name, "hours": hours(version.hours), "version": version.version,
            "starts_on": version.starts_on.isoformat(), "ends_on": version.ends_on.isoformat(),
        })  # fmt: skip
    if as_json:
        emit(rows)
    else:
        columns = ("key", "state", "filing_number", "title", "category", "hours", "organiser")
        table("项目 Programmes", columns, [[row[c] for c in columns] for row in rows], right=("hours",))


Key = Annotated[str, typer.Argument(help="KEY, region/year/KEY or filing number.")]
By = Annotated[str, typer.Option("--by", help="Who decides; without it the account that runs the command.")]
Reason = Annotated[str, typer.Option(help="Kept with the decision.")]


@group.command("decide")
def decide(
    key: Key,
    decision: Decision,
    reason: Reason = "",
    code: Annotated[str, typer.Option(help="Why, as one of the codes of that step.")] = "",
    remark: Annotated[list[str] | None, typer.Option(help="FIELD=SENTENCE, said at a field of the form.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take a step of a filing; accepting releases what waited for it."""
    start()
    from agent.flow import filing_rules, policies, run_stages  # noqa: PLC0415
    from agent.programmes.deciding import Taken, take  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415
    from agent.programmes.transitions import Kind  # noqa: PLC0415
    from agent.work.queue import defer_notices  # noqa: PLC0415

    policies()
    remarks = dict(each.split("=", 1) for each in remark or [] if "=" in each)
    programme = find(key)
    how = Taken(
        actor=by or getpass.getuser(), reason=reason, code=code, remarks=remarks, rules=filing_rules(programme.year)
    )
    programme = take(programme, Kind(decision.value), how)
    defer_notices()
    through = run_stages()
    if as_json:
        emit({
            "programme": str(programme), "state": programme.state, "filing_number": programme.filing_number,
            "matched": through.matched.matched, "issued": through.issued.issued,
        })  # fmt: skip
    else:
        page.print(
            f"{programme} → {programme.state} {programme.filing_number or ''}"
            f"；放行 {through.matched.matched} 条，签发证书 {through.issued.issued} 张。"
        )
