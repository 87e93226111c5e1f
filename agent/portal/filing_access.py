"""Who may see a filing, and as what. Whatever is not one's own is as if it did not exist."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from agent.organisations.models import Organisation, Role
from agent.portal.people import Person
from agent.programmes.models import Programme
from agent.programmes.transitions import STEP, Kind, State, Who

_UNSEEN = (State.DRAFT,)
"""What only its own department sees: it was not handed in."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A filing as somebody sees it."""

    programme: Programme
    organiser: bool
    implementer: bool
    bureau: bool

    def may(self, kind: Kind) -> bool:
        """Whether the step is theirs to take, whatever the state."""
        who = STEP[kind].who
        return self.bureau if who is Who.BUREAU else self.organiser or (who is Who.PARTIES and self.implementer)

    def steps(self) -> list[Kind]:
        """What they may do now."""
        return [kind for kind, step in STEP.items() if self.programme.state in step.sources and self.may(kind)]


def files_for(person: Person) -> list[Organisation]:
    """The bodies that they file for."""
    return person.bodies(Role.DEPARTMENT_OFFICER)


def carries_out_for(person: Person) -> list[Organisation]:
    """The bodies whose classes they see."""
    return person.bodies(Role.BASE_OPERATOR)


def decides(person: Person) -> bool:
    """Whether they decide on filings."""
    return bool(person.bodies(Role.BUREAU_REVIEWER))


def sees_filings(person: Person) -> bool:
    """Whether there is anything for them here."""
    return bool(files_for(person) or carries_out_for(person) or decides(person))


def visible(person: Person) -> QuerySet[Programme]:
    """The filings that they may see."""
    mine = Q(organiser__in=files_for(person))
    handed_in = ~Q(state__in=_UNSEEN) & ~Q(state=State.CANCELLED, filing_number=None, versions=None)
    mine |= handed_in & Q(implementer__in=carries_out_for(person))
    if decides(person):
        mine |= handed_in
    return Programme.objects.filter(mine).distinct()


def seen(person: Person, number: int) -> Seen:
    """The filing with that number, as ``person`` sees it.

    :raises Http404: there is none that they may see.
    """
    programme = visible(person).select_related("organiser", "implementer").filter(pk=number).first()
    if programme is None:
        raise Http404
    return Seen(
        programme,
        organiser=programme.organiser in files_for(person),
        implementer=programme.implementer in carries_out_for(person),
        bureau=decides(person) and programme.state not in _UNSEEN,
    )


def own(person: Person, number: int) -> Seen:
    """The same, for those who write in the form.

    :raises Http404: it is not theirs to write in.
    """
    found = seen(person, number)
    if not found.organiser:
        raise Http404
    return found
