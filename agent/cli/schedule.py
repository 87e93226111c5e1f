"""`xueshi source schedule`, `xueshi source hook` and `xueshi queue`: when sources are asked, and what waits."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, operator, page, person, table
from agent.cli.source import group


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(queue)


@group.command("schedule")
def schedule(
    name: str,
    recent: Annotated[
        str | None, typer.Option(help='What is new: a period (15m, 2h) or a cron line ("*/15 7-22 * * *"); "" never.')
    ] = None,
    full: Annotated[
        str | None, typer.Option(help='Everything compared: as --recent, for example "30 2 * * *".')
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of the cron lines.")] = None,
    jitter: Annotated[int | None, typer.Option(min=0, max=86_400, help="Seconds a pull may come later.")] = None,
    budget: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Most calls an hour.")] = None,
    most_missing: Annotated[
        int | None, typer.Option(min=0, max=100, help="Percent of the rows that may vanish at once and are believed.")
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether the clock asks it at all.")] = None,
    as_json: AsJson = False,
) -> None:
    """When the clock asks a source, and how often at most; without options, show it."""
    start()
    from agent.intake.noted import changing  # noqa: PLC0415 - models need Django
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.work.schedule import trigger, zone_of  # noqa: PLC0415

    source = get(name)
    given = {
        "recent_at": recent, "full_at": full, "time_zone": timezone, "jitter": jitter, "budget": budget,
        "most_missing": most_missing, "scheduled": on,
    }  # fmt: skip
    changed = {field: value for field, value in given.items() if value is not None}
    for field, value in changed.items():
        setattr(source, field, value)
    zone = zone_of(source.time_zone)
    for option, text in (("--recent", source.recent_at), ("--full", source.full_at)):
        if text:
            trigger(text, zone, field=option)
    if changed:
        with changing(name, "source.schedule", by=operator()):
            source.save(update_fields=list(changed))
    shown = {"source": name} | {field: getattr(source, field) for field in given}
    if as_json:
        emit(shown)
    else:
        for field, value in shown.items():
            page.print(f"{field:<14}{value}", markup=False)


@group.command("hook")
def hook(name: str, as_json: AsJson = False) -> None:
    """Make the secret with which an LMS signs what it posts to us, and show it, this once."""
    start()
    from django.conf import settings  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from agent.intake.noted import changing  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.work.push import new_secret  # noqa: PLC0415

    source = get(name)
    with changing(name, "source.hook", by=operator()):
        secret = new_secret(source)
    shown = {"url": settings.BASE_URL + reverse("portal:hook", args=[name]), "secret": secret}
    if as_json:
        emit(shown)
        return
    page.print(f"url     {shown['url']}\nsecret  {shown['secret']}", markup=False, soft_wrap=True)
    person.print("密钥只显示这一次；旧的已作废。 Put both into the plugin's settings; the secret is shown this once.")


def queue(as_json: AsJson = False) -> None:
    """What waits, what runs, and what each source is due for next."""
    start()
    from agent.work.queue import depth  # noqa: PLC0415 - models need Django

    found: dict[str, Any] = depth()
    if as_json:
        emit(found)
        return
    columns = ("task", "waiting", "later", "running", "failed")
    titles = ("任务", "等待", "定时", "进行中", "失败")
    table("队列 Queue", titles, [[row[c] for c in columns] for row in found["tasks"]], right=titles[1:])
    page.print(f"最久等待 {found['oldest_seconds']} 秒；工作进程 {found['workers']} 个")
