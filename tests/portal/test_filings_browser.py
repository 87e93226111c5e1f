"""Whole stories in a real browser: from an empty form to certificates, and a programme voided by two people."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connection

from agent.credit.policy import load_policy
from agent.flow import run_stages
from agent.localtime import local_date, now
from agent.programmes.models import CourseLink, Programme
from tests.house.houses import number
from tests.portal.conftest import Town
from tests.portal.test_browser import browser, opened, site, town_cookie

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "site"]
pytestmark = pytest.mark.needs("chromium")
SHOTS = os.environ.get("XUESHI_SHOTS")
"""A folder: the pages of the story are kept there as pictures (docs/console/filing.md)."""
LONG = "阿卜杜热西提·麦麦提明" * 3


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do it in a thread: Django's ORM refuses one in which playwright's loop runs."""

    def alone() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.fixture
def year(monkeypatch, tmp_path) -> int:
    """A year that is open: the policy of 2024 as that of this year, and a filing may come when its class is over."""
    this = local_date(now()).year
    folder = tmp_path / "mappings" / "370400" / str(this)
    folder.mkdir(parents=True)
    from importlib.resources import files

    text = files("mappings").joinpath("370400", "2024", "policy.yaml").read_text("utf-8").split("\nexamples:")[0]
    text = text.replace("year: 2024", f"year: {this}").replace("version: 370400/2024.", f"version: 370400/{this}.")
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("XUESHI_MAPPINGS", str(tmp_path / "mappings"))
    monkeypatch.setattr(settings, "FILING_LEAD_DAYS", -10)
    load_policy.cache_clear()
    return this


def person(browser: Browser, site: str, cookie: str, complaints: list[str], **options: Any) -> Page:
    page = opened(browser, complaints, **options)
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    return page


def fill(page: Page, first: date) -> None:
    """Fill the form in, but for a mistake in the hours."""
    page.get_by_label("项目名称").fill("工业互联网安全实务")
    page.get_by_label("类别").select_option("professional")
    page.get_by_label("职称系列").fill("工程")
    page.get_by_label("培训方式").select_option("in_person")
    page.get_by_label("培训对象").fill("全市工业企业专业技术人员")
    page.get_by_label("计划人数").fill("60")
    page.get_by_label("学时专业科目", exact=False).or_(page.locator("#f-hours")).first.fill("20")
    page.locator("#f-starts_on").fill(first.isoformat())
    page.locator("#f-ends_on").fill((first + timedelta(1)).isoformat())
    page.locator("#f-place").fill("市民中心三楼报告厅")
    page.locator("#f-fee").fill("0")
    page.locator("#f-implementer").select_option(label="示例base")
    page.locator("#f-teachers").fill("张三，高级工程师，示例学院\n李四，教授")
    for row, (topic, teacher) in enumerate((("工控系统风险评估", "张三"), ("应急演练", "李四"))):
        page.locator("[name=t_date]").nth(row).fill((first + timedelta(row)).isoformat())
        page.locator("[name=t_topic]").nth(row).fill(topic)
        page.locator("[name=t_teacher]").nth(row).fill(teacher)
        page.locator("[name=t_hours]").nth(row).fill("8")


def test_filed_returned_corrected_accepted_and_certificates_appear(town: Town, year, site, browser):  # noqa: PLR0915 - one whole story
    today = local_date(now())
    # what is taught today was filed for today: the class of the story is over by its end
    first = today - timedelta(1) if (today - timedelta(1)).year == year else today
    complaints: list[str] = []
    officer = person(browser, site, elsewhere(lambda: town_cookie(town, "officer")), complaints)
    reviewer = person(browser, site, elsewhere(lambda: town_cookie(town, "reviewer")), complaints)

    officer.goto(f"{site}/")
    officer.get_by_role("link", name="备案", exact=True).first.click()
    officer.get_by_role("button", name="新建备案").click()
    officer.get_by_role("heading", level=1, name="填写备案").wait_for()
    shot(officer, "form-empty")
    fill(officer, first)
    # saved and judged while it was typed, beside the fields
    officer.locator("#found-timetable").get_by_text("课程表合计16学时，申报的是20学时").wait_for()
    officer.locator(".saying", has_text="已保存").wait_for()
    shot(officer, "form-checks")
    officer.reload()
    assert officer.locator("#f-title").input_value() == "工业互联网安全实务"
    officer.locator("#f-hours").fill("16")
    officer.locator(".saying", has_text="检查都通过了").wait_for()
    officer.get_by_label("文件").set_input_files(
        {"name": "课程方案.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 invented"}
    )
    officer.get_by_role("button", name="上传").click()
    officer.get_by_role("link", name="课程方案.pdf").wait_for()
    officer.get_by_role("button", name="提交备案").click()
    officer.get_by_text("待受理").first.wait_for()
    shot(officer, "submitted")

    # somebody learned meanwhile: it waits for the filing
    def learned() -> None:
        programme = Programme.objects.latest("pk")
        CourseLink.objects.create(
            source=town.source, kind="moodle", course="GYHLW", programme=programme, valid_from=first,
            valid_to=first + timedelta(1), confirmed_by="test",
        )  # fmt: skip
        for serial, name in enumerate(("赵一", LONG), 70):
            town.completion((number(serial), name), "GYHLW", today, 16, first)
        run_stages()

    elsewhere(learned)
    reviewer.goto(f"{site}/filings/")
    shot(reviewer, "queue")
    reviewer.get_by_role("link", name="工业互联网安全实务").first.click()
    reviewer.get_by_label("理由类别").first.select_option("timetable")
    reviewer.locator("#reason").fill("请把第二天的内容写具体")
    reviewer.get_by_text("逐栏写意见").click()
    reviewer.locator("#remark-timetable").fill("“应急演练”练什么？请写明")
    shot(reviewer, "decide")
    reviewer.get_by_role("button", name="退回", exact=True).click()
    reviewer.get_by_text("已办：退回").wait_for()

    officer.goto(f"{site}/filings/")
    officer.get_by_role("heading", level=1, name="1个项目被退回，等您改正").wait_for()
    officer.get_by_role("link", name="工业互联网安全实务").click()
    officer.get_by_role("link", name="改表").click()
    officer.locator("fieldset.timetable").get_by_text("“应急演练”练什么？请写明").wait_for()
    shot(officer, "form-returned")
    officer.locator("[name=t_topic]").nth(1).fill("勒索软件应急演练")
    officer.locator(".saying", has_text="检查都通过了").wait_for()
    officer.get_by_role("button", name="提交备案").click()
    officer.get_by_text("待受理").first.wait_for()

    reviewer.goto(f"{site}/filings/")
    reviewer.get_by_role("link", name="工业互联网安全实务").first.click()
    reviewer.get_by_text("与v1相比，1处不同").wait_for()
    shot(reviewer, "compared")
    reviewer.get_by_label("理由类别").first.select_option("complete")
    reviewer.get_by_role("button", name="受理", exact=True).click()
    reviewer.get_by_text("已办：受理").wait_for()
    elsewhere(run_stages)  # the worker's part
    reviewer.reload()
    live = reviewer.locator(".totals div", has_text="有效证书").locator("dd")
    assert live.inner_text() == "2"
    shot(reviewer, "filed")
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_two_people_void_a_programme(town: Town, site, browser, width, scheme):
    complaints: list[str] = []
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}

    def cookies() -> tuple[str, str]:
        town.staff("second", "bureau", "bureau_head")
        return town_cookie(town, "reviewer"), town_cookie(town, "second")

    first_cookie, second_cookie = elsewhere(cookies)
    one = person(browser, site, first_cookie, complaints, **look)
    two = person(browser, site, second_cookie, complaints, **look)
    address = f"{site}/filings/{town.programmes['P1'].pk}/"
    one.goto(address)
    one.get_by_text("提议作废这个备案").click()
    one.get_by_label("已发的证书和学时").select_option("revoke")
    one.locator("#void-code").select_option("not_held")
    one.locator("#void-reason").fill("没有实际举办，签到表系事后补签")
    assert one.evaluate("document.documentElement.scrollWidth") <= width
    shot(one, f"void-{width}")
    one.get_by_role("button", name="提议作废").click()
    one.get_by_text("您是提议人，不能自己确认").wait_for()

    two.goto(f"{site}/filings/")
    two.get_by_text("作废，等第二人确认").wait_for()
    assert two.evaluate("document.documentElement.scrollWidth") <= width
    shot(two, f"queue-{width}")
    two.get_by_role("link", name="建筑施工新技术").first.click()
    shot(two, f"confirm-{width}")
    two.get_by_role("button", name="确认作废").click()
    two.get_by_text("已作废").first.wait_for()
    assert two.locator(".totals div", has_text="有效证书").count() == 0
    assert two.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_two_windows_lose_nothing(town: Town, site, browser, width, scheme):
    complaints: list[str] = []
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    cookie = elsewhere(lambda: town_cookie(town, "officer"))
    one = person(browser, site, cookie, complaints, **look)
    one.goto(f"{site}/filings/")
    one.get_by_role("button", name="新建备案").click()
    one.get_by_role("heading", level=1, name="填写备案").wait_for()
    two = one.context.new_page()
    two.goto(one.url)
    one.locator("#f-title").fill("这个窗口写的名称" + "很长" * 30)
    one.locator(".saying", has_text="已保存").wait_for()
    two.locator("#f-title").fill("那个窗口写的名称")
    two.locator(".saying", has_text="这张表在别处存过").wait_for()
    two.get_by_role("button", name="保存", exact=True).click()
    two.get_by_role("alert").get_by_text("没有保存").wait_for()
    assert two.locator("#f-title").input_value() == "那个窗口写的名称"
    two.locator(".field-title").get_by_text("这个窗口写的名称").wait_for()
    assert two.evaluate("document.documentElement.scrollWidth") <= width
    shot(two, f"stale-{width}")
    two.get_by_role("button", name="保存", exact=True).click()
    two.get_by_text("已保存。").wait_for()
    one.get_by_role("button", name="再加几行").click()
    assert one.locator("[name=t_topic]").count() == 8
    # a refusal is a status of the address, which a browser's console notes; nothing else may be there
    assert [each for each in complaints if "409" not in each] == []
