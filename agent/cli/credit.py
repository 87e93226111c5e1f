"""`xueshi credit`: what hours come to under the year's rules, for whoever asks with a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from agent.cli.output import AsJson, bars, emit, person
from agent.errors import PERSON_NEEDED

if TYPE_CHECKING:
    from agent.credit.bulk import Rules

group = typer.Typer(help="What hours come to under the year's rules.", no_args_is_help=True)
Policy = Annotated[str, typer.Option("--policy", help="region/year, like 370400/2024")]
Full = Annotated[
    bool, typer.Option("--full", help="Also the policy's stamp, and of each entry kind, day and reason code.")
]
LARGEST = 64 << 20
"""Bytes of one learner's year, or of a list; lines have no end."""


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    from agent.cli import credit_reevaluate  # noqa: PLC0415 - it adds to the group

    credit_reevaluate.register(group)
    app.add_typer(group, name="credit")


def rules_of(policy: str) -> Rules:
    """The policy that a word like 370400/2024 names."""
    from agent.cli.mapping import PolicyNameInvalid  # noqa: PLC0415
    from agent.credit.bulk import Rules  # noqa: PLC0415
    from agent.home import mappings_folder  # noqa: PLC0415

    region, _, year = policy.partition("/")
    if not (year.isascii() and year.isdigit() and len(year) == 4):  # noqa: PLR2004 - a year
        raise PolicyNameInvalid(name=policy)
    rules = Rules(region, int(year), mappings_folder())
    rules.load()  # refused before anything is read
    return rules


@group.command("evaluate")
def evaluate(
    file: Annotated[
        Path, typer.Argument(help="A learner's year (JSON); many as lines or as a list; - reads from a pipe.")
    ],
    policy: Policy,
    full: Full = False,
    processes: Annotated[int | None, typer.Option(help="For many learners; else one a core.", min=1, max=64)] = None,
    as_json: AsJson = False,  # noqa: ARG001 - the answer is JSON with and without
) -> None:
    """What each achievement counts, by which rule and why, and where the year stands. The answer is JSON.

    `xueshi credit schema` shows the shapes. Of many learners each is answered by a line; a line that is refused says
    why, and the others go on.
    """
    from agent.credit.bulk import evaluate_many, evaluate_one  # noqa: PLC0415

    rules = rules_of(policy)
    with _opened(file) as stream:
        head, single = _begins(stream, str(file))
        if single:
            emit(evaluate_one(rules.load(), _whole(chain([head], stream), str(file)), str(file), full=full))
            return
        listed = head.lstrip().startswith(b"[")
        lines = (
            _of_list(_whole(chain([head], stream), str(file)), str(file)) if listed else _lines(chain([head], stream))
        )
        out, first = sys.stdout.buffer, True

        def write(line: bytes) -> None:
            nonlocal first
            if listed:
                out.write(b"[\n" if first else b",\n")
                out.write(line)
            else:
                out.write(line + b"\n")
            first = False

        with bars() as tell:
            done = evaluate_many(
                rules, lines, write, full=full, processes=processes, progress=lambda n: tell("evaluate", n, None)
            )
        if listed:
            out.write(b"[]\n" if first else b"\n]\n")
        out.flush()
    person.print(f"{done.learners} 人，{done.entries} 条；拒绝 {done.refused} 人。 {done.refused} refused.")
    if done.refused:
        raise typer.Exit(PERSON_NEEDED)


@group.command("schema")
def schema(
    which: Annotated[str, typer.Argument(help="input or output")] = "input",
    as_json: AsJson = False,  # noqa: ARG001 - it is JSON with and without
) -> None:
    """The JSON Schema of what `evaluate` reads, or of what it answers."""
    from importlib.resources import files  # noqa: PLC0415

    if which not in {"input", "output"}:
        raise typer.BadParameter("input or output", param_hint="WHICH")
    emit(json.loads(files("mappings").joinpath(f"credit-{which}.schema.json").read_text("utf-8")))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    with file.open("rb") as stream:
        yield stream


def _begins(stream: BinaryIO, name: str) -> tuple[bytes, bool]:
    """What a file begins with, and whether it is one learner's year."""
    head = b""
    while not head.strip():
        line = stream.readline(LARGEST)
        if not line:
            return head, True
        head = line.removeprefix(b"\xef\xbb\xbf")
    if head.lstrip().startswith(b"["):
        return head, False
    try:
        json.loads(head)  # reads NaN, which is refused later, with its place
    except ValueError:
        return head, True
    while line := stream.readline(LARGEST):  # whole on one line: is there another?
        if line.strip():
            return head + line, False
    return head, name.endswith(("l", "ndjson")) is False


def _whole(parts: Iterable[bytes], name: str) -> bytes:
    from agent.credit.errors import YearsTooMany  # noqa: PLC0415

    content = bytearray()
    for part in parts:
        content += part
        if len(content) > LARGEST:
            raise YearsTooMany(file=name, most=LARGEST >> 20)
    return bytes(content)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        for line in part.splitlines():
            if line.strip():
                yield line


def _of_list(content: bytes, name: str) -> Iterator[bytes]:
    """Each learner of a list, as a line."""
    from agent.credit.errors import YearUnreadable  # noqa: PLC0415

    try:
        years = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise YearUnreadable(file=name, reason=str(error)) from None
    return (json.dumps(year, ensure_ascii=False).encode() for year in years)
