"""A short sample of each trial (`make trials`, docs/trials.md): kills, faults on the way, clock, disk, one token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from agent.db.private import PrivatePostgres
from agent.intake.errors import SyncFailed
from agent.intake.models import MissingUpstream, Source, SourceState, SyncRun
from agent.intake.sync import Mode, pull
from connectors.http import Limits
from connectors.moodle.totals import agrees
from tests.house.houses import Base, connect, sql
from tests.trials import disk, issue, kills, truth
from tests.trials.faults import FAULTS, Fault

HASTY = {"connect": 2, "read": 0.5, "deadline": 1, "attempts": 2, "backoff": 0.001, "longest_wait": 0.01}


@pytest.fixture
def base(base: Base, monkeypatch: pytest.MonkeyPatch) -> Base:
    """Forty people after a first sync, in pages of ten, and one more person who came since."""
    monkeypatch.setattr("connectors.http.Limits", partial(Limits, **HASTY))
    Source.objects.update(options={"report_id": "1", "page_size": "10"})
    base.source.refresh_from_db()
    for serial in range(1, 41):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", time=f"2024-{1 + serial % 9:02d}-{1 + serial % 28:02d}T02:{serial:02d}")
    base.sync()
    base.learner("u41")
    base.done("u41")
    return base


def test_kills_lose_double_and_invent_nothing(postgres: PrivatePostgres):
    assert kills.run(postgres, 5, 4, lambda _: None, each=4, people=15).faults == []


def test_kills_in_an_issue_leave_every_number_once(postgres: PrivatePostgres):
    outcome = issue.run(postgres, 11, 6, lambda _: None, people=600)
    assert (outcome.faults, outcome.done["kill"] >= 6) == ([], True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_and_leaves_no_trace(base: Base, fault: Fault, xueshi: Callable[..., Any], caplog):
    before, reached = truth.said(), SourceState.objects.get().reached
    with fault.broken(base.site, 2):
        said = xueshi("sync", "base", "--json")
    assert said.exit in {1, 2}
    assert said.json["error"]["code"] in fault.codes
    run = SyncRun.objects.latest("pk")
    assert (run.state, run.error_code) == ("failed", said.json["error"]["code"])
    assert SourceState.objects.get().reached == reached
    assert [one for one in truth.differences(truth.said(), before) if "lost" in one] == []
    assert truth.wrong(at_rest=False) == []
    assert truth.leaks([said.out, said.err, caplog.text], base.site.token) == []
    after = xueshi("sync", "base", "--json")
    assert (after.exit, after.json["landed"]) == (0, 41)
    assert truth.wrong() == []


@pytest.mark.parametrize("days", [40, -40])
def test_a_clock_that_is_wrong_moves_nothing(base: Base, days: int, monkeypatch: pytest.MonkeyPatch):
    before = SourceState.objects.get().reached
    wrong = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patched:
        for name in ("django.utils.timezone.now", "agent.intake.sync.now", "agent.intake.pages.now"):
            patched.setattr(name, lambda: wrong)
        assert pull(base.source, Mode.RECENT).new == 0  # it was completed long before the overlap
    reached = SourceState.objects.get().reached
    assert before
    assert reached
    assert before < reached < datetime.now(UTC)


def test_a_place_that_was_reached_in_the_future_leaves_no_gap(base: Base):
    SourceState.objects.update(reached=datetime.now(UTC) + timedelta(days=40))
    base.done("u41", "RGZN", f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    assert pull(base.source, Mode.RECENT).new == 1
    reached = SourceState.objects.get().reached
    assert reached
    assert reached < datetime.now(UTC)


def test_two_with_one_token_land_nothing_false(base: Base):
    other = connect(base.site, "other", page_size="7").source
    ends: list[str] = []

    def once(source: Source) -> None:
        try:
            pull(source)
            ends.append("")
        except SyncFailed as error:
            ends.append(error.code)
        finally:
            connection.close()

    both = [Thread(target=once, args=[source]) for source in (base.source, other)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert set(ends) <= {"", "E_FILTER_IGNORED", "E_TOTALS", "E_PAGE_REPEATED", "E_TOO_MANY_MISSING"}
    assert not MissingUpstream.objects.exists()
    for source in (base.source, other):
        pull(source)
    shown = {f"{row.user}|{row.course}" for row in base.site.rows}
    landed = sql("SELECT source_id, array_agg(key) FROM intake_completion WHERE current GROUP BY 1")
    assert [set(keys) == shown for _, keys in landed] == [True, True]
    assert truth.wrong(at_rest=False) == []


def test_a_count_that_another_program_spoilt_vouches_for_nothing():
    assert not agrees(12, 12, 229)
    assert not agrees(12, 229, 12)
    assert agrees(1010, 1000, 1020)


@pytest.mark.needs("unshare", "mount")
def test_a_full_disk_loses_nothing():
    assert disk.run(1).faults == []
