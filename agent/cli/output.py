"""How commands speak: JSON is the last thing on standard output, everything else goes to standard error."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output, for scripts.")]

person = Console(stderr=True, highlight=False)
"""Where sentences, bars and warnings for a person go."""
page = Console(highlight=False)
"""Where a command's own answer goes."""

Tell = Any


def operator() -> str:
    """Who works at this machine, as the audit log names them: no account of the house can be called so."""
    return f"cli:{getpass.getuser()}"


def emit(value: object) -> None:
    """Print ``value`` as JSON, the last thing on standard output."""
    person.file.flush()
    option = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(value, option=option, default=_plain) + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def hours(hundredths: int) -> str:
    """Hundredths of an hour as ``24.00``."""
    sign, rest = ("-" if hundredths < 0 else ""), abs(hundredths)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table; columns named in ``right`` hold figures."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    page.print(shown)


@contextmanager
def bars() -> Iterator[Tell]:
    """Progress that is true: done of all and the time left, for each stage. Nothing is drawn where nobody looks."""
    with Progress(
        TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), console=person, transient=True, disable=not person.is_terminal,
    ) as progress:  # fmt: skip
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield tell
