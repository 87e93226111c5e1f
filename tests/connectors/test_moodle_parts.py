"""Times, windows, columns and rows of a Moodle report: the parts that need no Moodle."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.moodle.columns import find, locate
from connectors.moodle.courses import _local_date, in_chinese
from connectors.moodle.names import person_name
from connectors.moodle.rows import read_rows
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.records import Completions
from connectors.testing._report import _MINUTES, _day_text

HEADERS = [
    *("Username", "ID number", "身份证号", "Last name", "First name", "Course ID number", "Course short name"),
    *("Course full name", "Category name", "Completed", "Time completed", "Grade", "Status"),
]
COLUMNS = locate(HEADERS, {}, "身份证号")
EVER = Window()
WHEN = "Monday, 23 September 2024, 2:21 AM"


def row(**cells):
    """A row of the report; ``cells`` by heading, blanks for underscores."""
    good = {
        "Username": "xy00001", "ID number": "GH1", "身份证号": "410311199012048971",
        "Last name": "宋", "First name": "垚磊", "Course ID number": "", "Course short name": "AQSC",
        "Course full name": "安全生产法规", "Category name": "公需科目",
        "Completed": "Yes", "Time completed": WHEN, "Grade": "93.00", "Status": "Active",
    }  # fmt: skip
    return {"columns": list((good | {name.replace("_", " "): cell for name, cell in cells.items()}).values())}


def read(*rows, window=EVER, columns=COLUMNS):
    return read_rows(list(rows), columns, ReportTimes(), window)


# --- times -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "when"),
    [
        (WHEN, "2024-09-23T02:21"),
        ("Sunday, 1 December 2024, 12:05 AM", "2024-12-01T00:05"),
        ("Sunday, 1 December 2024, 12:05 PM", "2024-12-01T12:05"),
        ("Monday, September 23, 2024, 2:21 PM", "2024-09-23T14:21"),
        ("23 Sep 2024, 14:21", "2024-09-23T14:21"),
        ("Monday, 23 September 2024, 2:21\u202fPM", "2024-09-23T14:21"),
        ("2024年9月23日 星期一 02:21", "2024-09-23T02:21"),
        ("2024年09月23日 星期一 14:21", "2024-09-23T14:21"),
        ("2024年9月23日 星期一 下午 2:21", "2024-09-23T14:21"),
        ("2024年9月23日 14:21", "2024-09-23T14:21"),
    ],
)
def test_times_are_read_in_english_and_in_chinese(text, when):
    seconds = ReportTimes().epoch(text)
    assert datetime.fromtimestamp(seconds, UTC) == datetime.fromisoformat(when).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "Never", "yesterday", "Monday, 31 September 2024, 2:21 AM", "Monday, 23 September 2024"),
        *("Monday, 23 September 2024, 13:21 PM", "Monday, 23 September 2024, 2:61 AM", "1727058060", "2024-09-23"),
        *("lundi 23 septembre 2024, 02:21", "Monday, 23 Ma 2024, 2:21 AM", "Monday, 23 September 2024, 24:00"),
    ],
)
def test_what_is_no_time_is_none_and_never_guessed(text):
    assert ReportTimes().epoch(text) is None


@given(st.integers(0, 60 * 24 * 365 * 200))
def test_every_minute_that_moodle_prints_is_read_back(minute):
    """The fake prints as Moodle does; the second reading goes by the kept days and clocks."""
    text = _day_text(minute // 1440) + _MINUTES[minute % 1440]
    times = ReportTimes()
    assert (times.epoch(text), times.epoch(text)) == (minute * 60, minute * 60)


# --- windows -----------------------------------------------------------------------------------------------------
@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(2, 10**7), st.integers(1, 10**4))
def test_a_cut_window_is_covered_without_gap_and_without_overlap(start, minutes, rows, page_size):
    window = Window(start * 60, (start + minutes + 1) * 60)
    parts = window.cut(rows, page_size)
    assert len(parts) > 1
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(one.end == following.start for one, following in pairwise(parts))
    assert all(one.end > one.start and (one.end - one.start) % 60 == 0 for one in parts)


@given(st.integers(0, 10**9))
def test_cutting_ends_at_single_minutes_also_without_an_end(start):
    window, cuts = Window(start * 60), 0
    while window.divisible and (window.end is not None or window.start < 10**12):
        window = window.cut(10**9, 1)[-1]
        cuts += 1
    assert cuts < 100


def test_without_an_end_the_past_and_the_future_are_in():
    parts = Window().cut(10_000, 5_000)
    assert parts[0].start == 0
    assert parts[-1].end is None
    assert parts[-1].start > datetime.now(UTC).timestamp()


def test_the_filter_asks_up_to_the_next_minute_because_moodles_differ_at_the_end():
    assert Window(0, 120).filter_values == {
        "completion:timecompleted_operator": 3,
        "completion:timecompleted_from": 1,
        "completion:timecompleted_to": 120,
    }
    assert Window(60).filter_values["completion:timecompleted_to"] == 0


def test_a_window_is_told_in_words():
    assert str(Window()) == "the beginning to the end"
    assert str(Window(1704067200, 1735689600)) == "2024-01-01 00:00 UTC to 2025-01-01 00:00 UTC"
    assert "second 99999999999999" in str(Window(99999999999999))


# --- columns -----------------------------------------------------------------------------------------------------
def test_columns_are_found_by_heading_in_english_and_chinese_in_any_order():
    chinese = ["完成时间", "用户名", "课程简称", "名", "姓", "公民身份号码"]
    columns = locate(chinese, {}, "公民身份号码")
    assert (columns.time, columns.username, columns.course, columns.firstname, columns.lastname) == (0, 1, 2, 3, 4)
    assert (columns.identity, columns.grade, columns.status, columns.coursename) == (5, -1, -1, -1)


@pytest.mark.parametrize("name", ["Username", "Last name", "First name", "Course short name", "Time completed"])
def test_a_missing_column_is_named_with_those_that_are_there(name):
    with pytest.raises(errors.ColumnMissing, match=f"«{name}.*it has: .*Grade"):
        locate([one for one in HEADERS if one != name], {}, "身份证号")


def test_a_renamed_column_is_found_by_its_option_and_missed_by_it():
    headers = ["结业日期" if one == "Time completed" else one for one in HEADERS]
    assert locate(headers, {"time": "结业日期"}, "身份证号").time == 10
    with pytest.raises(errors.ColumnMissing, match="«结业日»") as error:
        locate(headers, {"time": "结业日"}, "身份证号")
    assert "column.time=" in error.value.how_to_fix


def test_two_columns_of_one_name_are_not_guessed_between():
    with pytest.raises(errors.Malformed, match="two columns"):
        find(["Status", "status "], ("Status",))


def test_equal_headings_that_nobody_needs_keep_both_cells_in_the_raw_row():
    columns = locate([*HEADERS, "Category name"], {}, "身份证号")
    (one,) = read({"columns": [*row()["columns"], "二"]}, columns=columns).completions
    raw = dict(zip(columns.titles, one["raw"], strict=True))
    assert (raw["Category name"], raw["Category name (14)"]) == ("公需科目", "二")


# --- names -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("last", "first", "name"),
    [
        ("宋", "垚磊", "宋垚磊"),
        ("欧阳", "𠮷", "欧阳𠮷"),
        ("买买提", "阿卜杜拉·艾合买提", "买买提 阿卜杜拉·艾合买提"),
        ("Smith", "Anna", "Smith Anna"),
        ("王", "Anna", "王 Anna"),
        ("Nguyễn", "Thị", "Nguyễn Thị"),
        ("Ырысбек", "уулу", "Ырысбек уулу"),
        ("王", "\ue863", "王\ue863"),
        ("", "阿依努尔", "阿依努尔"),
        ("李", " ", "李"),
    ],
)
def test_names_are_family_first_without_invented_characters(last, first, name):
    assert person_name(last, first) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            '<span lang="zh_cn" class="multilang">网络安全</span><span lang="en" class="multilang">Security</span>',
            "网络安全",
        ),
        ("{mlang en}Security{mlang}{mlang zh_cn}网络安全{mlang}", "网络安全"),
        ('<span lang="en" class="multilang">Security</span><span lang="fr">Sécurité</span>', "Security"),
        ('研发管理 R&D <进阶> "案例" \'24', '研发管理 R&D <进阶> "案例" \'24'),
    ],
)
def test_of_a_name_in_several_languages_the_chinese_one_is_taken(name, shown):
    assert in_chinese(name) == shown


# --- rows --------------------------------------------------------------------------------------------------------
def test_a_row_becomes_a_completion_with_its_raw_cells():
    (one,) = read(row()).completions
    assert one["key"] == "xy00001|AQSC"
    assert one["name"] == "宋垚磊"
    assert one["id_number"] == "410311199012048971"
    assert one["completed_at"] == datetime(2024, 9, 23, 2, 21, tzinfo=UTC)
    assert (one["precision"], one["grade"], one["hours"], one["passed"], one["active"]) == (
        "minute",
        "93.00",
        None,
        True,
        True,
    )
    assert one["raw"] == row()["columns"]


def test_entities_are_unescaped_in_what_is_read_and_kept_in_what_came():
    batch = read(
        row(Course_short_name="R&amp;D", Course_full_name="R&D &lt;进阶&gt;", Last_name="O&#39;Neil", First_name="A")
    )
    (one,) = batch.completions
    assert (one["key"], one["course"], one["course_name"]) == ("xy00001|R&D", "R&D", "R&D <进阶>")
    assert one["name"] == "O'Neil A"
    assert one["raw"][HEADERS.index("Course short name")] == "R&amp;D"


def test_an_identity_number_comes_untouched():
    assert read(row(身份证号=" 41070219940606085x")).completions[0]["id_number"] == " 41070219940606085x"


@pytest.mark.parametrize(("status", "active"), [("Active", True), ("Suspended", False), ("暂停", False), ("", True)])
def test_a_suspended_enrolment_is_a_completion_all_the_same(status, active):
    assert read(row(Status=status)).completions[0]["active"] is active


def test_someone_enrolled_twice_is_one_completion_and_active_if_either_is():
    batch = read(row(Status="Suspended"), row(Status="Active"))
    assert [one["active"] for one in batch.completions] == [True]
    assert batch.counted == 2


@pytest.mark.parametrize(
    ("bad", "code", "field", "value"),
    [
        (row(Time_completed="yesterday"), "E_DATE_INVALID", "Time completed", "yesterday"),
        (row(Time_completed=""), "E_DATE_INVALID", "Time completed", ""),
        (row(Username=""), "E_ROW_MALFORMED", "Username", ""),
        (row(Course_short_name=""), "E_ROW_MALFORMED", "Course short name", ""),
        (row(Grade=12), "E_ROW_MALFORMED", "Grade", "no text but int"),
        (row(Time_completed=None), "E_ROW_MALFORMED", "Time completed", "no text but NoneType"),
        (row(Last_name=None), "E_ROW_MALFORMED", "Last name", "no text but NoneType"),
        (
            row(Course_full_name="长" * 501),
            "E_ROW_MALFORMED",
            "course_name",
            "String should have at most 500 characters",
        ),
        ({"columns": ["xy00001", "AQSC"]}, "E_ROW_MALFORMED", "", "2 cells"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_what_it_said(bad, code, field, value):
    batch = read(row(Username="before"), bad, row(Username="after"))
    assert [one["user"] for one in batch.completions] == ["before", "after"]
    (rejected,) = batch.rejected
    assert (rejected.code, rejected.field, rejected.value) == (code, field, value)
    assert bad["columns"] in (list(rejected.raw.values()), rejected.raw.get("columns"))
    assert batch.counted == 3


SAID = ["", "R&amp;D", "&#39;", "长" * 501, "王", None, 12]
CELLS = st.text(max_size=12) | st.sampled_from(SAID)
EDGE = "Monday, 23 September 2024, 2:22 AM"
TIMES = st.sampled_from([WHEN, EDGE, "2024年9月23日 星期一 02:21", "yesterday", "", None])


@given(
    st.lists(
        st.one_of(
            st.builds(row, Username=CELLS, Last_name=CELLS, Course_full_name=CELLS,
                      身份证号=CELLS, Time_completed=TIMES, Category_name=CELLS, Grade=CELLS),
            st.builds(lambda cells: {"columns": cells}, st.lists(st.text(max_size=3), max_size=14)),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_a_page_is_read_as_each_of_its_rows_alone(rows):
    minute = int(datetime(2024, 9, 23, 2, 21, tzinfo=UTC).timestamp())
    window = Window(minute, minute + 60)  # 2:22 is its far edge
    rows = [row(), *rows]
    together = read(*rows, window=window)
    alone = [read(one, window=window) for one in rows]
    by_key = {one["key"]: one for each in reversed(alone) for one in each.completions}  # the first of each key
    assert {one["key"]: one for one in together.completions} == by_key
    assert together.counted == sum(each.counted for each in alone)
    said = [(one.code, one.field, one.value, one.raw) for one in together.rejected]
    assert said == [(one.code, one.field, one.value, one.raw) for each in alone for one in each.rejected]
    Completions.validate_python(list(together.completions), strict=True)


def test_the_far_edge_of_a_window_is_left_out_of_a_good_page():
    minute = int(datetime(2024, 9, 23, 2, 21, tzinfo=UTC).timestamp())
    later = row(Username="later", Time_completed=EDGE)
    batch = read(row(), later, row(Username="b"), window=Window(minute, minute + 60))
    assert ([one["user"] for one in batch.completions], batch.counted) == (["xy00001", "b"], 2)


def test_no_rejected_row_shows_an_identity_number():
    bad = [row(Username=""), {"columns": ["410311199012048971"]}, row(身份证号="410311199012048971" * 30)]
    for one in read(row(), *bad).rejected:
        assert "4103111990" not in one.value + one.place + one.key


def test_a_page_without_one_readable_time_fails_as_a_whole():
    with pytest.raises(errors.TimesUnreadable, match="lundi"):
        read(row(Time_completed="lundi 23"), row(Username="b", Time_completed="lundi 23"))


def test_a_row_outside_its_window_means_that_the_filter_is_not_in_force():
    minute = int(datetime(2024, 9, 23, 2, 21, tzinfo=UTC).timestamp())
    assert read(row(), window=Window(minute, minute + 60)).counted == 1
    for window in (Window(minute + 60, minute + 120), Window(minute - 120, minute - 60)):
        with pytest.raises(errors.FilterIgnored, match="2:21 AM"):
            read(row(), window=window)


def test_a_row_on_the_far_edge_is_left_to_the_next_window():
    minute = int(datetime(2024, 9, 23, 2, 21, tzinfo=UTC).timestamp())
    batch = read(row(), window=Window(minute - 600, minute))
    assert (list(batch.completions), batch.rejected, batch.counted) == ([], [], 0)


def test_the_start_of_a_course_is_a_day_in_china():
    assert _local_date(1704038400) == date(2024, 1, 1)
    assert _local_date(0) is None
    assert _local_date(1704038400 - 1) == date(2024, 1, 1) - timedelta(days=1)
