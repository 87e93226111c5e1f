"""A reviewer looks a rule up and tries a year in a real browser, on a desk and on a phone."""

from __future__ import annotations

import json

import pytest

from tests.credit.test_evaluate import YEAR
from tests.portal.test_browser import browser, opened, site, town_cookie

__all__ = ["browser", "site"]
pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_year_is_tried_from_the_rules(town, site, browser, width, scheme):
    complaints: list[str] = []
    cookie = town_cookie(town, "reviewer")
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page.goto(f"{site}/")
    page.get_by_role("link", name="学时规则").click()
    page.get_by_role("heading", level=1, name="学时规则").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="按这些规则试算").click()  # what stands there to begin with
    page.get_by_role("heading", name="试算：未达标").wait_for()
    page.get_by_text("认定 40 学时：这一类每年累计不超过 40 学时，超出 5 学时不计").wait_for()
    page.get_by_label("一年的学习").fill(json.dumps(YEAR))
    page.get_by_role("button", name="按这些规则试算").click()
    page.get_by_text("截止日期：2024-09-12").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="R17").first.click()
    page.get_by_role("heading", name="R17 援派").wait_for()
    page.get_by_role("link", name="440000/2024").click()
    page.get_by_text("广东省专业技术人员继续教育条例").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", level=1, name="Rules of hours").wait_for()
    assert complaints == []
