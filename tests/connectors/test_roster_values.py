"""Cells: what is read, and what is refused rather than guessed."""

# ruff: noqa: DTZ001 - a spreadsheet's cells have no zone

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.roster import values
from connectors.roster.values import Length, Unreadable


@pytest.mark.parametrize(
    ("cell", "iso", "precision"),
    [
        (date(2024, 5, 13), "2024-05-13T00:00:00", "day"),
        (datetime(2024, 5, 13), "2024-05-13T00:00:00", "day"),
        (datetime(2024, 7, 20, 16, 30), "2024-07-20T16:30:00", "minute"),
        (datetime(2024, 7, 20, 16, 29, 59, 999_900), "2024-07-20T16:30:00", "minute"),
        (datetime(2024, 7, 20, 16, 30, 5), "2024-07-20T16:30:05", "second"),
        ("2024-05-13", "2024-05-13T00:00:00", "day"),
        ("2024/5/13", "2024-05-13T00:00:00", "day"),
        (" 2024.6.3 ", "2024-06-03T00:00:00", "day"),
        ("２０２４．６．３", "2024-06-03T00:00:00", "day"),
        ("2024年6月3日", "2024-06-03T00:00:00", "day"),
        ("2024年6月3日（星期一）", "2024-06-03T00:00:00", "day"),
        ("2024/11/1 下午1:05", "2024-11-01T13:05:00", "minute"),
        ("2024/11/1 上午12:05", "2024-11-01T00:05:00", "minute"),
        ("2024/11/1 下午12:05", "2024-11-01T12:05:00", "minute"),
        ("2024/11/1 12:05 AM", "2024-11-01T00:05:00", "minute"),
        ("2024/11/1 12:05 PM", "2024-11-01T12:05:00", "minute"),
        ("2024年11月1日 13时5分", "2024-11-01T13:05:00", "minute"),
        ("2024-11-01 13:05:07", "2024-11-01T13:05:07", "second"),
        ("2024-12-31T16:30:00Z", "2025-01-01T00:30:00", "minute"),
        ("2024-12-31T16:30:00+08:00", "2024-12-31T16:30:00", "minute"),
        ("20240513", "2024-05-13T00:00:00", "day"),
        (20240513.0, "2024-05-13T00:00:00", "day"),
        (45425.0, "2024-05-13T00:00:00", "day"),
        (45425.6875, "2024-05-13T16:30:00", "minute"),
        ("45425", "2024-05-13T00:00:00", "day"),
    ],
)
def test_a_moment_is_read_in_local_time(cell, iso, precision):
    found = values.read_moment(cell)
    assert (found.at.isoformat(), found.precision) == (f"{iso}+08:00", precision)


@pytest.mark.parametrize(
    "cell",
    ["", "6月3日", "2024年6月", "24-06-03", "5/13/2024", "2024-02-30", "2024-13-01", "昨天", "0001-01-01", "1899-12-30",
     "2024-06-03 25:00", "2024-06-03 下午1:05 PM", "2024-06-03 晚上12:10", 3.5, 99_999_999.0, float("nan"), True,
     time(12, 0), timedelta(days=1), "2024-06-03、2024-06-05", "9999-12-31T23:59:59-10:00"],
)  # fmt: skip
def test_a_moment_that_is_not_certain_is_refused(cell):
    with pytest.raises(Unreadable):
        values.read_moment(cell)


@given(st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0)))
def test_however_a_moment_is_written_it_is_the_same(at):
    serial = (at - datetime(1899, 12, 30)) / timedelta(days=1)
    written = [at, serial, f"{at:%Y-%m-%d %H:%M}", f"{at:%Y/%m/%d %I:%M} {'PM' if at.hour >= 12 else 'AM'}"]
    assert {values.read_moment(cell).at for cell in written} == {at.replace(tzinfo=values.SHANGHAI)}


@pytest.mark.parametrize(
    "cell",
    ["2024.6.3-2024.6.5", "2024年6月3日—6月5日", "2024年6月3日至5日", "2024-06-03~2024-06-05", "2024.6.3-6.5",
     "2024.6.3-5", "2024-6-3 - 2024-6-5", "2024年6月3日 — 2024年6月5日止", "2024/6/3到2024/6/5",
     "2024-06-03 08:30 至 2024-06-05 17:00"],
)  # fmt: skip
def test_a_period_has_its_first_day_and_its_last(cell):
    first, last = values.read_period(cell)
    assert first == date(2024, 6, 3)
    assert (last.at.isoformat(), last.precision) == ("2024-06-05T00:00:00+08:00", "day")


@pytest.mark.parametrize("cell", ["2024.6.5-2024.6.3", "6月3日-6月5日", "2024.6.3-2024.6.31", "2024年6月", ""])
def test_a_period_that_is_not_certain_is_refused(cell):
    with pytest.raises(Unreadable):
        values.read_period(cell)


def test_one_date_where_a_period_should_be_is_its_end():
    assert values.read_period("2024.6.5") == (None, values.read_moment(date(2024, 6, 5)))


@pytest.mark.parametrize(
    ("cell", "hundredths"),
    [(24.0, 2400), (24.5, 2450), (0.29, 29), (23.999999999, 2400), (1.3333333, 133), ("24学时", 2400),
     ("二十四", 2400),
     ("24.5", 2450), ("１６", 1600), ("16 课时", 1600), ("共24个学时", 2400), ("廿四", 2400), ("一百二十", 12_000),
     ("贰拾肆", 2400), ("两百", 20_000), ("十点五学时", 1050), ("一百零二", 10_200), ("8小时", 800), ("8 hours", 800),
     (10_000, 1_000_000), (0.01, 1)],
)  # fmt: skip
def test_hours_are_read_in_hundredths(cell, hundredths):
    assert values.read_hours(cell) == Length(hundredths=hundredths)


@pytest.mark.parametrize(
    "cell",
    [-3.0, 0.0, 0.001, float("nan"), float("inf"), 10_001.0, 1e300, "", "三天", "3天", "-8",
     "0", "八九", "24学时(含实践8)",
     "一百二", "二四", "点五", "1e3", "24,5", "8-10", "NaN", "∞", "半", True, date(2024, 8, 1),
     time(8, 0), "学时", "万"],
)  # fmt: skip
def test_hours_that_are_not_certain_are_refused(cell):
    with pytest.raises(Unreadable):
        values.read_hours(cell)


@pytest.mark.parametrize("cell", ["45分钟", "45 min", "四十五分钟"])
def test_minutes_are_minutes_also_among_hours(cell):
    assert values.read_hours(cell) == values.read_minutes(cell) == Length(minutes=45)


@pytest.mark.parametrize("cell", [0.0, -1.0, 45.5, "24学时", "", "x", float("nan"), float("inf"), True, 1e9])
def test_minutes_that_are_not_certain_are_refused(cell):
    with pytest.raises(Unreadable):
        values.read_minutes(cell)


@given(st.integers(1, 10_000))
def test_every_chinese_number_that_is_written_correctly_is_read(number):
    (written,) = [text for text, value in values._chinese_numbers().items() if value == number and text[0] != "十"]
    assert values.read_hours(f"{written}学时") == Length(hundredths=number * 100)


@pytest.mark.parametrize(
    ("cell", "passed"),
    [("合格", True), ("优秀", True), ("良好", True), ("通 过", True), ("补考合格", True), ("合格（补考）", True),
     ("Pass", True),
     (85.0, True), ("85", True), ("60分", True), ("８５", True), (100.0, True), (True, True),
     ("不合格", False),
     ("未通过", False), ("缺考", False), ("未结业", False), (59.5, False), ("0", False), ("fail",
     False), (False, False)],
)  # fmt: skip
def test_a_result_says_passed_or_not(cell, passed):
    assert values.read_result(cell, 60) is passed


@pytest.mark.parametrize("cell", ["", "A", "待定", 0.85, "1", 101.0, "-5", "合格或不合格", date(2024, 1, 1)])
def test_a_result_that_is_not_certain_is_refused(cell):
    with pytest.raises(Unreadable):
        values.read_result(cell, 60)


def test_the_mark_that_passes_is_the_sources_own():
    assert not values.read_result("79", 80)
    assert values.read_result("80", 80)


@pytest.mark.parametrize(
    "cell", [3.70404199105031e17, 370404199105031000, "3.70404E+17", "3.70404e17", "'3.7E+17", 1e15]
)
def test_an_identity_number_that_became_a_figure_is_lost(cell):
    with pytest.raises(Unreadable):
        values.read_id_number(cell)


@pytest.mark.parametrize("cell", [" 37040419660809055x", "３７０４０２", "370405********8800", "", "无"])
def test_text_of_an_identity_number_is_untouched(cell):
    assert values.read_id_number(cell) == cell


def test_a_number_of_15_digits_survives_a_spreadsheet():
    assert values.read_id_number(370402720519418.0) == "370402720519418"


@pytest.mark.parametrize("cell", [3.70404199105031e17, "3.70404E+17", "37040419660809055X", 370404199105031000])
def test_a_shown_figure_keeps_three_digits(cell):
    mantissa = values.mask(cell).partition("E")[0]
    assert sum(c.isdigit() for c in mantissa) == 3
    assert "*" in mantissa
