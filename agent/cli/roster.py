"""`xueshi roster`: the template for bases, and a look at a file before it is sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.output import AsJson, emit, page, table
from agent.errors import PERSON_NEEDED

group = typer.Typer(help="Rosters of offline classes.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="roster")


@group.command("template")
def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the .xlsx file.")] = Path(
        "学员名册模板.xlsx"
    ),
    as_json: AsJson = False,
) -> None:
    """Write the template that a base fills in; its columns keep numbers as they are typed."""
    from connectors.roster.template import write_template  # noqa: PLC0415

    write_template(output)
    if as_json:
        emit({"file": str(output)})
    else:
        page.print(f"模板已写到 {output}", markup=False)


@group.command("check")
def check(
    file: Path,
    option: Annotated[list[str] | None, typer.Option(help="key=value as for `source add --kind roster`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a roster as a sync would, and say which rows would be refused and in which cell. Stores nothing."""
    from agent.cli.source import _pair  # noqa: PLC0415
    from agent.learners.identity import normalise_id  # noqa: PLC0415
    from connectors.base import SourceConfig  # noqa: PLC0415
    from connectors.roster import RosterConnector  # noqa: PLC0415

    refused: Counter[str] = Counter()
    rows: list[tuple[str, str, str]] = []
    accepted = not_passed = 0
    config = SourceConfig("roster", str(file), options=dict(_pair(value) for value in option or []))
    with RosterConnector(config) as reader:
        for part in reader.completions():
            for row in part.rejected:
                refused[row.code] += 1
                rows.append((row.place, row.code, row.value))
            for record in part.completions:
                identity = normalise_id(record["id_number"])
                if identity.code:
                    refused[identity.code] += 1
                    rows.append((record.get("place", ""), identity.code, identity.masked))
                elif not record["passed"]:
                    not_passed += 1
                else:
                    accepted += 1
    if as_json:
        emit({
            "accepted": accepted, "not_passed": not_passed, "refused": dict(refused),
            "rows": [{"place": place, "code": code, "value": value} for place, code, value in rows],
        })  # fmt: skip
    else:
        page.print(f"可接收 {accepted} 人，未合格 {not_passed} 人，退回 {sum(refused.values())} 行。")
        if rows:
            table("退回的行 Refused", ("位置", "code", "值"), rows)
    if refused:
        raise typer.Exit(PERSON_NEEDED)
