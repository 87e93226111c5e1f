"""Edge cases 1 to 4, 11 and 12 of the field, and GB 11643 against an implementation that is not ours."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from agent.learners import identity
from agent.learners.identity import clean_name, fold_name, mask_id, mask_name, normalise_id

NUMBER = "37040419660809055X"

bodies = st.builds(
    lambda district, born, order: f"{district:06d}{born:%Y%m%d}{order:03d}",
    st.integers(110_000, 839_999),
    st.dates(date(1900, 1, 1), date(2024, 12, 31)),
    st.integers(0, 999),
)
numbers = bodies.map(lambda body: body + mod_11_2.calc_check_digit(body))


# --- numbers: the rule ---------------------------------------------------------------------------------------------
@given(numbers)
def test_a_right_number_stays_what_it_is(number):
    assert normalise_id(number) == (number, None, f"{number[:3]}***********{number[-4:]}", False)


@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_the_check_character_is_that_of_iso_7064(body):
    assert identity.check_character(body) == mod_11_2.calc_check_digit(body)


@given(numbers, st.integers(0, 16), st.integers(1, 9))
def test_one_digit_mistyped_is_always_noticed(number, place, by):
    wrong = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    found = normalise_id(wrong)
    assert found.number is None
    assert found.code == ("E_ID_PRECISION_LOST" if wrong.endswith("000") else "E_ID_CHECKSUM")


@given(numbers, st.integers(0, 15))
def test_two_neighbours_swapped_are_always_noticed(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or normalise_id(swapped).number is None


@given(bodies.filter(lambda body: body[6:8] == "19"))
def test_fifteen_digits_and_eighteen_are_one_person(body):
    full = normalise_id(body + mod_11_2.calc_check_digit(body))
    old = normalise_id(body[:6] + body[8:])
    assert old.number == full.number
    assert (full.converted_from_15, old.converted_from_15) == (False, True)
    assert old.masked == full.masked


@pytest.mark.parametrize("district", ["411302", "411502", "810000", "830000", "999999"])
def test_the_district_is_never_judged(district):
    body = f"{district}19800229001"
    number = body + mod_11_2.calc_check_digit(body)
    assert normalise_id(number).number == number


@pytest.mark.parametrize("born", ["19800230", "19811301", "19810229", "18991231", "29990101", "00000000"])
def test_a_birth_date_that_cannot_be_is_refused(born):
    body = f"370404{born}055"
    assert normalise_id(body + mod_11_2.calc_check_digit(body)).code == "E_ID_DATE"


def test_a_birth_date_turns_from_future_to_past_while_the_process_runs(monkeypatch):
    body = "37040420300101055"
    number = body + mod_11_2.calc_check_digit(body)
    assert normalise_id(number).code == "E_ID_DATE"
    monkeypatch.setattr(identity, "_latest_day", ["20300101"])
    assert normalise_id(number).number == number


# --- numbers: ways of writing ----------------------------------------------------------------------------------------
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
noise = st.text(st.sampled_from(" \t\u3000\u00a0\u200b\ufeff\u2009\u200d-–'"), max_size=1)


@given(numbers, st.lists(noise, min_size=18, max_size=18), st.booleans(), st.booleans())
def test_spaces_width_case_and_hyphens_do_not_matter(number, between, wide, lower):
    written = number.translate(WIDE) if wide else number
    written = written.lower() if lower else written
    assert normalise_id("".join(a + b for a, b in zip(between, written, strict=True))).number == number


@pytest.mark.parametrize("last", "xXｘＸхХχΧⅹⅩ×")
def test_lookalikes_of_x_are_an_x(last):
    assert normalise_id(NUMBER[:17] + last).number == NUMBER


@pytest.mark.parametrize("written", [f"'{NUMBER}", f'="{NUMBER}"', f"\t{NUMBER}", f"‘{NUMBER}", "370404-19660809-055X"])
def test_marks_that_spreadsheets_leave_are_not_the_number(written):
    assert normalise_id(written).number == NUMBER


@pytest.mark.parametrize("text", ["", "  ", "\u3000", "-", "——", "/", "无", "N/A", "null"])
def test_nothing_is_missing(text):
    assert normalise_id(text)[:3] == (None, "E_ID_MISSING", "")


@pytest.mark.parametrize(
    "text",
    ["370405********8800", "370***********1234", "3704**1234", "370405××××××××8800", "370405XXXXXXXX8800",
     "370405xxxxxxxx880X", "＊＊＊＊", "370405••••••••8800", "370405--------8800", "370405____8800", "######"],
)  # fmt: skip
def test_a_masked_number_is_said_to_be_masked(text):
    assert normalise_id(text).code == "E_ID_MASKED"


def test_a_masked_number_is_shown_in_our_own_mask():
    assert normalise_id("370405********8800").masked == "370***********8800"


@pytest.mark.parametrize(
    "text", ["3.70402E+17", "3.70402e+17", "3.7E17", "３.70402Ｅ+17", "370402199106268000.0", "370402199106268000"]
)
def test_what_a_spreadsheet_ruined_is_said_to_be_ruined(text):
    assert normalise_id(text).code == "E_ID_PRECISION_LOST"


@pytest.mark.parametrize(
    "text",
    ["37040419660809055", "370404196608090555X", "G12345678", "张三", "X7040419660809055X", "٣٧٠٤٠٤١٩٦٦٠٨٠٩٠٥٥X"],
)
def test_what_is_no_identity_number_is_not_guessed_at(text):
    assert normalise_id(text)[:2] == (None, "E_ID_FORMAT")


@given(st.text(max_size=40))
def test_any_text_comes_to_a_number_or_a_code_and_fits_where_it_is_stored(text):
    found = normalise_id(text)
    assert (found.number is None) is (found.code is not None)
    assert len(found.masked) <= 20
    assert found.number is None or (len(found.number) == 18 and normalise_id(found.number).number == found.number)


@given(st.text(st.sampled_from("0123456789X"), min_size=5, max_size=40))
def test_a_mask_hides_most_of_what_it_masks(text):
    masked = mask_id(text)
    assert sum(c != "*" for c in masked) <= max(3, len(text) // 2)
    assert len(masked) <= 20


# --- names -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dot", list("•.．・‧･∙⋅·。"))
def test_all_dots_of_names_are_one_dot(dot):
    written = f"买买提{dot}艾合买提"
    assert clean_name(written).name == "买买提\u00b7艾合买提"
    assert fold_name(written) == fold_name("买买提 · 艾合买提")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("姓  名", "姓名"),
        ("姓\u3000名", "姓名"),
        (" 欧 阳 锋 ", "欧阳锋"),
        ("张\u200b三\ufeff", "张三"),
        ("张\r\n三", "张三"),
        ("买买提 艾合买提", "买买提 艾合买提"),
        ("ZHANG   San", "ZHANG San"),
        ("J. R. Smith", "J. R. Smith"),
        ("e\u0301lodie", "\u00e9lodie"),
        ("欧阳𠮷", "欧阳𠮷"),
        ("龚䶮", "龚䶮"),
        ("①号", "①号"),
    ],
)
def test_a_name_is_tidied_and_not_changed(written, stored):
    assert clean_name(written) == (stored, None, "")


@pytest.mark.parametrize("written", ["\ue001三", "张\U000f0001", "李\U0010fffd"])
def test_private_characters_are_refused_by_name(written):
    found = clean_name(written)
    assert found.code == "E_NAME_PRIVATE_USE"
    assert found.code_points in {"U+E001", "U+F0001", "U+10FFFD"}


@pytest.mark.parametrize("written", ["龚?", "龚？", "龚\ufffd", "龚□", "张*", "龚" + chr(0xD87E)])
def test_a_lost_character_is_refused_by_name(written):
    found = clean_name(written)
    assert found.code == "E_NAME_DAMAGED"
    assert found.code_points.startswith("U+")
    found.name.encode()


@pytest.mark.parametrize("written", ["", "  ", "\u3000\u200b", "·"])
def test_no_name_is_missing(written):
    assert clean_name(written) == ("", "E_NAME_MISSING", "")


@given(st.text(max_size=30))
def test_a_clean_name_stays_clean_and_can_be_stored(text):
    once = clean_name(text)
    assert clean_name(once.name).name == once.name
    assert unicodedata.is_normalized("NFC", once.name)
    assert "\x00" not in once.name
    once.name.encode()


@given(st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=30))
def test_folding_sees_no_difference_that_tidying_makes(text):
    assert fold_name(clean_name(text).name) == fold_name(text)
    assert fold_name(fold_name(text)) == fold_name(text)


def test_characters_of_plain_names_have_no_other_form():
    plain = "".join(map(chr, range(0x4E00, 0xA000)))
    padded = plain + " "  # by the way that looks at every character
    assert clean_name(padded).name == plain == clean_name(plain).name
    assert fold_name(padded) == plain == fold_name(plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＺＨＡＮＧ San", "zhang san"),
        ("吴  兰", "吴兰"),
        ("⼀鸣", "一鸣"),
        ("葛\U000e0100", "葛"),
        ("张\u200d三", "张三"),
    ],
)
def test_names_that_look_alike_fold_alike(one, other):
    assert fold_name(one) == fold_name(other)


def test_names_that_differ_fold_apart():
    assert len({fold_name(name) for name in ("张三", "张叁", "章三", "龚䶮", "龚?", "龚\ue863")}) == 6


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("欧阳娜娜", "欧***"),
        ("𠮷田", "𠮷*"),
        ("买买提·艾合买提", "买**·****"),
        ("John Smith", "J*** *****"),
        ("葛\U000e0100三", "葛*"),
        ("", ""),
    ],
)
def test_a_masked_name_keeps_its_first_character(name, shown):
    assert mask_name(name) == shown


def test_every_invisible_character_below_the_planes_of_scripts_is_known():
    invisible = {c for c in range(0x3001) if unicodedata.category(chr(c)) in {"Zs", "Zl", "Zp", "Cc"}}
    assert invisible <= set(identity._INVISIBLE)
    assert all(unicodedata.category(chr(c)) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cn"} for c in identity._INVISIBLE)
