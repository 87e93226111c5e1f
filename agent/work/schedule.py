"""When a source is asked: a period or a cron line, in the source's own time zone, a little later by chance."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent.work.errors import ScheduleInvalid, ZoneUnknown

_PERIOD = re.compile(r"\s*([0-9]{1,6})\s*([mhd])\s*")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_CRON_FIELDS = 5
_LONGEST = timedelta(days=366)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name.

    :raises ZoneUnknown: there is none
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise ZoneUnknown(value=name) from None


def trigger(text: str, zone: ZoneInfo, jitter: int = 0, *, field: str = "The schedule") -> BaseTrigger:
    """When ``text`` falls due: ``15m``, ``2h``, ``1d``, or a cron line of five fields in ``zone``.

    :param jitter: seconds by which it may come later, by chance, so that hundreds of sources don't come at once
    :raises ScheduleInvalid: ``text`` is neither, or never falls due
    """
    if period := _PERIOD.fullmatch(text):
        every = int(period[1]) * _UNITS[period[2]]
        if not timedelta(0) < every <= _LONGEST:
            raise ScheduleInvalid(field=field, value=text, reason="it is a minute to a year")
        return IntervalTrigger(seconds=int(every.total_seconds()), timezone=zone, jitter=jitter or None)
    if len(text.split()) != _CRON_FIELDS:
        raise ScheduleInvalid(field=field, value=text, reason="it is neither a period nor five fields of a cron line")
    try:
        found = CronTrigger.from_crontab(text, timezone=zone)
    except ValueError as error:
        raise ScheduleInvalid(field=field, value=text, reason=str(error)) from None
    found.jitter = jitter or None
    if found.get_next_fire_time(None, datetime.now(zone)) is None:
        raise ScheduleInvalid(field=field, value=text, reason="that day never comes")
    return found


def period(text: str, zone: ZoneInfo, at: datetime) -> timedelta:
    """From the first time after ``at`` that ``text`` falls due to the next one."""
    due = trigger(text, zone)
    first = due.get_next_fire_time(None, at)
    second = due.get_next_fire_time(first, first + timedelta(seconds=1)) if first else None
    return second - first if first and second else _LONGEST
