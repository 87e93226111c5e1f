"""Whose sources somebody may look at: a base its own, the bureau all, everybody else none."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404

from agent.intake.models import Source
from agent.organisations.models import Role
from agent.portal.people import Person


def watched(person: Person) -> QuerySet[Source]:
    """The sources that ``person`` may look at, without their tokens.

    :raises Http404: they look at none, now or later: the same as for an address that does not exist
    """
    if not person.watches:
        raise Http404
    sources = Source.objects.defer("token").order_by("name")
    if person.bodies(Role.BUREAU_REVIEWER):
        return sources
    return sources.filter(organisation__in=person.bodies(Role.BASE_OPERATOR))
