"""A learner's way through the portal in a real browser: desk and phone, no script, nothing refused by the policy."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.core.wsgi import get_wsgi_application
from waitress.server import create_server

from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs("chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-extensions"]


@pytest.fixture
def site(house: str) -> Iterator[str]:
    """The portal over real HTTP, in threads of this process; its address."""
    server: Any = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


@pytest.fixture
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield chromium
        chromium.close()


def opened(browser: Browser, complaints: list[str], **options: Any) -> Page:
    """A page that notes what the console complains about."""
    page = browser.new_context(locale="zh-CN", **options).new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def sign_in(page: Page, site: str, username: str) -> None:
    page.goto(f"{site}/")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"{site}/")  # a click does not wait for the page that it brings


# `certificate` and `town` come before `browser`: Django's ORM refuses a thread in which playwright's loop runs
def test_from_signing_in_to_the_certificate_that_a_stranger_verifies(certificate, site, browser):
    complaints: list[str] = []
    page = opened(browser, complaints, accept_downloads=True)
    sign_in(page, site, "xiaoming")
    assert page.get_by_role("heading", level=1).inner_text() == "还差12学时（专业）"
    ring = page.get_by_role("img", name="还差12学时（专业）；公需 30/30；专业 48/60")
    assert ring.bounding_box()["width"] > 200  # type: ignore[index]
    colour = page.locator(".ring-professional").last.evaluate("e => getComputedStyle(e).stroke")
    assert colour == "rgb(15, 92, 99)"

    page.get_by_role("link", name="证书", exact=True).click()
    row = page.get_by_role("row").filter(has_text="建筑施工新技术")
    with page.expect_download() as downloading:
        row.get_by_role("link", name="下载PDF").click()
    download = downloading.value
    assert download.suggested_filename == f"学时证书_建筑施工新技术_{certificate.number}.pdf"
    assert download.path().read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(f"{site}/sign-in/")

    stranger = opened(browser, complaints)
    stranger.goto(site + urlsplit(certificate.verify_url).path)
    assert stranger.get_by_role("heading", level=1).inner_text() == "证书有效"
    stranger.goto(f"{site}/verify/")
    stranger.get_by_label("证书编号").fill(certificate.number)
    stranger.get_by_label("持证人姓名").fill("李·小明")
    stranger.keyboard.press("Enter")
    stranger.wait_for_selector("article.live")
    assert "小明" not in stranger.url
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_runs_off_the_page(town, certificate, site, browser, width):
    complaints: list[str] = []
    address = urlsplit(certificate.verify_url).path
    clients = {who: town_cookie(town, who) for who in ("xiaoming", "newcomer", "operator", "officer", "reviewer")}
    for who, cookie in clients.items():
        page = opened(browser, complaints, viewport={"width": width, "height": 700}, java_script_enabled=True)
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
        for path in ("/", "/certificates/", "/verify/", address) if who == "xiaoming" else ("/",):
            page.goto(site + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (who, path)
        page.context.close()
    assert complaints == []


def town_cookie(town: Any, who: str) -> str:
    """The session of somebody who has signed in, asked for in a thread without a loop."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(_session(town, who)))
    thread.start()
    thread.join()
    return found[0]


def _session(town: Any, who: str) -> str:
    from django.db import connection

    try:
        return town.client(who).cookies["sessionid"].value
    finally:
        connection.close()


def test_the_keyboard_reaches_the_text_first(town, site, browser):
    page = opened(browser, [])
    page.goto(f"{site}/verify/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_it_works_without_javascript(town, site, browser):
    page = opened(browser, [], java_script_enabled=False)
    sign_in(page, site, "xiaoming")
    assert "还差12学时（专业）" in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(town, site, browser, scheme):
    page = opened(browser, [], color_scheme=scheme)
    sign_in(page, site, "xiaoming")
    colours = page.evaluate(
        "() => ['--paper', '--ink', '--muted', '--work', '--person']"
        ".map(name => getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
    )
    paper, *inks = [luminance(colour) for colour in colours]
    for name, ink in zip(("ink", "muted", "work", "person"), inks, strict=True):
        high, low = max(paper, ink), min(paper, ink)
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def luminance(colour: str) -> float:
    """WCAG's relative luminance of ``#rgb`` or ``#rrggbb``."""
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
