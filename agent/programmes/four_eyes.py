"""Four eyes: who handed a filing in, or asked for its change, is not who decides on it.

Only *persons* are compared: a name is a person's when an account here bears it. Whoever works at the machine itself
(`xueshi programme decide` without ``--by``, a demo, the clock) acts as the installation's one operator, who could write
into the database as well; that the audit log names them is all that can be had there. A name given by ``--by`` that is
an account's counts as that person.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model

from agent.programmes.errors import OwnDecision
from agent.programmes.models import FilingDraft, Programme
from agent.programmes.transitions import WAITING, Kind, Need, State, Step

_WRITTEN = (State.SUBMITTED, State.CHANGE_PENDING)


def askers(programme: Programme) -> frozenset[str]:
    """Who handed in what the bureau has to decide on, each time that it came, and who wrote in its form last; nobody
    where nothing is to be decided.
    """
    last = programme.events.filter(to_state=programme.state).order_by("-pk").first()
    if programme.state not in WAITING or last is None:
        return frozenset()
    names = programme.events.filter(to_state=last.to_state, version=last.version).values_list("actor", flat=True)
    found = set(names)
    if programme.state in _WRITTEN:
        found |= set(FilingDraft.objects.filter(programme=programme).values_list("saved_by", flat=True))
    return frozenset(found)


def barred(programme: Programme, actor: str) -> bool:
    """Whether ``actor`` is a person who may not decide on what waits, for it is their own."""
    return actor in askers(programme) and get_user_model().objects.filter(username=actor).exists()


def look(programme: Programme, step: Step, actor: str) -> None:
    """Let nobody decide on what they asked for.

    :raises OwnDecision: the step is another person's
    """
    if Need.OTHER in step.needs and barred(programme, actor):
        raise OwnDecision(programme=programme, actor=actor, decision=Kind(step.kind).value)
