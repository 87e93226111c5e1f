"""`xueshi reconcile`: the figures that must be equal."""

from __future__ import annotations

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, page, table
from agent.errors import PERSON_NEEDED


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(reconcile)


def reconcile(as_json: AsJson = False) -> None:
    """LMS = landed = judged = ledger = certificates: figures that must be equal, and what differs."""
    start()
    from agent.reconcile import reconcile as lines  # noqa: PLC0415 - it needs Django

    found = lines()
    if as_json:
        emit([
            {"name": line.name, "left_is": line.left_is, "left": line.left, "right_is": line.right_is,
             "right": line.right, "equal": line.equal, "differing": line.differing}
            for line in found
        ])  # fmt: skip
    else:
        rows = [
            ["✓" if line.equal else "✗", line.name, line.left_is, line.left, line.right_is, line.right]
            for line in found
        ]
        table("对账 Reconciliation", ["", "等式", "左", "条", "右", "条数"], rows, right=["条", "条数"])
        for line in found:
            for each in line.differing:
                page.print(f"{line.name}: {each}", markup=False)
    if not all(line.equal for line in found):
        raise typer.Exit(PERSON_NEEDED)
