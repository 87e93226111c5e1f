"""Who is asking: a learner, somebody who acts for a body, or both."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest

from agent.learners.models import Account, Learner
from agent.organisations.models import Membership, Organisation, Role


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person and what they may look at."""

    learner: Learner | None
    memberships: tuple[Membership, ...]
    username: str

    @property
    def name(self) -> str:
        """How the header calls them."""
        return self.learner.name if self.learner else self.username

    @property
    def watches(self) -> bool:
        """Whether they may look at sources: how they are read, and whether the figures are equal."""
        return any(each.role in (Role.BASE_OPERATOR, Role.BUREAU_REVIEWER) for each in self.memberships)

    @property
    def approves(self) -> bool:
        """Whether they may look at who gets certificates of programmes, and approve them."""
        return any(each.role in (Role.DEPARTMENT_OFFICER, Role.BUREAU_REVIEWER) for each in self.memberships)

    @property
    def files(self) -> bool:
        """Whether there are filings for them to look at."""
        roles = (Role.BASE_OPERATOR, Role.DEPARTMENT_OFFICER, Role.BUREAU_REVIEWER)
        return any(each.role in roles for each in self.memberships)

    def bodies(self, role: str) -> list[Organisation]:
        """The organisations that they act for in ``role``."""
        return [each.organisation for each in self.memberships if each.role == role]


def person_of(request: HttpRequest) -> Person:
    """The person behind ``request``; two queries. Only for views that require a sign-in."""
    assert isinstance(request.user, User)  # noqa: S101 - the decorator saw to it
    account = Account.objects.select_related("learner").filter(user=request.user).first()
    memberships = Membership.objects.select_related("organisation").filter(user=request.user).order_by("pk")
    return Person(account.learner if account else None, tuple(memberships), request.user.get_username())
