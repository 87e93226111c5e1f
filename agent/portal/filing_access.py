"""Who may see a filing, and as what. Whatever is not one's own is as if it did not exist."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from agent.organisations.models import Organisation
from agent.organisations.rights import Right, Role
from agent.portal.people import EVERYTHING, Person
from agent.programmes.four_eyes import barred
from agent.programmes.models import Programme
from agent.programmes.transitions import STEP, Kind, Need, State, Who

_UNSEEN = (State.DRAFT,)
"""What only its own department sees: it was not handed in."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A filing as somebody sees it."""

    programme: Programme
    organiser: bool
    implementer: bool
    bureau: bool
    voids: bool = False
    looks: bool = False  # sees everything, and may do nothing for that
    asked: bool = False  # what waits for a decision is their own

    def may(self, kind: Kind) -> bool:
        """Whether the step is theirs to take, whatever the state."""
        who = STEP[kind].who
        if kind is Kind.VOID:
            return self.voids
        return self.bureau if who is Who.BUREAU else self.organiser or (who is Who.PARTIES and self.implementer)

    def steps(self) -> list[Kind]:
        """What they may do now."""
        return [
            kind for kind, step in STEP.items()
            if self.programme.state in step.sources and self.may(kind) and not (self.asked and Need.OTHER in step.needs)
        ]  # fmt: skip


def files_for(person: Person) -> list[Organisation]:
    """The bodies that they file for."""
    bodies = person.bodies_with(Right.FILING_WRITE)
    return [] if bodies is EVERYTHING else list(bodies)


def decides(person: Person) -> bool:
    """Whether they decide on filings."""
    return person.may(Right.FILING_DECIDE)


def visible(person: Person) -> QuerySet[Programme]:
    """The filings that they may see: their own department's, and of others what was handed in."""
    bodies = person.bodies_with(Right.FILING_SEE)
    handed_in = ~Q(state__in=_UNSEEN) & ~Q(state=State.CANCELLED, filing_number=None, versions=None)
    theirs = Q() if bodies is EVERYTHING else Q(implementer__in=bodies) | Q(organiser__in=bodies)
    return Programme.objects.filter(Q(organiser__in=files_for(person)) | handed_in & theirs).distinct()


def seen(person: Person, number: int) -> Seen:
    """The filing with that number, as ``person`` sees it.

    :raises Http404: there is none that they may see.
    """
    programme = visible(person).select_related("organiser", "implementer").filter(pk=number).first()
    if programme is None:
        raise Http404
    handed_in = programme.state not in _UNSEEN
    return Seen(
        programme,
        organiser=programme.organiser in files_for(person),
        implementer=programme.implementer in person.bodies(Role.BASE_OPERATOR),
        bureau=decides(person) and handed_in,
        voids=person.may(Right.FILING_VOID) and handed_in,
        looks=person.bodies_with(Right.FILING_SEE) is EVERYTHING,
        asked=decides(person) and barred(programme, person.username),
    )


def own(person: Person, number: int) -> Seen:
    """The same, for those who write in the form.

    :raises Http404: it is not theirs to write in.
    """
    found = seen(person, number)
    if not found.organiser:
        raise Http404
    return found
