"""A base's whole story in a real browser, on a desk and on a phone: it connects its Moodle, maps a course by a
suggestion after a dry run, and the completions are released.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from agent.flow import run_stages
from agent.intake.models import Source
from agent.intake.sync import pull
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import certificates, held
from tests.portal.conftest import Town
from tests.portal.test_browser import browser, opened, site, town_cookie

__all__ = ["browser", "site"]
pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def moodle(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMoodle]:
    """A platform inside of the network, which the installation allows by name."""
    monkeypatch.setattr(settings, "PRIVATE_HOSTS", {"127.0.0.1"})
    with FakeMoodle() as running:
        yield running


def _aside(work: Callable[[], Any]) -> Any:
    """Done in a thread without a loop, as a worker does it."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def _worked() -> None:
    pull(Source.objects.get(name="二号平台"))
    run_stages()


def _another_token(page: Any, moodle: FakeMoodle) -> None:
    """A year later the platform gives another one."""
    moodle.token = "1" * 32
    page.get_by_role("link", name="连接平台").click()
    page.get_by_role("link", name="二号平台").click()
    page.get_by_role("button", name="改网址、令牌和选项").click()
    page.get_by_label("服务账号的令牌").fill(moodle.token)
    page.get_by_role("button", name="保存并检查").click()
    page.get_by_text("检查过了，可以生效").wait_for()
    page.get_by_role("button", name="生效，现在取一次").click()
    page.get_by_text("已保存。").wait_for()
    page.get_by_role("button", name="暂停").click()
    page.get_by_text("已暂停，只在有人要求时取").wait_for()
    assert moodle.token not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("screen", [(1280, "light"), (360, "dark")])
def test_from_the_wizard_to_released_completions(town: Town, moodle, site, browser, screen):
    width, scheme = screen
    complaints: list[str] = []
    cookie = town_cookie(town, "operator")
    page = opened(browser, complaints, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(f"{site}/")
    page.get_by_role("link", name="连接平台").click()
    page.get_by_label("Moodle 学习平台").check()
    page.get_by_label("名称").fill("二号平台")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("平台首页的网址").fill(moodle.url)
    page.get_by_label("服务账号的令牌").fill("0" * 32)
    page.get_by_role("button", name="保存并检查").click()
    page.get_by_text("E_TOKEN_INVALID").wait_for()
    fits()
    page.get_by_label("服务账号的令牌").fill(moodle.token)
    page.get_by_role("button", name="保存并检查").click()
    page.get_by_text("可以同步。").wait_for()
    assert page.get_by_role("table", name="前十行").locator("tbody tr").count() == 10
    assert moodle.token not in page.content()
    assert moodle.token not in page.url
    fits()
    page.get_by_role("button", name="连接，现在取一次").click()
    page.get_by_role("heading", level=1, name="二号平台已连接").wait_for()
    _aside(_worked)
    waiting = _aside(held)["E_COURSE_UNMAPPED"]

    page.get_by_role("link", name="把课程对应到备案项目").click()
    page.get_by_role("heading", level=1, name="门课程还没有对应的项目").wait_for()
    fits()
    page.get_by_role("row", name="RGZN").get_by_role("checkbox").check()
    page.get_by_role("button", name="看选中的建议会改变什么").click()
    page.get_by_role("heading", level=1, name="条记录将放行").wait_for()
    page.get_by_text("不再等待：课程没有对应的项目").wait_for()
    fits()
    assert _aside(held)["E_COURSE_UNMAPPED"] == waiting  # a dry run
    page.get_by_label("为什么").fill("同一门课")
    page.get_by_role("button", name="确认对应").click()
    page.get_by_text("已确认1个对应").wait_for()
    before = len(_aside(certificates))
    _aside(run_stages)
    assert _aside(held)["E_COURSE_UNMAPPED"] < waiting
    assert len(_aside(certificates)) > before
    page.get_by_role("link", name="待处理", exact=True).click()
    page.get_by_role("table", name="最近30天自动放行的").get_by_text("课程没有对应的项目").wait_for()
    fits()
    _another_token(page, moodle)
    _aside(_worked)
    # the browser says so of each answer that refuses; there was none
    assert complaints == []
