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


@pytest.mark.parametrize("width", WIDTHS)
def test_a_certificate_is_looked_at_copied_for_a_purpose_and_verified(certificate, site, browser, width):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, accept_downloads=True)
    sign_in(page, site, "xiaoming")
    page.get_by_role("link", name="证书", exact=True).click()
    assert fits(page, width)
    shot(page, f"certificates-{width}")
    page.get_by_role("link", name="建筑施工新技术", exact=True).click()
    page.get_by_role("heading", level=1, name="建筑施工新技术").wait_for()
    page.get_by_label("给谁、做什么用").fill("示例公司2024年职称评审")
    page.get_by_label("有效多少天").select_option("90")
    page.get_by_role("button", name="做一份副本").click()
    page.get_by_text("有效期至").wait_for()
    assert page.locator("img.preview").evaluate("e => e.decode().then(() => e.naturalWidth)") > 600
    assert fits(page, width)
    shot(page, f"certificate-{width}")
    row = page.locator(".papers-made li")
    with page.expect_download() as downloading:
        row.get_by_role("link", name="下载PDF").click()
    assert downloading.value.path().read_bytes().startswith(b"%PDF-")
    address = row.get_by_role("link", name="验证页").get_attribute("href")
    stranger = opened(browser, complaints, viewport={"width": width, "height": 900})
    stranger.goto(f"{site}{address}")
    assert stranger.get_by_role("heading", level=1).inner_text() == "证书副本有效"
    assert fits(stranger, width)
    shot(stranger, f"paper-{width}")
    row.get_by_role("button", name="收回").click()
    page.get_by_text("已收回").wait_for()
    stranger.reload()
    assert stranger.get_by_role("heading", level=1).inner_text() == "这份证明已被本人收回"
    assert [each for each in complaints if "410" not in each] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_transcript_is_made(certificate, site, browser, width):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, java_script_enabled=False)
    sign_in(page, site, "xiaoming")
    page.get_by_role("link", name="开一份年度学时证明").click()
    page.get_by_label("给谁、做什么用").fill("单位年度考核")
    page.get_by_role("button", name="开证明").click()
    page.get_by_text("2024年度学时证明").first.wait_for()
    assert fits(page, width)
    shot(page, f"papers-{width}")
    assert complaints == []
