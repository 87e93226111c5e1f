"""The conformance suite on 微课, and what was recorded of it."""

from __future__ import annotations

import pytest
from fake_weike import RECORDED, FakeWeike
from pydantic import SecretStr
from weike import TokenUnknown, WeikeConnector

from connectors.base import SourceConfig
from connectors.errors import OptionInvalid, PageRepeated, TotalsDiffer
from connectors.testing import ConnectorTests
from connectors.testing.conformance import COURSES, HTTP_FAULTS


class TestWeike(ConnectorTests):
    kind = "weike"
    faults = HTTP_FAULTS | {"invalid_token": TokenUnknown, "page_repeated": PageRepeated, "totals_lie": TotalsDiffer}

    @pytest.fixture
    def site(self):
        with FakeWeike(COURSES) as site:
            yield site

    def config(self, site):
        return SourceConfig("weike", site.url, SecretStr(site.token), {"page_size": "8"}, allow_private=True)

    def put(self, site, *finished):
        for one in finished:
            when, minutes = f"{one.at:%Y-%m-%d %H:%M:%S}", one.hours * 45 // 100
            who = {"login": one.user, "name": one.name, "sfzh": one.id_number}
            site.finish(**who, course=one.course, finished=when, minutes=minutes, score=one.grade)

    def remove(self, site, one):
        del site.rows[one.user, one.course]


def test_what_was_recorded_is_read():
    with FakeWeike({}) as site:
        site.answer = lambda _: RECORDED["records"]
        config = SourceConfig("weike", site.url, SecretStr(site.token), allow_private=True)
        with WeikeConnector(config) as weike:
            (page,) = weike.completions()
    assert [(row["key"], row["minutes"]) for row in page.completions] == [("wk001|AQSC", 1080)]
    assert [(one.key, one.code, one.value) for one in page.rejected] == [("wk002|AQSC", "E_DATE_INVALID", "昨天")]


@pytest.mark.parametrize("size", ["0", "501", "many", "-1"])
def test_a_page_size_that_makes_no_sense_is_refused(size):
    with pytest.raises(OptionInvalid, match="page_size"):
        WeikeConnector(SourceConfig("weike", "https://weike.example.cn", options={"page_size": size}))
