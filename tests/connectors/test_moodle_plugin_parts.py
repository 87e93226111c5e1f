"""The plugin's rows and answers by themselves; recorded answers of a real plugin (recorded/README.md)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.moodle.plugin_answers import answer_of, blocks_of, told_of
from connectors.moodle.plugin_columns import TITLES
from connectors.moodle.plugin_rows import read_objects, read_rows
from connectors.records import Completions
from connectors.testing.fake_moodle import FakeMoodle

RECORDED = json.loads((Path(__file__).parent / "recorded" / "plugin.json").read_text("utf-8"))
BODIES = {one["name"]: one["body"] for one in RECORDED}


def row(**values):
    """A row of the plugin, with ``values`` in it."""
    return {
        "id": 3, "userid": 7, "courseid": 2, "username": "xy00001", "idnumber": "GH1",
        "identity": "410311199012048971", "lastname": "宋", "firstname": "垚磊", "deleted": False, "suspended": False,
        "enrolled": 1, "courseshortname": "AQSC", "courseidnumber": "", "coursefullname": "安全生产法规",
        "timeenrolled": 0, "timestarted": 0, "timecompleted": 1_700_000_000, "grade": "93.00", "grademax": "100.00",
        "mark": 5,
    } | values  # fmt: skip


# --- rows --------------------------------------------------------------------------------------------------------
def test_a_row_becomes_a_completion_with_its_number_its_mark_and_all_that_came():
    (one,) = read_objects([row(extra="of a later version")]).completions
    assert one["key"] == "xy00001|AQSC"
    assert (one["serial"], one["mark"], one["precision"], one["grade"]) == (3, 5, "second", "93.00")
    assert one["completed_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert dict(zip(TITLES, one["raw"], strict=True)) == row()
    assert Completions.validate_python([one], strict=True)


@pytest.mark.parametrize(
    ("values", "active"),
    [
        ({}, True),
        ({"enrolled": 0}, False),
        ({"enrolled": 2}, False),
        ({"suspended": True}, False),
        ({"deleted": True}, False),
        ({"deleted": True, "enrolled": 0}, False),
    ],
)
def test_who_can_not_go_on_learning_there_is_not_active(values, active):
    (one,) = read_objects([row(**values)]).completions
    assert (one["active"], one["passed"]) == (active, True)


@pytest.mark.parametrize(
    ("enrolled", "started", "day"),
    [
        (0, 0, None),
        (1_699_000_000, 0, "2023-11-03"),
        (0, 1_699_000_000, "2023-11-03"),
        (1_699_000_000, 1_698_000_000, "2023-10-23"),
        (1_700_000_001, 1_698_000_000, "2023-10-23"),
        (1_700_000_001, 1_700_000_002, None),
        (1_700_000_000, 0, "2023-11-15"),  # the same second, in China the next day
        (-5, 0, None),
        (631_123_200, 0, "1990-01-01"),
        (520_614_000, 0, "1986-07-02"),  # 15:00 UTC: China had summer time then
    ],
)
def test_it_began_with_the_earlier_of_two_times_that_lies_before_its_end(enrolled, started, day):
    (one,) = read_objects([row(timeenrolled=enrolled, timestarted=started)]).completions
    assert (one["started_on"] and one["started_on"].isoformat()) == day


@pytest.mark.parametrize(
    ("values", "code", "title"),
    [
        ({"username": ""}, "E_ROW_MALFORMED", "username"),
        ({"courseshortname": ""}, "E_ROW_MALFORMED", "courseshortname"),
        ({"username": "长" * 301}, "E_ROW_MALFORMED", "key"),
        ({"coursefullname": "长" * 501}, "E_ROW_MALFORMED", "course_name"),
        ({"lastname": "长" * 300, "firstname": "长" * 300}, "E_ROW_MALFORMED", "name"),
        ({"identity": "1" * 501}, "E_ROW_MALFORMED", "id_number"),
        ({"grade": "1" * 501}, "E_ROW_MALFORMED", "grade"),
        ({"timecompleted": 253_402_300_800}, "E_DATE_INVALID", "timecompleted"),
        ({"timecompleted": 1 << 62}, "E_DATE_INVALID", "timecompleted"),
        ({"mark": -1}, "E_ROW_MALFORMED", "mark"),
        ({"mark": 1 << 32}, "E_ROW_MALFORMED", "mark"),
        ({"id": 1 << 63}, "E_ROW_MALFORMED", "serial"),
    ],
)
def test_a_row_of_which_nothing_can_be_made_is_rejected_alone_with_what_it_said(values, code, title):
    batch = read_objects([row(id=1, username="a"), row(**values), row(id=9, username="b")])
    assert [one["user"] for one in batch.completions] == ["a", "b"]
    (refused,) = batch.rejected
    assert (refused.code, refused.field) == (code, title)
    assert refused.raw == row(**values)
    assert "410311199012048971" not in refused.value + refused.place + refused.key


def test_long_texts_that_are_allowed_land():
    batch = read_objects([row(coursefullname="长" * 500, username="u" * 100, courseshortname="k" * 199)])
    assert (len(batch.completions), batch.rejected) == (1, [])


@given(
    st.lists(
        st.builds(
            row,
            id=st.integers(-1, 1 << 64),
            username=st.text(max_size=320) | st.sampled_from(["a", "b"]),
            courseshortname=st.sampled_from(["AQSC", "RGZN", ""]),
            lastname=st.text(max_size=510),
            identity=st.text(max_size=510),
            coursefullname=st.text(max_size=510),
            deleted=st.booleans(),
            timecompleted=st.integers(-5, 1 << 40),
            timeenrolled=st.integers(-5, 1 << 40),
            mark=st.integers(-2, 1 << 33),
        ),
        max_size=5,
    )
)
def test_a_page_is_read_as_strictly_as_pydantic_would_and_as_each_row_alone(rows):
    batch = read_objects(rows)
    completions = list(batch.completions)
    assert Completions.validate_python(completions, strict=True) == completions
    alone = [read_objects([one]) for one in rows]
    assert [one for each in alone for one in each.rejected] == batch.rejected
    by_key = {}
    for one in (one for each in alone for one in each.completions):
        if one["key"] not in by_key or not dict(zip(TITLES, one["raw"], strict=True))["deleted"]:
            by_key[one["key"]] = one
    assert list(by_key.values()) == completions
    assert len(by_key) + len(batch.rejected) <= len(rows)


# --- recorded answers --------------------------------------------------------------------------------------------
def test_recorded_completions_are_read():
    whole = answer_of(BODIES["completions_all"])
    assert (whole.total, whole.more, whole.sequence, whole.identity_field) == (8, False, 27, ("sfzh", "身份证号"))
    batch = read_rows(whole.rows)
    assert batch.rejected == []
    by_key = {one["key"]: one for one in batch.completions}
    assert len(by_key) == 8
    assert by_key["life1b593477|XLJK593477"]["name"] == "买买提 阿卜杜拉·艾合买提"  # deleted, and known all the same
    assert by_key["life1b593477|XLJK593477"]["id_number"] == "410102199002020046"
    renamed = by_key["life1renamed593477|WSYS2_593477"]
    assert (renamed["name"], renamed["course_name"]) == ("欧阳𠮷", '2024年卫生系统医师专业科目 & <进阶> "甲"')
    first, second = answer_of(BODIES["completions_page1"]), answer_of(BODIES["completions_page2"])
    pages = [*first.rows.values(), *second.rows.values()]
    assert pages == whole.rows.values()[: len(pages)]
    assert (first.more, first.last < second.first, second.total) == (True, True, -1)
    assert not answer_of(BODIES["completions_none"]).rows


def test_a_recorded_digest_is_the_sum_of_its_rows():
    (block,), following = blocks_of(BODIES["digest_small"], 1_048_561, 100)
    rows = answer_of(BODIES["completions_all"]).rows
    assert (block.rows, block.marks, following) == (len(rows), rows.marks, 0)
    blocks, following = blocks_of(BODIES["digest_page1"], 1, 5000)
    assert [one.rows for one in blocks] == [5000, 5000]
    assert following == 10_001


def test_recorded_changes_are_read():
    told = told_of(BODIES["changes_all"])
    assert (told.oldest, told.newest, told.last, told.more) == (1, 35, told.rows[-1]["sequence"], False)
    assert {one["kind"] for one in told.rows} <= {"completed", "changed", "reset", "deleted"}
    assert told_of(BODIES["changes_nothing_new"]).rows == []
    assert told_of(BODIES["changes_page"]).more


@pytest.mark.parametrize("name", ["completions_all", "digest_page1", "changes_page"])
def test_the_fake_answers_in_the_recorded_shapes(name):
    call = next(one for one in RECORDED if one["name"] == name)
    with FakeMoodle(plugin=True) as site:
        site.rename_user("xy00001", "another")
        site.prepare()
        answer = _asked(site, call["function"], {**call["params"], "firstid": "0", "lastid": "0"})
    assert _shape(answer) == _shape(call["body"])


def _asked(site, function, params):
    import requests

    known = {name: value for name, value in params.items() if value != "0"}
    asked = {"wstoken": site.token, "wsfunction": function, "moodlewsrestformat": "json", **known}
    return requests.post(f"{site.url}/webservice/rest/server.php", data=asked, timeout=10).json()


def _shape(value):
    """Names in their order, and types; of a list its first."""
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}, list(value)
    return [_shape(one) for one in value[:1]] if isinstance(value, list) else type(value)


def test_answers_that_are_errors_are_not_taken_for_answers():
    for name in ("error_bad_limit", "error_unknown_parameter", "error_unknown_form"):
        with pytest.raises(errors.Malformed):
            answer_of(BODIES[name])
