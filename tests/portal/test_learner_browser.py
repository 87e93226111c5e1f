"""A learner's stories in a real browser, on a phone and on a desk: how far each course is, and what can be done."""

from __future__ import annotations

import pytest

from tests.portal.test_browser import browser, opened, sign_in, site
from tests.portal.test_lti_browser import shot
from tests.portal.test_where import an_hour_ago

__all__ = ["an_hour_ago", "browser", "site"]
pytestmark = pytest.mark.needs("chromium")
WIDTHS = [1280, 390]


def fits(page: object, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_year_says_how_far_each_course_is_and_by_when_to_have_done(town, site, browser, width):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900})
    sign_in(page, site, "xiaoming")
    assert page.get_by_role("img", name="已认出本人，等待处理").count() == 1
    assert page.get_by_role("img", name="已发证书").first.is_visible()
    page.get_by_text("今年要申报职称？").click()
    page.get_by_label("哪天交材料").fill("2024-09-20")
    page.get_by_role("button", name="推算").click()
    page.get_by_text("2024-09-20交材料的，要在2024-09-12前学完。").wait_for()
    assert fits(page, width)
    shot(page, f"year-{width}")
    assert complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_course_that_has_not_come_is_looked_for(an_hour_ago, site, browser, width):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900})
    sign_in(page, site, "xiaoming")
    page.get_by_role("link", name="查学时").click()
    page.get_by_label("课程名称").fill("课程")
    page.get_by_role("button", name="查一查").click()
    page.get_by_role("heading", level=1, name="平台送来过您的5条记录").wait_for()
    page.get_by_role("radio", name="在线学习中心").check()
    page.get_by_label("哪天完成的").fill("2024-08-02")
    page.get_by_role("button", name="现在去看一次").click()
    page.get_by_text("正在排队").wait_for()
    assert fits(page, width)
    shot(page, f"where-{width}")
    assert complaints == []
