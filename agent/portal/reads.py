"""When sources were read last and are read next, as learners are told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from agent.intake.models import Source
from agent.localtime import now
from agent.work.errors import ScheduleInvalid, ZoneUnknown
from agent.work.schedule import trigger, zone_of


def next_reads(names: Collection[str]) -> dict[str, datetime]:
    """By when each source is read next by the clock; a source that the clock leaves alone is not in it. One query."""
    if not names:
        return {}
    rows = Source.objects.filter(name__in=names, scheduled=True).values_list(
        "name", "recent_at", "time_zone", "progress__open_until"
    )  # fmt: skip
    found = {name: next_read(text, zone, open_until) for name, text, zone, open_until in rows}
    return {name: at for name, at in found.items() if at}


def next_read(text: str, zone: str, open_until: datetime | None) -> datetime | None:
    """By when ``text`` falls due at the latest, not before the circuit closes; None: never, or it can't be read."""
    try:
        due: datetime | None = trigger(text, zone_of(zone)).get_next_fire_time(None, max(now(), open_until or now()))
    except (ScheduleInvalid, ZoneUnknown):
        return None
    return due  # of a period: one from now on, for nobody here knows when the clock began it
