"""`xueshi source`: connect a place where people learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, operator, page, person, table
from agent.errors import PERSON_NEEDED, XueshiError

group = typer.Typer(help="Connect, check and list the places that completions come from.", no_args_is_help=True)


class TokenFileUnreadable(XueshiError):
    """The token can't be read from {path}: {reason}."""

    code = "E_TOKEN_FILE"
    fix = "Write the token, and nothing else, into a file that this account may read (mode 0600)."


class OptionUnreadable(XueshiError):
    """«{value}» is not an option: it must be key=value."""

    code = "E_OPTION"
    fix = "For example: --option report_id=1"


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="source")


@group.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A short name, used in every other command.")],
    kind: Annotated[str, typer.Option(help="Kind of source: moodle, roster, or one that a package brings.")],
    url: Annotated[str, typer.Option(help="Address of the platform, or path of the roster file.")],
    token_file: Annotated[
        Path | None, typer.Option(help="File that holds the access token; «-» reads it from stdin.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="key=value, may be repeated.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow an address inside this machine or network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect a source, or change one of that name."""
    options = dict(_pair(value) for value in option or [])
    token = _token(token_file) if token_file else None
    if kind == "roster":  # the worker may run elsewhere: what a person typed here must mean the same there
        url = str(Path(url).expanduser().resolve()) if "://" not in url else url
    start()
    from agent.intake.noted import changing  # noqa: PLC0415 - models need Django
    from agent.intake.sources import save  # noqa: PLC0415
    from agent.programmes.filing import bind_waiting_links  # noqa: PLC0415

    with changing(name, by=operator()):
        source, new = save(name, kind=kind, url=url, token=token, options=options, allow_private=allow_private)
        bound = bind_waiting_links(source)
    if as_json:
        emit({"name": source.name, "kind": source.kind, "url": source.url, "new": new, "course_links": bound})
    else:
        page.print(
            f"{'已添加' if new else '已更新'} {source.name}（{source.kind}）。下一步：xueshi source check {source.name}"
        )


@group.command("check")
def check(name: str, as_json: AsJson = False) -> None:
    """Look whether a sync would bring everything, and say what is missing and what to click."""
    start()
    from agent.intake.sources import connector, get  # noqa: PLC0415

    with connector(get(name)) as reader:
        found = reader.check()
    if as_json:
        emit({
            "ok": found.ok, "site": found.site, "release": found.release, "route": found.route,
            "capabilities": found.capabilities,
            "problems": [{"code": p.code, "message": p.message, "fix": p.fix} for p in found.problems],
        })  # fmt: skip
    else:
        page.print(f"{found.site} {found.release}".strip() or name, markup=False)
        page.print(f"取数方式 route: {found.route}")
        for capability, there in found.capabilities.items():
            page.print(f"  {'✓' if there else '✗'} {capability}")
        for problem in found.problems:
            page.print(f"\n{problem.code}  {problem.message}\n→ {problem.fix}", markup=False)
        page.print("可以同步。" if found.ok else "还不能完整同步，请先处理上面的问题。")
    if not found.ok:
        raise typer.Exit(PERSON_NEEDED)


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """All sources, and how their last sync went."""
    start()
    from agent.intake.models import Source  # noqa: PLC0415

    rows = []
    for source in Source.objects.order_by("name").prefetch_related("runs"):
        runs = sorted(source.runs.all(), key=lambda run: run.started_at)
        last = runs[-1] if runs else None
        rows.append({
            "name": source.name, "kind": source.kind, "url": source.url, "options": source.options,
            "last_sync": last.started_at.isoformat() if last else None, "state": last.state if last else "never",
            "error": last.error if last else "",
        })  # fmt: skip
    if as_json:
        emit(rows)
    elif rows:
        columns = ("name", "kind", "url", "last_sync", "state", "error")
        table("来源 Sources", columns, [[row[c] for c in columns] for row in rows])
    else:
        person.print("还没有来源。 None yet: xueshi source add NAME --kind moodle --url https://… --token-file FILE")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise OptionUnreadable(value=text)
    return key.strip(), value.strip()


def _token(path: Path) -> str:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenFileUnreadable(path=path, reason=getattr(error, "strerror", None) or "not text") from None
    if not text.strip() or len(text.split()) != 1:
        raise TokenFileUnreadable(path=path, reason="it must hold one word")
    return text.strip()
