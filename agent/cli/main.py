"""`xueshi`: the command, and the rim where every error becomes a sentence, a fix and an exit code.

0: well. 1: it ran, and something needs a person. 2: usage or configuration, nothing was done.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer

from agent.cli.output import emit, person
from agent.errors import PERSON_NEEDED, USAGE, XueshiError
from connectors.errors import ConnectorError

app = typer.Typer(
    name="xueshi",
    help="学时: pulls completions from learning platforms, credits hours, issues certificates.\n\n"
    "Exit codes: 0 well · 1 something needs a person · 2 usage or configuration. --debug shows where an error arose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name in (
    "demo",
    "serve",
    "source",
    "schedule",
    "sync",
    "reconcile",
    "programme",
    "programme_deciding",
    "quarantine",
    "learner",
    "credit",
    "certificate",
    "template",
    "certificate_life",
    "transparency",
    "people",
    "audit",
    "keys",
    "mapping",
    "roster",
    "doctor",
):
    import_module(f"agent.cli.{_name}").register(app)


class PathUnusable(XueshiError):
    """{path} can't be used: {reason}."""

    code = "E_FILE"
    fix = "Check the path and its rights."


def main() -> None:
    """Run the command line; the console script."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    arguments = [a for a in arguments if a != "--debug"]
    try:
        app(arguments)
    except KeyboardInterrupt:
        person.print("\n中断。已完成的部分都已保存。 Interrupted; what was finished is kept.")
        raise SystemExit(130) from None
    except Exception as error:
        if debug:
            raise
        raise SystemExit(_say(error, as_json="--json" in arguments)) from None


def _say(error: Exception, *, as_json: bool) -> int:
    """Tell a person (or a script) what went wrong; returns the exit code."""
    known = _known(error)
    if known is None:
        # the type alone: an unknown error's text may hold anything
        code, message, fix = (
            "E_BUG",
            f"Something unforeseen happened ({type(error).__name__}).",
            ("Run the command again with --debug and report what it prints (take out personal data)."),
        )
        status = PERSON_NEEDED
    else:
        code, message, fix = known.code, known.message, known.how_to_fix
        status = known.exit_code if isinstance(known, XueshiError) else PERSON_NEEDED if known.retry else USAGE
    # not folded to the width of a screen: a path in a sentence must stay whole, to be copied and searched for
    person.print(f"[bold]{code}[/bold]  ", end="")
    person.print(message, markup=False, soft_wrap=True)
    person.print(f"→ {fix}", markup=False, soft_wrap=True)
    if as_json:
        emit({"error": {"code": code, "message": message, "fix": fix}})
    return status


def _known(error: Exception) -> Any:
    if isinstance(error, XueshiError | ConnectorError):
        return error
    from agent.db.faults import explain  # noqa: PLC0415 - only when something went wrong

    known = explain(error)
    if known is None and isinstance(error, OSError) and error.filename:
        return PathUnusable(path=error.filename, reason=error.strerror)
    return known
