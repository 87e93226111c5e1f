"""Sessions that can be seen and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from agent.audit.chain import record
from agent.localtime import now
from agent.people.models import Presence

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def began(user: User, session_key: str, *, place: str, agent: str) -> None:
    """Write down that ``user`` signed in."""
    Presence.objects.filter(user=user).exclude(session_key__in=_alive()).delete()
    Presence.objects.create(session_key=session_key, user=user, began_at=now(), place=place[:60], agent=agent[:200])


def of(user: User) -> list[Presence]:
    """The sessions that still open the door, the newest first."""
    return list(Presence.objects.filter(user=user, session_key__in=_alive()).order_by("-began_at"))


@transaction.atomic
def end(user: User, number: int, *, by: str) -> bool:
    """End one session of ``user``; whether there was such a one."""
    found = Presence.objects.filter(user=user, pk=number).first()
    if found is None:
        return False
    _end([found.session_key])
    record(by, "session.ended", on=f"account {user.get_username()}")
    return True


@transaction.atomic
def end_all(user: User, *, by: str, but: str | None = None) -> int:
    """End every session of ``user`` except ``but``; how many."""
    keys = [*Presence.objects.filter(user=user).exclude(session_key=but or "").values_list("session_key", flat=True)]
    _end(keys)
    if keys:
        record(by, "sessions.ended", on=f"account {user.get_username()}", after={"ended": len(keys)})
    return len(keys)


def _end(keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    Presence.objects.filter(session_key__in=keys).delete()


def _alive() -> QuerySet[Session, str]:
    return Session.objects.filter(expire_date__gt=now()).values_list("session_key", flat=True)


def renamed(before: str, after: str) -> None:
    """The session goes on under another key."""
    Presence.objects.filter(session_key=before).update(session_key=after)
