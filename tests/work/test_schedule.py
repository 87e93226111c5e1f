"""When a source falls due."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.work.errors import ScheduleInvalid, ZoneUnknown
from agent.work.schedule import period, trigger, zone_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2024, 5, 6, 12, 0, tzinfo=SHANGHAI)


def after(text: str, at: datetime = NOON, zone: ZoneInfo = SHANGHAI) -> datetime | None:
    return trigger(text, zone).get_next_fire_time(None, at)


def test_a_cron_line_falls_due_by_the_sources_own_clock():
    assert after("30 2 * * *") == datetime(2024, 5, 7, 2, 30, tzinfo=SHANGHAI)
    urumqi = ZoneInfo("Asia/Urumqi")
    assert after("30 2 * * *", zone=urumqi) == datetime(2024, 5, 7, 2, 30, tzinfo=urumqi)
    assert after("*/15 7-22 * * *", NOON.replace(hour=22, minute=50)) == datetime(2024, 5, 7, 7, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "apart"),
    [("15m", {"minutes": 15}), (" 2h ", {"hours": 2}), ("1d", {"days": 1}), ("0 3 * * 1", {"days": 7})],
)
def test_the_time_between_two_due_times(text: str, apart: dict[str, int]):
    assert period(text, SHANGHAI, NOON) == timedelta(**apart)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither"),
        ("often", "neither"),
        ("0m", "a minute to a year"),
        ("400d", "a minute to a year"),
        ("61 * * * *", "61"),
        ("* * * *", "neither"),
        ("0 0 31 2 *", "never comes"),
        ("* * * * * *", "neither"),
    ],
)
def test_what_never_falls_due_is_refused_with_its_reason(text: str, reason: str):
    with pytest.raises(ScheduleInvalid, match=reason) as error:
        trigger(text, SHANGHAI, field="--recent")
    assert "--recent can't be" in error.value.message
    assert "15m" in error.value.how_to_fix


@pytest.mark.parametrize("name", ["", "Mars/Base", "Asia", "../etc/passwd"])
def test_a_zone_that_is_none_is_refused(name: str):
    with pytest.raises(ZoneUnknown):
        zone_of(name)


@given(st.integers(1, 10_000), st.sampled_from("mh"))
def test_periods_that_are_taken_keep_their_distance(number: int, unit: str):
    wanted = timedelta(**{{"m": "minutes", "h": "hours"}[unit]: number})
    if wanted <= timedelta(days=366):
        assert period(f"{number}{unit}", SHANGHAI, NOON) == wanted


@given(st.integers(1, 3600), st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2030-01-01")))
def test_chance_never_brings_a_pull_forward_by_more_than_its_jitter(jitter: int, at: datetime):
    here = at.replace(tzinfo=SHANGHAI)
    exact = trigger("0 * * * *", SHANGHAI).get_next_fire_time(None, here)
    spread = trigger("0 * * * *", SHANGHAI, jitter).get_next_fire_time(None, here)
    assert abs(spread - exact) <= timedelta(seconds=jitter)
