"""`xueshi sync`: pull a source and take what came through all the stages."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, bars, emit, page


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(sync)


def sync(name: str, as_json: AsJson = False) -> None:
    """Pull one source, match, credit and issue. Doing it again changes nothing."""
    start()
    result = run(name)
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


def run(name: str) -> dict[str, Any]:
    """Pull ``name`` and run the stages; what it came to, as `--json` shows it."""
    from agent.flow import policies, run_stages  # noqa: PLC0415 - models need Django
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.intake.sync import pull  # noqa: PLC0415
    from agent.quarantine.models import Held  # noqa: PLC0415

    started = perf_counter()
    policies()  # a wrong rule file is told before anything is done
    with bars() as tell:
        landed = pull(get(name), progress=lambda done, total: tell("intake", done, total))
        run_stages(tell)
    return {
        "source": name, "landed": landed.landed, "new": landed.new, "changed": landed.changed,
        "unchanged": landed.unchanged, "missing_upstream": landed.missing_upstream,
        "held": Held.objects.filter(source=name, released_at=None).count(), "calls": landed.calls,
        "seconds": round(perf_counter() - started, 3),
    }  # fmt: skip
