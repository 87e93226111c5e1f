"""`xueshi audit`: look through the log of who did what, take it away, and check that it is whole."""

from __future__ import annotations

import getpass
import sys
from datetime import date
from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, operator, page, table
from agent.errors import PERSON_NEEDED, XueshiError

group = typer.Typer(help="The audit log: search, export, check, keep.", no_args_is_help=True)

Who = Annotated[str, typer.Option("--who", help="User name, or the beginning of it.")]
What = Annotated[str, typer.Option("--action", help="The action, or the beginning of it: membership.")]
On = Annotated[str, typer.Option("--on", help="Part of what it was done to.")]
Since = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day (2026-01-31), local time.")]
Until = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, local time.")]


class HeadUnreadable(XueshiError):
    """«{value}» is no head of the audit log."""

    code = "E_AUDIT_HEAD"
    fix = "Give what `xueshi audit head` printed: a number, a colon and 64 hexadecimal digits."


class DayUnreadable(XueshiError):
    """«{value}» is no day."""

    code = "E_AUDIT_DAY"
    fix = "Write it as 2026-01-31."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="audit")


@group.command("check")
def check(
    head: Annotated[str | None, typer.Option(help="A head that was kept: it must still be in the chain.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make every hash again. Exit code 1: something was changed, removed or slipped in."""
    parts = _head(head) if head else None
    start()
    from agent.audit.check import Head  # noqa: PLC0415 - it needs Django
    from agent.audit.check import check as look  # noqa: PLC0415

    found = look(Head(*parts) if parts else None)
    if as_json:
        emit({
            "whole": not found.findings, "first": found.first, "events": found.events, "head": str(found.head),
            "findings": [{"index": one.index, "code": one.code, "said": one.said} for one in found.findings],
        })  # fmt: skip
    else:
        for one in found.findings:
            page.print(f"✗ {one.index}  {one.code}  {one.said}", markup=False)
        page.print(f"{'✗ 不完整' if found.findings else '✓ 完整'}：{found.events} 条，从第 {found.first} 条起。")
        page.print(f"{found.head}", markup=False, soft_wrap=True)
    if found.findings:
        raise typer.Exit(PERSON_NEEDED)


@group.command("head")
def head(as_json: AsJson = False) -> None:
    """The newest hash; keep it elsewhere, and give it to `xueshi audit check --head` later."""
    start()
    from agent.audit.check import head as newest  # noqa: PLC0415

    found = newest()
    if as_json:
        emit({"index": found.index, "hash": found.hash, "head": str(found)})
    else:
        page.print(str(found), markup=False, soft_wrap=True)


@group.command("search")
def search(
    who: Who = "", action: What = "", on: On = "", since: Since = None, until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Who did what, the newest first."""
    events = [_row(event) for event in _events(who, action, on, since, until)[:limit]]
    if as_json:
        emit(events)
    else:
        columns = ("index", "at", "actor", "action", "target", "organisation")
        table("审计记录 Audit", columns, [[row[c] for c in columns] for row in events], right=("index",))


@group.command("export")
def export(
    who: Who = "", action: What = "", on: On = "", since: Since = None, until: Until = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """All of it on standard output, oldest first: CSV, or with --json a JSON value a line, with entry and hash. That it
    was taken away is the last event of it.
    """
    start()
    from django.db import transaction  # noqa: PLC0415 - it needs to be set up

    from agent.audit.chain import record  # noqa: PLC0415

    asked = {"who": who, "action": action, "on": on, "from": since, "to": until}
    with transaction.atomic():
        said = {name: str(value) for name, value in asked.items() if value}
        record(operator(), "audit.exported", on="audit log", after={"form": "json" if as_json else "csv", **said})
    events = _events(who, action, on, since, until).order_by("index").iterator(2000)
    if as_json:
        import orjson  # noqa: PLC0415

        for event in events:
            sys.stdout.buffer.write(
                orjson.dumps({**_row(event), "entry": event.entry, "hash": event.hash.hex()}) + b"\n"
            )
        return
    from agent.portal.csv_file import lines  # noqa: PLC0415 - it needs Django

    columns = ("index", "at", "actor", "action", "target", "organisation", "before", "after")
    for line in lines(columns, ([_cell(row[c]) for c in columns] for row in map(_row, events))):
        sys.stdout.write(line)


@group.command("prune")
def prune(as_json: AsJson = False) -> None:
    """Delete what is older than it is kept (XUESHI_AUDIT_MONTHS, 6 at least); the rest stays provable."""
    start()
    from agent.audit.keeping import months  # noqa: PLC0415
    from agent.audit.keeping import prune as go  # noqa: PLC0415

    done = go(getpass.getuser())
    if as_json:
        emit({"months": months(), "events": done.events, "through": done.through})
    else:
        page.print(f"保留 {months()} 个月；删除 {done.events} 条。")


def _events(who: str, action: str, on: str, since: str | None, until: str | None) -> Any:
    first, last = _day(since), _day(until)
    start()
    from agent.audit.search import Wanted, events  # noqa: PLC0415

    return events(Wanted(who, action, on, first, last))


def _row(event: Any) -> dict[str, Any]:
    from agent.audit.search import change_of  # noqa: PLC0415
    from agent.localtime import SHANGHAI  # noqa: PLC0415

    before, after = change_of(event)
    return {
        "index": event.index, "at": event.at.astimezone(SHANGHAI).isoformat(timespec="seconds"), "actor": event.actor,
        "action": event.action, "target": event.target,
        "organisation": event.organisation.name if event.organisation else None, "before": before, "after": after,
    }  # fmt: skip


def _cell(value: Any) -> str | int:
    if value is None or isinstance(value, str | int):
        return value or ""
    import orjson  # noqa: PLC0415

    return orjson.dumps(value).decode()


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DayUnreadable(value=text) from None


def _head(text: str) -> tuple[int, str]:
    index, _, made = text.strip().partition(":")
    if not (index.isascii() and index.isdigit() and len(made) == 64 and all(c in "0123456789abcdef" for c in made)):  # noqa: PLR2004 - SHA-256 in hex
        raise HeadUnreadable(value=text[:80])
    return int(index), made
