"""An invitation's whole way in a real browser: link, account, second factor, the first page, and the event of it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pyotp
import pytest

from agent.localtime import now
from tests.portal.conftest import Town
from tests.portal.test_browser import browser, opened, site, town_cookie

__all__ = ["browser", "site"]
pytestmark = pytest.mark.needs("chromium")
LONG = "阿卜杜热西提·麦麦提明" * 4
PASSWORD = "correct horse battery"


@pytest.fixture
def looked_after(town: Town) -> Town:
    town.staff("admin", "bureau", "administrator")
    return town


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_from_the_invitation_to_the_desk(looked_after, site, browser, width, scheme):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.context.add_cookies([{"name": "sessionid", "value": town_cookie(looked_after, "admin"), "url": site}])
    page.goto(f"{site}/organisations/{looked_after.bodies['bureau'].pk}/")
    page.get_by_label("角色").first.select_option("bureau_head")
    page.get_by_role("button", name="生成邀请链接").click()
    link = page.locator(".once code").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.clear_cookies()

    page.goto(site + urlsplit(link).path)
    page.get_by_label("姓名").fill(LONG)
    page.get_by_label("用户名").fill("newhead")
    page.get_by_label("密码", exact=False).nth(0).fill(PASSWORD)
    page.get_by_label("再输入一次密码").fill(PASSWORD)
    page.get_by_role("button", name="开通账号").click()
    page.get_by_role("heading", level=1, name="给账号加一把锁").wait_for()
    box = page.locator(".qr svg").bounding_box()
    assert box
    assert box["width"] > 150
    page.get_by_text("扫不了？手工输入密钥").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.get_by_label("验证码").fill(pyotp.TOTP(secret).at(now()))
    page.get_by_role("button", name="完成设置").click()
    page.get_by_role("heading", level=1, name="请现在记下这些恢复码").wait_for()
    assert page.locator(".codes code").count() == 10
    page.get_by_role("link", name="记好了，继续").click()
    page.get_by_role("link", name="审计").click()
    page.get_by_role("cell", name="接受邀请").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
