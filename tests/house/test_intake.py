"""Landing: whole pages, versions, and nothing written for what is the same."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from agent.crypto import vault
from agent.flow import run_stages
from agent.intake.errors import SourceBusy, SyncFailed
from agent.intake.landing import open_raw
from agent.intake.models import Completion, MissingUpstream, SyncRun
from agent.intake.sync import pull
from tests.house.houses import Base, certificates, connect, held, line, number, one, released, roster, rows, sql


def versions() -> list[tuple]:
    return sql("SELECT key, version, current, passed, grade FROM intake_completion ORDER BY key, version")


@pytest.fixture
def three(base: Base) -> Base:
    """Three people who completed one course each."""
    for user, name, course in (("u1", "王一", "WSYS"), ("u2", "李二", "RGZN"), ("u3", "赵三", "SZJS")):
        base.learner(user, name)
        base.done(user, course)
    base.sync()
    return base


def test_landing_the_same_again_writes_nothing(three: Base):
    before = {table: rows(table) for table in ("intake_completion", "intake_missingupstream", "matching_achievement")}
    landed = three.pull()
    assert (landed.new, landed.changed, landed.unchanged, landed.landed) == (0, 0, 3, 3)
    assert {table: rows(table) for table in before} == before


def test_all_stages_again_write_nothing(three: Base):
    tables = (
        "intake_completion", "intake_missingupstream", "matching_achievement", "learners_learner",
        "credit_creditentry", "credit_evaluated", "certificates_certificate", "certificates_certificateevent",
        "certificates_serial", "quarantine_held",
    )  # fmt: skip
    before = {table: rows(table) for table in tables}
    through = three.sync()
    assert (through.matched.matched, through.credited.appended, through.issued.issued) == (0, 0, 0)
    assert {table: rows(table) for table in tables} == before


def test_a_changed_row_is_a_new_version_and_the_old_one_stays(three: Base):
    first = Completion.objects.get(key="u1|WSYS")
    three.site.change_row("u1", "WSYS", grade="61.00")
    landed = three.pull()
    assert (landed.new, landed.changed, landed.unchanged) == (0, 1, 2)
    assert versions()[:2] == [("u1|WSYS", 1, False, True, "90.00"), ("u1|WSYS", 2, True, True, "61.00")]
    second = Completion.objects.get(key="u1|WSYS", current=True)
    assert second.first_landed_at == first.first_landed_at
    assert second.landed_at > first.landed_at
    old = Completion.objects.get(pk=first.pk)
    assert (old.raw_page_id, old.raw_place) == (first.raw_page_id, first.raw_place)


def test_a_row_that_returns_to_what_it_said_is_a_third_version(three: Base):
    three.site.change_row("u1", "WSYS", grade="61.00")
    three.pull()
    three.site.change_row("u1", "WSYS", grade="90.00")
    three.pull()
    assert [(v, current) for key, v, current, *_ in versions() if key == "u1|WSYS"] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_a_row_that_vanishes_is_missing_upstream_and_takes_nothing_away(three: Base):
    before, counted = certificates(), one("SELECT sum(credited) FROM credit_creditentry")
    three.site.remove_row("u1", "WSYS")
    landed = three.pull()
    run_stages()
    assert (landed.unchanged, landed.missing_upstream) == (2, 1)
    assert MissingUpstream.objects.get().completion.key == "u1|WSYS"
    assert certificates() == before
    assert one("SELECT sum(credited) FROM credit_creditentry") == counted
    since = MissingUpstream.objects.get().since
    assert three.pull().missing_upstream == 1
    assert MissingUpstream.objects.get().since == since


def test_a_missing_row_that_comes_back_is_missing_no_more(three: Base):
    three.site.remove_row("u1", "WSYS")
    three.pull()
    three.done("u1", "WSYS")
    landed = three.pull()
    assert (landed.unchanged, landed.missing_upstream) == (3, 0)
    assert not MissingUpstream.objects.exists()


def test_a_missing_row_that_comes_back_changed_is_missing_no_more(three: Base):
    three.site.remove_row("u1", "WSYS")
    three.pull()
    three.site.add_row("u1", "WSYS", "2024-05-07T02:00")
    landed = three.pull()
    assert (landed.changed, landed.missing_upstream) == (1, 0)
    assert not MissingUpstream.objects.exists()


def test_one_source_missing_nothing_does_not_free_the_rows_of_another(three: Base):
    three.site.remove_row("u1", "WSYS")
    three.pull()
    other = connect(three.site, "other")
    assert other.pull().missing_upstream == 0
    assert MissingUpstream.objects.get().completion.source == three.source


def test_rejected_rows_are_held_and_released_when_they_are_whole_again(three: Base):
    three.site.faults.add("bad_time", row=0, text="yesterday")
    landed = three.pull()
    assert (landed.unchanged, landed.rejected, landed.missing_upstream) == (2, 1, 0)
    assert held() == {"E_DATE_INVALID": 1}
    assert one("SELECT params->>'value' FROM quarantine_held") == "yesterday"
    opened = rows("quarantine_held")
    three.pull()
    assert rows("quarantine_held") == opened
    three.site.clear_faults()
    three.pull()
    assert (held(), released()) == ({}, {"E_DATE_INVALID": 1})


def test_each_malformed_row_is_held_by_itself(house: str, moodle):
    base = connect(moodle, page_size="2")
    for serial in range(1, 7):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"202{serial // 2}-0{serial}-06T02:00")
    moodle.faults.add("malformed_row", row=0, cells=2)  # the first row of each page
    landed = base.pull()
    assert landed.rejected > 1
    assert landed.landed + landed.rejected == 6
    assert held() == {"E_ROW_MALFORMED": landed.rejected}


def test_rejected_rows_of_one_source_stay_when_another_is_whole(three: Base, tmp_path):
    three.site.faults.add("bad_time", row=0)
    three.pull()
    pull(roster(tmp_path / "r.csv", line("钱四", 4, "")))
    assert held() == {"E_DATE_INVALID": 1}


def test_two_syncs_of_one_source_at_once_are_refused_the_second(three: Base):
    three.site.faults.add("slow", seconds=1, function="core_reportbuilder_retrieve_report", times=1)
    first = threading.Thread(target=_pull_alone, args=(three,))
    first.start()
    try:
        _wait_for("SELECT count(*) FROM intake_syncrun WHERE state = 'running'")
        with pytest.raises(SourceBusy) as busy:
            three.pull()
        assert busy.value.exit_code == 1
        other = connect(three.site, "other")  # another source is not in the way
        assert other.pull().new == 3
    finally:
        first.join()
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}
    assert three.pull().unchanged == 3


def test_a_source_that_fails_after_two_pages_keeps_these_whole(house: str, moodle):
    base = connect(moodle, page_size="2")
    for serial in range(1, 9):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"202{serial % 5}-0{serial}-06T02:00")
    moodle.faults.add("server_error", function="core_reportbuilder_retrieve_report", after=14)
    pages = []
    with pytest.raises(SyncFailed) as failed:
        pull(base.source, progress=lambda landed, _: pages.append(landed))
    whole = Completion.objects.count()
    assert 2 <= whole == pages[-1] < 8
    assert failed.value.params["landed"] == whole
    run = SyncRun.objects.get()
    assert (run.state, run.new, run.missing_upstream) == ("failed", whole, 0)
    assert (run.error_code, bool(run.error)) == ("E_MAINTENANCE", True)
    assert run.calls > len(pages)
    moodle.clear_faults()
    landed = base.pull()
    assert (landed.new, landed.unchanged) == (8 - whole, whole)
    assert not MissingUpstream.objects.exists()


def test_a_failed_run_calls_nothing_missing_and_releases_nothing(three: Base):
    three.site.faults.add("bad_time", row=0)
    three.pull()
    three.site.clear_faults()
    three.site.remove_row("u2", "RGZN")
    three.site.faults.add("totals_lie")
    with pytest.raises(SyncFailed):
        three.pull()
    assert not MissingUpstream.objects.exists()
    assert held() == {"E_DATE_INVALID": 1}


def test_a_run_that_was_killed_is_written_down_by_the_next(three: Base):
    SyncRun.objects.create(source=three.source)
    three.pull()
    states = SyncRun.objects.order_by("pk").values_list("state", "error_code")
    assert list(states) == [("done", ""), ("failed", "E_INTERRUPTED"), ("done", "")]


def test_what_a_row_says_is_kept_sealed_and_can_be_read_back(three: Base):
    stored = Completion.objects.get(key="u1|WSYS")
    raw = open_raw(vault(), bytes(stored.raw_page.sealed), stored.raw_place)
    assert raw["身份证号"] == number(1)
    assert vault().open(bytes(stored.id_sealed), b"identity number").decode() == number(1)
    assert stored.id_fingerprint == vault().fingerprint(number(1))
    assert stored.id_masked == f"370{'*' * 11}{number(1)[-4:]}"


def _pull_alone(base: Base) -> None:
    try:
        pull(base.source)
    finally:
        connection.close()


def _wait_for(query: str) -> None:
    limit = time.monotonic() + 10
    while not one(query):
        assert time.monotonic() < limit
        time.sleep(0.01)
