"""A person's name out of two fields: Han names without a blank, all others with the one that the site shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.moodle.names import person_name, person_names


@pytest.mark.parametrize(
    ("last", "first", "name"),
    [
        ("宋", "垚磊", "宋垚磊"),
        ("欧阳", "𠮷", "欧阳𠮷"),
        ("㐂", "𬱖龘", "㐂𬱖龘"),
        ("\U0002ebf0", "\U000323af", "\U0002ebf0\U000323af"),  # younger than the tables of some Python
        ("王", "\ue863", "王\ue863"),  # private use, in place of a rare one
        ("葛", "\U000e0100明", "葛\U000e0100明"),  # how 葛 is to be drawn
        ("佐々", "〇", "佐々〇"),
        ("⿰王炎", "明", "⿰王炎明"),
        (" 王", "小明", " 王小明"),
        ("买买提", "阿卜杜拉·艾合买提", "买买提 阿卜杜拉·艾合买提"),
        ("Smith", "Anna", "Smith Anna"),
        ("王", "Anna", "王 Anna"),
        ("Nguyễn", "Thị", "Nguyễn Thị"),
        ("Ырысбек", "Асан", "Ырысбек Асан"),
        ("مەمەت", "ئېلى", "مەمەت ئېلى"),
        ("Ｗａｎｇ", "Ｗｅｉ", "Ｗａｎｇ Ｗｅｉ"),
        ("김", "민수", "김 민수"),
        ("", "阿依努尔", "阿依努尔"),
        ("李", " ", "李"),
        ("", "", ""),
    ],
)
def test_names_are_family_first_without_invented_characters(last, first, name):
    assert person_name(last, first) == name


@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_but_one_blank_comes_in_between_and_nothing_but_blanks_around_is_lost(last, first):
    name = person_name(last, first)
    assert name in (last + first, f"{last.strip()} {first.strip()}".strip())


_PART = st.sampled_from(
    ["王", "欧阳", "𠮷", "\u3000明", "", " ", " 王", "买买提", "阿卜杜拉·艾合买提", "Smith"]
) | st.text(max_size=3)


@given(st.lists(st.tuples(_PART, _PART), max_size=6))
def test_many_names_are_read_as_each_is(parts):
    lasts, firsts = ([one[at] for one in parts] for at in (0, 1))
    assert person_names(lasts, firsts) == [person_name(*one) for one in parts]
