"""The plugin's columns: the same completions as by rows, and refused where they have not their form."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.moodle.client import COMPLETIONS
from connectors.moodle.plugin_answers import answer_of
from connectors.moodle.plugin_columns import FORM, TITLES, Rows, rows_of_objects, rows_of_text
from connectors.moodle.plugin_rows import a_few, read_rows
from connectors.testing.fake_moodle import FakeMoodle
from tests.connectors.test_moodle_plugin_parts import BODIES, row

COURSE = ("courseid", "courseshortname", "courseidnumber", "coursefullname")


def columns_of(*rows):
    """Rows as the plugin writes them by columns, not yet as text."""
    courses = list({tuple(one[name] for name in COURSE): one for one in rows}.values())
    places = {tuple(one[name] for name in COURSE): place for place, one in enumerate(courses)}
    columns = {}
    for name in FORM.keys() - {*COURSE}:
        values, kind = [one[name] for one in rows], FORM[name]
        if kind is bool:
            columns[name] = [place for place, value in enumerate(values) if value]
        elif kind is str and values and "\n" not in "".join(values):
            columns[name] = "\n".join(values)
        else:
            columns[name] = values
    columns["course"] = [places[tuple(one[name] for name in COURSE)] for one in rows]
    return columns | {"courses": {name: [one[name] for one in courses] for name in COURSE}}


def text_of(*rows, **other):
    return json.dumps(columns_of(*rows) | other, ensure_ascii=False)


TWO = (row(), row(id=4, deleted=True, courseid=3, courseshortname="RGZN"))


# --- the same by both forms --------------------------------------------------------------------------------------
_TEXT = st.text(max_size=4) | st.sampled_from(["", "\n", "a\nb", "\\n", '"', "𠮷"])
_WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
_VALUES = {int: _WHOLE, str: _TEXT, bool: st.booleans()}


@given(st.lists(st.fixed_dictionaries({name: _VALUES[kind] for name, kind in FORM.items()}), max_size=4))
def test_rows_are_the_same_by_columns_and_by_objects(rows):
    by_columns, by_objects = rows_of_text(text_of(*rows)), rows_of_objects(rows)
    assert by_columns.values() == by_objects.values() == [tuple(one[title] for title in TITLES) for one in rows]
    assert list(by_columns.keys) == list(by_objects.keys)
    assert list(map(type, (value for one in by_columns.values() for value in one))) == list(FORM.values()) * len(rows)


def test_recorded_columns_say_what_recorded_rows_say():
    rows, columns = answer_of(BODIES["completions_both"]), answer_of(BODIES["columns_both"])
    assert len(columns.rows) == 10
    assert columns.rows.values() == rows.rows.values()
    assert (columns.first, columns.last, columns.total, columns.more) == (rows.first, rows.last, 16, True)
    assert list(read_rows(columns.rows).completions) == list(read_rows(rows.rows).completions)
    assert not answer_of(BODIES["columns_none"]).rows


@pytest.fixture(scope="module", params=[False, True], ids=["recorded site", "invented site"])
def both(request):
    """The same site with an older and with a newer plugin."""
    rows = 1200 if request.param else None
    with FakeMoodle(rows=rows, plugin=True, columns=False) as old, FakeMoodle(rows=rows, plugin=True) as new:
        yield old, new


def completions(connect, site, **options):
    pages = list(connect(url=site.url, token=site.token, **options).completions())
    return [(list(page.completions), page.through, page.sequence, page.more, page.total) for page in pages]


def test_completions_are_the_same_from_an_older_and_a_newer_plugin_and_each_is_asked_in_its_form(both, connect):
    old, new = both
    assert completions(connect, old, page_size=700) == completions(connect, new, page_size=700)
    forms = [{one.params.get("form") for one in site.questions if one.function == COMPLETIONS} for site in both]
    assert forms == [{None}, {"columns"}]


def test_blocks_are_the_same_from_both(both, connect):
    readers = [connect(url=one.url, token=one.token, page_size=500) for one in both]
    blocks = [list(reader.blocks()) for reader in readers]
    assert blocks[0] == blocks[1]
    read = [[list(page.completions) for page in reader.block(blocks[0][1])] for reader in readers]
    assert read[0] == read[1] != []


def test_the_fake_writes_columns_as_the_plugin_does():
    real = json.loads(BODIES["columns_both"]["columns"])
    with FakeMoodle(rows=12, plugin=True) as site:
        site.delete_user("xs0000001")
        columns = site.companion.columns()
        faked = json.loads(json.loads(f'"{columns.page(site.companion.picture().order, 0, 12)}"'))
    assert list(faked) == list(real)
    assert {name: type(value) for name, value in faked.items()} == {name: type(value) for name, value in real.items()}
    assert list(faked["courses"]) == list(real["courses"])


# --- some at a time ----------------------------------------------------------------------------------------------
def test_two_rows_with_one_key_stay_together_even_where_their_parts_differ():
    rows = [row(id=number, username=f"u{number}") for number in range(1, 601)]
    assert [len(some) for some, _ in a_few(rows_of_objects(rows))] == [500, 100]
    assert [more for _, more in a_few(rows_of_objects(rows))] == [True, False]
    rows[599] |= {"username": "u1|AQSC", "courseshortname": "X"}
    rows[0] |= {"username": "u1", "courseshortname": "AQSC|X"}
    assert [(len(some), more) for some, more in a_few(rows_of_objects(rows))] == [(600, False)]
    assert len(read_rows(rows_of_objects(rows)).completions) == 599
    assert list(a_few(rows_of_objects([]))) == []


# --- what is refused ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ('{"id":[1]', "no JSON"),
        ('{"id":[1\udc80]}', "no JSON"),
        ("[" * 2000, "no JSON"),
        ("[]", "another form"),
        ("null", "another form"),
        (text_of(*TWO, courses=None), "another form"),
        (text_of(*TWO, courses={}), "no column courseid"),
        (text_of(*TWO, id=None), "no column id"),
        (text_of(*TWO, mark="5\n6"), "no column mark"),
        (text_of(*TWO, identity=7), "no column identity"),
        (text_of(*TWO, deleted=True), "no column deleted"),
        (text_of(*TWO, course=None), "no column course"),
        (text_of(*TWO, id=[3, "4"]), "no int as id"),
        (text_of(*TWO, id=[3, 4.0]), "no int as id"),
        (text_of(*TWO, mark=[5, True]), "no int as mark"),
        (text_of(*TWO, timecompleted=[1_700_000_000, None]), "no int as timecompleted"),
        (text_of(*TWO, username=["a", None]), "no str as username"),
        (text_of(*TWO, grade=["a", 5]), "no str as grade"),
        (text_of(*TWO, deleted=[True]), "no int as deleted"),
        (text_of(*TWO, id=[3]), "not of one length"),
        (text_of(*TWO, id=[3, 4, 5]), "not of one length"),
        (text_of(*TWO, username="a"), "not of one length"),
        (text_of(*TWO, username="a\nb\nc"), "not of one length"),
        (text_of(*TWO, username=""), "not of one length"),
        (text_of(*TWO, course=[0], deleted=[]), "not of one length"),
        (text_of(username="a"), "not of one length"),
        (text_of(*TWO, course=[0, 2]), "column course names a place"),
        (text_of(*TWO, course=[0, -1]), "column course names a place"),
        (text_of(*TWO, suspended=[2]), "column suspended names a place"),
        (text_of(*TWO, suspended=[-1]), "column suspended names a place"),
        (text_of(*TWO, courses=columns_of(*TWO)["courses"] | {"courseid": [2]}), "not of one length"),
        (text_of(*TWO, courses=columns_of(*TWO)["courses"] | {"courseid": [2, "3"]}), "no int as courseid"),
    ],
)
def test_columns_that_have_not_their_form_are_refused_whole(text, words):
    with pytest.raises(errors.Malformed, match=words) as refused:
        rows_of_text(text)
    assert "410311199012048971" not in refused.value.message


@pytest.mark.parametrize("gone", sorted(columns_of(*TWO).keys() - {"courses"}))
def test_no_column_may_be_missing(gone):
    columns = columns_of(*TWO)
    del columns[gone]
    with pytest.raises(errors.Malformed, match=f"no column {gone}"):
        rows_of_text(json.dumps(columns))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(TITLES), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*TITLES, "course", "courses"]), _JSON, max_size=3) | _JSON)
def test_whatever_comes_is_rows_with_their_types_or_is_refused(other):
    said = columns_of(*TWO) | other if isinstance(other, dict) else other
    try:
        rows = rows_of_text(json.dumps(said))
    except errors.Malformed:
        return
    assert isinstance(rows, Rows)
    for one in rows.values():
        assert tuple(map(type, one)) == tuple(FORM.values())


def test_an_answer_of_neither_form_is_refused():
    head = {key: value for key, value in BODIES["columns_both"].items() if key != "columns"}
    with pytest.raises(errors.Malformed, match="no completions"):
        answer_of(head)
    with pytest.raises(errors.Malformed, match="no columns"):
        answer_of(head | {"columns": columns_of(*TWO)})
    with pytest.raises(errors.Malformed, match="not in the order"):
        answer_of(head | {"columns": text_of(*reversed(TWO))})
    with pytest.raises(errors.PageRepeated):
        answer_of(head | {"columns": text_of(TWO[0], TWO[0])})
