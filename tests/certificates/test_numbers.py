from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10

from agent.certificates.errors import NumberFull
from agent.certificates.numbers import check_digit, is_number, make_number, make_token

digits = st.text("0123456789", min_size=1, max_size=40)
numbers = st.builds(
    make_number,
    st.text("0123456789", min_size=6, max_size=6),
    st.integers(2000, 2099),
    st.sampled_from("12"),
    st.integers(0, 9_999),
    st.integers(0, 99_999),
    st.integers(1, 99_999),
)


def test_a_number_is_its_parts_in_order_and_a_check_digit():
    assert make_number("370400", 2024, "2", 1, 2, 17)[:-1] == "3704002024200010000200017"


@given(digits)
def test_the_check_digit_is_the_one_of_iso_7064(text):
    assert check_digit(text) == mod_11_10.calc_check_digit(text)


@given(numbers, st.integers(0, 25), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number, at, by):
    assert is_number(number)
    assert not is_number(number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "1", "３" * 26, "٣" * 26, "-" * 26, "1" * 27, make_number("370400", 2024, "2", 1, 2, 17) + "\n"]
)
def test_what_has_another_form_is_no_number(text):
    assert not is_number(text)


@pytest.mark.parametrize(
    "parts",
    [
        ("370400", 2024, "2", 10_000, 2, 1),
        ("370400", 2024, "2", 1, 100_000, 1),
        ("370400", 2024, "2", 1, 2, 100_000),
        ("370400", 2024, "2", 1, 2, -1),
        ("37040", 2024, "2", 1, 2, 1),
        ("370400", 2024, "Z", 1, 2, 1),
    ],
)
def test_a_part_that_does_not_fit_is_refused_and_never_cut(parts):
    with pytest.raises(NumberFull) as refusal:
        make_number(*parts)
    assert refusal.value.code == "E_NUMBER_FULL"


def test_tokens_are_long_random_and_easy_to_type():
    tokens = {make_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{21}", token) for token in tokens)
