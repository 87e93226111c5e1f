"""The route by the companion plugin, on the fake: what it brings, what it does not believe, what it says is gone."""

from datetime import UTC, date, datetime
from itertools import islice

import pytest

from connectors import errors
from connectors.moodle.client import CHANGES, COMPLETIONS, DIGEST, RETRIEVE, SITE_INFO
from connectors.records import Block, Span
from connectors.testing.fake_moodle import Enrolment, FakeMoodle
from tests.connectors.test_moodle_plugin_parts import row


@pytest.fixture
def site():
    with FakeMoodle(plugin=True) as running:
        yield running


def rows_of(pages):
    return {one["key"]: one for page in pages for one in page.completions}


def said(site, *rows, **other):
    """Whatever is asked of completions, the site answers so."""
    answer = {
        "servertime": 1_795_593_626, "sequence": 0, "identityfield": {"shortname": "sfzh", "name": "身份证号"},
        "total": len(rows), "more": False, "completions": list(rows),
    }  # fmt: skip
    site.faults.add("wrong_json", function=COMPLETIONS, answer=answer | other)


# --- what it brings ----------------------------------------------------------------------------------------------
def test_it_brings_what_the_report_brings_by_the_same_keys_and_what_the_report_leaves_out(connect):
    by_plugin, by_report = rows_of(connect().completions()), rows_of(connect(route="report").completions())
    assert (len(by_plugin), len(by_report)) == (3787, 3764)
    assert by_report.keys() < by_plugin.keys()
    for key, told in by_report.items():
        mine = by_plugin[key]
        assert mine["completed_at"].replace(second=0) == told["completed_at"]
        same = ("user", "course", "name", "id_number", "grade")
        assert [mine[name] for name in same] == [told[name] for name in same]


def test_who_was_deleted_or_has_left_comes_with_the_identity_that_was_kept_and_is_not_active(site, connect):
    rows = rows_of(connect().completions())
    deleted = [one for one in rows.values() if one["user"] == "xy00061"]
    assert {(one["id_number"], one["name"], one["active"]) for one in deleted} == {
        ("411002198506143129", "郑洋伟", False)
    }
    assert len(deleted) == 6
    assert not rows["xy00071|SZJS"]["active"]  # unenrolled
    assert not any(one["active"] for one in rows.values() if one["user"] == "xy00051")  # a suspended account
    assert rows["xy00001|AQSC"]["active"]
    assert sum(not one["active"] for one in rows.values()) == 23 + 26 + 45


def test_a_few_calls_bring_everything(site, connect):
    reader = connect()
    pages = list(reader.completions())
    assert site.calls == [SITE_INFO, COMPLETIONS]
    assert {page.total for page in pages} == {3787}
    assert [page.more for page in pages] == [True] * 7 + [False]
    assert [page.sequence for page in pages] == [0] + [None] * 7
    assert [page.through for page in pages] == [None] * 7 + [pages[-1].completions[-1]["completed_at"]]


def test_it_began_when_it_was_entered_unless_that_was_afterwards(site, connect):
    for user, enrolled in (("xy00001", 1704038399), ("xy00002", 1704038400), ("xy00003", 1893456000), ("xy00004", 0)):
        site.enrol([Enrolment(user, "JZSG", 1735660800, enrolled=enrolled)])
    rows = rows_of(connect().completions())
    assert [rows[f"xy0000{n}|JZSG"]["started_on"] for n in (1, 2, 3, 4)] == [
        *(date(2023, 12, 31), date(2024, 1, 1), None, None),
    ]


def test_the_chinese_name_of_a_course_is_taken_and_nothing_is_unescaped(connect):
    rows = rows_of(connect().completions())
    names = {one["course"]: one["course_name"] for one in rows.values()}
    assert names["WLAQ"] == "网络安全"
    assert names["YFGL"] == '研发管理 R&D <进阶> "案例" \'24'


def test_no_page_is_larger_than_the_plugin_gives(site, connect):
    list(connect(page_size=50_000).completions())
    list(connect(page_size=2000).completions())
    asked = [one.params["limit"] for one in site.questions if one.function == COMPLETIONS]
    assert asked == ["10000", "2000", "2000"]


def test_a_day_since_which_all_is_wanted_holds_for_changes_too_and_digests_are_no_use_then(site, connect):
    reader = connect(since="2024-12-01")
    reader.look()
    assert (reader.capabilities.changes, reader.capabilities.blocks) == (True, False)
    rows = rows_of(reader.completions())
    assert rows
    assert min(one["completed_at"] for one in rows.values()) >= datetime(2024, 11, 30, 16, tzinfo=UTC)
    site.add_row("xy00001", "JZSG", "2024-03-01T00:00")
    site.add_row("xy00002", "JZSG", "2024-12-24T00:00")
    assert rows_of(connect(since="2024-12-01").changes(0)).keys() == {"xy00002|JZSG"}


# --- which route -------------------------------------------------------------------------------------------------
def test_without_the_plugin_the_report_is_taken_and_a_plugin_that_was_wanted_is_missed(site, connect):
    site.faults.add("plugin_removed")
    assert len(rows_of(connect().completions())) == 3764
    with pytest.raises(errors.FunctionMissing, match=COMPLETIONS) as error:
        connect(route="plugin").look()
    assert "plugin that brings it is not installed" in error.value.how_to_fix


def test_another_route_is_taken_where_a_person_wants_it(site, connect):
    reader = connect(route="report")
    assert len(rows_of(reader.completions())) == 3764
    assert not reader.capabilities.blocks
    assert COMPLETIONS not in site.calls
    with pytest.raises(NotImplementedError):
        reader.changes(0)
    with pytest.raises(NotImplementedError):
        reader.blocks()
    with pytest.raises(NotImplementedError):
        reader.block(Block(1, 1, 1, 1))


@pytest.mark.parametrize(("function", "left"), [(DIGEST, (True, False)), (CHANGES, (False, True))])
def test_what_the_service_does_not_offer_is_not_claimed(site, connect, function, left):
    site.faults.add("missing_function", function=function)
    reader = connect()
    reader.look()
    assert (reader.capabilities.changes, reader.capabilities.blocks) == left
    pages = list(reader.completions())
    assert (pages[0].sequence is not None) == left[0]


def test_a_plugin_that_is_removed_in_mid_pull_is_missed_by_its_name(site, connect):
    site.faults.add("plugin_removed", after=1)
    pages = connect(page_size=2000).completions()
    assert [(len(page.completions), page.more) for page in islice(pages, 4)] == [(500, True)] * 3 + [(500, False)]
    with pytest.raises(errors.FunctionMissing):
        next(pages)


# --- what it does not believe ------------------------------------------------------------------------------------
GOOD = [row(id=number, timecompleted=1_700_000_000 + number) for number in (3, 5, 8)]


@pytest.mark.parametrize(
    ("rows", "other", "error", "words"),
    [
        ([GOOD[1], GOOD[0]], {}, errors.Malformed, "not in the order"),
        ([row(id=8), row(id=3)], {}, errors.Malformed, "not in the order"),
        ([row(id=3, timecompleted=0)], {}, errors.Malformed, "not in the order"),
        ([GOOD[0], GOOD[0]], {}, errors.PageRepeated, "on one page"),
        ([GOOD[0], GOOD[0] | {"timecompleted": 1_700_000_009}], {}, errors.PageRepeated, "on one page"),
        (GOOD, {"more": True}, errors.TotalsDiffer, "5000 rows"),
        (GOOD, {"total": 4}, errors.TotalsDiffer, "has 4 rows"),
        (GOOD, {"total": -1}, errors.Malformed, "did not count"),
        ([], {"total": 1}, errors.TotalsDiffer, "has 1 rows"),
        (GOOD, {"servertime": 7}, errors.Malformed, "clock does not run"),
        (GOOD, {"servertime": "now"}, errors.Malformed, "no servertime"),
        (GOOD, {"sequence": -1}, errors.Malformed, "below zero"),
        (GOOD, {"identityfield": None}, errors.Malformed, "no identityfield"),
        (GOOD, {"identityfield": {"shortname": "", "name": ""}}, errors.IdentityFieldWrong, "from no field"),
        (GOOD, {"completions": {}}, errors.Malformed, "no completions"),
        (["row"], {}, errors.Malformed, "a row is none"),
        ([row(timecompleted="1700000000")], {}, errors.Malformed, "no int as timecompleted"),
        ([row(id=True)], {}, errors.Malformed, "no int as id"),
        ([row(username=None)], {}, errors.Malformed, "no str as username"),
        ([row(deleted=0)], {}, errors.Malformed, "no bool as deleted"),
        ([{name: value for name, value in row().items() if name != "mark"}], {}, errors.Malformed, "no int as mark"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused_whole(site, connect, rows, other, error, words):  # noqa: PLR0917
    said(site, *rows, **other)
    came = []
    with pytest.raises(error, match=words) as refused:
        came.extend(connect(route="plugin").completions())
    assert came == [] or error is errors.TotalsDiffer
    assert "?" not in refused.value.message


def test_rows_outside_of_what_was_asked_for_are_refused(site, connect):
    reader = connect(route="plugin")
    said(site, *GOOD)
    with pytest.raises(errors.PageRepeated):
        list(reader.completions(Span(datetime(2024, 1, 1, tzinfo=UTC))))
    with pytest.raises(errors.Malformed, match="behind the end"):
        list(reader.completions(Span(None, datetime(2020, 1, 1, tzinfo=UTC))))
    with pytest.raises(errors.Malformed, match="outside of the block"):
        list(reader.block(Block(4, 8, 3, 0)))


def test_an_older_answer_out_of_a_cache_is_refused(site, connect):
    reader = connect(route="plugin", page_size=3)
    said(site, *GOOD, total=6, more=True)
    pages = reader.completions()
    next(pages)
    site.clear_faults()
    said(site, row(id=9, timecompleted=1_800_000_000), servertime=1_795_593_000)
    with pytest.raises(errors.PageRepeated, match="an answer of earlier"):
        next(pages)


@pytest.mark.parametrize("kind", ["page_repeated", "list_cut", "totals_lie"])
def test_what_goes_wrong_once_is_asked_again(site, connect, kind):
    site.faults.add(kind, function=COMPLETIONS, times=1)
    assert len(rows_of(connect(page_size=1000).completions())) == 3787


def test_rows_that_come_and_go_in_mid_pull_are_no_contradiction(site, connect):
    pages = connect(page_size=1000).completions()
    next(pages)
    site.remove_row("xy00001", "AQSC")
    site.add_row("xy00001", "JZSG", "2089-01-01T00:00")
    site.add_row("xy00002", "JZSG", "2089-01-01T00:00")
    assert "xy00001|JZSG" in rows_of(pages)


# --- the identity number -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["sfzh", "身份证号", "SFZH"])
def test_a_person_may_say_which_field_it_must_be(connect, name):
    assert len(rows_of(connect(identity_field=name).completions())) == 3787


def test_another_field_than_a_person_said_is_refused_before_a_row_is_read(site, connect):
    with pytest.raises(errors.IdentityFieldWrong, match="from «身份证号», and they are wanted from «zjhm»"):
        next(connect(identity_field="zjhm").completions())


def test_the_accounts_own_id_number_where_a_person_said_so(connect):
    rows = rows_of(connect(identity_field="idnumber").completions()).values()
    assert {one["id_number"] for one in rows if one["user"] == "xy00002"} == {"GH000002"}


def test_changes_without_numbers_are_not_believed_where_the_setting_is_gone(site, connect):
    site.change_user("xy00002", sfzh="")
    assert {one["id_number"] for one in rows_of(connect().changes(0)).values()} == {""}
    site.faults.add("identity_unset")
    with pytest.raises(errors.IdentityFieldWrong):
        list(connect().changes(0))


# --- digests -----------------------------------------------------------------------------------------------------
def test_blocks_leave_no_gap_where_numbers_do(connect):
    with FakeMoodle(rows=9, plugin=True, step=333) as sparse:
        reader = connect(url=sparse.url, token=sparse.token, page_size=100)
        blocks = list(reader.blocks())
        assert [(one.first, one.last, one.rows) for one in blocks[:4]] == [
            *((1, 100, 1), (101, 300, 0), (301, 400, 1), (401, 600, 0)),
        ]
        assert sum(one.rows for one in blocks) == 9
        assert list(reader.block(blocks[1])) == []
        sparse.add_row("xs0000001", "JZSG", 1_700_000_000)
        sparse.change_row("xs0000001", "RGZN", grade="61.00")
        assert (
            len(rows_of(reader.block(blocks[0]))) == 1
        )  # changed since its digest was made, which is no contradiction


def test_a_site_that_lost_all_its_rows_has_a_block_that_says_so(connect):
    with FakeMoodle(rows=0, plugin=True) as empty:
        reader = connect(url=empty.url, token=empty.token)
        assert list(reader.blocks()) == [Block(1, 5000, 0, 0)]
        assert list(reader.completions()) == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"blocks": [{"first": 1, "last": 5000, "rows": 0, "marks": 0}]}, errors.Malformed),
        ({"blocks": [{"first": 2, "last": 5001, "rows": 1, "marks": 0}]}, errors.Malformed),
        ({"blocks": [{"first": 1, "last": 5000, "rows": 1, "marks": 1 << 32}]}, errors.Malformed),
        ({"blocks": [{"first": 1, "last": 5000, "rows": 1, "marks": 1.5}]}, errors.Malformed),
        ({"blocks": [{"first": 5001, "last": 10000, "rows": 1, "marks": 1}] * 2}, errors.PageRepeated),
        ({"nextid": 1, "blocks": [{"first": 1, "last": 5000, "rows": 1, "marks": 1}]}, errors.PageRepeated),
        ({"nextid": None}, errors.Malformed),
    ],
)
def test_a_digest_that_contradicts_itself_is_refused(site, connect, changed, error):
    answer = {"servertime": 1_795_593_626, "sequence": 0, "blocks": [], "nextid": 0}
    site.faults.add("wrong_json", function=DIGEST, answer=answer | changed)
    with pytest.raises(error):
        list(connect().blocks())


# --- the log -----------------------------------------------------------------------------------------------------
def gone(pages):
    return {key: number for page in pages for key, number in zip(page.gone, page.gone_serials, strict=True)}


def test_a_key_that_is_another_now_is_gone(site, connect):
    reader = connect()
    before = rows_of(reader.completions())
    site.rename_user("xy00001", "zhao1")
    site.rename_course("AQSC", "AQSC2024")
    pages = list(reader.changes(0))
    rows = rows_of(pages)
    assert {key for key in rows if key.startswith("zhao1|")} >= {"zhao1|AQSC2024", "zhao1|RGZN"}
    lost = gone(pages)
    assert lost == {key: before[key]["serial"] for key in before.keys() - rows_of(reader.completions()).keys()}
    assert "xy00001|AQSC" in lost
    assert "xy00001|AQSC2024" not in lost


def test_two_accounts_that_change_names_lose_no_row(site, connect):
    site.rename_user("xy00001", "aside")
    site.rename_user("xy00002", "xy00001")
    site.rename_user("aside", "xy00002")
    rows, lost = rows_of(connect().changes(0)), gone(connect().changes(0))
    assert lost.keys().isdisjoint(rows)
    assert rows.keys() | lost.keys() >= {"xy00001|AQSC", "xy00002|AQSC"}


def test_a_course_that_was_deleted_takes_its_completions_with_it(site, connect):
    site.delete_course("JZSG")
    pages = list(connect().changes(0))
    assert rows_of(pages) == {}
    assert len(gone(pages)) == 316


def test_who_is_deleted_keeps_the_completion_and_the_number(site, connect):
    number = site.people["xy00002"].sfzh
    site.delete_user("xy00002")
    rows = rows_of(connect().changes(0))
    assert {(one["user"], one["id_number"], one["active"]) for one in rows.values()} == {("xy00002", number, False)}
    assert gone(connect().changes(0)) == {}


def test_an_account_made_anew_under_the_name_of_a_deleted_one_has_the_say(site, connect):
    site.delete_user("xy00002")
    site.add_user("xy00002", "唐", "艳军", sfzh="410311199012048971")
    site.add_row("xy00002", "AQSC", "2025-01-02T03:04")
    row = rows_of(connect().completions())["xy00002|AQSC"]
    assert (row["completed_at"].year, row["active"]) == (2025, True)


def test_a_log_in_small_pages_tells_the_same(site, connect):
    for number in range(1, 8):
        site.suspend_user(f"xy0000{number}")
        connect().look()
    whole, parts = rows_of(connect().changes(0)), list(connect(page_size=3).changes(0))
    assert rows_of(parts) == whole
    assert len(parts) > 5
    assert [page.sequence for page in parts] == sorted({page.sequence for page in parts})


def test_a_log_that_was_cut_says_where_it_begins(site, connect):
    site.delete_course("JZSG")
    reader = connect()
    (page,) = reader.changes(0)
    site.trim_log()
    with pytest.raises(errors.LogCut, match=f"begins at {page.sequence}, behind 1"):
        list(reader.changes(1))
    with pytest.raises(errors.LogCut):
        list(reader.changes(0))
    assert len(gone(reader.changes(page.sequence - 1))) == 1
    assert list(reader.changes(page.sequence)) == []
    site.faults.add("log_cut")
    with pytest.raises(errors.LogCut):
        list(reader.changes(page.sequence))


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"more": True, "changes": []}, errors.Malformed, "tells nothing"),
        ({"changes": [row()]}, errors.Malformed, "not all its parts"),
        ({"changes": [None]}, errors.Malformed, "not all its parts"),
        ({"changes": [row(sequence=1, kind="lost", oldusername="", oldcourseshortname="")]}, errors.Malformed, "form"),
        ({"changes": [row(sequence=n, kind="reset", oldusername="", oldcourseshortname="") for n in (2, 1)]},
         errors.Malformed, "not in order"),
        ({"changes": [row(sequence=1, kind="reset", oldusername="", oldcourseshortname="")]},
         errors.PageRepeated, "changes after 1"),
    ],
)  # fmt: skip
def test_a_log_that_contradicts_itself_is_refused(site, connect, changed, error, words):
    answer = {"servertime": 1_795_593_626, "first": 1, "last": 5, "more": False, "changes": []}
    site.faults.add("wrong_json", function=CHANGES, answer=answer | changed)
    with pytest.raises(error, match=words):
        list(connect().changes(1))


# --- check -------------------------------------------------------------------------------------------------------
def test_check_says_that_the_plugin_is_taken_and_what_it_can(site, connect):
    result = connect().check()
    assert (result.ok, result.route, result.problems) == (True, "plugin", [])
    seen = ("plugin_functions", "plugin_readable", "plugin_digest", "plugin_changes", "clock", "identity_column")
    assert all(result.capabilities[name] for name in (*seen, "completion_time", "course_list"))
    assert not result.capabilities["report_readable"]  # nobody looked
    assert RETRIEVE not in site.calls


@pytest.mark.parametrize("function", [DIGEST, CHANGES])
def test_check_names_what_the_service_lacks_and_the_plugin_is_taken_all_the_same(site, connect, function):
    site.faults.add("missing_function", function=function)
    result = connect().check()
    assert (result.ok, result.route) == (False, "plugin")
    (problem,) = result.problems
    assert (problem.code, f"Add functions: {function}" in problem.fix) == ("E_FUNCTION_MISSING", True)
    assert result.capabilities["plugin_digest"] == (function != DIGEST)


def test_check_says_that_a_plugin_is_there_of_which_the_service_offers_half(site, connect):
    site.faults.add("missing_function", function=COMPLETIONS)
    result = connect().check()
    assert (result.ok, result.route, result.capabilities["report_readable"]) == (False, "report", True)
    assert [COMPLETIONS in one.message for one in result.problems] == [True]


def test_check_names_a_plugin_that_was_wanted_and_is_not_there(site, connect):
    site.faults.add("plugin_removed")
    result = connect(route="plugin").check()
    assert (result.ok, result.route) == (False, "none")
    assert {one.code for one in result.problems} == {"E_FUNCTION_MISSING"}


def test_check_names_the_right_that_is_missing(site, connect):
    site.faults.add("error", function=COMPLETIONS, errorcode="nopermissions")
    result = connect().check()
    assert (result.ok, result.route) == (False, "none")
    (problem,) = result.problems
    assert (problem.code, "allow local/xueshi:read" in problem.fix) == ("E_CAPABILITY_MISSING", True)


def test_check_names_the_setting_that_is_missing_and_where_to_click(site, connect):
    site.faults.add("identity_unset")
    result = connect().check()
    assert (result.ok, result.route, result.capabilities["identity_column"]) == (False, "plugin", False)
    (problem,) = result.problems
    assert problem.code == "E_IDENTITY_FIELD"
    assert "Local plugins" in problem.fix
    assert result.capabilities["plugin_changes"]


def test_check_notices_a_clock_that_is_wrong(site, connect):
    said(site, *GOOD, servertime=1_600_000_000)
    result = connect().check()
    assert ([one.code for one in result.problems], result.capabilities["clock"]) == (["E_CLOCK"], False)
