"""The route by report, on the fake Moodle over real sockets: everything comes once, or the reason is named."""

from datetime import UTC, datetime

import pytest

from connectors import errors
from connectors.moodle.client import RESET_FILTERS, RETRIEVE, SET_FILTERS
from connectors.moodle.totals import agrees
from connectors.testing.fake_moodle import FakeMoodle

EVERYTHING = 3764
BULK = int(datetime(2026, 11, 23, 20, 31, tzinfo=UTC).timestamp())  # 21 rows of the recorded site in one minute


def pulled(moodle):
    pages = list(moodle.completions())
    return pages, [one for page in pages for one in page.completions]


# --- everything --------------------------------------------------------------------------------------------------
def test_the_whole_recorded_site_comes_in_one_answer_and_the_filter_is_taken_back(site, connect):
    pages, rows = pulled(connect())
    assert len(rows) == len({one["key"] for one in rows}) == EVERYTHING
    assert {page.total for page in pages} == {EVERYTHING}
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]  # a few rows at a time
    assert not any(page.rejected for page in pages)
    assert site.filters == {}
    assert site.calls[-1] == RESET_FILTERS


@pytest.mark.parametrize("page_size", [1000, 300, 25])
def test_windows_of_any_size_bring_the_same_rows(site, connect, page_size):
    _, at_once = pulled(connect())
    moodle = connect(page_size=page_size)
    pages, rows = pulled(moodle)
    assert sorted(rows, key=lambda one: one["key"]) == sorted(at_once, key=lambda one: one["key"])
    assert all(len(page.completions) <= page_size for page in pages)
    assert site.filters == {}
    assert moodle.calls < 3 * EVERYTHING / page_size + 150


def test_a_minute_with_more_rows_than_a_page_is_read_page_by_page(connect):
    pages, rows = pulled(connect(page_size=10, since="2026-11-01"))
    assert len(rows) == len({one["key"] for one in rows}) == 21
    assert [len(page.completions) for page in pages] == [10, 10, 1]
    assert {one["completed_at"].timestamp() for one in rows} == {BULK}


def test_rows_of_suspended_people_and_enrolments_stay_and_say_so(connect):
    _, rows = pulled(connect())
    assert sum(not one["active"] for one in rows) == 45


def test_names_and_identity_numbers_come_as_the_site_has_them(connect):
    _, rows = pulled(connect())
    by_user = {one["user"]: one for one in rows}
    assert by_user["xy00007"]["name"] == "欧阳𠮷"
    assert by_user["xy00008"]["name"] == "买买提 阿卜杜拉·艾合买提"
    assert by_user["xy00005"]["id_number"] == " 411002197611056639"
    assert by_user["xy00001"]["id_number"] == ""
    assert {one["course_name"] for one in rows if one["course"] == "YFGL"} == {'研发管理 R&D  "案例" \'24'}


def test_the_filter_is_set_before_every_read_and_times_are_asked_for_in_utc(site, connect):
    pulled(connect(page_size=500))
    reads = [place for place, name in enumerate(site.calls) if name == RETRIEVE]
    assert all(site.calls[place - 1] == SET_FILTERS for place in reads)
    assert {site.questions[place].params["moodlewssettingtimezone"] for place in reads} == {"UTC"}
    assert site.calls.index(RESET_FILTERS) < reads[0]


def test_rows_dated_in_the_far_past_and_future_come_too(site, connect):
    site.change_row("xy00001", "AQSC", time="1995-06-01T08:00")
    site.change_row("xy00001", "RGZN", time="2089-06-01T08:00")
    site.change_row("xy00600", "STWM", time="2024-12-31T23:59:59")
    site.change_row("xy00600", "SZJS", time="2025-01-01T00:00:00")
    _, rows = pulled(connect(page_size=400))
    assert len({one["key"] for one in rows}) == len(rows) == EVERYTHING
    assert {1995, 2089} <= {one["completed_at"].year for one in rows}


def test_since_is_a_day_in_china(site, connect):
    site.change_row("xy00001", "AQSC", time="2026-11-30T15:59")  # 23:59 in China
    site.change_row("xy00600", "STWM", time="2026-11-30T16:00")
    _, rows = pulled(connect(since="2026-12-01"))
    assert [one["user"] for one in rows] == ["xy00600"]


def test_an_empty_report_is_no_pages_and_no_error(connect):
    assert pulled(connect(since="2090-01-01")) == ([], [])


def test_a_synthetic_site_comes_whole(connect):
    with FakeMoodle(rows=12_000) as large:
        pages, rows = pulled(connect(url=large.url, token=large.token))
    assert len({one["key"] for one in rows}) == len(rows) == 12_000
    assert max(len(page.completions) for page in pages) <= 5_000


# --- which report, which column ----------------------------------------------------------------------------------
def test_the_only_report_is_found_by_itself_and_a_named_one_is_not_looked_for(site, connect):
    pulled(connect())
    assert site.calls.count("core_reportbuilder_list_reports") == 1
    pulled(connect(report_id=1))
    assert site.calls.count("core_reportbuilder_list_reports") == 1


def test_a_report_that_is_not_there_is_named(site, connect):
    with pytest.raises(errors.ReportMissing, match="no report 7"):
        pulled(connect(report_id=7))


def test_a_named_report_is_not_replaced_by_the_slow_route_when_it_is_gone(site, connect):
    site.faults.add("error", errorcode="errorreportview", function=RETRIEVE)
    with pytest.raises(errors.ReportMissing):
        pulled(connect(report_id=1))
    assert "core_enrol_get_enrolled_users" not in site.calls


@pytest.mark.parametrize("field", ["身份证号", "sfzh", "SFZH"])
def test_the_identity_column_is_found_by_heading_and_by_the_profile_fields_short_name(connect, field):
    _, rows = pulled(connect(identity_field=field))
    assert sum(bool(one["id_number"]) for one in rows) == EVERYTHING - 97


def test_the_accounts_own_id_number_is_taken_only_when_asked_for(connect):
    _, rows = pulled(connect(identity_field="idnumber"))
    assert {one["id_number"][:2] for one in rows} == {"GH", ""}


def test_an_identity_column_that_vanished_is_named_with_the_right_that_brings_it_back(site, connect):
    site.faults.add("identity_hidden")
    with pytest.raises(errors.ColumnMissing, match="身份证号") as error:
        pulled(connect())
    assert "moodle/user:viewalldetails" in error.value.how_to_fix


def test_an_identity_field_that_nobody_has_is_named(connect):
    with pytest.raises(errors.ColumnMissing, match=r"«huzhao» .identity number"):
        pulled(connect(identity_field="huzhao"))


def test_a_renamed_heading_is_missed_by_name_and_found_by_option(site, connect):
    site.faults.add("column_renamed")
    with pytest.raises(errors.ColumnMissing, match=r"Time completed.*Completion date"):
        pulled(connect())
    assert len(pulled(connect(column__time="Completion date"))[1]) == EVERYTHING


def test_a_column_that_vanishes_in_the_middle_of_a_run_stops_it(site, connect):
    site.faults.add("column_missing", column="Course short name", after=5)
    with pytest.raises(errors.ColumnMissing, match="Course short name"):
        pulled(connect(page_size=300))
    assert site.filters == {}


# --- answers that contradict themselves --------------------------------------------------------------------------
def test_a_filter_that_is_ignored_is_noticed_by_the_first_row_outside(site, connect):
    site.faults.add("filter_ignored")
    with pytest.raises(errors.FilterIgnored, match=r"Add the filter|asked for .* and answered a row dated"):
        pulled(connect(since="2024-12-01"))
    moodle = connect(page_size=500)
    with pytest.raises(errors.FilterIgnored):
        pulled(moodle)
    assert moodle.calls < 20


def test_a_filter_that_another_program_changed_is_set_again(site, connect):
    fault = site.faults.add("filter_ignored", after=8, times=2)
    _, rows = pulled(connect(page_size=1000))
    assert fault.hits == 2
    assert len({one["key"] for one in rows}) == len(rows) == EVERYTHING


def test_a_foreign_filter_within_our_window_shows_in_the_sum(site, connect):
    """Fewer rows than there are, all of them within the window: only the whole tells."""
    moodle = connect()
    report, narrow = moodle._report, {"completion:timecompleted_operator": 3, "completion:timecompleted_from": BULK}
    original = report._read

    def raced(*args):
        ask = moodle._client.call

        def call(function, **params):
            if function == RETRIEVE:
                site.filters = narrow
            return ask(function, **params)

        moodle._client.call = call
        try:
            return original(*args)
        finally:
            moodle._client.call = ask

    report._read = raced
    with pytest.raises(errors.TotalsDiffer, match=r"3764 rows.*gave 21"):
        pulled(moodle)


def test_a_repeated_page_is_noticed(site, connect):
    site.faults.add("page_repeated")
    with pytest.raises(errors.PageRepeated, match="page 2 of"):
        pulled(connect(page_size=10, since="2026-11-01"))


def test_the_answer_of_the_window_before_is_a_repetition_and_no_missing_filter(site, connect):
    moodle = connect(page_size=1000)
    ask, kept = moodle._client.call, []

    def cached(function, **params):
        answer = ask(function, **params)
        if function == RETRIEVE and params["perpage"] == 1000:
            kept.append(answer)
            full = [one for one in kept if 0 < one["data"]["totalrowcount"] <= 1000]
            return full[0] if full else answer
        return answer

    moodle._client.call = cached
    with pytest.raises(errors.PageRepeated):
        pulled(moodle)


def test_totals_that_lie_are_noticed(site, connect):
    site.faults.add("totals_lie")
    with pytest.raises(errors.TotalsDiffer, match=r"3765 rows .* gave 3764") as error:
        pulled(connect())
    assert error.value.retry


@pytest.mark.parametrize(
    ("got", "first", "last", "fits"),
    [
        (10, 10, 10, True),
        (9, 10, 10, False),
        (12, 10, 12, True),
        (13, 10, 12, True),
        (7, 10, 12, False),
        (9, 10, 9, True),
    ],
)
def test_the_sum_may_move_only_as_far_as_the_site_moved(got, first, last, fits):
    assert agrees(got, first, last) is fits


def test_people_who_complete_while_we_read_do_not_stop_us(site, connect):
    pages = connect(page_size=1000).completions()
    first = next(pages)
    site.unenrol("xy00600", "STWM")
    site.add_row("xy00001", "SZJS", "2026-11-23T20:40")
    site.add_row("xy00001", "ZSCQ", "2026-11-23T20:41")
    rest = [one for page in pages for one in page.completions]
    assert len(first.completions) + len(rest) in range(EVERYTHING, EVERYTHING + 3)


def test_a_malformed_row_and_an_unreadable_time_are_rejected_alone(site, connect):
    site.faults.add("malformed_row", row=3)
    site.faults.add("bad_time", row=5, text="昨天")
    pages, rows = pulled(connect(page_size=5000))
    assert len(rows) == EVERYTHING - 2
    assert sorted((one.code, one.value) for page in pages for one in page.rejected) == [
        ("E_DATE_INVALID", "昨天"),
        ("E_ROW_MALFORMED", "12 cells"),
    ]


@pytest.mark.parametrize(
    "answer", [{"unexpected": True}, [], {"data": {"headers": [], "rows": [1], "totalrowcount": 1}}]
)
def test_an_answer_of_another_form_is_malformed(site, connect, answer):
    site.faults.add("wrong_json", function=RETRIEVE, answer=answer)
    with pytest.raises(errors.Malformed):
        pulled(connect())


# --- giving back -------------------------------------------------------------------------------------------------
def test_the_filter_is_taken_back_after_a_failure_and_after_a_pull_that_was_broken_off(site, connect):
    site.faults.add("html", function=RETRIEVE, after=3)
    with pytest.raises(errors.NotJson):
        pulled(connect(page_size=500))
    assert site.filters == {}
    site.clear_faults()
    moodle = connect(page_size=500)
    pages = moodle.completions()
    next(pages)
    assert site.filters
    moodle.close()
    assert site.filters == {}
    pages.close()


def test_a_site_that_dies_in_the_middle_is_named_and_not_insisted_upon(site, connect):
    moodle = connect(page_size=500)
    pages = moodle.completions()
    next(pages)
    site.faults.add("reset")
    with pytest.raises(errors.Unreachable):
        list(pages)
    before = moodle.calls
    moodle.close()
    assert moodle.calls == before
