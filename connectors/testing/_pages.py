"""The pages that come where JSON was asked for: maintenance, redirects, web servers' own errors."""

from __future__ import annotations

from connectors.testing._recorded import FOLDER

_TEMPLATE = (FOLDER / "page.html").read_text("utf-8")


def _page(title: str, content: str) -> bytes:
    return _TEMPLATE.replace("{title}", title).replace("{content}", content).encode()


MAINTENANCE = _page(
    "在线学习平台（验收） under maintenance",
    "<div class='alert-danger'>The site is undergoing maintenance and is currently not available</div>",
)
UNAVAILABLE = "<html><body>维护中</body></html>".encode()
REDIRECT = _page(
    "Redirect",
    '<div style="margin-top: 3em; margin-left:auto; margin-right:auto; text-align:center;">This page should '
    "automatically redirect. If nothing is happening please use the continue link below.</div>",
)
LOGIN = _page("在线学习平台（验收）: Log in to the site", '<form action="login/index.php" method="post"></form>')
FRONT = _page("在线学习平台（验收）", "<p>A fake Moodle: see /webservice/rest/server.php</p>")
NOT_FOUND = b"File not found.\n"
ERROR = b"<html><body><h1>Error</h1></body></html>"

BEFORE_MOODLE: tuple[tuple[str, int, bytes], ...] = (
    ("maintenance", 503, MAINTENANCE),
    ("unavailable", 503, UNAVAILABLE),
    ("rate_limited", 429, ERROR),
    ("server_error", 500, ERROR),
    ("not_found", 404, NOT_FOUND),
    ("disabled", 403, b""),
    ("redirect", 303, REDIRECT),
    ("html", 200, LOGIN),
)
"""The faults by which something answers before Moodle's code runs: kind, status, page."""
