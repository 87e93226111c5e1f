"""Bytes of COPY say in PostgreSQL what they were made of."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from agent.intake import copying
from agent.localtime import local_date
from tests.house.houses import sql

TYPES = "bigint, integer, text, bytea, boolean, timestamptz, timestamptz, date, date"


def copied(rows: list[bytes]) -> list[tuple]:
    """What PostgreSQL read."""
    columns = ", ".join(f"c{at} {kind}" for at, kind in enumerate(TYPES.split(", ")))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE copied (place serial, {columns})")
        names = ", ".join(f"c{at}" for at in range(9))
        with cursor.copy(f"COPY copied ({names}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(copying.HEADER + b"".join(copying.count(9) + row for row in rows) + copying.TRAILER)
    return sql("SELECT * FROM copied ORDER BY place")


NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def row(*, whole=1, small=2, words="王", some=b"", yes=True, at=NEW_YEAR, moment=None, day=None):
    data = copying.NULL if some is None else copying.size(len(some)) + some
    return b"".join((
        copying.int8(whole), copying.int4(small), copying.text(words), data, copying.boolean(yes),
        copying.timestamp(at), *copying.moments_and_days([moment]), copying.day(day),
    ))  # fmt: skip


EDGES = [
    datetime(2024, 12, 31, 15, 59, 59, 999999, tzinfo=UTC),  # the last moment of a year here
    datetime(2024, 12, 31, 16, 0, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=UTC),  # before PostgreSQL's epoch
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2024, 3, 1, 7, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
]


def test_every_type_comes_back_as_it_was(house: str):
    given_rows = [
        row(whole=-(1 << 63), small=(1 << 31) - 1, words="欧阳𠮷·", some=b"\0\xff", yes=False, at=moment, moment=moment,
            day=local_date(moment))
        for moment in EDGES
    ] + [row(whole=None, small=None, some=None)]  # fmt: skip
    found = copied(given_rows)
    for moment, one in zip(EDGES, found, strict=False):
        day = local_date(moment)
        assert one[1:] == (-(1 << 63), (1 << 31) - 1, "欧阳𠮷·", b"\0\xff", False, moment, moment, day, day)
    assert found[-1][1:] == (None, None, "王", None, True, NEW_YEAR, None, None, None)


def test_the_last_hours_of_the_calendar_stay_in_it(house: str):
    ((*_, day, _),) = copied([row(moment=datetime.max.replace(tzinfo=UTC))])
    assert day == date.max


@given(st.datetimes(max_value=datetime.fromisoformat("9999-12-30"), timezones=st.timezones()))
def test_the_day_is_the_local_day(moment: datetime):
    (said,) = copying.moments_and_days([moment])
    days = struct.unpack(">iqii", said)[3]
    assert date(2000, 1, 1) + timedelta(days=days) == local_date(moment)


MOMENTS = st.none() | st.datetimes(timezones=st.timezones()) | st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond % 2)
)  # fmt: skip


@given(st.lists(MOMENTS))
def test_whole_seconds_are_written_as_any_others(moments: list[datetime | None]):
    alone = [copying.moments_and_days([moment])[0] for moment in moments]
    beside_a_fraction = copying.moments_and_days([*moments, EDGES[0]])[:-1]
    assert copying.moments_and_days(moments) == alone == beside_a_fraction


@pytest.mark.parametrize("wrong", [lambda: copying.int4(1 << 31), lambda: copying.int8(1 << 63)])
def test_a_figure_that_the_column_can_not_hold_is_refused_and_never_cut(wrong):
    with pytest.raises(struct.error):
        wrong()


def test_half_a_character_is_refused():
    with pytest.raises(UnicodeEncodeError):
        copying.text("\ud842")
