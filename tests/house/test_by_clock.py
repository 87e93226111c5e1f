"""Classes begin and end by the calendar, as steps of the one table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import psycopg
import pytest

from agent.audit.models import AuditEvent
from agent.localtime import local_date
from agent.organisations.models import Organisation
from agent.programmes import by_clock
from agent.programmes.by_clock import Moved, advance
from agent.programmes.deciding import Taken, take
from agent.programmes.filing import find
from agent.programmes.models import FilingEvent, Programme, ProgrammeVersion
from agent.programmes.transitions import STEP, Kind
from agent.work.tasks import app
from tests.house.houses import rows
from tests.house.programme_files import HEALTH

FIRST, LAST = date(2024, 3, 4), date(2024, 3, 8)
OPERATOR = Taken(actor="base")


@pytest.fixture
def health(house: str) -> Organisation:
    return Organisation.objects.create(**HEALTH, kind="sector_department", region="370400", issuer_number=1)


def programme(body: Organisation, key: str, state: str = "filed", first: date = FIRST, last: date = LAST) -> Programme:
    made = Programme.objects.create(
        region="370400", year=2024, key=key, sequence=Programme.objects.count() + 1, organiser=body, state=state,
        filing_number=f"{key}号",
    )  # fmt: skip
    ProgrammeVersion.objects.create(
        programme=made,
        version=1,
        title=key,
        category="public",
        subject="法治",
        hours=800,
        starts_on=first,
        ends_on=last,
    )
    return made


def state(key: str) -> str:
    return find(key).state


def took(key: str) -> list[tuple[str, str, str, str]]:
    return list(find(key).events.order_by("pk").values_list("kind", "from_state", "to_state", "actor"))


@pytest.mark.parametrize(
    ("before", "today", "after"),
    [
        ("filed", FIRST - timedelta(1), "filed"),
        ("filed", FIRST, "running"),
        ("filed", LAST, "running"),
        ("filed", LAST + timedelta(1), "delivered"),  # nobody began it
        ("running", FIRST - timedelta(1), "running"),  # its dates were moved on: nothing goes back
        ("running", LAST, "running"),  # the last day is a day of the class
        ("running", LAST + timedelta(1), "delivered"),
        ("change_pending", LAST + timedelta(9), "change_pending"),  # the bureau decides first
        ("delivered", LAST + timedelta(9), "delivered"),
        ("closing", LAST + timedelta(9), "closing"),
        ("closed", LAST + timedelta(9), "closed"),
        ("voided", LAST + timedelta(9), "voided"),
    ],
)
def test_a_class_on_a_day(health, before, today, after):
    programme(health, "K", before)
    advance(today)
    assert state("K") == after


def test_it_is_said_who_it_was_and_nothing_is_taken_twice(health):
    programme(health, "A")
    programme(health, "B", "running")
    assert advance(LAST + timedelta(1)) == Moved(begun=1, ended=2)
    assert took("A") == [("start", "filed", "running", "clock"), ("deliver", "running", "delivered", "clock")]
    assert took("B") == [("deliver", "running", "delivered", "clock")]
    assert FilingEvent.objects.filter(actor="clock", version=1).count() == 3
    (told,) = AuditEvent.objects.filter(action="filings.by_clock")
    assert (told.actor, '"ended":2' in told.entry) == ("clock", True)
    before = rows("programmes_programme"), rows("programmes_filingevent")
    assert advance(LAST + timedelta(1)) == Moved(0, 0)
    assert (rows("programmes_programme"), rows("programmes_filingevent")) == before
    assert AuditEvent.objects.filter(action="filings.by_clock").count() == 1


def test_by_the_version_in_force(health):
    made = programme(health, "A")
    ProgrammeVersion.objects.create(
        programme=made, version=2, title="A", category="public", subject="法治", hours=800,
        starts_on=FIRST + timedelta(30), ends_on=LAST + timedelta(30),
    )  # fmt: skip
    assert advance(FIRST) == Moved(0, 0)
    assert advance(FIRST + timedelta(30)) == Moved(1, 0)


def test_a_hand_may_be_faster(health):
    made = programme(health, "A")
    take(made, Kind.START, OPERATOR)
    take(made, Kind.DELIVER, OPERATOR)
    assert advance(LAST + timedelta(1)) == Moved(0, 0)
    assert [actor for *_, actor in took("A")] == ["base", "base"]


def test_every_class_around_a_day_is_where_the_calendar_says(health):
    today, expected = date(2024, 2, 29), {}
    for before, begins, long in product(("filed", "running", "delivered"), range(-4, 3), range(4)):
        first, last = today + timedelta(begins), today + timedelta(begins + long)
        key = f"{before}{begins}to{long}"
        programme(health, key, before, first, last)
        running = before == "running" or (before == "filed" and first <= today)
        expected[key] = "delivered" if running and last < today else "running" if running else before
    done = advance(today)
    assert dict(Programme.objects.values_list("key", "state")) == expected
    events = FilingEvent.objects.values_list("kind", flat=True)
    assert (done.begun, done.ended) == (list(events).count("start"), list(events).count("deliver"))


def test_only_steps_that_the_table_gives_it():
    assert {step.kind for step in STEP.values() if step.clock} == {Kind.START, Kind.DELIVER}


def test_midnight_is_that_of_china(health, monkeypatch):
    programme(health, "A")
    monkeypatch.setattr(by_clock, "now", lambda: datetime(2024, 3, 3, 15, 59, tzinfo=UTC))
    assert advance() == Moved(0, 0)
    monkeypatch.setattr(by_clock, "now", lambda: datetime(2024, 3, 3, 16, 1, tzinfo=UTC))
    assert local_date(by_clock.now()) == FIRST
    assert advance() == Moved(1, 0)


def test_the_queue_knows_the_task():
    assert "classes" in app.tasks


def test_what_somebody_is_deciding_on_waits_for_the_next_pass(health, house):
    made = programme(health, "A")
    programme(health, "B")
    with psycopg.connect(house) as other:
        other.execute("SELECT FROM programmes_programme WHERE id = %s FOR UPDATE", [made.pk])
        assert advance(FIRST) == Moved(1, 0)
        assert state("A") == "filed"
    assert advance(FIRST) == Moved(1, 0)
