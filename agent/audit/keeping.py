"""How long events are kept: old ones go, and a sealed head stands for them, so that the rest is provable as before."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from agent.audit.chain import LOCK, record
from agent.audit.models import AuditEvent, AuditSeal
from agent.errors import XueshiError
from agent.localtime import now

LEAST = 6
_DEFAULT = 36
_MONTH = timedelta(days=31)  # never shorter than the database's own month


class KeepingTooShort(XueshiError):
    """XUESHI_AUDIT_MONTHS is «{value}»: the audit log is kept for whole months, 6 at least."""

    code = "E_AUDIT_MONTHS"
    fix = "Set it to 6 or more, or leave it away (36 months)."


class Pruned(NamedTuple):
    """What went: how many events, and through which index."""

    events: int
    through: int


def months() -> int:
    """For how many months events are kept (``XUESHI_AUDIT_MONTHS``).

    :raises KeepingTooShort: fewer than six, or no number
    """
    text = os.environ.get("XUESHI_AUDIT_MONTHS") or str(_DEFAULT)
    if not (text.isascii() and text.isdigit()) or not LEAST <= int(text) <= 1200:  # noqa: PLR2004 - a century
        raise KeepingTooShort(value=text)
    return int(text)


def due_before() -> datetime:
    """What is older than this may go.

    :raises KeepingTooShort: see `months`
    """
    return now() - months() * _MONTH


@transaction.atomic
def prune(by: str) -> Pruned:
    """Delete what is older than it is kept, from the beginning of the chain on; that this was done is an event, too."""
    limit = due_before()
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    keep = AuditEvent.objects.filter(at__gte=limit).order_by("index").values_list("index", flat=True).first()
    old = AuditEvent.objects.filter(at__lt=limit)
    old = old.filter(index__lt=keep) if keep else old
    last = old.order_by("-index").first()
    first = old.order_by("index").first()
    if last is None or first is None:
        return Pruned(0, 0)
    AuditSeal.objects.create(
        through=last.index, hash=last.hash, seal=last.seal, first_at=first.at, last_at=last.at, at=now(), by=by[:150]
    )
    count, _ = AuditEvent.objects.filter(index__lte=last.index).delete()
    record(by, "audit.pruned", on=f"audit events through {last.index}", after={"events": count, "older_than": limit})
    return Pruned(count, last.index)
