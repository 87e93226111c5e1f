"""Finding events: by who, what, on what, for whom and when; the newest first."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from agent.audit.models import AuditEvent
from agent.localtime import SHANGHAI


class Wanted(NamedTuple):
    """What is looked for; what is empty does not narrow it. Days are local and both included."""

    who: str = ""  # the name, or its beginning
    action: str = ""  # the word, or its beginning
    on: str = ""  # any part of it
    first: date | None = None
    last: date | None = None


def events(wanted: Wanted) -> QuerySet[AuditEvent]:
    """The events, the newest first, each with its organisation."""
    found = AuditEvent.objects.select_related("organisation").order_by("-index")
    if wanted.who:
        found = found.filter(actor__startswith=wanted.who)
    if wanted.action:
        found = found.filter(action__startswith=wanted.action)
    if wanted.on:
        found = found.filter(target__contains=wanted.on)
    if wanted.first:
        found = found.filter(at__gte=_midnight(wanted.first))
    if wanted.last:
        found = found.filter(at__lt=_midnight(wanted.last) + timedelta(days=1))
    return found


def change_of(event: AuditEvent) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What was there before, and after; of an entry that can't be read (`check` tells) nothing."""
    try:
        said = orjson.loads(event.entry)
        return said["before"], said["after"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None, None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
