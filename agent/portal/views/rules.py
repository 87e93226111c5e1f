"""The year's rules: what they say, and what they come to for a year that somebody brings; for people and machines."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from agent.credit.asking import read
from agent.credit.bulk import Rules, evaluate_many, evaluate_one, told
from agent.credit.errors import PolicyMissing, YearUnreadable
from agent.credit.reckoning import Reckoning, reckon
from agent.errors import XueshiError
from agent.home import mappings_folder
from agent.organisations.rights import Right
from agent.portal import rules_page
from agent.portal.people import person_of, requires
from agent.portal.throttle import Brake

MOST_BYTES = 1 << 20
MOST_CALLS = 600
"""Of one account in a quarter of an hour."""
_TYPE = "application/json; charset=utf-8"


@requires(Right.RULES_SEE)
@require_POST
def evaluate(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """What `xueshi credit evaluate` answers: one learner's year, or a list of them, each answered in its place."""
    brake = _brake(request)
    if brake.on():
        return _said(
            {"error": {"code": "E_TOO_MANY", "message": "too many calls", "fix": "Wait a quarter of an hour."}}, 429
        )
    brake.miss()
    content = _content(request)
    if content is None:
        fix = f"At most {MOST_BYTES >> 20} MB at once; `xueshi credit evaluate` reads as much as there is."
        return _said({"error": {"code": "E_TOO_LARGE", "message": "too large", "fix": fix}}, 413)
    rules, full = Rules(region, year, mappings_folder()), request.GET.get("full") == "1"
    try:
        rules.load()
        if content.lstrip().startswith(b"["):
            return HttpResponse(b"[" + b",".join(_listed(rules, content, full=full)) + b"]", content_type=_TYPE)
        return _said(evaluate_one(rules.load(), content, "the request", full=full), 200)
    except XueshiError as error:
        return _said({"error": told(error)}, 404 if isinstance(error, PolicyMissing) else 400)


def _listed(rules: Rules, content: bytes, *, full: bool) -> list[bytes]:
    try:
        years = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise YearUnreadable(file="the list", reason=str(error)) from None
    lines: list[bytes] = []
    evaluate_many(rules, (orjson.dumps(each) for each in years), lines.append, full=full, processes=1)
    return lines


def _brake(request: HttpRequest) -> Brake:
    return Brake(request, "evaluate", person_of(request).username, limit=MOST_CALLS, anywhere=True)


def _content(request: HttpRequest) -> bytes | None:
    content = request.read(MOST_BYTES + 1)
    return None if len(content) > MOST_BYTES else content


def _said(value: object, status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), status=status, content_type=_TYPE)


@requires(Right.RULES_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The rules of a policy, and a year tried by them. Nothing of what is brought is kept."""
    known = rules_page.known()
    name = request.POST.get("policy") or request.GET.get("policy") or ""
    rules = known.get(name) or next(iter(known.values()))
    policy = rules.load()
    found: Reckoning | None = None
    problems: list[dict[str, str]] = []
    text, status = "", 200
    if request.method == "POST":
        text, status, found, problems = _tried(request, rules)
    context = {
        "person": person_of(request), "policies": known, "policy": policy, "chosen": f"{rules.region}/{rules.year}",
        "rules": rules_page.rules_of(policy), "text": text or rules_page.EXAMPLE, "problems": problems,
        "result": rules_page.result_of(policy, found) if found else None,
    }  # fmt: skip
    return render(request, "portal/rules.html", context, status=status)


def _tried(request: HttpRequest, rules: Rules) -> tuple[str, int, Reckoning | None, list[dict[str, str]]]:
    """What was typed or brought, the answer's status, and what it came to or what is wrong with it."""
    brake = _brake(request)
    text = request.POST.get("year", "")
    if brake.on():
        return text, 429, None, [{"path": "", "message": gettext("试得太多，请过一刻钟再试。"), "value": "", "fix": ""}]
    brake.miss()
    if len(text.encode()) > MOST_BYTES:
        return "", 413, None, [{"path": "", "message": gettext("内容太大。"), "value": "", "fix": ""}]
    try:
        return text, 200, reckon(rules.load(), read(rules.load(), text.encode(), gettext("所填内容"))), []
    except XueshiError as error:
        said = [dict(each) for each in getattr(error, "problems", ())]
        return text, 400, None, said or [{"path": "", "message": error.message, "value": "", "fix": error.how_to_fix}]
