"""R10's distribution over days, against a maximum flow that shares no line with it."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.credit.days import Days, Demand

CAP = 3


def allocate(some, cap, taken=None):
    days = Days(cap, taken)
    return [days.take(demand) for demand in some], days.used


@st.composite
def demands(draw, *, sessions=True):
    made = []
    for _ in range(draw(st.integers(1, 6))):
        last = draw(st.integers(0, 6))
        if sessions and draw(st.booleans()):
            days = draw(st.dictionaries(st.integers(0, last), st.integers(1, CAP + 1), min_size=1, max_size=4))
            need = draw(st.integers(0, sum(min(CAP, amount) for amount in days.values())))
            made.append(Demand(min(days), last, need, days))
        else:
            first = draw(st.integers(0, last))
            made.append(Demand(first, last, draw(st.integers(0, CAP * (last - first + 1)))))
    return sorted(made, key=lambda demand: demand.last)


def days_of(demand):
    return range(demand.first, demand.last + 1) if demand.sessions is None else demand.sessions


def maximum_flow(some, taken):
    """Ford and Fulkerson, one unit at a time: source → demand → day → sink."""
    room = {}
    for number, demand in enumerate(some):
        room["source", number] = demand.need
        for day in days_of(demand):
            room[number, f"d{day}"] = CAP if demand.sessions is None else demand.sessions[day]
            room[f"d{day}", "sink"] = max(0, CAP - taken.get(day, 0))
    nodes = {node for edge in room for node in edge}

    def push(node, seen):
        if node == "sink":
            return True
        seen.add(node)
        for other in nodes - seen:
            if room.get((node, other), 0) > 0 and push(other, seen):
                room[node, other] -= 1
                room[other, node] = room.get((other, node), 0) + 1
                return True
        return False

    total = 0
    while push("source", set()):
        total += 1
    return total


@settings(deadline=None, max_examples=250)
@given(demands(sessions=False), st.dictionaries(st.integers(0, 6), st.integers(0, CAP + 1), max_size=3))
def test_windows_get_what_a_maximum_flow_gives_each_of_them_in_turn(some, taken):
    given, _ = allocate(some, CAP, taken)

    totals = [maximum_flow(some[:end], taken) for end in range(len(some) + 1)]
    assert given == [after - before for before, after in pairwise(totals)]


@settings(deadline=None, max_examples=250)
@given(demands(), st.dictionaries(st.integers(0, 6), st.integers(0, CAP + 1), max_size=3))
def test_so_do_windows_and_sessions_mixed(some, taken):
    given, _ = allocate(some, CAP, taken)

    totals = [maximum_flow(some[:end], taken) for end in range(len(some) + 1)]
    assert given == [after - before for before, after in pairwise(totals)]


@settings(deadline=None, max_examples=250)
@given(demands(), st.dictionaries(st.integers(0, 6), st.integers(0, CAP + 1), max_size=3))
def test_no_day_is_overfilled_and_the_days_add_up(some, taken):
    given, used = allocate(some, CAP, taken)

    assert all(0 <= got <= demand.need for got, demand in zip(given, some, strict=True))
    assert all(hours <= max(CAP, taken.get(day, 0)) for day, hours in used.items())
    assert sum(used.values()) == sum(taken.values()) + sum(given)


def test_an_earlier_window_makes_room_for_a_session_where_another_day_would_do():
    window, session = Demand(1, 3, 3), Demand(1, 4, 6, {1: 3, 4: 3})

    assert allocate([window, session], CAP)[0] == [3, 6]


def test_a_full_year_is_filled_from_its_first_day_on():
    given, used = allocate([Demand(1, 366, 30), Demand(1, 366, 30)], CAP)

    assert given == [30, 30]
    assert used == dict.fromkeys(range(1, 21), CAP)
