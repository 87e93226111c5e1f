"""When a source that fails is left alone, and for how long: a table by what its error asks for.

What a site only has to get over (it is busy, away, cut off) is tried three times in a row before anything opens; what a
person has to mend is not asked again every few minutes. A pull by hand always goes through, and one that goes well
closes the circuit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.intake.errors import SourceResting
from agent.intake.models import Source, SourceState
from agent.localtime import now
from connectors.errors import Action

_PATIENCE = {Action.RETRY: 3, Action.WAIT: 3}
_FIRST_REST = timedelta(minutes=5)
_LONGEST_REST = timedelta(hours=6)


def rest(failures: int, action: Action) -> timedelta | None:
    """How long to leave a source alone after so many ``failures`` in a row; None: not yet.

    5 minutes, doubled with each further failure, at most 6 hours.
    """
    beyond = failures - _PATIENCE.get(action, 1)
    return None if beyond < 0 else min(_FIRST_REST * 2 ** min(beyond, 10), _LONGEST_REST)


def state_of(source: Source) -> SourceState:
    """The progress of a source; begun when it has none."""
    return SourceState.objects.get_or_create(source=source)[0]


def require_closed(source: Source) -> None:
    """Refuse a pull that nobody asked for by hand, while the circuit is open.

    :raises SourceResting: until when, and why
    """
    state = state_of(source)
    if state.open_until and state.open_until > now():
        raise SourceResting(
            name=source.name, until=f"{state.open_until:%Y-%m-%d %H:%M} UTC", failures=state.failures,
            code=state.open_code,
        )  # fmt: skip


def note_failure(source: Source, code: str, action: Action) -> datetime | None:
    """Count a failure; until when the source is left alone now, if at all."""
    state = state_of(source)
    state.failures += 1
    pause = rest(state.failures, action)
    state.open_until = now() + pause if pause else None
    state.open_code = code
    state.save(update_fields=["failures", "open_until", "open_code"])
    return state.open_until


def close(source: Source) -> None:
    """It went well, or a person changed its configuration."""
    SourceState.objects.filter(source=source, failures__gt=0).update(failures=0, open_until=None, open_code="")
