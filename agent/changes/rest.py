"""Whether a pass of the stages could find anything at all.

A note is deleted only when a whole pass that began after reading it has come to its end: what commits meanwhile stays
noted, and so does everything when the pass is killed.
"""

from __future__ import annotations

from django.db import connection, transaction

from agent.changes.models import Rest
from agent.localtime import now

_NOTED = "SELECT id FROM changes_change"
_FORGET = "DELETE FROM changes_change WHERE id = ANY(%s)"


def noted() -> list[int]:
    """The changes that are noted now: read before a pass begins."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTED)
        return [pk for (pk,) in cursor.fetchall()]


def at_rest(mark: str) -> bool:
    """Whether the last pass found nothing to do, with the world outside as ``mark`` says."""
    return Rest.objects.filter(mark=mark).exists()


@transaction.atomic
def passed(seen: list[int], mark: str | None) -> None:
    """A whole pass came to its end: forget what it took into account.

    :param seen: what was `noted` before it began
    :param mark: it found nothing to do with the world outside like that; None: it did something, or must be asked again
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [seen])
    Rest.objects.all().delete()
    if mark is not None:
        Rest.objects.create(mark=mark, since=now())
