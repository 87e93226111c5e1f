"""What people change of a source, in the audit log: before and after, in the transaction of the change. A token and a
secret are never said, only that they are others now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F

from agent.audit.chain import record
from agent.intake.models import Source

_SAID = (
    "kind", "options", "allow_private", "recent_at", "full_at", "time_zone", "jitter", "budget", "most_missing",
    "scheduled",
)  # fmt: skip
_SEALED = ("token", "push_secret")


@contextmanager
def changing(name: str, action: str = "", *, by: str, **more: Any) -> Iterator[None]:
    """A transaction in which the source ``name`` is added or changed; what is other afterwards is an event, nothing is
    none.

    :param action: the word for it; without one, adding or changing
    :param more: what is to be said beside it
    """
    with transaction.atomic():
        old = Source.objects.select_for_update().filter(name=name).first()
        yield
        which = {"pk": old.pk} if old else {"name": name}
        new = Source.objects.select_related("organisation").filter(**which).first()
        before, after = _said(old), _said(new)
        differ = [field for field in after if after[field] != before.get(field)]
        said = {field: after[field] for field in differ} | more
        said |= {field: "replaced" for field in _SEALED if _bytes(old, field) != _bytes(new, field)}
        if said and old and new:
            Source.objects.filter(pk=new.pk).update(revision=F("revision") + 1)  # whoever changes it now is told
        if said and new:
            was = {field: before[field] for field in differ if field in before} or None
            action = action or ("source.change" if old else "source.add")
            record(by, action, on=f"source {new.name}", before=was, after=said, organisation=new.organisation)


def _said(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {}
    parts = urlsplit(source.url)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    body = source.organisation.name if source.organisation else ""
    return {"name": source.name, "url": shown, "organisation": body} | {
        field: getattr(source, field) for field in _SAID
    }


def _bytes(source: Source | None, field: str) -> bytes:
    return bytes((getattr(source, field) if source else None) or b"")


@transaction.atomic
def accepted(name: str, rows: int, *, by: str) -> None:
    """A person believed a source of which much was gone at once; so many rows are marked as missing there."""
    source = Source.objects.select_related("organisation").get(name=name)
    record(by, "source.accept_missing", on=f"source {name}", after={"rows": rows}, organisation=source.organisation)
