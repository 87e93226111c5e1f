"""A department's officer approves in a real browser, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest

from agent.certificates.approvals import ask_for_approval
from agent.flow import run_stages
from tests.house.houses import number
from tests.portal.conftest import Town, date
from tests.portal.test_browser import browser, opened, site, town_cookie

__all__ = ["browser", "site"]
pytestmark = pytest.mark.needs("chromium")
LONG = "阿卜杜热西提·麦麦提明" * 4
PEOPLE = ("赵一", "钱二", LONG)


@pytest.fixture
def asking(town: Town) -> Town:
    ask_for_approval(town.programmes["P2"], needed=True, by="test")
    for serial, name in enumerate(PEOPLE, 50):
        town.completion((number(serial), name), "P2", date(2024, 6, 5), 24)
    run_stages()
    return town


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_from_the_desk_to_the_approval(asking, site, browser, width, scheme):
    complaints: list[str] = []
    cookie = town_cookie(asking, "officer")
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page.goto(f"{site}/")
    page.get_by_role("link", name="证书审批").click()
    page.get_by_role("heading", level=1, name="3人等您批准证书").wait_for()
    page.get_by_role("link", name="人工智能工程师培训").click()
    page.get_by_role("heading", level=1, name="3人等您批准").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("赵一").check()
    page.get_by_label(LONG).check()
    page.get_by_label("批准意见").fill("名单已核对")
    page.get_by_role("button", name="批准选中的").click()
    page.get_by_text("已批准2人").wait_for()
    page.get_by_role("heading", level=1, name="1人等您批准").wait_for()
    page.get_by_role("button", name=re.compile("批准本页全部1人")).click()
    page.get_by_role("heading", level=1, name="没有人在等批准").wait_for()
    assert page.get_by_text("名单已核对").count() == 1
    page.get_by_role("button", name="改为无须审批").click()
    page.get_by_role("heading", level=1, name="这个项目的证书无须审批").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
