"""A base with the companion plugin: what a comparison by digests and its log of changes find, and what changes when a
base installs it after years with the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent.flow import run_stages
from agent.intake.models import Completion, MissingUpstream, Source, SourceState, SyncRun
from agent.intake.sources import save
from agent.intake.sync import Landed, Mode, SyncFailed, pull
from connectors.moodle.client import CHANGES, COMPLETIONS, DIGEST, RETRIEVE
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import Base, certificates, connect, credited, held, in_force, number, rows

PEOPLE = 12


@pytest.fixture
def moodle() -> Iterator[FakeMoodle]:
    """The recorded site's courses with the plugin; the numbers of completions lie so that there are several blocks."""
    with FakeMoodle(rows=0, plugin=True, step=60) as site:
        yield site


@pytest.fixture
def class_of(base: Base) -> Base:
    """Twelve people have completed a filed course. A page holds five rows, a block at most two."""
    for serial in range(1, PEOPLE + 1):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"2024-05-{serial:02d}T02:00")
    base.source = with_options(base, page_size="5")
    return base


def with_options(base: Base, **options: str) -> Source:
    """The source, saved anew with these options."""
    return save("base", kind="moodle", url=base.site.url, token=None, options=options, allow_private=True)[0]


def asked(base: Base) -> list[str]:
    """The functions called since the last time, but for those that every pull asks."""
    functions = [one for one in base.site.calls if one.startswith("local_") or one == RETRIEVE]
    base.site.questions.clear()
    return functions


def state(base: Base) -> SourceState:
    return SourceState.objects.get(source=base.source)


def missing() -> set[str]:
    return set(MissingUpstream.objects.values_list("completion__key", flat=True))


def current() -> dict[str, Completion]:
    return {one.key: one for one in Completion.objects.filter(current=True)}


# --- the first pull, and one where nothing has changed -----------------------------------------------------------
def test_the_first_pull_lands_all_to_the_second_with_their_numbers(class_of: Base):
    class_of.site.change_row("u1", "WSYS", time="2024-05-06T02:00:07")
    landed = class_of.pull()
    assert (landed.new, landed.rejected) == (PEOPLE, 0)
    row = current()["u1|WSYS"]
    assert (row.completed_at, row.precision) == (datetime(2024, 5, 6, 2, 0, 7, tzinfo=UTC), "second")
    assert all(one.serial and one.mark for one in current().values())
    assert state(class_of).sequence == PEOPLE  # they came after the plugin
    assert SyncRun.objects.get().counted == PEOPLE


def test_where_nothing_has_changed_no_row_is_read(class_of: Base):
    class_of.pull()
    asked(class_of)
    landed = class_of.pull()
    assert (landed.unchanged, landed.new, landed.changed, landed.missing_upstream) == (PEOPLE, 0, 0, 0)
    assert asked(class_of) == [DIGEST]
    assert landed.calls <= 3
    assert SyncRun.objects.latest("pk").counted == PEOPLE
    recent = pull(class_of.source, Mode.RECENT)
    assert (recent.landed, asked(class_of)) == (0, [CHANGES])


def test_a_large_site_where_nothing_has_changed_takes_few_calls(house):
    with FakeMoodle(rows=12_000, plugin=True) as site:
        base = connect(site)
        assert base.pull().new == 12_000
        before = rows("intake_completion")
        landed = base.pull()
        assert (landed.unchanged, landed.calls <= 10) == (12_000, True)
        assert rows("intake_completion") == before


# --- what is found, and by which way -----------------------------------------------------------------------------
def found(base: Base, mode: Mode) -> Landed:
    """A pull; by whichever way, it must have read no more than it had to."""
    asked(base)
    landed = pull(base.source, mode)
    functions = asked(base)
    assert functions[0] == (CHANGES if mode == Mode.RECENT else DIGEST)
    assert functions.count(COMPLETIONS) <= 2
    return landed


@pytest.mark.parametrize("mode", list(Mode))
def test_a_completion_that_was_backdated_is_found(class_of: Base, mode: Mode):
    class_of.pull()
    class_of.site.change_row("u3", "WSYS", time="2023-02-03T02:00")
    landed = found(class_of, mode)
    assert (landed.changed, landed.new, landed.missing_upstream) == (1, 0, 0)
    assert current()["u3|WSYS"].completed_at == datetime(2023, 2, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_grade_a_name_and_a_number_that_were_corrected_are_found(class_of: Base, mode: Mode):
    class_of.pull()
    class_of.site.change_row("u3", "WSYS", grade="61.00")
    class_of.site.change_user("u4", family="欧阳", given="𠮷", sfzh=number(400))
    landed = found(class_of, mode)
    assert (landed.changed, landed.new) == (2, 0)
    assert current()["u3|WSYS"].grade == "61.00"
    assert (current()["u4|WSYS"].name, current()["u4|WSYS"].id_code) == ("欧阳𠮷", "")


@pytest.mark.parametrize("mode", list(Mode))
def test_a_completion_entered_late_is_found_however_old_it_is(class_of: Base, mode: Mode):
    class_of.pull()
    class_of.site.add_row("u1", "RGZN", "1999-01-01T00:00")
    assert found(class_of, mode).new == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_completion_that_was_reset_is_missing_and_back_when_it_is(class_of: Base, mode: Mode):
    class_of.sync()
    issued = certificates()
    class_of.site.remove_row("u3", "WSYS")
    landed = found(class_of, mode)
    assert (landed.missing_upstream, missing()) == (1, {"u3|WSYS"})
    run_stages()
    assert certificates() == issued  # missing, not revoked
    class_of.site.add_row("u3", "WSYS", "2024-05-03T02:00", "90.00")
    landed = found(class_of, mode)
    assert (landed.missing_upstream, missing(), landed.new) == (0, set(), 0)
    assert pull(class_of.source).unchanged == PEOPLE


def test_a_completion_that_was_reset_and_completed_anew_before_anybody_looked_is_not_missing(class_of: Base):
    class_of.pull()
    class_of.site.remove_row("u3", "WSYS")
    class_of.site.prepare()
    class_of.site.add_row("u3", "WSYS", "2025-01-02T02:00", "70.00")
    class_of.source = with_options(class_of, page_size="1")  # the two come on pages of their own
    landed = pull(class_of.source, Mode.RECENT)
    assert (landed.changed, landed.missing_upstream) == (1, 0)
    assert current()["u3|WSYS"].grade == "70.00"


@pytest.mark.parametrize("mode", list(Mode))
def test_an_account_that_was_renamed_leaves_its_old_key_missing(class_of: Base, mode: Mode):
    class_of.pull()
    class_of.site.rename_user("u3", "newname")
    landed = found(class_of, mode)
    assert (landed.new, landed.missing_upstream, missing()) == (1, 1, {"u3|WSYS"})
    assert pull(class_of.source).unchanged == PEOPLE


@pytest.mark.parametrize("mode", list(Mode))
def test_who_is_deleted_keeps_the_completion_with_its_identity(class_of: Base, mode: Mode):
    class_of.pull()
    fingerprint = bytes(current()["u3|WSYS"].id_fingerprint)
    class_of.site.delete_user("u3")
    landed = found(class_of, mode)
    assert (landed.changed, landed.missing_upstream) == (1, 0)
    row = current()["u3|WSYS"]
    assert (bytes(row.id_fingerprint), row.active) == (fingerprint, False)


def test_who_was_deleted_before_the_first_pull_lands_with_the_identity_and_is_credited(class_of: Base):
    class_of.site.prepare()
    class_of.site.delete_user("u3")
    class_of.site.unenrol("u4", "WSYS")
    class_of.sync()
    assert class_of.landed.new == PEOPLE
    assert (len(certificates()), held()) == (PEOPLE, {})


def test_a_course_that_was_deleted_is_missing_and_takes_nothing_away(class_of: Base):
    class_of.sync()
    issued, credit = certificates(), in_force()
    class_of.site.delete_course("WSYS")
    assert pull(class_of.source, Mode.RECENT).missing_upstream == PEOPLE  # told by the log, so there is no guard
    run_stages()
    assert (certificates(), in_force()) == (issued, credit)


def test_a_site_that_lost_all_its_rows_is_not_believed(class_of: Base):
    class_of.pull()
    for serial in range(1, PEOPLE + 1):
        class_of.site.remove_row(f"u{serial}", "WSYS")
    with pytest.raises(SyncFailed) as refused:
        class_of.pull()
    assert refused.value.code == "E_TOO_MANY_MISSING"
    assert missing() == set()


# --- the log -----------------------------------------------------------------------------------------------------
def test_the_log_is_followed_from_a_comparison_too(class_of: Base):
    class_of.pull()
    first = state(class_of).sequence
    class_of.site.change_row("u3", "WSYS", grade="61.00")
    class_of.pull()
    assert state(class_of).sequence == first + 1
    class_of.site.change_row("u4", "WSYS", grade="62.00")
    assert pull(class_of.source, Mode.RECENT).landed == 1
    assert state(class_of).sequence == first + 2


def test_a_log_that_was_cut_is_mended_by_a_comparison_and_followed_from_there(class_of: Base):
    class_of.pull()
    for serial in range(1, 5):
        class_of.site.change_row(f"u{serial}", "WSYS", grade="61.00")
    class_of.site.trim_log()
    asked(class_of)
    assert pull(class_of.source, Mode.RECENT).changed == 4
    assert asked(class_of)[:2] == [CHANGES, DIGEST]
    assert pull(class_of.source, Mode.RECENT).landed == 0
    assert asked(class_of) == [CHANGES]


def test_what_a_page_says_is_gone_is_noted_with_it_though_the_next_page_fails(class_of: Base):
    class_of.pull()
    class_of.site.remove_row("u3", "WSYS")
    class_of.site.prepare()
    class_of.site.change_row("u4", "WSYS", grade="62.00")
    class_of.source = with_options(class_of, page_size="1")
    class_of.site.faults.add("not_found", function=CHANGES, after=1)
    with pytest.raises(SyncFailed):
        pull(class_of.source, Mode.RECENT)
    assert (missing(), state(class_of).sequence) == ({"u3|WSYS"}, PEOPLE + 1)
    class_of.site.clear_faults()
    assert pull(class_of.source, Mode.RECENT).changed == 1
    assert missing() == {"u3|WSYS"}


def test_a_plugin_that_was_installed_anew_is_noticed(class_of: Base):
    class_of.pull()
    SourceState.objects.update(sequence=4000)
    class_of.site.change_row("u4", "WSYS", grade="62.00")
    assert pull(class_of.source, Mode.RECENT).changed == 1
    assert state(class_of).sequence == PEOPLE + 1


def test_a_plugin_that_goes_in_mid_run_fails_the_run_and_what_landed_stays(class_of: Base):
    class_of.source = with_options(class_of, page_size="5", route="plugin")
    class_of.site.faults.add("plugin_removed", after=1)
    with pytest.raises(SyncFailed) as failed:
        class_of.pull()
    assert (failed.value.code, len(current())) == ("E_FUNCTION_MISSING", 5)
    class_of.site.clear_faults()
    assert class_of.pull().new == PEOPLE - 5


@pytest.mark.parametrize("kind", ["wrong_digest", "identity_unset"])
def test_a_plugin_that_is_wrong_changes_nothing(class_of: Base, kind: str):
    class_of.pull()
    before = rows("intake_completion")
    class_of.site.faults.add(kind)
    class_of.site.change_row("u12", "WSYS", grade="61.00")
    with pytest.raises(SyncFailed):
        class_of.pull()
    assert rows("intake_completion") == before


# --- a base that had the report ----------------------------------------------------------------------------------
def test_a_base_that_installs_the_plugin_finds_nothing_doubled_and_nothing_revoked(class_of: Base):
    class_of.source = with_options(class_of, route="report", report_id="1")
    class_of.site.unenrol("u12", "WSYS")  # whom the report leaves out
    class_of.sync()
    assert class_of.landed.new == PEOPLE - 1
    issued, entries, hours = certificates(), in_force(), credited()
    class_of.source = with_options(class_of)
    class_of.sync()
    assert (class_of.landed.new, class_of.landed.changed, class_of.landed.missing_upstream) == (1, PEOPLE - 1, 0)
    assert set(issued) < set(certificates())
    assert len(certificates()) == PEOPLE
    assert certificates("revoked") == certificates("superseded") == []
    assert [one for one in in_force() if one in entries] == entries
    assert sum(credited().values()) == sum(hours.values()) * PEOPLE / (PEOPLE - 1)
    assert held() == {}
    assert class_of.pull().unchanged == PEOPLE
    assert SyncRun.objects.latest("pk").calls <= 3


def test_a_day_on_which_it_began_takes_no_certificate_away(class_of: Base):
    class_of.source = with_options(class_of, route="report", report_id="1")
    class_of.sync()
    issued = certificates()
    for serial in range(1, PEOPLE + 1):
        row = class_of.site.enrolment(f"u{serial}", "WSYS")
        class_of.site.enrol([row._replace(enrolled=row.time - 40 * 86_400)])
    class_of.source = with_options(class_of)
    class_of.sync()
    assert current()["u1|WSYS"].started_on.isoformat() == "2024-03-22"
    assert (certificates(), certificates("revoked"), certificates("superseded")) == (issued, [], [])
    assert held() == {}


def test_rows_that_the_report_told_and_nobody_knows_any_more_keep_digests_of_no_use_no_longer(class_of: Base):
    class_of.source = with_options(class_of, route="report", report_id="1")
    class_of.pull()
    class_of.site.remove_row("u3", "WSYS")
    class_of.source = with_options(class_of)
    assert class_of.pull().missing_upstream == 1
    asked(class_of)
    assert class_of.pull().unchanged == PEOPLE - 1
    assert asked(class_of) == [DIGEST]
