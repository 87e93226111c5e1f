"""Lists: finding the headings, telling people from totals, and keys that stay."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base import kinds, load
from connectors.errors import HeaderMissing
from connectors.records import Rejected
from connectors.roster import RosterConnector
from connectors.roster.errors import HeaderTwice, SheetUnread
from tests.connectors.roster_files import ANNA, BO, HEAD, connector, csv, only, read, xlsx


def names(path, **options):
    return [row["name"] for row in read(path, **options)[0]]


def test_it_is_found_as_a_kind():
    assert "roster" in kinds()
    assert load("roster") is RosterConnector


# --- headings -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "head",
    [
        "姓名,身份证号,完成日期",
        "姓  名,身份证号码,结业时间",
        "*姓名（必填）,* 公民身份号码,结束日期(年-月-日)",
        "学员姓名,证件号,完成时间",
        "Name,ID number,Completion date",
        "NAME,ID_Number,Completed on",
        "ｎａｍｅ,Ｉｄ ｎｏ.,Ｅｎｄ　ｄａｔｅ",
        "\u200b姓名,证件号码,培训时间",
        '"姓\n名","身份证\n号码",通过时间',
    ],
)
def test_headings_are_known_by_many_names(tmp_path, head):
    assert names(csv(tmp_path / "r.csv", f"{head}\n赵安娜,37040419660809055X,2024-06-05\n")) == ["赵安娜"]


@pytest.mark.parametrize("above", [0, 1, 5, 29])
def test_headings_are_found_beneath_titles_and_blank_lines(tmp_path, above):
    rows = [["培训班学员名册"], [], ["举办单位：某校", "时间：2024年6月3日—6月5日"]] * 10
    row = only(xlsx(tmp_path / "r.xlsx", [*rows[:above], HEAD, ANNA]))
    assert row["place"] == f"Sheet1!第{above + 2}行"


def test_a_list_that_begins_in_the_middle_of_a_sheet_has_its_true_cells(tmp_path):
    row = only(xlsx(tmp_path / "r.xlsx", [[], [], *([None, None, *line] for line in (HEAD, [*ANNA[:3], "许多"]))]))
    assert (row.place, row.code) == ("Sheet1!F4", "E_HOURS_INVALID")


def test_headings_of_two_rows_are_taken_together(tmp_path):
    head = [["姓名", "身份证号", "培训时间", "", "学时"], ["", "", "开始", "结束", ""]]
    row = only(xlsx(tmp_path / "r.xlsx", [*head, [*ANNA[:2], "2024-06-03", *ANNA[2:]]]))
    assert row["started_on"] == date(2024, 6, 3)
    assert row["raw"]["结束"] == "2024-06-05"


def test_every_sheet_with_headings_is_read(tmp_path):
    path = xlsx(
        tmp_path / "r.xlsx", [HEAD, ANNA], [["说明"], ["无"]], [["题目"], HEAD, BO], names=["一班", "说明", "二班"]
    )
    completions, _ = read(path)
    assert [(row["name"], row["place"]) for row in completions] == [("赵安娜", "一班!第2行"), ("钱波", "二班!第3行")]


def test_a_sheet_of_people_without_headings_is_not_lost_in_silence(tmp_path):
    path = xlsx(tmp_path / "r.xlsx", [HEAD, ANNA], [BO], names=["一班", "续"])
    with pytest.raises(SheetUnread, match="续!B1"):
        read(path)


def test_lists_side_by_side_are_not_half_read(tmp_path):
    with pytest.raises(HeaderTwice, match="姓名"):
        read(xlsx(tmp_path / "r.xlsx", [HEAD[:3] + HEAD[:3], ANNA[:3] + BO[:3]]))


@pytest.mark.parametrize(
    ("text", "lacks"),
    [("姓名,完成日期\n赵,2024-06-05\n", "身份证号"), ("身份证号,完成日期\n1,2024-06-05\n", "姓名"),
     ("姓名,身份证号\n赵,1\n", "完成日期"), ("a,b\n1,2\n", "姓名、身份证号")],
)  # fmt: skip
def test_a_heading_that_is_needed_and_lacks_is_named(tmp_path, text, lacks):
    path = csv(tmp_path / "r.csv", text)
    with pytest.raises(HeaderMissing, match=lacks):
        read(path)
    (problem,) = connector(path).check().problems
    assert (problem.code, lacks in problem.message) == ("E_HEADER_MISSING", True)


def test_of_two_dates_the_one_of_completion_counts(tmp_path):
    head = ["姓名", "身份证号", "开始日期", "结束日期", "结业日期"]
    row = only(xlsx(tmp_path / "r.xlsx", [head, [*ANNA[:2], "2024-06-03", "2024-06-05", "2024-06-20"]]))
    assert row["completed_at"].date() == date(2024, 6, 20)


# --- rows -----------------------------------------------------------------------------------------------------------
FOOTERS = [
    ["合计", "2人", "", "48"],
    ["总计：2人", "", "", "48"],
    ["", "合  计", "2024-06-05", "48"],
    ["经办人：", "李四", "2024-06-06", ""],
    ["经办人：李四", "审核人：王五", "2024年6月6日", ""],
    ["审核", "", "", ""],
    ["制表人", "李四", "", ""],
    ["备注：补考三人", "", "", ""],
    ["注：以上人员均已缴费", "", "", ""],
    ["单位（盖章）", "", "2024年6月6日", ""],
    ["", "2024年6月6日", "", ""],
    ["联系电话", "13800000000", "", ""],
    ["以下空白", "", "", ""],
    HEAD,
    [" ", "\u3000", "", ""],
]


@pytest.mark.parametrize("footer", FOOTERS)
def test_totals_signatures_and_repeated_headings_are_nobody(tmp_path, footer):
    completions, rejected = read(xlsx(tmp_path / "r.xlsx", [HEAD, ANNA, [], footer, BO]))
    assert ([row["name"] for row in completions], rejected) == (["赵安娜", "钱波"], [])


@pytest.mark.parametrize(
    "row",
    [["孙某", "", "2024-06-05", "8"], ["", "37040419660809055X", "2024-06-05", "8"], ["孙某", "无", "", ""],
     ["孙某2", "", "2024-06-05", "8"], ["", "370404********055X", "2024-06-05", "8"],
     ["总务", "370404196608090551", "", ""],
     ["审核科", "370402197512098161", "2024-06-05", "8"]],
)  # fmt: skip
def test_whoever_lacks_something_is_somebody(tmp_path, row):
    completions, _ = read(xlsx(tmp_path / "r.xlsx", [HEAD, ANNA, row]), date="2024-06-05")
    assert len(completions) == 2


def test_a_row_with_everything_but_a_person_is_refused(tmp_path):
    row = only(xlsx(tmp_path / "r.xlsx", [[*HEAD, "工作单位"], ["", "", "2024-06-05", "24", "某公司"]]))
    assert (row.code, row.place, row.field) == ("E_ROW_MALFORMED", "Sheet1!A2", "姓名")


@pytest.mark.parametrize(
    ("row", "code", "place", "field"),
    [
        ([*ANNA[:2], "2024-02-30", "24"], "E_DATE_INVALID", "Sheet1!C2", "完成日期"),
        ([*ANNA[:2], "", "24"], "E_DATE_INVALID", "Sheet1!C2", "完成日期"),
        ([*ANNA[:3], "三天"], "E_HOURS_INVALID", "Sheet1!D2", "学时"),
        ([ANNA[0], 3.70404196608091e17, *ANNA[2:]], "E_ID_PRECISION_LOST", "Sheet1!B2", "身份证号"),
        ([ANNA[0], "3.70404E+17", *ANNA[2:]], "E_ID_PRECISION_LOST", "Sheet1!B2", "身份证号"),
    ],
)
def test_a_refused_row_names_its_cell(tmp_path, row, code, place, field):
    found = only(xlsx(tmp_path / "r.xlsx", [HEAD, row]))
    assert (found.code, found.place, found.field) == (code, place, field)
    assert "19660809" not in found.value


def test_a_tail_of_noughts_is_believed_only_in_a_file_that_has_no_ruined_ones(tmp_path):
    right, ruined = "370405199106263000", "370402199106268000"
    path = csv(tmp_path / "r.csv", f"姓名,身份证号,完成日期\n赵,{right},2024-06-05\n")
    assert only(path)["id_number"] == right
    csv(path, f"姓名,身份证号,完成日期\n赵,{right},2024-06-05\n钱,{ruined},2024-06-05\n孙,{ANNA[1]},2024-06-05\n")
    completions, rejected = read(path)
    assert [row["name"] for row in completions] == ["孙"]
    assert [row.code for row in rejected] == ["E_ID_PRECISION_LOST"] * 2


def test_options_fill_what_the_file_leaves_out(tmp_path):
    path = csv(tmp_path / "r.csv", "姓名,身份证号,课程编号\n赵安娜,37040419660809055X,\n钱波,370402197512098161,B-2\n")
    options = {"course": "A-1", "course_name": "甲", "filing_number": "备1", "date": "2024年6月5日", "hours": "二十四"}
    completions, _ = read(path, **options)
    assert [row["course"] for row in completions] == ["A-1", "B-2"]
    assert {(row["course_name"], row["filing_number"], row["hours"]) for row in completions} == {("甲", "备1", 2400)}
    assert {row["completed_at"].isoformat() for row in completions} == {"2024-06-05T00:00:00+08:00"}
    assert [course.code for course in connector(path, **options).courses()] == ["A-1", "B-2"]


def test_minutes_in_a_column_of_minutes_stay_minutes(tmp_path):
    for title in ("学时（分钟）", "学习分钟数", "Minutes"):
        row = only(csv(tmp_path / "r.csv", f"姓名,身份证号,完成日期,{title}\n赵,{ANNA[1]},2024-06-05,2700\n"))
        assert (row["hours"], row["minutes"]) == (None, 2700)


# --- results --------------------------------------------------------------------------------------------------------
def results(path, *cells, head="考核结果"):
    people = "".join(f"赵{'甲乙丙丁'[at]},37040419660809055X,2024-06-05,{cell}\n" for at, cell in enumerate(cells))
    completions, rejected = read(csv(path / "r.csv", f"姓名,身份证号,完成日期,{head}\n{people}"))
    return [row["passed"] for row in completions], [row.code for row in rejected]


def test_who_failed_lands_as_failed(tmp_path):
    assert results(tmp_path, "合格", "不合格", "85", "缺考") == ([True, False, True, False], [])


def test_a_file_that_judges_nobody_lists_those_who_passed(tmp_path):
    assert results(tmp_path, "", "") == ([True, True], [])


def test_a_file_that_judges_some_leaves_none_unjudged(tmp_path):
    assert results(tmp_path, "合格", "", "待定") == ([True], ["E_RESULT_INVALID"] * 2)


def test_a_result_in_words_goes_before_a_mark(tmp_path):
    assert results(tmp_path, "不合格,85", "合格,55", ",55", ",85", head="考核结果,成绩") == (
        [False, True, False, True],
        [],
    )


# --- keys -----------------------------------------------------------------------------------------------------------
def keys(path, *rows):
    completions, rejected = read(
        csv(path / "r.csv", "姓名,身份证号,完成日期,学时\n" + "".join(f"{row}\n" for row in rows))
    )
    return [row["key"] for row in completions] + [row.key for row in rejected]


ONE, TWO = ",".join(ANNA), ",".join(BO)


@pytest.mark.parametrize(
    "corrected",
    [f"赵安娜,{BO[1]},2024-06-05,24", "赵安娜,3.70404E+17,2024-06-05,24", "赵安娜,,2024-06-05,24",
     "赵 安 娜,1,2024/6/5,8", f"赵安娜,{ANNA[1]},2024-06-05,负数"],
)  # fmt: skip
def test_a_row_keeps_its_key_when_its_number_or_hours_are_corrected(tmp_path, corrected):
    assert sorted(keys(tmp_path, ONE, TWO)) == sorted(keys(tmp_path, TWO, corrected))


def test_rows_that_say_the_same_are_one(tmp_path):
    assert len(keys(tmp_path, ONE, TWO, ONE)) == 2
    same = xlsx(tmp_path / "r.xlsx", [["序号", *HEAD], [1, *ANNA], [2, *ANNA]], [HEAD, ANNA])
    assert len(read(same)[0]) == 1


def test_one_person_on_two_dates_is_two_rows(tmp_path):
    assert len(set(keys(tmp_path, ONE, ONE.replace("-05", "-12")))) == 2


def test_two_people_of_one_name_are_told_apart_in_any_order(tmp_path):
    other = f"赵安娜,{BO[1]},2024-06-05,24"
    found = keys(tmp_path, ONE, other)
    assert [key[-5:] for key in found] == ["|055x", "|8161"]
    assert sorted(keys(tmp_path, other, TWO, ONE)[::2]) == sorted(found)


def test_rows_that_share_even_that_are_numbered(tmp_path):
    first, second = keys(tmp_path, ONE, ONE.replace(",24", ",16"))
    assert second == f"{first}#2"


def test_a_key_fits_its_column_whatever_the_file_says(tmp_path):
    (key,) = keys(tmp_path, f"{'长' * 400},{ANNA[1]},2024-06-05,8")
    assert len(key) <= 300


# --- check ----------------------------------------------------------------------------------------------------------
def test_check_says_what_was_found(tmp_path):
    path = xlsx(tmp_path / "名册.xlsx", [["某班"], HEAD, ANNA, BO], names=["一班"])
    roster = connector(path)
    found = roster.check()
    assert (found.ok, found.site, found.route, found.problems) == (True, "名册.xlsx", "file", [])
    assert found.release == "xlsx; 一班: headings in row 2 (姓名, 身份证号, 完成日期, 学时), 2 rows"
    assert found.capabilities["completion_time"]
    assert roster.calls == 1


def test_check_names_the_cells_and_the_remedy(tmp_path):
    found = connector(xlsx(tmp_path / "r.xlsx", [HEAD, [*ANNA[:3], "三天"], [*BO[:3], -1]])).check()
    (problem,) = found.problems
    assert (found.ok, problem.code) == (False, "E_HOURS_INVALID")
    assert "Sheet1!D2, Sheet1!D3" in problem.message
    assert problem.fix


def test_check_of_a_file_that_is_not_there_is_a_problem_and_no_error(tmp_path):
    found = connector(tmp_path / "none.xlsx").check()
    assert [problem.code for problem in found.problems] == ["E_FILE_MISSING"]


def test_a_refusal_is_a_record(tmp_path):
    assert isinstance(only(xlsx(tmp_path / "r.xlsx", [HEAD, [*ANNA[:3], "x"]])), Rejected)
