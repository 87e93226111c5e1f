"""A learner's way through the portal in a real browser: desk and phone, no script, nothing refused by the policy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.backends.signals import connection_created
from waitress.server import create_server

from agent.certificates.models import Certificate
from agent.certificates.pdfs import pdf_of
from agent.intake.models import Backfill, Source, SyncRun
from agent.intake.sync import running
from agent.localtime import now
from agent.organisations.models import Organisation
from agent.portal.views import runs
from agent.quarantine.models import Held
from agent.reconciliation.stage import run as reconcile
from tests.portal.conftest import PASSWORD, Chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def site(house: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The portal over real HTTP, in threads of this process; its address. Threads keep their connections to the
    database as they do in `agent.cli.web`, and these are closed at the end.
    """
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    made: list[Any] = []

    def note(connection: Any, **_: Any) -> None:
        made.append(connection.connection)

    connection_created.connect(note)
    server: Any = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)
    server.task_dispatcher.shutdown(timeout=60)
    connection_created.disconnect(note)
    for one in made:
        one.close()


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    """The browser of this worker."""
    with chromium.taken() as taken:
        yield taken


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


@pytest.mark.parametrize("script", [True, False])
def test_a_pdf_is_uploaded_by_keyboard_or_dropped_and_judged_step_by_step(certificate, site, browser, tmp_path, script):
    file = tmp_path / "证书.pdf"
    file.write_bytes(elsewhere_made(certificate))
    complaints: list[str] = []
    page = opened(browser, complaints, java_script_enabled=script)
    page.goto(f"{site}/verify/")
    page.get_by_label("证书文件").set_input_files(file)
    page.get_by_role("button", name="上传并核对").press("Enter")
    page.wait_for_selector("article.live .checks", timeout=60_000)
    assert page.get_by_role("heading", level=1).inner_text() == "文件是真的，证书有效"
    assert page.locator(".checks .done").count() == 8
    page.get_by_role("link", name="再验证一张").click()
    file.write_bytes(file.read_bytes() + b"x")
    if script:
        page.get_by_label("证书文件").wait_for()
        data = page.evaluate_handle(
            "bytes => { const d = new DataTransfer();"
            "d.items.add(new File([Uint8Array.from(bytes)], 'x.pdf', {type: 'application/pdf'})); return d; }",
            list(file.read_bytes()),
        )
        page.dispatch_event("form.upload", "drop", {"dataTransfer": data})
    else:
        page.get_by_label("证书文件").set_input_files(file)
        page.get_by_role("button", name="上传并核对").click()
    page.wait_for_selector("article.ended .checks", timeout=60_000)
    assert "签名以后，文件末尾又添加了内容" in page.locator("article").inner_text()
    assert complaints == []


def test_a_file_that_is_too_large_is_told_before_it_is_sent(certificate, site, browser, tmp_path):
    (tmp_path / "x.pdf").write_bytes(bytes(2_100_000))
    complaints: list[str] = []
    page = opened(browser, complaints)
    page.goto(f"{site}/verify/")
    page.get_by_label("证书文件").set_input_files(tmp_path / "x.pdf")
    page.get_by_role("button", name="上传并核对").click()
    assert "文件超过2 MB" in page.get_by_role("status").inner_text()
    assert page.get_by_role("button", name="上传并核对").is_enabled()
    assert complaints == []


STAFF = ("/runs/", "/runs/?state=failed", "/runs/1/", "/runs/2/", "/reconciliation/")
LONG = (
    "枣庄市专业技术人员继续教育公共服务平台新能源与智能制造分院联合教学点" * 2
    + "https://a.very.long.address.example/without-a-break"
)


@pytest.fixture
def troubled(town: Any) -> Any:
    """The town with a long name, a failed run, a backfill and unequal figures; and a base without anything."""
    source = Source.objects.create(name=LONG[:100], kind="moodle", url="x", organisation=town.bodies["base"])
    SyncRun.objects.create(
        source=source, state="failed", finished_at=now(), new=123456, error_code="E_NEW_WORD", error=LONG
    )
    Held.objects.create(what="row", key="k", source=source.name, code="E_DATE_INVALID", opened_at=now(),
                        params={"place": LONG, "value": "x" * 200})  # fmt: skip
    since = now() - timedelta(days=100)
    Backfill.objects.create(source=source, since=since, until=now(), reached=since + timedelta(30), rows=1_234_567)
    Certificate.objects.update(hours=1)
    reconcile(patience=timedelta(0))
    town.bodies["guest"] = Organisation.objects.create(
        uscc=f"{77:018d}", kind="training_base", name="新来的基地", region="370400", issuer_number=77
    )
    town.staff("guest", "guest", "base_operator")
    return town


@pytest.mark.parametrize("screens", [("zh-hans", (360, 1920)), ("en", (360,))])
def test_nothing_runs_off_the_page(troubled, certificate, site, browser, screens):
    town, (language, widths) = troubled, screens
    complaints: list[str] = []
    address = urlsplit(certificate.verify_url).path
    own = ("/", "/certificates/", f"/certificates/{certificate.number}/", "/papers/", "/where/?q=课程")
    paths = {"xiaoming": (*own, "/verify/", address)}
    paths |= {"operator": ("/", *STAFF), "reviewer": ("/", *STAFF), "guest": ("/", "/runs/", "/reconciliation/")}
    clients = {who: town_cookie(town, who) for who in (*paths, "newcomer", "officer")}
    page = opened(browser, complaints, java_script_enabled=True)
    for who, cookie in clients.items():
        named = {"sessionid": cookie, "django_language": language}
        page.context.clear_cookies()
        page.context.add_cookies([{"name": name, "value": value, "url": site} for name, value in named.items()])
        for path in paths.get(who, ("/",)):
            page.goto(site + path)
            for width in widths:
                page.set_viewport_size({"width": width, "height": 700})
                seen, needed = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
                assert needed <= seen == width, (who, path)
    assert complaints == []


def town_cookie(town: Any, who: str) -> str:
    """The session of somebody who has signed in, asked for in a thread without a loop."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(_session(town, who)))
    thread.start()
    thread.join()
    return found[0]


def elsewhere_made(certificate: Certificate) -> bytes:
    """The certificate's page, drawn in a thread without a loop."""
    found: list[bytes] = []

    def draw() -> None:
        try:
            found.append(bytes(pdf_of(certificate).pdf))
        finally:
            connection.close()

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    return found[0]


def _session(town: Any, who: str) -> str:
    try:
        return town.client(who).cookies["sessionid"].value
    finally:
        connection.close()


@contextmanager
def elsewhere(work: Callable[[threading.Event, threading.Event], None]) -> Iterator[threading.Event]:
    """``work`` in a thread of its own, as a worker would do it; the event tells it to go on."""
    ready, go_on = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def do() -> None:
        try:
            work(ready, go_on)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            ready.set()
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    ready.wait(60)
    try:
        yield go_on
    finally:
        go_on.set()
        thread.join(60)
    assert not failed


def test_a_run_that_goes_on_looks_again_by_itself_until_it_is_done(town, site, browser, monkeypatch):
    monkeypatch.setattr(runs, "_OFTEN", 1)
    cookie = town_cookie(town, "operator")
    pk: list[int] = []

    def worker(ready: threading.Event, go_on: threading.Event) -> None:
        with running(town.source, "full", "hand") as run:
            pk.append(run.pk)
            run_of = SyncRun.objects.filter(pk=run.pk)
            run_of.update(new=1000, counted=4000)
            ready.set()
            go_on.wait(60)
            run_of.update(new=4000, state="done", finished_at=now())

    complaints: list[str] = []
    with elsewhere(worker) as go_on:
        page = opened(browser, complaints)
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
        page.goto(f"{site}/runs/{pk[0]}/")
        assert "已到1,000条，共4,000条（25%）" in page.get_by_role("heading", level=1).inner_text()
        assert page.get_by_role("progressbar").get_attribute("value") == "25"
        go_on.set()
        # nobody touches anything
        page.get_by_role("heading", level=1, name="新增4,000条").wait_for(timeout=60_000)
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    assert complaints == []


def test_the_keyboard_goes_along_the_rows_and_opens_one(troubled, site, browser):
    cookie = town_cookie(troubled, "operator")
    page = opened(browser, [], viewport={"width": 1280, "height": 500})
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page.goto(f"{site}/runs/")
    page.locator(".above a").focus()
    places = []
    for _ in range(2):  # one stop a row
        page.keyboard.press("Tab")
        places.append(page.evaluate("document.activeElement.closest('tr').rowIndex"))
        row = page.locator("tr:focus-within")
        assert row.evaluate("e => getComputedStyle(e).boxShadow") != "none"
        head = page.locator(".runs thead th").first.bounding_box()
        link = page.locator("tr:focus-within a").bounding_box()
        assert link["y"] >= head["y"] + head["height"]  # never behind the heads that stay
    assert places == [1, 2]
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/runs/1/")


def test_a_view_is_filtered_by_its_form_and_its_address_shows_it_again(troubled, site, browser):
    cookie = town_cookie(troubled, "reviewer")
    page = opened(browser, [], java_script_enabled=False)
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page.goto(f"{site}/runs/")
    page.get_by_label("状态").select_option("failed")
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**/runs/?*state=failed*")
    assert page.locator(".runs tbody tr").count() == 1
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    assert downloading.value.suggested_filename.startswith("同步记录_")
    assert downloading.value.path().read_bytes().startswith(b"\xef\xbb\xbf")


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
