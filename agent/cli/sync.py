"""`xueshi sync`: pull a source and take what came through all the stages. `xueshi runs`: how the pulls went."""

from __future__ import annotations

from datetime import date
from time import perf_counter
from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, bars, emit, operator, page, table


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(sync)
    app.command()(runs)
    app.command()(backfill)
    app.command()(replay)


def sync(
    name: str,
    recent: Annotated[
        bool, typer.Option("--recent", help="Only what is new since the last pull, not everything.")
    ] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Believe it, this once, when many rows are there no more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pull one source, match, credit and issue. Doing it again changes nothing."""
    start()
    result = run(name, recent=recent, accept_missing=accept_missing)
    if as_json:
        emit(result)
    else:
        page.print(
            f"{name}：到达 {result['landed']} 条（新 {result['new']}，"
            f"变 {result['changed']}，未变 {result['unchanged']}），"
            f"待处理 {result['held']} 条，来源不再显示 {result['missing_upstream']} 条。"
            f" {result['calls']} 次调用，{result['seconds']} 秒。"
        )
        if result["held"]:
            page.print("待处理的原因：xueshi quarantine list")


def backfill(
    name: str,
    since: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD. Without a range: go on.")] = "",
    until: Annotated[str, typer.Option("--to", help="Day after the last, YYYY-MM-DD.")] = "",
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to the workers, behind all other work.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a range of time again; what was stopped goes on where it was."""
    start()
    from agent.flow import policies, run_stages  # noqa: PLC0415 - models need Django
    from agent.intake.backfill import begin, go_on, pending  # noqa: PLC0415
    from agent.intake.errors import NoBackfill  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415

    policies()
    source = get(name)
    work = begin(source, _day(since, since, until), _day(until, since, until)) if since or until else pending(source)
    if work is None:
        raise NoBackfill(name=name)
    if queue:
        from agent.work.queue import defer_backfill  # noqa: PLC0415

        new = defer_backfill(source)
        if as_json:
            emit({"source": name, "since": work.since.isoformat(), "until": work.until.isoformat(), "queued": new})
        else:
            page.print(f"{work}：已排队，由工作进程在空闲时完成。", markup=False)
        return
    with bars() as tell:
        landed = go_on(work, lambda done, total: tell("backfill", done, total))
        run_stages(tell)
    work.refresh_from_db()
    if as_json:
        emit({
            "source": name, "since": work.since.isoformat(), "until": work.until.isoformat(), "rows": work.rows,
            "new": landed.new, "changed": landed.changed, "unchanged": landed.unchanged, "done": bool(work.finished_at),
        })  # fmt: skip
    else:
        page.print(f"{work}：到达 {landed.landed} 条（新 {landed.new}，变 {landed.changed}）", markup=False)


def _day(text: str, since: str, until: str) -> date:
    from agent.intake.errors import RangeInvalid  # noqa: PLC0415

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RangeInvalid(since=since or "?", until=until or "?", reason=f"«{text}» is no day") from None


def replay(
    name: Annotated[str, typer.Argument(help="Of this source only.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read the rows that were refused again, from what was kept of them; nothing is asked of the source."""
    start()
    from agent.flow import policies, run_stages  # noqa: PLC0415 - models need Django
    from agent.intake.replay import replay as read_again  # noqa: PLC0415
    from agent.intake.replay import waiting  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415

    policies()
    found = []
    with bars() as tell:
        for source in waiting(get(name) if name else None):
            done = read_again(source)
            found.append({"source": source.name, "landed": done.landed, "held": done.held})
        run_stages(tell)
    if as_json:
        emit(found)
    else:
        for one in found:
            page.print(f"{one['source']}：放行 {one['landed']} 条，仍待处理 {one['held']} 条", markup=False)


def runs(
    name: Annotated[str, typer.Argument(help="Of this source only.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """How the last pulls went: rows, calls, seconds, and why one stopped."""
    start()
    from agent.intake.runs import newest  # noqa: PLC0415 - models need Django
    from agent.intake.sources import get  # noqa: PLC0415

    found = newest(get(name) if name else None, limit)
    if as_json:
        emit(found)
        return
    columns = ["source", "started_at", "mode", "because", "state", "counted", "new", "changed", "unchanged", "rejected",
               "missing_upstream", "calls", "seconds", "error_code"]  # fmt: skip
    titles = [
        "来源",
        "开始",
        "方式",
        "起因",
        "状态",
        "来源自报",
        "新",
        "变",
        "未变",
        "退回",
        "不再显示",
        "调用",
        "秒",
        "代码",
    ]
    rows = [[run[column] for column in columns] for run in found]
    table("同步记录 Runs", titles, rows, right=titles[5:13])
    for run in found:
        if run["error"]:
            page.print(f"{run['error_code']} {run['source']} {run['started_at']}: {run['error']}", markup=False)


def run(name: str, *, recent: bool = False, accept_missing: bool = False) -> dict[str, Any]:
    """Pull ``name`` and run the stages; what it came to, as `--json` shows it."""
    from agent.flow import policies, run_stages  # noqa: PLC0415 - models need Django
    from agent.intake.noted import accepted  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.intake.sync import Mode, pull  # noqa: PLC0415
    from agent.quarantine.models import Held  # noqa: PLC0415

    started = perf_counter()
    policies()  # a wrong rule file is told before anything is done
    with bars() as tell:
        landed = pull(
            get(name),
            Mode.RECENT if recent else Mode.FULL,
            lambda done, total: tell("intake", done, total),
            accept_missing=accept_missing,
        )
        if accept_missing:
            accepted(name, landed.missing_upstream, by=operator())
        run_stages(tell)
    return {
        "source": name, "landed": landed.landed, "new": landed.new, "changed": landed.changed,
        "unchanged": landed.unchanged, "missing_upstream": landed.missing_upstream,
        "held": Held.objects.filter(source=name, released_at=None).count(), "calls": landed.calls,
        "seconds": round(perf_counter() - started, 3),
    }  # fmt: skip
