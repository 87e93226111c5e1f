"""Whose sources somebody may look at: a base its own, the bureau all, everybody else none."""

from __future__ import annotations

from django.db.models import QuerySet

from agent.intake.models import Source
from agent.organisations.rights import Right
from agent.portal.people import Person


def watched(person: Person, right: Right = Right.SOURCES_SEE) -> QuerySet[Source]:
    """The sources that ``person`` may look at by ``right``, without their tokens."""
    return Source.objects.defer("token").order_by("name").filter(person.within(right, "organisation"))
