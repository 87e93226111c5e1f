"""Organisations added and changed by people, each change with its event; two editors notice each other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from agent.audit.chain import record
from agent.organisations.models import Kind, Organisation
from agent.people.errors import OrganisationInvalid, OrganisationStale

ENDING = timedelta(60)
"""How long before its end the status of a base is looked at."""


class Facts(NamedTuple):
    """What people say about a body."""

    uscc: str
    kind: str
    name: str
    region: str
    status_until: date | None = None
    department: Organisation | None = None


def ending_soon(today: date) -> QuerySet[Organisation]:
    """The bases whose status ends within `ENDING`, the last day counted; that of other bodies has no end."""
    return Organisation.objects.filter(kind=Kind.TRAINING_BASE, status_until__range=(today, today + ENDING))


@transaction.atomic
def add(facts: Facts, *, by: str) -> Organisation:
    """Put a body on record; its issuer number is the next one of its region.

    :raises OrganisationInvalid: a fact is wrong, or the code is another body's
    """
    _one_at_a_time()
    last = Organisation.objects.filter(region=facts.region).aggregate(last=Max("issuer_number"))["last"] or 0
    made = Organisation(**facts._asdict(), issuer_number=last + 1)
    _check(made)
    made.save()
    record(by, "organisation.added", on=_named(made), after=_said(made), organisation=made)
    return made


@transaction.atomic
def change(number: int, facts: Facts, *, revision: int, by: str) -> Organisation:
    """Change what is said of a body. Its region and issuer number stay: they are part of certificates' numbers.

    :raises OrganisationStale: somebody changed it since ``revision`` was read
    :raises OrganisationInvalid: a fact is wrong
    """
    found = Organisation.objects.select_for_update(of=("self",)).select_related("department").get(pk=number)
    if found.revision != revision:
        raise OrganisationStale(organisation=found.name)
    before = _said(found)
    for field, value in facts._replace(region=found.region)._asdict().items():
        setattr(found, field, value)
    _check(found)
    after = _said(found)
    changed = [field for field in after if after[field] != before[field]]
    if not changed:
        return found
    found.revision += 1
    found.save()
    record(
        by, "organisation.changed", on=_named(found), before={f: before[f] for f in changed},
        after={f: after[f] for f in changed}, organisation=found,
    )  # fmt: skip
    return found


def _one_at_a_time() -> None:
    """Of two who add at once the second sees the first: numbers and codes are given once, and told in a sentence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi organisations'))")


def _check(body: Organisation) -> None:
    if body.department and body.department.kind != Kind.SECTOR_DEPARTMENT:
        raise OrganisationInvalid(field="department", reason="it is no sector department")
    if body.kind != Kind.TRAINING_BASE:
        body.department = None
        body.status_until = None
    try:
        body.full_clean()
    except ValidationError as error:
        field, reasons = next(iter(error.message_dict.items()))
        raise OrganisationInvalid(field=field, reason=reasons[0]) from None


def _named(body: Organisation) -> str:
    return f"organisation {body.pk} {body.name}"


def _said(body: Organisation) -> dict[str, Any]:
    return {
        "uscc": body.uscc, "kind": body.kind, "name": body.name, "region": body.region,
        "status_until": body.status_until, "department": body.department.name if body.department else None,
    }  # fmt: skip
