"""Runs to look at: what each pull brought, what it took, and why it stopped."""

from __future__ import annotations

from typing import Any

from agent.intake.models import Source, SyncRun

_FIGURES = ("counted", "new", "changed", "unchanged", "rejected", "missing_upstream", "calls")


def newest(source: Source | None, limit: int) -> list[dict[str, Any]]:
    """The newest runs of ``source``, or of all, newest first: `SyncRun`'s figures in rows, ``seconds`` it took (None:
    it goes on), and with an error its code and sentence.
    """
    found = SyncRun.objects.select_related("source").order_by("-started_at", "-pk")
    if source is not None:
        found = found.filter(source=source)
    return [_shown(run) for run in found[:limit]]


def _shown(run: SyncRun) -> dict[str, Any]:
    return {
        "source": run.source.name,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "mode": run.mode,
        "because": run.because,
        "state": run.state,
        **{figure: getattr(run, figure) for figure in _FIGURES},
        "since": run.since and run.since.isoformat(timespec="seconds"),
        "until": run.until and run.until.isoformat(timespec="seconds"),
        "seconds": None if run.seconds is None else round(run.seconds, 3),
        "error_code": run.error_code,
        "error": run.error,
    }
