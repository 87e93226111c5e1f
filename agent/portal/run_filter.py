"""Which runs are wanted: what stands in the address, so that a view can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from agent.intake.models import SyncRun
from agent.localtime import SHANGHAI

USUAL_DAYS = 30
"""What is shown when the address names no day: the bureau of a city has ten million runs a year."""
_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """A view of the runs. ``first`` and ``last`` are local days, both part of it; ``before`` and ``after`` are the ids
    of runs at whose edge a page begins.
    """

    source: str = ""
    state: str = ""
    mode: str = ""
    asked_first: date | None = None
    asked_last: date | None = None
    before: int | None = None
    after: int | None = None
    not_understood: tuple[str, ...] = ()
    today: date = date.max

    @property
    def first(self) -> date:
        """The first day: as asked for, else so that the usual number of days is shown."""
        return self.asked_first or max(self.last - timedelta(USUAL_DAYS - 1), _EARLIEST)

    @property
    def last(self) -> date:
        """The last day."""
        return self.asked_last or max(self.today, self.asked_first or _EARLIEST)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the first day's midnight up to before the one behind the last day (Asia/Shanghai)."""
        start, end = (datetime.combine(day, time(), SHANGHAI) for day in (self.first, self.last))
        return start, end + timedelta(1)

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.source or self.state or self.mode or self.asked_first or self.asked_last)

    def query(self) -> str:
        """The address behind ``?`` that shows the same."""
        named = {
            "source": self.source, "state": self.state, "mode": self.mode, "from": self.asked_first,
            "to": self.asked_last, "before": self.before, "after": self.after,
        }  # fmt: skip
        return urlencode({name: str(value) for name, value in named.items() if value})

    @property
    def whole(self) -> RunFilter:
        """The same without the edge of a page."""
        return replace(self, before=None, after=None)


def run_filter(asked: Mapping[str, str], today: date) -> RunFilter:
    """What an address asks for. What can't be understood is left out, and named."""
    wrong: list[str] = []

    def one_of(name: str, known: list[str]) -> str:
        value = asked.get(name, "")
        if value and value not in known:
            wrong.append(name)
            return ""
        return value

    def day(name: str) -> date | None:
        text = asked.get(name, "")
        try:
            found = date.fromisoformat(text) if text else None
        except ValueError:
            found = date.max
        if found and not _EARLIEST <= found <= today + timedelta(366):
            wrong.append(name)
            return None
        return found

    def edge(name: str) -> int | None:
        text = asked.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - an int8

    first, last = day("from"), day("to")
    if first and last and last < first:
        wrong.append("to")
        last = None
    return RunFilter(
        source=asked.get("source", "")[:100].replace("\0", ""),
        state=one_of("state", SyncRun.State.values), mode=one_of("mode", SyncRun.Mode.values),
        asked_first=first, asked_last=last, before=edge("before"), after=edge("after"),
        not_understood=tuple(wrong), today=today,
    )  # fmt: skip
