"""`xueshi reconcile`: the figures that must be equal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, page, table
from agent.errors import PERSON_NEEDED

if TYPE_CHECKING:
    from agent.reconciliation.models import Line


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(reconcile)


def reconcile(as_json: AsJson = False) -> None:
    """LMS = landed = judged = ledger = certificates, by source: figures that must be equal, and what differs."""
    start()
    from agent.reconciliation.equations import SAID, Equation, sentence  # noqa: PLC0415 - it needs Django
    from agent.reconciliation.stage import lines_of, run  # noqa: PLC0415

    # whoever asks by hand asks when the stages have run: nothing is on the way
    lines = lines_of(run(patience=timedelta(0)))

    def shown(line: Line) -> dict[str, Any]:
        said = SAID[Equation(line.equation)]
        return {
            "source": line.source.name, "equation": line.equation, "name": said.name, "left_is": said.left,
            "left": line.left, "right_is": said.right, "right": line.right, "equal": line.equal,
            "differing": line.differing, "named": line.named,
        }  # fmt: skip

    if as_json:
        emit([shown(line) for line in lines])
    else:
        signs = {True: "✓", False: "✗", None: "–"}
        rows = [
            [
                signs[line.equal],
                line.source.name,
                *(shown(line)[k] for k in ("name", "left_is", "left", "right_is", "right")),
            ]
            for line in lines
        ]
        table("对账 Reconciliation", ["", "来源", "等式", "左", "条", "右", "条数"], rows, right=["条", "条数"])
        for line in lines:
            for each in line.named:
                page.print(f"{line.source.name} {SAID[Equation(line.equation)].name}: {sentence(each)}", markup=False)
    if any(line.equal is False for line in lines):
        raise typer.Exit(PERSON_NEEDED)
