"""Every page as axe-core judges it, and no page wider than its window: on a desk by day, on a phone by night."""

from __future__ import annotations

from typing import Any

import pytest

from tests.certificates.verifiers import FOLDER
from tests.portal.doors import Things
from tests.portal.test_browser import browser, site
from tests.portal.test_queries import looked_at, signed_in

__all__ = ["browser", "site"]
_AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.needs("chromium"), pytest.mark.needs(str(_AXE))]
_ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_SEEN = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""What depends on width and colours; the rest is the same page's."""
_LOOKS = {
    "desk": (1280, "light", {"type": "tag", "values": _ALL}),
    "phone": (390, "dark", {"type": "rule", "values": _SEEN}),
}
_JUDGED = """of => axe.run(document, {runOnly: of, resultTypes: ["violations"]}).then(said =>
    said.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.target} ${node.failureSummary}`)))"""
_BAD = b"""<!doctype html><html lang="en"><title>bad</title><link rel="stylesheet" href="/static/portal/portal.css">
<main><p style="color:#999;background:#888">unreadable</p><p style="min-width:2000px">wide</p></main>"""


@pytest.fixture
def pages(things: Things) -> dict[str, bytes]:
    """Every page that is only looked at, made before the browser takes this thread: its address, and what it says."""
    found: dict[str, bytes] = {}
    clients: dict[str, Any] = {}
    for (address, who), name in looked_at(things).items():
        if name == "desk":
            continue  # which is the first page of everybody who has one
        answer = clients.setdefault(who, signed_in(who)).get(address)
        if answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code == 200:
            found[f"{name} {who} {address}"] = answer.content
        answer.close()
    assert {"home", "filings", "audit", "verify"} <= {said.split()[0] for said in found}
    return found


@pytest.mark.parametrize("look", sorted(_LOOKS))
def test_no_page_shuts_anybody_out(pages, site, browser, look):
    width, scheme, rules = _LOOKS[look]
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    shown = {"content": _BAD}
    page.route(
        f"{site}/shown",
        lambda route: route.fulfill(body=shown["content"], content_type="text/html; charset=utf-8"),
    )
    judge, found = _AXE.read_text(), {}
    for said, content in {"bad": _BAD, **pages}.items():
        shown["content"] = content
        page.goto(f"{site}/shown")
        page.evaluate(judge)
        found[said] = page.evaluate(_JUDGED, rules)
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            found[said].append(f"{wide} px wide")
    bad = " ".join(found.pop("bad"))
    assert "color-contrast" in bad
    assert "px wide" in bad
    assert not {said: wrong for said, wrong in found.items() if wrong}
