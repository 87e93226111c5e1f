"""Work that is asked for once, with the transaction of whoever asks, and done again when its error says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from agent.certificates.models import LogHead
from agent.intake.circuit import state_of
from agent.intake.errors import Interrupted, SourceBusy, SyncFailed
from agent.intake.models import Source, SyncRun
from agent.intake.sync import Mode, pull
from agent.localtime import now
from agent.work import clock, queue
from agent.work.retry import MOST, pause
from agent.work.worker import Worker
from connectors.errors import BudgetSpent, Busy, Maintenance, TokenInvalid
from tests.house.houses import Base, certificates, one, sql
from tests.work.processes import idle, wait_for


def waiting() -> list[tuple[Any, ...]]:
    return sql("SELECT task_name, queueing_lock, priority FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")


@pytest.fixture
def worked(base: Base):
    """A worker of this process."""
    worker = Worker(concurrency=2)
    worker.start()
    yield worker
    worker.stop()


# --- asking ------------------------------------------------------------------------------------------------------
def test_of_one_kind_of_pull_of_a_source_one_waits(base: Base):
    assert queue.defer_pull(base.source, Mode.RECENT, "clock")
    assert not queue.defer_pull(base.source, Mode.RECENT, "push")
    assert queue.defer_pull(base.source, Mode.FULL, "clock")
    assert [job[1] for job in waiting()] == [f"recent:{base.source.pk}", f"full:{base.source.pk}"]


def test_what_is_asked_in_a_transaction_goes_with_it(base: Base):
    with transaction.atomic():
        queue.defer_stages()
        transaction.set_rollback(True)
    assert waiting() == []


def test_a_refused_second_asking_spoils_no_transaction(base: Base):
    queue.defer_stages()
    with transaction.atomic():
        assert not queue.defer_stages()
        Source.objects.update(jitter=7)
    assert Source.objects.get().jitter == 7


def test_a_page_that_is_taken_back_asks_for_no_stages(base: Base):
    base.learner("u1")
    base.done("u1")

    def follow_up() -> None:
        queue.defer_stages()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pull(base.source, follow_up=follow_up)
    assert (waiting(), one("SELECT count(*) FROM intake_completion")) == ([], 0)


# --- doing -------------------------------------------------------------------------------------------------------
def test_a_worker_takes_a_pull_through_the_whole_house(base: Base, worked: Worker):
    base.learner("u1")
    base.done("u1")
    queue.defer_pull(base.source, Mode.RECENT, "clock")
    wait_for(certificates, "a certificate is issued")
    wait_for(idle, "the queue is empty")
    run = SyncRun.objects.get()
    assert (run.mode, run.because, run.state, run.new) == ("recent", "clock", "done", 1)


def test_a_pull_that_another_clock_has_seen_to_is_let_be(base: Base, worked: Worker):
    pull(base.source, Mode.FULL)
    queue.defer_pull(base.source, Mode.RECENT, "clock", unless_within=600)
    wait_for(idle, "the queue is empty")
    assert SyncRun.objects.count() == 1


def test_a_site_that_is_away_is_asked_again_behind_all_that_is_due(base: Base, worked: Worker):
    base.site.faults.add("maintenance")
    queue.defer_pull(base.source, Mode.RECENT, "clock")
    wait_for(lambda: SyncRun.objects.filter(state="failed").exists(), "the pull failed")
    ((task, lock, priority),) = wait_for(waiting, "it is asked for again")
    assert (task, lock, priority) == ("pull", f"recent:{base.source.pk}", queue.AGAIN)
    assert one("SELECT scheduled_at > now() + interval '5 seconds' FROM procrastinate_jobs WHERE status = 'todo'")
    assert one("SELECT (args->>'attempts')::int FROM procrastinate_jobs WHERE status = 'todo'") == 1


def test_a_wrong_token_waits_for_a_person(base: Base, worked: Worker):
    base.site.faults.add("invalid_token")
    queue.defer_pull(base.source, Mode.RECENT, "clock")
    wait_for(lambda: SyncRun.objects.filter(state="failed").exists(), "the pull failed")
    wait_for(idle, "the queue is empty")
    assert waiting() == []


def test_a_backfill_is_done_when_nothing_else_is_to_do(base: Base, worked: Worker, xueshi):
    base.learner("u1")
    base.done("u1", time="2023-05-06T02:00")
    said = xueshi("backfill", "base", "--from", "2023-01-01", "--to", "2024-01-01", "--queue", "--json")
    assert (said.exit, said.json["queued"]) == (0, True)
    assert one("SELECT min(priority) FROM procrastinate_jobs") == queue.IDLE
    wait_for(lambda: one("SELECT count(*) FROM intake_backfill WHERE finished_at IS NOT NULL"), "it is done")
    assert one("SELECT rows FROM intake_backfill") == 1


def test_a_backfill_gives_others_their_turn_and_goes_on(base: Base, worked: Worker, monkeypatch, xueshi):
    monkeypatch.setattr("agent.work.tasks.TURN", 0.0)
    base.site.add_user("u0", "王", "一")
    courses = list(base.site.courses)
    for month in range(1, 7):
        base.done("u0", courses[month - 1], f"2023-{month:02d}-06T02:00")
    Source.objects.update(options={"report_id": "1", "page_size": "2"})
    xueshi("backfill", "base", "--from", "2023-01-01", "--to", "2024-01-01", "--queue")
    wait_for(lambda: one("SELECT count(*) FROM intake_backfill WHERE finished_at IS NOT NULL"), "it is done")
    assert SyncRun.objects.filter(mode="backfill").count() > 1
    assert one("SELECT count(*) FROM intake_completion WHERE current") == 6


def test_a_worker_that_is_told_to_end_leaves_its_job_to_others(base: Base, worked: Worker):
    base.site.enrol([])
    for serial in range(6):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", time=f"2024-0{serial + 1}-06T02:00")
    Source.objects.update(options={"report_id": "1", "page_size": "2"})
    slow = base.site.faults.add("slow", seconds=0.1)
    queue.defer_pull(base.source, Mode.FULL, "clock", priority=queue.ASKED)
    wait_for(lambda: slow.hits > 3 and one("SELECT count(*) FROM intake_completion"), "some pages have landed")
    worked.stop()
    ((task, lock, priority),) = [job for job in waiting() if job[0] == "pull"]
    assert (task, lock, priority) == ("pull", f"full:{base.source.pk}", queue.ASKED)
    assert SyncRun.objects.get().error_code == "E_INTERRUPTED"


def test_what_a_dead_worker_held_is_taken_over(base: Base, worked: Worker):
    queue.defer_pull(base.source, Mode.FULL, "clock")
    wait_for(idle, "the queue is empty")
    sql(
        "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        " RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM gone) WHERE task_name = 'pull'"
    )
    queue.defer("rescue", waiting="rescue", seconds=60.0)
    wait_for(lambda: SyncRun.objects.filter(state="done").count() == 2, "it was done again")


def test_what_a_dead_worker_held_is_let_be_where_another_waits(base: Base, worked: Worker):
    worked.stop()
    queue.defer_pull(base.source, Mode.FULL, "clock")
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    queue.defer_pull(base.source, Mode.FULL, "clock")
    queue.defer("rescue", waiting="rescue", seconds=60.0)
    other = Worker()
    other.start()
    try:
        wait_for(lambda: SyncRun.objects.filter(state="done").count() == 1 and idle(), "the other was done")
    finally:
        other.stop()
    assert sql("SELECT status::text FROM procrastinate_jobs WHERE task_name = 'pull' ORDER BY id") == [
        ("failed",), ("succeeded",)
    ]  # fmt: skip


# --- again -------------------------------------------------------------------------------------------------------
def failed(cause: Any) -> SyncFailed:
    return SyncFailed(cause, name="base", landed=0)


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (failed(Busy(url="u")), 0, timedelta(seconds=30)),
        (failed(Maintenance(url="u")), 2, timedelta(minutes=2)),
        (failed(Busy(url="u")), MOST, None),
        (failed(TokenInvalid()), 0, None),
        (failed(BudgetSpent(budget=1, until="12:00")), 3, timedelta(hours=1)),
        (SourceBusy(name="base"), 0, timedelta(seconds=30)),
        (Interrupted(name="base"), 9, timedelta(0)),
        (ZeroDivisionError(), 0, timedelta(seconds=30)),
        (ZeroDivisionError(), MOST, None),
    ],
)
def test_when_a_job_is_tried_again(error: Exception, attempts: int, expected: timedelta | None):
    assert pause(error, attempts) == expected


# --- budget ------------------------------------------------------------------------------------------------------
def test_a_site_is_asked_no_more_often_than_its_budget_and_the_source_is_not_to_blame(base: Base):
    base.learner("u1")
    base.done("u1")
    Source.objects.update(budget=2)
    base.source.refresh_from_db()
    with pytest.raises(SyncFailed, match="2 times an hour") as error:
        pull(base.source)
    assert error.value.code == "E_BUDGET"
    state = state_of(base.source)
    assert (state.failures, state.reached, state.open_until) == (0, None, None)
    assert len(base.site.calls) <= 3  # and the filter, which is given back


def test_the_hour_counts_over_all_runs_and_passes(base: Base):
    Source.objects.update(budget=100)
    base.source.refresh_from_db()
    SyncRun.objects.create(source=base.source, state="done", calls=100)
    with pytest.raises(SyncFailed):
        pull(base.source)
    SyncRun.objects.update(started_at=now() - timedelta(hours=1, seconds=1))
    pull(base.source)


# --- the clock ---------------------------------------------------------------------------------------------------
def test_the_plan_follows_the_sources_table(base: Base):
    ours = clock.Clock()
    ours._scheduler.start(paused=True)
    ours.look()
    assert {due.name for due in clock.planned()} == {f"recent:{base.source.pk}", f"full:{base.source.pk}"}
    assert set(ours.next_due()) == {f"recent:{base.source.pk}", f"full:{base.source.pk}"}
    Source.objects.update(recent_at="")
    ours.look()
    assert set(ours.next_due()) == {f"full:{base.source.pk}"}
    Source.objects.update(full_at="1d")
    ours.look()
    assert ours._planned[f"full:{base.source.pk}"].at == "1d"
    Source.objects.update(scheduled=False)
    ours.look()
    assert ours.next_due() == {}
    ours.stop()


def test_a_wrong_line_in_the_table_stops_nobody_else(base: Base, caplog):
    other = Source.objects.create(name="other", kind="moodle", url="u", full_at="never", recent_at="")
    ours = clock.Clock()
    ours._scheduler.start(paused=True)
    ours.look()
    assert f"full:{other.pk}" not in ours.next_due()
    assert len(ours.next_due()) == 2
    assert "never" in caplog.text
    ours.stop()


def test_what_fell_due_while_no_clock_ran_is_asked_for_when_one_comes(base: Base):
    due = clock.planned()[1]
    assert clock.overdue(due)
    pull(base.source, Mode.FULL)
    assert not clock.overdue(due)
    SyncRun.objects.update(started_at=now() - timedelta(hours=25))
    assert clock.overdue(due)


def test_the_clock_leaves_a_source_alone_that_rests(base: Base):
    state = state_of(base.source)
    state.open_until = now() + timedelta(minutes=5)
    state.save()
    clock.ask(clock.planned()[0])
    assert waiting() == []
    state.open_until = now() - timedelta(minutes=5)
    state.save()
    clock.ask(clock.planned()[0])
    clock.ask(clock.planned()[0])
    assert len(waiting()) == 1


# --- commands ----------------------------------------------------------------------------------------------------
def test_a_schedule_is_shown_and_changed(base: Base, xueshi):
    said = xueshi("source", "schedule", "base", "--recent", "*/10 7-22 * * *", "--jitter", "5", "--off", "--json")
    assert said.json == {
        "source": "base", "recent_at": "*/10 7-22 * * *", "full_at": "30 2 * * *", "time_zone": "Asia/Shanghai",
        "jitter": 5, "budget": 3600, "most_missing": 5, "scheduled": False,
    }  # fmt: skip
    assert "*/10 7-22" in xueshi("source", "schedule", "base").out


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--recent", "often", "E_SCHEDULE"),
        ("--full", "0 0 31 2 *", "E_SCHEDULE"),
        ("--timezone", "Mars", "E_TIME_ZONE"),
    ],
)
def test_a_wrong_schedule_changes_nothing(base: Base, xueshi, option: str, value: str, code: str):
    said = xueshi("source", "schedule", "base", option, value, "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, code)
    assert Source.objects.get().recent_at == "15m"


def test_the_queue_is_shown(base: Base, xueshi):
    queue.defer_pull(base.source, Mode.FULL, "clock")
    said = xueshi("queue", "--json").json
    assert said["tasks"] == [{"task": "pull", "waiting": 1, "later": 0, "running": 0, "failed": 0}]
    assert "pull" in xueshi("queue").out
    sql("UPDATE procrastinate_events SET at = at - interval '2 hours'")
    checks = {check["check"]: check for check in xueshi("doctor", "--json").json["checks"]}
    assert checks["queue"]["code"] == "E_QUEUE"


def test_a_roster_is_not_asked_by_the_clock(house: str, tmp_path):
    from tests.house.houses import roster

    assert roster(tmp_path / "a.csv").scheduled is False


def test_a_head_of_the_public_log_is_signed_every_hour(base: Base, worked: Worker):
    base.learner("u1")
    base.done("u1")
    base.sync()
    ours = clock.Clock()
    ours.start()
    try:
        job = ours._scheduler.get_job("tree_head")
        noon = datetime(2026, 11, 25, 12, 0, 1, tzinfo=UTC)
        assert job.trigger.get_next_fire_time(None, noon) == noon.replace(hour=13, second=0)
        job.func()
        wait_for(lambda: LogHead.objects.values_list("size", flat=True).first() == 1, "a head of one entry is signed")
    finally:
        ours.stop()
