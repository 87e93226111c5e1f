"""`xueshi quarantine`: what waits, why, and what releases it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, page, table
from agent.errors import XueshiError

group = typer.Typer(help="See what waits for a person or a fix.", no_args_is_help=True)


class HeldUnknown(XueshiError):
    """Nothing is held under the number {number}."""

    code = "E_HELD_UNKNOWN"
    fix = "See `xueshi quarantine list --json` for the numbers."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    from agent.cli import quarantine_decide  # noqa: PLC0415 - it adds to the group

    quarantine_decide.register(group)
    app.add_typer(group, name="quarantine")


@group.command("list")
def list_(
    code: Annotated[str | None, typer.Option(help="Only this code, row by row.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    released: Annotated[bool, typer.Option(help="What was released, instead of what waits.")] = False,
    as_json: AsJson = False,
) -> None:
    """What waits: counted by code, or row by row with --code or --json."""
    start()
    from django.db.models import Count  # noqa: PLC0415

    from agent.quarantine.codes import fix, sentence  # noqa: PLC0415
    from agent.quarantine.models import Held  # noqa: PLC0415

    held = Held.objects.filter(released_at__isnull=not released)
    if code:
        held = held.filter(code=code)
    if source:
        held = held.filter(source=source)
    if as_json:
        emit([_shown(item) for item in held.order_by("code", "pk").iterator()])
    elif code:
        table(
            f"{code}: {fix(code)}",
            ("#", "来源", "原因", "自"),
            [[h.pk, h.source, sentence(h.code, h.params), f"{h.opened_at:%Y-%m-%d}"] for h in held.order_by("pk")],
            right=("#",),
        )
    else:
        counted = held.values("code", "source").annotate(n=Count("pk")).order_by("code", "source")
        rows = [[row["code"], row["source"], row["n"], fix(row["code"])] for row in counted]
        table("待处理 Quarantine", ("code", "来源", "条数", "怎样放行"), rows, right=("条数",))


@group.command("show")
def show(number: int, as_json: AsJson = False) -> None:
    """One held item with its sentence, its fix and what is known of it (identity numbers masked)."""
    start()
    from agent.quarantine.models import Held  # noqa: PLC0415

    item = Held.objects.filter(pk=number).first()
    if item is None:
        raise HeldUnknown(number=number)
    shown = _shown(item)
    if as_json:
        emit(shown)
    else:
        page.print(f"#{item.pk} {item.code} · {shown['opened']}", markup=False)
        page.print(
            f"{shown['sentence_zh']}\n→ {shown['fix_zh']}\n{shown['sentence_en']}\n→ {shown['fix_en']}", markup=False
        )
        table("", ("field", "value"), [[key, value] for key, value in item.params.items()])


def _shown(item: Any) -> dict[str, Any]:
    from agent.quarantine.codes import fix, sentence  # noqa: PLC0415

    return {
        "number": item.pk, "what": item.what, "source": item.source, "code": item.code, "params": item.params,
        "sentence_zh": sentence(item.code, item.params), "fix_zh": fix(item.code),
        "sentence_en": sentence(item.code, item.params, english=True), "fix_en": fix(item.code, english=True),
        "opened": item.opened_at.isoformat(), "released": item.released_at.isoformat() if item.released_at else None,
    }  # fmt: skip
