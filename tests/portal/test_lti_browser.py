"""From a course of the LMS to the learner's year in two clicks, in a real browser: in a window and out of a frame."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.portal.test_browser import browser, opened, site, town_cookie
from tests.portal.test_lti import known, lms, lms_key, right_numbers

__all__ = ["browser", "known", "lms", "lms_key", "right_numbers", "site"]
pytestmark = pytest.mark.needs("chromium")
_SHOTS = os.environ.get("XUESHI_SHOTS", "")
"""A folder for pictures of what is tested, when somebody wants them for the documentation."""


def shot(page: object, name: str) -> None:
    if _SHOTS:
        page.screenshot(path=Path(_SHOTS) / f"{name}.png", full_page=True)  # type: ignore[attr-defined]


@pytest.fixture
def ours(lms, site, monkeypatch):
    monkeypatch.setattr(settings, "BASE_URL", site)
    lms.tool = site
    return lms


@pytest.mark.parametrize(("width", "target"), [(1280, "window"), (390, "window"), (1280, "iframe"), (390, "iframe")])
def test_two_clicks_from_the_course_to_the_year(ours, known, browser, width, target):
    ours.target = target
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, java_script_enabled=False)
    page.goto(f"{ours.url}/course")
    if target == "window":
        page.get_by_role("link", name="我的学时与证书").click()
        page.get_by_role("button", name="go").click()  # the form that a Moodle sends off by script
        window = page
    else:
        frame = page.frame_locator("iframe")
        frame.get_by_role("button", name="go").click()
        frame.get_by_role("heading", name="李·小明，打开您的学时与证书").wait_for()
        shot(page, f"lti-frame-{width}")
        with page.context.expect_page() as opening:
            frame.get_by_role("button", name="在新窗口打开").click()
        window = opening.value
    window.wait_for_url(f"{ours.tool}/")
    assert window.get_by_role("heading", level=1).inner_text() == "还差12学时（专业）"
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert [each for each in complaints if "favicon" not in each and "404" not in each] == []


def test_who_is_not_known_is_asked_once_on_a_phone(ours, site, browser):
    ours.more = {"sub": "99"}
    page = opened(browser, [], viewport={"width": 390, "height": 800})
    page.goto(f"{ours.url}/course")
    page.get_by_role("link", name="我的学时与证书").click()
    page.get_by_role("button", name="go").click()
    page.get_by_role("heading", name="还认不出您是谁").wait_for()
    page.get_by_label("身份证号").fill("370402199001010019")
    page.get_by_role("button", name="核对并进入").click()
    page.get_by_role("alert").wait_for()
    assert "370402" not in page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "lti-who-phone")


def test_a_late_launch_says_so(ours, known, site, browser):
    at = int(time.time()) - 120
    ours.more = {"iat": at, "exp": at + 60}
    page = opened(browser, [], viewport={"width": 390, "height": 700})
    page.goto(f"{ours.url}/course")
    page.get_by_role("link", name="我的学时与证书").click()
    page.get_by_role("button", name="go").click()
    page.get_by_role("heading", name="学习平台的凭据只在一分钟内有效").wait_for()
    shot(page, "lti-late-phone")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_registration_page(town, ours, site, browser, width):
    complaints: list[str] = []
    page = opened(browser, complaints, viewport={"width": width, "height": 900})
    page.context.add_cookies([{"name": "sessionid", "value": town_cookie(town, "operator"), "url": site}])
    page.goto(f"{site}/sources/{town.source.pk}/lti/")
    page.get_by_role("button", name="生成登记链接").click()
    link = page.locator(".once code").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"lti-setup-{width}")
    lms_window = page.context.new_page()
    closed = "window.addEventListener('message', e => document.title = e.data.subject)"
    lms_window.goto(f"{ours.url}/course")
    lms_window.evaluate(closed)
    register = f"{link}?openid_configuration={ours.url}/mod/lti/openid-configuration.php&registration_token=x"
    lms_window.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f) }", register
    )
    lms_window.wait_for_function("document.title === 'org.imsglobal.lti.close'")
    assert complaints == []
