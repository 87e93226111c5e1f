"""The ring is a pure function: hours in, SVG out."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.portal.bars import bars
from agent.portal.ring import Band, ring, small_ring


def drawn(public: Band, professional: Band) -> ET.Element:
    svg = ring(public, professional, total="78", caption="共需90学时", title="还差12学时")
    return ET.fromstring(svg)  # noqa: S314 - our own


def test_the_bands_say_what_they_are_beside_where_they_begin():
    svg = drawn(Band("公需", 3000, 3000, "public"), Band("专业", 4800, 6000, "professional"))
    assert [text.text for text in svg.iter("text")] == ["公需 30/30", "专业 48/60", "78", "共需90学时"]
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == "还差12学时"


@pytest.mark.parametrize(("credited", "angle"), [(0, 0), (3000, 125), (6000, 250), (6480, 270), (99000, 270)])
def test_the_tick_is_where_the_requirement_is_met_and_a_surplus_ends_at_the_ring(credited, angle):
    assert Band("专业", credited, 6000, "professional").angle == pytest.approx(angle)


def test_nothing_learned_draws_no_smudge():
    svg = drawn(Band("公需", 0, 3000, "public"), Band("专业", 10, 6000, "professional"))
    assert [path.get("class") for path in svg.iter("path")] == ["ring-track", "ring-tick"] * 2


@given(st.integers(0, 10**7), st.integers(0, 10**5))
def test_any_standing_can_be_drawn(credited, required):
    band = Band("<&\"'", credited, required, "public")
    ET.fromstring(ring(band, band, total="<", caption="&", title='"'))  # noqa: S314
    ET.fromstring(small_ring(band, band, title='">'))  # noqa: S314


def test_bars_carry_figures_and_names():
    svg = ET.fromstring(bars([("1月", 4), ("2月", 0)], title="t"))  # noqa: S314
    assert [text.text for text in svg.iter("text")] == ["4", "1月", "0", "2月"]
    assert len(list(svg.iter("rect"))) == 1


def test_no_bars_at_all():
    ET.fromstring(bars([], title="t"))  # noqa: S314
