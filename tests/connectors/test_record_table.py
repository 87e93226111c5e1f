"""Completions by columns are the same completions."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.record_table import RecordTable
from connectors.records import MAY_LACK, MUST_HAVE, Completion, Completions


def record(key: str, **more) -> Completion:
    return {
        "key": key, "user": "xy1", "course": "AQSC", "course_name": "安全", "name": "宋垚磊", "id_number": "",
        "completed_at": datetime(2024, 9, 23, tzinfo=UTC), "precision": "second", "started_on": None, "hours": None,
        "minutes": None, "passed": True, "active": True, "grade": "", "employer": "", "filing_number": "",
        "raw": [key], **more,
    }  # fmt: skip


RECORDS = st.builds(
    lambda key, more: record(key, **more),
    st.text(min_size=1, max_size=5),
    st.fixed_dictionaries(
        {}, optional={"place": st.text(max_size=5), "serial": st.integers(1), "mark": st.integers(0)}
    ),
)


@given(st.lists(RECORDS, max_size=6), st.data())
def test_a_table_is_the_records_that_it_was_made_of(records, data):
    table = RecordTable.of(records)
    assert list(table) == records == [table[at] for at in range(len(records))]
    assert (len(table), bool(table)) == (len(records), bool(records))
    start, stop = data.draw(st.integers(-7, 7)), data.draw(st.integers(-7, 7))
    assert list(table[start:stop]) == records[start:stop]
    places = data.draw(st.lists(st.integers(0, len(records) - 1))) if records else []
    assert list(table.only(places)) == [records[at] for at in places]
    assert RecordTable.of(table) is table


def test_a_record_that_lacks_what_it_must_have_makes_no_table():
    lacking = record("a")
    del lacking["grade"]
    with pytest.raises(KeyError, match="grade"):
        RecordTable.of([record("b"), lacking])


def test_what_a_record_may_lack_is_what_the_contract_lets_it_lack():
    whole = record("a", place="1", serial=1, mark=0)
    assert {*MAY_LACK, *MUST_HAVE} == whole.keys() == Completion.__annotations__.keys()
    bare = {name: whole[name] for name in MUST_HAVE}
    assert Completions.validate_python([whole, bare], strict=True) == [whole, bare]
