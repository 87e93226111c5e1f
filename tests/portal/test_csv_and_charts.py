"""Properties of what is drawn and of what is taken away: any cell is safe, any figure fits, progress never lies."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from xml.etree import ElementTree as ET

from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from agent.portal.csv_file import lines
from agent.portal.days import Bar, draw, runs_chart, short
from agent.portal.progress import of_range, of_rows
from agent.portal.run_filter import run_filter
from agent.portal.run_list import Sums
from agent.portal.strip import Day, strip

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.lists(texts | st.integers() | st.none(), min_size=3, max_size=3), max_size=5))
def test_no_cell_acts_and_none_is_lost(rows):
    content = "".join(lines(["a", "b", "c"], rows))
    assert content.startswith("\ufeff")
    heads, *back = csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
    assert heads == ["a", "b", "c"]
    assert len(back) == len(rows)
    for row, read in zip(rows, back, strict=True):
        for cell, said in zip(row, read, strict=True):
            if isinstance(cell, str):
                assert said in (cell, "'" + cell)
                assert not said.lstrip().startswith(("=", "+", "-", "@"))
            else:
                assert said == ("" if cell is None else str(cell))


@given(st.integers(0, 10**10))
def test_a_figure_on_a_bar_has_at_most_six_characters(figure):
    for language in ("zh-hans", "en"):
        with translation.override(language):
            assert len(short(figure)) <= 6


@given(st.lists(st.tuples(st.text("5/<&月", max_size=4), st.integers(0, 10**9), st.integers(0, 99)), max_size=40))
def test_a_chart_is_well_formed_and_marks_each_day_that_failed(bars):
    svg = draw([Bar(name, figure, failed, name) for name, figure, failed in bars], title='"<t>"', word="失败")
    root = ET.fromstring(svg)  # noqa: S314 - made by us
    failed = [each for each in root.iter() if each.get("class") == "bars-failed"]
    assert len(failed) == sum(bool(failed) for _, _, failed in bars)
    for bar in root.iter("rect"):
        assert 0 <= float(bar.get("y")) <= 118
        assert float(bar.get("height")) <= 100.05


def test_every_day_of_the_view_has_its_place_and_long_views_go_by_month():
    today = date(2024, 6, 30)
    days = [(date(2024, 6, 3), Sums(runs=2, failed=1, new=5, changed=2))]
    chart = runs_chart(days, run_filter({}, today))
    assert len(chart.rows) == 30
    assert [(bar.full_name, bar.figure, bar.failed) for bar in chart.rows if bar.figure] == [("2024-06-03", 7, 1)]
    chart = runs_chart(days, run_filter({"from": "2024-01-01"}, today))
    assert [bar.full_name for bar in chart.rows] == ["2024-06-03", *(f"2024-06-{d:02d}" for d in range(4, 31))]
    days.insert(0, (date(2024, 1, 5), Sums(runs=1, new=1)))
    chart = runs_chart(days, run_filter({"from": "2024-01-01"}, today))
    assert [(bar.full_name, bar.figure) for bar in chart.rows][:2] == [("2024-01", 1), ("2024-02", 0)]
    assert chart.rows[-1].figure == 7
    assert runs_chart([], run_filter({}, today)) is None


def test_the_line_of_thirty_days_says_each_day_by_shape_and_word():
    first = date(2024, 6, 1)
    days = [Day(first, 0, 0), Day(first + timedelta(1), 12, 2), Day(first + timedelta(2), None, 0)]
    svg = strip(days, title="t", equal="相等", unequal="不等")
    root = ET.fromstring(svg)  # noqa: S314 - made by us
    assert [each.get("class") for each in root.iter() if (each.get("class") or "").startswith("strip-")] == [
        "strip-good", "strip-word", "strip-bad", "strip-word", "strip-word", "strip-none",
    ]  # fmt: skip
    assert "不等 12" in svg


@given(st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.floats(0, 10**6))
def test_progress_of_rows_is_between_nothing_and_everything(rows, total, seconds):
    found = of_rows(rows, total, seconds)
    assert found.share is None or 0 <= found.share <= 1
    assert found.percent is None or 0 <= found.percent <= 99
    assert found.left is None or found.left >= 0


@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(0, 10**6))
def test_progress_of_a_range_is_between_nothing_and_everything(done, before, seconds):
    found = of_range(5, seconds, done=done, done_before=before)
    assert 0 <= found.share <= 1
    assert found.left is None or found.left >= 0
