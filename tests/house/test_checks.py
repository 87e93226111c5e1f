"""What is checked of a filing while somebody types: pure, so without a database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.programmes.checks import About, Body, Other, Rules, alike, check_typed
from agent.programmes.content import (
    COLUMNS,
    FIELDS,
    Details,
    Said,
    clean,
    day,
    different,
    fen,
    figure,
    hundredths,
    parse,
    typed_of,
    whole,
)
from agent.programmes.findings import CODES, Finding
from agent.programmes.workdays import LAST_YEAR, after, between, is_working

BASE = Body("示例基地", "1237040049380J2K30", date(2026, 12, 31))
ABOUT = About(
    today=date(2026, 1, 5), year=2026, organiser="示例卫健委", entitled=True, bodies=(BASE,),
    rules=Rules(subjects=("知识产权", "网络安全"), year=2024),
)  # fmt: skip
GOOD: dict[str, Any] = {
    "title": "2026年医师能力提升", "category": "professional", "series": "卫生", "specialty": "内科",
    "mode": "in_person", "audience": "全市医师", "capacity": "80", "hours": "16",
    "starts_on": "2026-03-09", "ends_on": "2026-03-10",
    "place": "市民中心", "fee": "0", "implementer": BASE.uscc, "teachers": "张三，主任医师，示例医院\n李四",
    "timetable": [
        {"date": "2026-03-09", "topic": "心血管", "teacher": "张三", "hours": "8"},
        {"date": "2026-03-10", "topic": "呼吸", "teacher": "李四", "hours": "8"},
    ],
}  # fmt: skip


def codes(change: dict[str, Any], about: About = ABOUT) -> list[tuple[str, str]]:
    _, found = check_typed(clean(GOOD | change), about)
    return [(each.code, each.field) for each in found]


def row(number: int, **change: str) -> dict[str, Any]:
    rows = [dict(each) for each in GOOD["timetable"]]
    rows[number] |= change
    return {"timetable": rows}


def about(**change: Any) -> About:
    return About(**{name: getattr(ABOUT, name) for name in About.__slots__} | change)


def test_a_good_form_has_nothing_against_it():
    assert codes({}) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"title": ""}, ("F_MISSING", "title")),
        ({"place": ""}, ("F_MISSING", "place")),
        ({"series": ""}, ("F_MISSING", "series")),
        ({"capacity": "许多"}, ("F_NUMBER", "capacity")),
        ({"fee": "一百"}, ("F_FEE", "fee")),
        ({"hours": "NaN"}, ("F_HOURS", "hours")),
        ({"hours": "1e999999999"}, ("F_HOURS", "hours")),
        ({"starts_on": "2026-02-30"}, ("F_DATE", "starts_on")),
        ({"category": "<script>"}, ("F_CHOICE", "category")),
        ({"mode": "'; DROP TABLE"}, ("F_CHOICE", "mode")),
        ({"implementer": "someone"}, ("F_IMPLEMENTER", "implementer")),
        ({"hours": "15"}, ("F_TIMETABLE_SUM", "timetable")),
        ({"timetable": []}, ("F_TIMETABLE_MISSING", "timetable")),
        (row(0, hours="x"), ("F_TIMETABLE_ROW", "timetable")),
        (row(0, date=""), ("F_SESSION_DATE", "timetable")),
        (row(0, date="2026-03-11"), ("F_OUTSIDE", "timetable")),
        (row(0, date="2026-03-10"), ("F_DAY_CAP", "timetable")),
        (row(0, teacher="王五"), ("F_TEACHER", "timetable")),
        ({"ends_on": "2026-03-08"}, ("F_DATES_ORDER", "ends_on")),
        ({"ends_on": "2026-03-09"}, ("F_DAYS_SHORT", "hours")),
        ({"starts_on": "2025-12-31"}, ("F_DATES_YEAR", "starts_on")),
        ({"title": "职业资格培训"}, ("F_WORD", "title")),
        ({"title": "全国医师培训"}, ("F_WORD_WIDE", "title")),
        ({"category": "public", "subject": "养生"}, ("F_SUBJECT_OTHER", "subject")),
        ({"category": "public"}, ("F_MISSING", "subject")),
    ],
)
def test_each_fault_is_told_at_its_field(change, found):
    assert found in codes(change)


@pytest.mark.parametrize(
    ("change", "known", "found"),
    [
        ({}, {"entitled": False}, ("F_ENTITLED", "category")),
        ({}, {"named": "示例教育局"}, ("F_ORGANISER_NAME", "title")),
        ({"title": "示例教育局教师培训"}, {"other_names": ("示例教育局",)}, ("F_TITLE_BODY", "title")),
        ({}, {"bodies": (Body(BASE.name, BASE.uscc, date(2026, 3, 1)),)}, ("F_BASE_ENDED", "implementer")),
        ({"category": "public", "subject": "养生"}, {"rules": Rules(("知识产权",), 2024, open=False)},
         ("F_SUBJECT", "subject")),
        ({}, {"others": (Other("1-2", "2026年医师能力提升班", "已备案", date(2026, 3, 10), date(2026, 3, 12)),)},
         ("F_SIMILAR", "title")),
    ],
)  # fmt: skip
def test_what_lies_beside_the_form_counts_too(change, known, found):
    assert found in codes(change, about(**known))
    assert found not in codes(change)


def test_a_similar_title_at_another_time_is_no_hint():
    other = Other("1-2", GOOD["title"], "已备案", date(2026, 4, 1), date(2026, 4, 2))
    assert codes({}, about(others=(other,))) == []
    assert alike("2025年医师培训（第1期）", "2026年医师培训（第2期）") == 1
    assert alike("医师培训", "建筑施工新技术") < 0.5


def test_an_online_programme_needs_neither_place_nor_days():
    rows = [{"date": "", "topic": "网课", "teacher": "张三", "hours": "16"}]
    assert codes({"mode": "online", "place": "", "timetable": rows}) == []


# --- lead time ---------------------------------------------------------------------------------------------------
def test_shifted_workdays_and_holidays_count_as_they_are():
    assert between(date(2024, 9, 27), date(2024, 10, 10)).days == 5  # 29 September worked, 1 to 7 October not
    assert after(date(2024, 9, 27), 5) == date(2024, 10, 10)
    assert (is_working(date(2024, 9, 29)), is_working(date(2024, 10, 1))) == (True, False)


def test_too_late_stops_and_a_reason_makes_it_the_bureaus_question():
    late = {"starts_on": "2026-01-12", "ends_on": "2026-01-13", "timetable": [
        {"date": f"2026-01-{n}", "topic": "x", "teacher": "张三", "hours": "8"} for n in (12, 13)]}  # fmt: skip
    assert codes(late) == [("F_LEAD_TIME", "starts_on")]
    assert codes(late | {"late_reason": "上级临时部署"}) == [("F_LEAD_WAIVER", "starts_on")]
    assert codes(late, about(begun=True)) == []
    assert codes(late, about(lead_days=5)) == []


def test_a_year_without_a_published_calendar_counts_weekdays_and_says_so():
    unknown = LAST_YEAR + 1
    monday = date(unknown, 6, 1) + timedelta((7 - date(unknown, 6, 1).weekday()) % 7)
    assert between(monday, monday + timedelta(7)) == (5, unknown)
    _, found = check_typed(clean(GOOD | {"starts_on": str(monday + timedelta(4))}), about(today=monday, year=unknown))
    assert ("F_CALENDAR", unknown) in [(each.code, each.params.get("year")) for each in found]


days = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@given(days, days, days)
def test_working_days_add_up(one, two, three):
    one, two, three = sorted((one, two, three))
    assert between(one, two).days + between(two, three).days == between(one, three).days
    assert between(one, two).days == -between(two, one).days


@given(days, st.integers(1, 60))
def test_so_many_working_days_after_is_a_working_day_that_far(first, count):
    last = after(first, count)
    assert is_working(last)
    assert between(first, last).days == count


# --- the form --------------------------------------------------------------------------------------------------
texts = st.text(max_size=40)
forms = st.fixed_dictionaries(
    dict.fromkeys(FIELDS, texts)
    | {"timetable": st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, texts)), max_size=4)}
)


@given(forms)
def test_whatever_is_typed_is_kept_and_judged_without_falling_over(form):
    typed = clean(form)
    assert clean(typed) == typed
    _, found = check_typed(typed, ABOUT)
    for each in found:
        assert each.sentence_zh
        assert each.sentence_en
        assert each.fix_zh
        assert "{" not in CODES[each.code].fix_zh


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20), st.integers(-50, 50))
def test_the_sum_is_right_exactly_when_the_timetable_says_so(rows, off):
    typed = clean(GOOD | {
        "mode": "online", "hours": figure(sum(rows) + off) if sum(rows) + off > 0 else "x",
        "timetable": [{"topic": "t", "teacher": "", "date": "", "hours": figure(each)} for each in rows],
    })  # fmt: skip
    _, found = check_typed(typed, ABOUT)
    assert ("F_TIMETABLE_SUM" in [each.code for each in found]) == (off != 0 and sum(rows) + off > 0)


@given(st.integers(1, 100_000))
def test_figures_are_read_as_they_are_written(value):
    assert hundredths(figure(value)) == value
    assert hundredths(figure(value) + "学时") == value
    assert fen(figure(value)) == value


def test_people_write_dates_and_figures_in_many_ways():
    assert {day(each) for each in ("2026-3-9", "2026/03/09", "2026.3.9", "2026年3月9日", "２０２６－０３－０９")} == {
        date(2026, 3, 9)
    }
    assert day("26-3-9") is None
    assert (fen("免费"), fen("1,200.50元"), fen("-1"), whole("80人"), whole("8.5"), hundredths("7.255")) == (
        0, 120050, None, 80, None, None,
    )  # fmt: skip


def test_a_version_says_the_same_form_again():
    said, found = parse(clean(GOOD))
    assert found == []
    columns, details = said.columns(), said.details()
    again = clean(typed_of(columns, Details.model_validate(details.model_dump(mode="json"))))
    assert different(clean(GOOD), again) == []
    assert parse(again)[0].details() == details
    assert different(again, again | {"fee": "1", "timetable": []}) == ["fee", "timetable"]


def test_what_belongs_to_the_other_category_is_not_kept():
    said = Said(category="public", subject="知识产权", series="卫生", specialty="内科")
    assert (said.columns()["series"], said.details().specialty) == ("", "")


def test_every_code_has_all_its_sentences():
    for code, told in CODES.items():
        assert all(told), code
    assert Finding("F_MISSING", "title").stops
