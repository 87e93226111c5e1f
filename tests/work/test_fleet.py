"""Three workers and two clocks at once, on one PostgreSQL, with nothing but the database between them."""

from __future__ import annotations

from agent.intake.models import Source, SyncRun
from tests.house.houses import one, sql
from tests.work.processes import fleet, idle, overlapping, sites, wait_for

SOURCES, ROWS = 12, 40


def compared() -> int:
    return SyncRun.objects.filter(state="done", mode="full").count()


def test_three_workers_and_two_clocks_serve_every_source_once_at_a_time(house: str):
    with sites(SOURCES, ROWS), fleet(house, XUESHI_CLOCK_SECONDS="0.5") as ours:
        Source.objects.update(scheduled=True, recent_at="1d", full_at="1d", jitter=0)
        for _ in range(2):
            ours.start("--clock")
        for _ in range(3):
            ours.start("--worker", "--concurrency", "2")
        wait_for(lambda: compared() == SOURCES, "every source was compared")
        wait_for(idle, "the queue is empty")
        codes = ours.stop()
        logs = ours.logs()
    assert codes == [0] * 5, logs
    assert "Traceback" not in logs
    assert overlapping() == []
    # two clocks asked for each pull, and each was made once; a recent one is needless after a whole one
    assert sql("SELECT source_id, mode FROM intake_syncrun GROUP BY 1, 2 HAVING count(*) > 1") == []
    assert one("SELECT count(*) FROM intake_completion WHERE current") == SOURCES * ROWS
    assert sql("SELECT key FROM intake_completion GROUP BY source_id, key HAVING count(*) > 1") == []
