"""Who is asking: a learner, somebody who acts for a body, or both; and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from agent.learners.models import Account, Learner
from agent.organisations.models import Membership, Organisation
from agent.organisations.rights import RIGHTS, Reach, Right, Role, reach

_P = ParamSpec("_P")
_R = TypeVar("_R", bound=HttpResponseBase)
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Everything(Enum):
    """No list of bodies, but all that there are and will be."""

    EVERYTHING = "everything"


EVERYTHING: Final = Everything.EVERYTHING


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person and what they may look at."""

    learner: Learner | None
    memberships: tuple[Membership, ...]
    username: str
    called: str = ""

    @property
    def name(self) -> str:
        """How the header calls them."""
        return self.learner.name if self.learner else self.called or self.username

    @property
    def rights(self) -> frozenset[Right]:
        """All that they may do, for some body or for all: templates ask ``"runs.see" in person.rights``."""
        return frozenset(right for each in self.memberships for right in RIGHTS[Role(each.role)])

    def may(self, right: Right) -> bool:
        """Whether they have ``right``, for some body or for all."""
        return any(reach(each.role, right) for each in self.memberships)

    def bodies_with(self, right: Right) -> list[Organisation] | Everything:
        """The bodies that ``right`` reaches, each once; EVERYTHING where a role reaches all; [] without the right."""
        reached = [(reach(each.role, right), each.organisation) for each in self.memberships]
        if any(how_far is Reach.ALL for how_far, _ in reached):
            return EVERYTHING
        return list(dict.fromkeys(body for how_far, body in reached if how_far))

    def within(self, right: Right, field: str) -> Q:
        """The condition that the organisation in ``field`` is one that ``right`` reaches; for ``filter``."""
        bodies = self.bodies_with(right)
        return Q() if bodies is EVERYTHING else Q(**{f"{field}__in": bodies})

    def bodies(self, *roles: str) -> list[Organisation]:
        """The organisations that they act for in one of ``roles``, each once."""
        return list(dict.fromkeys(each.organisation for each in self.memberships if each.role in roles))


def person_of(request: HttpRequest) -> Person:
    """The person behind ``request``; two queries, once. Only for views that require a sign-in."""
    known = vars(request).get("person")
    if isinstance(known, Person):
        return known
    assert isinstance(request.user, User)  # noqa: S101 - the decorator saw to it
    account = Account.objects.select_related("learner").filter(user=request.user).first()
    memberships = Membership.objects.select_related("organisation").filter(user=request.user).order_by("pk")
    person = Person(
        account.learner if account else None, tuple(memberships), request.user.get_username(), request.user.first_name
    )
    vars(request)["person"] = person
    return person


def requires(
    right: Right, *, post: Right | None = None
) -> Callable[[Callable[Concatenate[HttpRequest, _P], _R]], Callable[..., _R]]:
    """Let a view answer only who has ``right``, and what changes something only who has ``post``.

    Somebody else has the same answer as for an address that does not exist (404); who has not signed in is asked to.
    The view itself still asks `Person.bodies_with` which bodies' things it may show.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, _P], _R]) -> Callable[..., _R]:
        @wraps(view)
        def answer(request: HttpRequest, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            wanted = post if post and request.method in _CHANGING else right
            if not person_of(request).may(wanted):
                raise Http404
            return view(request, *args, **kwargs)

        return login_required(answer)

    return decorate


def ids_of(bodies: Collection[Organisation] | Everything) -> list[int] | None:
    """Their keys for a query of one's own; None for everything."""
    return None if bodies is EVERYTHING else [body.pk for body in bodies if isinstance(body, Organisation)]
