"""How often a site may be asked: so many calls an hour, over all runs of its source, whatever they are for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Sum

from agent.intake.models import Source, SyncRun
from agent.localtime import SHANGHAI, now
from connectors.errors import BudgetSpent

HOUR = timedelta(hours=1)


def of(source: Source) -> Callable[[], None]:
    """Counts a call each time it is called.

    Calls of the last hour's runs count from the start; a run that goes on elsewhere tells its own when it ends, and
    there is only one of a source at a time.

    :raises BudgetSpent: by the function that is returned, when the hour's calls are spent, with the end of the hour
    """
    runs = SyncRun.objects.filter(source=source, started_at__gt=now() - HOUR)
    left = source.budget - (runs.aggregate(n=Sum("calls"))["n"] or 0)

    def count() -> None:
        nonlocal left
        if left <= 0:
            until = (now() + HOUR).astimezone(SHANGHAI)
            raise BudgetSpent(budget=source.budget, until=f"{until:%H:%M}", source=source.name)
        left -= 1

    return count
