"""Full, recent, by blocks, by a log of changes: what each finds, where each goes on, and what is not believed."""

from __future__ import annotations

import gc
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from pydantic import SecretStr

from agent.crypto import vault
from agent.intake import circuit, sync
from agent.intake.backfill import begin, go_on
from agent.intake.errors import BackfillOpen, SourceResting, SpansUnknown, SyncFailed
from agent.intake.landing import PAYLOAD_PURPOSE, open_raw
from agent.intake.models import Completion, MissingUpstream, Source, SourceState, SyncRun
from agent.intake.replay import replay
from agent.intake.sources import save
from agent.intake.sync import Mode, pull
from agent.quarantine.models import Held
from connectors.base import Capabilities, Connector, SourceConfig
from connectors.errors import Action, LogCut, Malformed, Truncated
from connectors.moodle.times import ReportTimes
from connectors.records import EVERYTHING, Block, CheckResult, Page
from tests.house.houses import Base, connect, held, line, roster

LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)


# --- a site with a report ------------------------------------------------------------------------------------------
@pytest.fixture
def base(house, moodle) -> Base:
    """Twenty people of 2024, by the fake Moodle."""
    base = connect(moodle)
    for serial in range(1, 21):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"2024-05-{serial:02d}T02:00")
    return base


def test_runs_that_overlap_leave_the_process_as_it_was(base: Base):
    usual = gc.get_threshold(), sys.getswitchinterval()
    other = save("other", kind="moodle", url="http://127.0.0.1:9", token="t", options={}, allow_private=True)[0]
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(sync.running(base.source, "full", "hand"))
        assert (gc.get_threshold(), sys.getswitchinterval()) != usual
        second.enter_context(sync.running(other, "full", "hand"))
        first.close()
        assert (gc.get_threshold(), sys.getswitchinterval()) != usual
    assert (gc.get_threshold(), sys.getswitchinterval()) == usual


def progress(base: Base) -> SourceState:
    return SourceState.objects.get(source=base.source)


def test_the_first_recent_pull_reads_everything(base: Base):
    assert pull(base.source, Mode.RECENT).new == 20
    assert progress(base).reached == SyncRun.objects.get().started_at


def test_a_recent_pull_asks_for_the_overlap_only_and_finds_what_was_entered_late(base: Base):
    base.pull()
    now = datetime.now(UTC)
    base.learner("new")
    base.done("new", "WSYS", f"{now - timedelta(days=3):%Y-%m-%dT%H:%M}")
    base.done("new", "RGZN", "2024-01-02T02:00")  # entered now, dated long before: for the full comparison
    landed = pull(base.source, Mode.RECENT)
    run = SyncRun.objects.latest("pk")
    assert (landed.new, landed.unchanged) == (1, 0)
    assert (run.mode, run.until) == ("recent", run.started_at)
    assert run.started_at - run.since > sync.OVERLAP
    assert base.pull().new == 1


def test_a_date_in_the_future_never_moves_what_is_reached(base: Base):
    base.learner("ahead")
    base.done("ahead", "WSYS", f"{datetime.now(UTC) + timedelta(days=400):%Y-%m-%dT%H:%M}")
    base.pull()
    assert progress(base).reached == SyncRun.objects.get().started_at
    pull(base.source, Mode.RECENT)
    assert progress(base).reached == SyncRun.objects.latest("pk").started_at


def test_a_recent_pull_calls_nothing_missing(base: Base):
    base.pull()
    base.site.remove_row("u1", "WSYS")
    assert pull(base.source, Mode.RECENT).missing_upstream == 0
    assert base.pull().missing_upstream == 1


def test_a_pull_that_failed_moves_nothing(base: Base):
    base.pull()
    reached = progress(base).reached
    base.site.faults.add("server_error")
    with pytest.raises(SyncFailed):
        pull(base.source, Mode.RECENT)
    assert progress(base).reached == reached


def test_a_site_that_lost_its_rows_is_not_believed_unless_told(base: Base):
    base.pull()
    for serial in range(1, 8):
        base.site.remove_row(f"u{serial}", "WSYS")
    with pytest.raises(SyncFailed) as refused:
        base.pull()
    assert refused.value.code == "E_TOO_MANY_MISSING"
    assert not MissingUpstream.objects.exists()
    assert SyncRun.objects.latest("pk").error_code == "E_TOO_MANY_MISSING"
    assert pull(base.source, accept_missing=True).missing_upstream == 7
    assert base.pull().missing_upstream == 7  # known by now, and so no new loss


def test_rows_that_only_changed_count_as_known_to_the_guard(house, moodle):
    base = connect(moodle)
    for serial in range(1, 201):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", "2024-05-06T02:00")
    base.pull()
    for serial in range(1, 195):
        base.site.change_row(f"u{serial}", "WSYS", grade="61.00")
    for serial in range(195, 201):
        base.site.remove_row(f"u{serial}", "WSYS")
    landed = base.pull()  # 6 of 200, not 6 of 6
    assert (landed.changed, landed.missing_upstream) == (194, 6)


def test_a_source_that_is_saved_again_may_be_asked_again(base: Base):
    base.pull()
    circuit.note_failure(base.source, "E_TOKEN_INVALID", Action.CONFIGURE)
    source = base.source
    save(source.name, kind=source.kind, url=source.url, token=None, options=source.options, allow_private=True)
    assert (progress(base).failures, progress(base).open_until) == (0, None)


def test_the_command_line_tells_of_the_guard_and_lets_it_pass(base: Base, xueshi):
    base.pull()
    for serial in range(1, 8):
        base.site.remove_row(f"u{serial}", "WSYS")
    refused = xueshi("sync", base.source.name, "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (1, "E_TOO_MANY_MISSING")
    assert "--accept-missing" in refused.json["error"]["fix"]
    assert xueshi("sync", base.source.name, "--accept-missing", "--json").json["missing_upstream"] == 7
    runs = xueshi("runs", base.source.name, "--json").json
    assert [run["state"] for run in runs] == ["done", "failed", "done"]
    assert [run["unchanged"] for run in runs] == [13, 13, 0]
    assert "E_TOO_MANY_MISSING" in xueshi("runs").out


def test_nothing_at_all_where_hundreds_are_usual_fails_and_the_place_stays(base: Base):
    base.pull()
    usual = {"mode": "recent", "state": "done", "unchanged": 150}
    for _ in range(3):
        SyncRun.objects.create(source=base.source, **usual)
    reached = progress(base).reached
    with pytest.raises(SyncFailed) as failed:
        pull(base.source, Mode.RECENT)
    assert failed.value.code == "E_NOTHING_CAME"
    assert progress(base).reached == reached


# --- a range of time -----------------------------------------------------------------------------------------------
def test_a_backfill_brings_the_days_of_its_range_and_no_other(base: Base, xueshi):
    done = xueshi("backfill", base.source.name, "--from", "2024-05-03", "--to", "2024-05-06", "--json")
    assert (done.exit, done.json["new"], done.json["rows"], done.json["done"]) == (0, 3, 3, True)
    assert sorted(Completion.objects.values_list("account", flat=True)) == ["u3", "u4", "u5"]
    assert xueshi("backfill", base.source.name, "--json").json["error"]["code"] == "E_NO_BACKFILL"


def test_a_backfill_that_was_stopped_goes_on_where_it_was(house, moodle):
    base = connect(moodle, page_size="2")
    for serial in range(1, 13):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"2024-{serial:02d}-06T02:00")
    work = begin(base.source, date(2024, 1, 1), date(2025, 1, 1))

    def stop_in_the_middle(landed: int, total: int | None) -> None:
        if landed >= 4:
            moodle.faults.add("server_error")

    with pytest.raises(SyncFailed):
        go_on(work, stop_in_the_middle)
    work.refresh_from_db()
    landed_before = Completion.objects.count()
    assert 4 <= landed_before < 12
    assert work.since < work.reached < work.until
    moodle.clear_faults()
    with pytest.raises(BackfillOpen):
        begin(base.source, date(2023, 1, 1), date(2024, 1, 1))
    left = go_on(begin(base.source, date(2024, 1, 1), date(2025, 1, 1)))
    assert left.landed < 12  # not from the beginning
    assert Completion.objects.count() == 12
    work.refresh_from_db()
    assert work.finished_at
    assert work.reached == work.until


@pytest.mark.parametrize(("since", "until"), [("2024-02-01", "2024-02-01"), ("2024-13-01", "2025-01-01"), ("", "x")])
def test_a_range_that_is_none_is_refused(base: Base, xueshi, since, until):
    refused = xueshi("backfill", base.source.name, "--from", since, "--to", until, "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (2, "E_RANGE")


def test_a_source_that_knows_no_time_says_so(memory: Source):
    with pytest.raises(SpansUnknown):
        go_on(begin(memory, date(2024, 1, 1), date(2025, 1, 1)))
    assert SyncRun.objects.latest("pk").error_code == "E_NO_SPANS"


# --- refused rows --------------------------------------------------------------------------------------------------
def refused() -> list[str]:
    return list(Held.objects.filter(what="row", released_at=None).values_list("code", flat=True))


def test_a_refused_row_is_read_again_without_asking_the_source(base: Base, xueshi, monkeypatch):
    base.site.faults.add("bad_time", row=0, text="一个以后才懂的时间")
    base.pull()
    assert refused() == ["E_DATE_INVALID"]
    assert xueshi("replay", "--json").json == [{"source": base.source.name, "landed": 0, "held": 1}]
    assert refused() == ["E_DATE_INVALID"]
    with monkeypatch.context() as later:
        later.setattr(ReportTimes, "_read", lambda *_: 1714960800)  # an update that understands it
        assert xueshi("replay", base.source.name, "--json").json[0]["landed"] == 1
    assert (SyncRun.objects.latest("pk").calls, refused()) == (0, [])
    assert Completion.objects.filter(completed_at=datetime(2024, 5, 6, 2, tzinfo=UTC)).exists()
    assert xueshi("replay", "--json").json == []


def test_what_can_not_be_replayed_says_what_to_do_instead(house, xueshi, tmp_path):
    source = roster(tmp_path / "r.csv", line("钱四", 4, ""))
    Held.objects.create(
        what="row", key="r", source=source.name, code="E_ROW_MALFORMED", opened_at=datetime.now(UTC),
        payload=vault().seal(b"{}", PAYLOAD_PURPOSE),
    )  # fmt: skip
    said = xueshi("replay", "--json").json["error"]
    assert said["code"] == "E_NO_REPLAY"
    assert f"xueshi sync {source.name}" in said["fix"]
    assert refused() == ["E_ROW_MALFORMED"]


@pytest.mark.parametrize("figure", ["hours", "minutes"])
def test_a_figure_too_large_is_refused_and_never_cut(memory: Source, monkeypatch, figure):
    bad = memory_row(2) | {figure: (1 << 40) + 7}  # its last 32 bits say 7
    monkeypatch.setattr(Memory, "completions", lambda _: iter([Page([memory_row(1), bad])]))
    landed = pull(Source.objects.create(name="other", kind="memory", url=""))
    assert (landed.new, refused()) == (1, ["E_ROW_REFUSED"])


def test_a_replay_says_nothing_of_the_source_itself(base: Base):
    base.site.faults.add("bad_time", row=0)
    base.pull()
    circuit.note_failure(base.source, "E_TOKEN_INVALID", Action.CONFIGURE)
    replay(base.source)
    assert progress(base).failures == 1


# --- the circuit ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failures", "action", "minutes"),
    [
        (1, Action.WAIT, None), (2, Action.RETRY, None), (3, Action.WAIT, 5), (5, Action.WAIT, 20),
        (1, Action.CONFIGURE, 5), (2, Action.BUG, 10), (99, Action.WAIT, 360),
    ],
)  # fmt: skip
def test_how_long_a_source_is_left_alone(failures, action, minutes):
    assert circuit.rest(failures, action) == (None if minutes is None else timedelta(minutes=minutes))


def test_the_clock_leaves_a_failing_source_alone_and_a_person_does_not(base: Base):
    base.site.faults.add("invalid_token")
    with pytest.raises(SyncFailed):
        pull(base.source, because="clock")
    with pytest.raises(SourceResting) as resting:
        pull(base.source, because="clock")
    assert (resting.value.params["code"], resting.value.params["failures"]) == ("E_TOKEN_INVALID", 1)
    assert SyncRun.objects.count() == 1
    base.site.clear_faults()
    assert pull(base.source).new == 20
    assert (progress(base).failures, progress(base).open_until) == (0, None)
    assert pull(base.source, because="clock").unchanged == 20


# --- a source with digests and a log, in memory --------------------------------------------------------------------
class Memory(Connector):
    """A source whose rows and log are lists that a test writes into."""

    kind = "memory"
    rows: dict[int, dict] = {}
    log: list[Page] = []
    cut_at: int | None = None
    calls = 0
    capabilities = Capabilities(blocks=True, changes=True)

    def check(self) -> CheckResult:
        return CheckResult(True, "memory", "", "memory", {}, [])

    def courses(self):
        return []

    def completions(self, span=EVERYTHING):  # noqa: ARG002 - it has no spans
        type(self).calls += 1
        yield Page(list(self.rows.values()), sequence=len(self.log))

    def changes(self, after):
        type(self).calls += 1
        if self.cut_at is not None and after < self.cut_at:
            raise LogCut(first=self.cut_at, after=after)
        yield from self.log[after:]

    def blocks(self):
        type(self).calls += 1
        for first in range(1, 31, 10):
            rows = [row for serial, row in self.rows.items() if first <= serial < first + 10]
            yield Block(first, first + 9, len(rows), sum(row["mark"] for row in rows))

    def block(self, block):
        type(self).calls += 1
        yield Page([row for serial, row in self.rows.items() if block.first <= serial <= block.last])


def memory_row(serial: int, grade: str = "90") -> dict:
    return {
        "key": f"m{serial}|WSYS", "user": f"m{serial}", "course": "WSYS", "course_name": "卫生", "name": "示例",
        "id_number": "", "completed_at": LONG_AGO + timedelta(days=serial), "precision": "second", "started_on": None,
        "hours": None, "minutes": None, "passed": True, "active": True, "grade": grade, "employer": "",
        "filing_number": "", "raw": {"grade": grade}, "serial": serial, "mark": hash((serial, grade)) & 0xFFFF,
    }  # fmt: skip


@pytest.fixture
def memory(house, monkeypatch) -> Source:
    """Thirty rows in three blocks, pulled once."""
    Memory.rows = {serial: memory_row(serial) for serial in range(1, 31)}
    Memory.log, Memory.cut_at, Memory.calls = [], None, 0
    monkeypatch.setattr(sync, "connector", lambda _: Memory(SourceConfig("memory", "", SecretStr(""))))
    source = Source.objects.create(name="memory", kind="memory", url="")
    assert pull(source).new == 30
    Memory.calls = 0
    return source


def current() -> dict[str, str]:
    return dict(Completion.objects.filter(current=True).values_list("key", "grade"))


def test_what_is_the_same_is_known_by_its_digest(memory: Source):
    landed = pull(memory)
    assert (landed.unchanged, landed.landed, landed.missing_upstream) == (30, 30, 0)
    assert Memory.calls == 1
    assert SyncRun.objects.latest("pk").counted == 30


def test_only_the_blocks_that_differ_are_read(memory: Source):
    Memory.rows[5] = memory_row(5, "61")
    del Memory.rows[15]
    landed = pull(memory)
    assert (landed.changed, landed.unchanged, landed.missing_upstream) == (1, 28, 1)
    assert Memory.calls == 3
    assert MissingUpstream.objects.get().completion.key == "m15|WSYS"
    Memory.rows[15] = memory_row(15)
    assert pull(memory).missing_upstream == 0


def test_a_block_that_lost_its_rows_is_not_believed(memory: Source):
    for serial in range(1, 8):
        del Memory.rows[serial]
    with pytest.raises(SyncFailed) as refused:
        pull(memory)
    assert refused.value.code == "E_TOO_MANY_MISSING"


def test_the_log_brings_corrections_and_what_is_gone_and_is_never_read_twice(memory: Source):
    Memory.log += [
        Page([memory_row(3, "70")], sequence=1),
        Page([], gone=["m4|WSYS"], sequence=2),
    ]
    landed = pull(memory, Mode.RECENT)
    assert (landed.changed, landed.missing_upstream) == (1, 1)
    assert current()["m3|WSYS"] == "70"
    assert "m4|WSYS" in current()  # missing, not revoked
    assert SourceState.objects.get(source=memory).sequence == 2
    assert pull(memory, Mode.RECENT).landed == 0


def test_a_log_that_breaks_goes_on_behind_the_last_page_that_landed(memory: Source, monkeypatch):
    Memory.log += [Page([memory_row(3, "70")], sequence=1), Page([memory_row(4, "71")], sequence=2)]

    def broken(self, after):
        yield self.log[0]
        raise Truncated(url="memory", reason="cut")

    with monkeypatch.context() as patched:
        patched.setattr(Memory, "changes", broken)
        with pytest.raises(SyncFailed):
            pull(memory, Mode.RECENT)
    assert SourceState.objects.get(source=memory).sequence == 1
    assert pull(memory, Mode.RECENT).changed == 1
    assert current()["m4|WSYS"] == "71"


def test_a_log_that_was_cut_is_mended_by_a_comparison(memory: Source):
    Memory.rows[9] = memory_row(9, "77")
    Memory.cut_at = 5
    assert pull(memory, Mode.RECENT).changed == 1
    assert current()["m9|WSYS"] == "77"


def test_the_same_row_on_two_pages_of_a_first_pull_lands_once(memory: Source, monkeypatch):
    monkeypatch.setattr(Memory, "completions", lambda _: iter([Page([memory_row(1)]), Page([memory_row(1)])]))
    other = Source.objects.create(name="other", kind="memory", url="")
    landed = pull(other)
    assert (landed.new, landed.unchanged) == (1, 1)


def test_a_row_that_the_database_refuses_keeps_out_no_other(memory: Source, monkeypatch):
    bad = memory_row(2) | {"course_name": "长" * 501}
    monkeypatch.setattr(Memory, "completions", lambda _: iter([Page([memory_row(1), bad, memory_row(3)])]))
    landed = pull(Source.objects.create(name="other", kind="memory", url=""))
    assert (landed.new, landed.rejected) == (2, 1)
    assert held() == {"E_ROW_REFUSED": 1}


def test_a_refused_row_keeps_its_place_and_its_raw_row(memory: Source, monkeypatch):
    rows = [memory_row(n) | {"place": f"学员!A{n}", "raw": {"n": n}} for n in (1, 2, 3)]
    rows[1]["course_name"] = "长" * 501
    monkeypatch.setattr(Memory, "completions", lambda _: iter([Page(rows)]))
    assert pull(Source.objects.create(name="other", kind="memory", url="")).rejected == 1
    item = Held.objects.get()
    assert item.params["place"] == "学员!A2"
    assert orjson.loads(vault().open(bytes(item.payload), PAYLOAD_PURPOSE)) == {"n": 2}


# --- one answer in several pages -----------------------------------------------------------------------------------
def test_pages_of_one_answer_land_together_or_not_at_all(memory: Source, monkeypatch):
    def cut(_):
        yield Page([memory_row(1)])
        yield Page([memory_row(2)], more=True)
        raise Malformed(what="memory", url="", reason="cut")

    monkeypatch.setattr(Memory, "completions", cut)
    other = Source.objects.create(name="other", kind="memory", url="")
    with pytest.raises(SyncFailed):
        pull(other)
    assert list(Completion.objects.filter(source=other).values_list("key", flat=True)) == ["m1|WSYS"]


@pytest.mark.parametrize("known", [False, True])
def test_of_a_row_that_comes_twice_in_one_answer_the_later_is_taken(memory: Source, monkeypatch, known):
    pages = [Page([memory_row(1, "60"), memory_row(2)], more=True), Page([memory_row(3), memory_row(1, "70")])]
    monkeypatch.setattr(Memory, "capabilities", Capabilities())
    other = Source.objects.create(name="other", kind="memory", url="")
    if known:
        monkeypatch.setattr(Memory, "completions", lambda _: iter([Page([memory_row(1, "50")])]))
        pull(other)
    monkeypatch.setattr(Memory, "completions", lambda _: iter(pages))
    landed = pull(other)
    assert (landed.new, landed.changed) == ((2, 1) if known else (3, 0))
    now_there = Completion.objects.filter(source=other, current=True)
    assert dict(now_there.values_list("key", "grade")) == {"m1|WSYS": "70", "m2|WSYS": "90", "m3|WSYS": "90"}
    for row in now_there.select_related("raw_page"):  # each finds its own raw row in the page that was kept
        raw = open_raw(vault(), bytes(row.raw_page.sealed), row.raw_place)
        assert raw == memory_row(row.serial, row.grade)["raw"]


def test_what_an_answer_shows_again_after_it_was_gone_is_there(memory: Source):
    Memory.log += [
        Page([], gone=["m4|WSYS", "m5|WSYS"], sequence=1, more=True),
        Page([memory_row(4, "71")], sequence=2),
    ]
    pull(memory, Mode.RECENT)
    assert current()["m4|WSYS"] == "71"
    assert list(MissingUpstream.objects.values_list("completion__key", flat=True)) == ["m5|WSYS"]
