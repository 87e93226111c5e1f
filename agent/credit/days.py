"""Which day an hour counts on, so that no day of a learner holds more than its cap (R10), whatever the source.

A *demand* is what one achievement is worth and the days it may stand on: a window of days, or sessions with hours each.
Demands come in order, and the order is a right: a later one takes what earlier ones leave, and never takes back.
Days are ordinals (`date.toordinal`), hours are hundredths.

**What is right.** Let f(S) be the most that the demands S can hold together, a maximum flow
demand → day → cap. Demand k is credited f(1..k) - f(1..k-1): all that fits while every earlier one keeps its own.
f is submodular (it is the rank of a polymatroid), hence
- taking a demand away never lowers the credit of another: its marginal over fewer earlier ones is not smaller;
- the sum is f(all): no other distribution credits more in total.

**Why filling the earliest free days finds it.** Demands are sorted by the last day of their window. Take the one with
the earliest last day, and s, the earliest free day it may stand on. Some best distribution puts its hour on s: if it
puts the hour on a later day s', exchange it with what stands on s. That other demand may stand on s', for its window
has begun (it holds s < s') and ends no earlier than ours (s' is in ours). If it leaves the hour out, ours may replace
what stands on s. What remains are windows on the days that remain, and the argument repeats. Every prefix is
maximal in this way, so every marginal is right.

**Sessions** are not windows: an earlier window may sit on a session's day although another day would do. Then hours
of earlier demands are moved among their own days (an augmenting path) before anything is cut. Amounts of earlier
demands stay. This is only tried from the first demand with sessions on.

**A cap on a group** (so many hours of a kind in a year) lowers a demand before it comes here, to what its group has
left. Then the first promise has an exception: without an earlier one of its group a demand may be worth more, and take
more of a day from a later one of another kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Demand(NamedTuple):
    """Hours that look for days: ``need`` hundredths on ``first`` to ``last``, or as ``sessions`` (day → hundredths)."""

    first: int
    last: int
    need: int
    sessions: Mapping[int, int] | None = None


class Days:
    """The days of a learner, and what stands on them (``used``: ordinal → hundredths)."""

    def __init__(self, cap: int, taken: Mapping[int, int] | None = None) -> None:
        self.cap, self.used = cap, dict(taken or {})
        self.demands: list[Demand] = []
        self.standing: list[dict[int, int]] = []  # what each demand holds: day → hundredths
        self.on: dict[int, list[int]] = {}  # who stands, or once stood, on a day
        self.later: dict[int, int] = {}  # a full day → a later one: union-find, so that a full month is skipped at once
        self.closed: dict[int, int] = {}  # the same of days that no moving can make room on
        self.movable = False

    def take(self, demand: Demand) -> int:
        """What the next demand gets, in hundredths. They come sorted by their last day."""
        number = len(self.demands)
        self.demands.append(demand)
        if demand.sessions is None:
            got = self.fill(demand)
        else:
            self.movable = True
            got = self.attend(demand.sessions, demand.need)
        while self.movable and got < demand.need:
            moved = self.move(number, demand.need - got)
            if not moved:
                break
            got += moved
        return got

    def fill(self, demand: Demand) -> int:
        """Take what is free in the window, earliest days first."""
        held: dict[int, int] = {}
        number = len(self.standing)
        self.standing.append(held)
        need, cap, used = demand.need, self.cap, self.used
        day = _next(self.later, demand.first)
        while need > 0 and day <= demand.last:
            holds = used.get(day, 0)
            take = min(cap - holds, need)
            if take > 0:
                used[day] = holds + take
                held[day] = take
                self.on.setdefault(day, []).append(number)
                need -= take
            if holds + take >= cap:
                self.later[day] = day + 1
            day = _next(self.later, day + 1)
        return demand.need - need

    def attend(self, sessions: Mapping[int, int], need: int) -> int:
        """Take what is free on the days of the sessions."""
        held: dict[int, int] = {}
        self.standing.append(held)
        left = need
        for day in sorted(sessions):
            take = min(sessions[day], self.cap - self.used.get(day, 0), left)
            if take > 0:
                self.used[day] = self.used.get(day, 0) + take
                held[day] = take
                self.on.setdefault(day, []).append(len(self.standing) - 1)
                left -= take
        return need - left

    def move(self, number: int, most: int) -> int:
        """Make room for a demand by moving earlier ones among their own days; how much (0: there is no way).

        Where there is none, every day that was reached is full, and who stands on one can move to others of them only.
        That stays so whatever comes later: these days are closed, and never looked at again.
        """
        onto: dict[int, int] = {}  # day → the demand that would come onto it
        off: dict[int, int] = {}  # earlier demand → the full day that it would leave
        queue = [number]
        for who in queue:  # grows while it is read: breadth first
            for day in self.open(self.demands[who]):
                if day in onto or self.room(who, day) <= 0:
                    continue
                onto[day] = who
                if self.used.get(day, 0) < self.cap:
                    return self.shift(_way(day, onto, off), most)
                for other in self.on.get(day, ()):
                    if other not in off and other != number and self.standing[other].get(day, 0):
                        off[other] = day
                        queue.append(other)
        for day in onto:
            self.closed[day] = day + 1
        return 0

    def open(self, demand: Demand) -> Iterator[int]:
        """The days that it may stand on, without closed ones."""
        if demand.sessions is not None:
            yield from (day for day in demand.sessions if day not in self.closed)
            return
        day = _next(self.closed, demand.first)
        while day <= demand.last:
            yield day
            day = _next(self.closed, day + 1)

    def shift(self, way: list[tuple[int, int, int | None]], most: int) -> int:
        """Carry out a way as far as its narrowest step allows; its first step ends on a free day."""
        end = way[0][1]
        amount = min(most, self.cap - self.used.get(end, 0))
        for who, onto, left in way:
            amount = min(amount, self.room(who, onto))
            if left is not None:
                amount = min(amount, self.standing[who][left])
        self.used[end] = self.used.get(end, 0) + amount
        for who, onto, left in way:
            held = self.standing[who]
            held[onto] = held.get(onto, 0) + amount
            self.on.setdefault(onto, []).append(who)
            if left is not None:
                held[left] -= amount
        return amount

    def room(self, who: int, day: int) -> int:
        """What a demand may still put on one of its days, were the day empty of others."""
        sessions = self.demands[who].sessions
        return (self.cap if sessions is None else sessions[day]) - self.standing[who].get(day, 0)


def _next(chain: dict[int, int], day: int) -> int:
    """The first day from ``day`` on that is not in the chain."""
    root = day
    while root in chain:
        root = chain[root]
    while day != root:
        chain[day], day = root, chain[day]
    return root


def _way(end: int, onto: Mapping[int, int], off: Mapping[int, int]) -> list[tuple[int, int, int | None]]:
    """Back from a free day: who moves, onto which day, from which (None: the new demand itself)."""
    steps = []
    day: int | None = end
    while day is not None:
        who = onto[day]
        left = off.get(who)
        steps.append((who, day, left))
        day = left
    return steps
