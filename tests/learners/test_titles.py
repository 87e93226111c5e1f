"""Names of courses and titles of programmes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mapping.titles import LIKELY, Titles, kernel, likeness

SUBJECTS = st.text(alphabet="人工智能工程师大数据技术建筑施工卫生系统医药", min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("【2024】人工智能工程师培训班（第二期）", "人工智能工程师"),
        ("2024年卫生系统医师专业科目", "卫生系统医师专业科目"),
        ("《知识产权基础》第3期 线上", "知识产权基础"),
        ("ＡＩ基础", "ai基础"),
        ("（第一期）", "第一期"),
    ],
)
def test_year_term_and_brackets_are_no_part_of_a_subject(name: str, subject: str):
    assert kernel(name) == subject


def test_names_that_differ_in_year_and_class_are_the_same():
    assert likeness("人工智能工程师培训", "2025年人工智能工程师培训班（第二期）") == 1.0
    assert likeness("大数据技术", "教师职业道德") == 0.0
    assert 0 < likeness("大数据技术", "大数据技术与应用") < 1


@given(SUBJECTS, SUBJECTS)
def test_likeness_is_the_same_both_ways_and_whole_only_for_oneself(one: str, other: str):
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1.0


@given(st.lists(SUBJECTS, max_size=8), SUBJECTS)
def test_what_is_found_by_pairs_is_what_comparing_each_finds(titles: list[str], name: str):
    found = Titles(enumerate(titles)).like(name)
    assert {n for n, _ in found} == {n for n, title in enumerate(titles) if likeness(name, title) >= LIKELY}
    assert [worth for _, worth in found] == sorted((worth for _, worth in found), reverse=True)
