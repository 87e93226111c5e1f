"""The form of a filing: saved as one types, checked, submitted. It works without its script, too."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from agent.errors import XueshiError
from agent.flow import filing_rules
from agent.localtime import SHANGHAI
from agent.organisations.rights import Right
from agent.portal import filing_form, filing_page, filing_words
from agent.portal.filing_access import Seen, own
from agent.portal.middleware import WITH_SCRIPT
from agent.portal.people import person_of, requires
from agent.portal.words import english
from agent.programmes.checks import check_typed
from agent.programmes.content import Typed, clean
from agent.programmes.deciding import Taken, take
from agent.programmes.drafts import about, draft_of, save_draft
from agent.programmes.errors import DraftStale
from agent.programmes.models import FilingDraft
from agent.programmes.transitions import EDITABLE, ON_RECORD, Kind

_MORE_ROWS = 20


@requires(Right.FILING_WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, number: int) -> HttpResponse:
    """The form; a button saves it, checks it, adds rows or submits it."""
    found = own(person_of(request), number)
    programme = found.programme
    if programme.state not in EDITABLE:
        return redirect("portal:filing", number)
    if request.method != "POST":
        return _form(request, found, draft_of(programme).typed, full="checked" in request.GET)
    typed, reason = clean(filing_form.sent(request.POST)), request.POST.get("reason", "")
    try:
        return _sent(request, found, typed, reason)
    except DraftStale:
        return _form(request, found, typed, theirs=draft_of(programme), reason=reason)
    except XueshiError as error:
        return _form(request, found, typed, error=error, full=True, reason=reason)


def _sent(request: HttpRequest, found: Seen, typed: Typed, reason: str) -> HttpResponse:
    """Keep what was typed, then do what the button says."""
    programme, by, what = found.programme, person_of(request).username, request.POST.get("what", "save")
    save_draft(programme, typed, lock=_lock(request), by=by)
    if what == "submit":
        kind = Kind.CHANGE if programme.state in ON_RECORD else Kind.SUBMIT
        take(programme, kind, Taken(by, reason=reason, rules=filing_rules(programme.year)))
    if what in ("submit", "preview"):
        return redirect("portal:filing", programme.pk)
    more = _MORE_ROWS if what == "rows" else 0
    return _form(request, found, typed, full=what == "check", saved=what != "rows", more=more, reason=reason)


@requires(Right.FILING_WRITE)
@require_POST
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """What the script sends while somebody types: kept, and checked."""
    person = person_of(request)
    programme = own(person, number).programme
    typed = clean(filing_form.sent(request.POST))
    found = check_typed(typed, about(programme, filing_rules(programme.year)))[1]
    said: dict[str, Any] = {"findings": filing_form.as_json(found, english=english())}
    try:
        kept = save_draft(programme, typed, lock=_lock(request), by=person.username)
    except XueshiError as error:
        said |= {"code": error.code, "by": draft_of(programme).saved_by}
        return JsonResponse(said, status=409)
    return JsonResponse(said | {"lock": kept.lock, "at": f"{kept.saved_at.astimezone(SHANGHAI):%H:%M:%S}"})


def _lock(request: HttpRequest) -> int:
    text = request.POST.get("lock", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 - an int of the database


def _form(
    request: HttpRequest,
    found: Seen,
    typed: Typed,
    *,
    error: XueshiError | None = None,
    theirs: FilingDraft | None = None,
    full: bool = False,
    saved: bool = False,
    more: int = 0,
    reason: str = "",
) -> HttpResponse:
    programme, rules = found.programme, filing_rules(found.programme.year)
    findings = check_typed(typed, about(programme, rules))[1]
    missing = [each for each in findings if each.code in ("F_MISSING", "F_TIMETABLE_MISSING")]
    # whoever only begins to write need not be told that everything is missing
    told = findings if full else [each for each in findings if each not in missing]
    returned = filing_page.remarks_of(programme)
    remarks = returned.remarks if returned else {}
    changed = theirs is not None and theirs.typed.get("timetable") != typed.get("timetable")
    context = {
        "person": person_of(request), "programme": programme, "heading": filing_form.heading(programme),
        "fields": filing_form.fields(typed, rules, told, remarks, theirs.typed if theirs else None),
        "rows": filing_form.rows(typed, more), "timetable_remark": remarks.get("timetable", ""),
        "timetable_findings": [each for each in told if each.field == "timetable"],
        "timetable_theirs": filing_words.shown("timetable", theirs.typed, {}) if theirs and changed else None,
        "lock": draft_of(programme).lock, "error": filing_words.stopped(error) if error else "", "saved": saved,
        "theirs": theirs, "missing": len(missing), "stops": sum(each.stops for each in findings), "returned": returned,
        "files": programme.attachments.filter(dropped_at=None).order_by("pk"), "reason": reason,
        "changing": programme.state in ON_RECORD, "full": full,
    }  # fmt: skip
    status = 409 if theirs or error else 200
    answer = render(request, "portal/filing_form.html", context, status=status)
    answer.headers["Content-Security-Policy"] = WITH_SCRIPT
    return answer
