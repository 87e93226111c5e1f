"""Filings: the lists, one of them, and the steps that people take with it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from agent.certificates.voiding import confirm
from agent.errors import XueshiError
from agent.flow import filing_rules, policies
from agent.localtime import local_date, now
from agent.organisations.rights import Right
from agent.portal import filing_form, filing_list, filing_page, filing_words
from agent.portal.filing_access import decides, files_for, own, seen
from agent.portal.paged import PAGE, cut, offset_of
from agent.portal.people import person_of, requires
from agent.programmes.content import FIELDS
from agent.programmes.deciding import Taken, drop_void, propose_void, take
from agent.programmes.drafts import begin, copy
from agent.programmes.models import VoidProposal
from agent.programmes.transitions import ON_RECORD, Kind, State
from agent.work.queue import defer_notices, defer_stages

_LONGEST_REMARK = 500
_LONGEST_NUMBER = 18  # digits that a key of the database may have
_ANSWERS = ("propose", "drop", "confirm")


@requires(Right.FILING_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """What waits first, then everything, by state and year."""
    person = person_of(request)
    state = request.GET.get("state", "")
    year = _number(request.GET.get("year", ""))
    waiting = filing_list.queue() if decides(person) else []
    by_state = filing_list.counts(person)
    this = local_date(now()).year
    rows = filing_list.rows_of(
        person, state=state if state in State.values else "", year=year, offset=offset_of(request.GET), limit=PAGE + 1
    )
    page = cut(rows, request.GET)
    narrowed = {name: value for name, value in (("state", state), ("year", year)) if value}
    context = {
        "person": person, "queue": waiting, "headline": filing_list.headline(person, waiting, by_state),
        "urgent": any(row.urgent or row.voiding for row in waiting) or (not waiting and by_state[State.RETURNED]),
        "rows": page.rows, "page": page,
        "states": [(key, filing_words.state(key), by_state[key]) for key in State.values if by_state[key]],
        "state": state, "year": year, "years": range(this + 1, this - 4, -1), "bodies": files_for(person),
        "begin_years": filing_form.years(this), "query": urlencode(narrowed), "decides": decides(person),
    }  # fmt: skip
    return render(request, "portal/filings.html", context)


@requires(Right.FILING_WRITE)
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Begin an empty form."""
    person = person_of(request)
    body = next((each for each in files_for(person) if str(each.pk) == request.POST.get("organiser")), None)
    year = _number(request.POST.get("year", ""))
    if body is None or year not in filing_form.years(local_date(now()).year):
        raise Http404
    return redirect("portal:filing-form", begin(body, year, by=person.username).pk)


@requires(Right.FILING_WRITE)
@require_POST
def copied(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a form that says what this filing says, for this year or the next."""
    person = person_of(request)
    found = own(person, number)
    year = _number(request.POST.get("year", ""))
    if year not in filing_form.years(local_date(now()).year):
        raise Http404
    return redirect("portal:filing-form", copy(found.programme, year, by=person.username).pk)


@requires(Right.FILING_SEE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Everything about one filing."""
    return _one(request, number)


@requires(Right.FILING_SEE)
@require_POST
def step(request: HttpRequest, number: int) -> HttpResponse:
    """Take a step that needs no form."""
    person = person_of(request)
    found = seen(person, number)
    kind = request.POST.get("kind", "")
    if kind not in Kind.values or not found.may(Kind(kind)) or Kind(kind) in (Kind.VOID, Kind.SUBMIT, Kind.CHANGE):
        raise Http404
    how = Taken(
        actor=person.username, reason=request.POST.get("reason", ""), code=request.POST.get("code", ""),
        remarks=_remarks(request), seen=_number(request.POST.get("seen", "")) or 0,
        rules=filing_rules(found.programme.year),
    )  # fmt: skip
    try:
        programme = take(found.programme, Kind(kind), how)
    except XueshiError as error:
        return _one(request, number, error)
    if programme.state in ON_RECORD or found.programme.state in ON_RECORD:
        defer_stages()
    defer_notices()
    return redirect(f"{reverse('portal:filing', args=[number])}?{urlencode({'done': kind})}")


@requires(Right.FILING_VOID)
@require_POST
def void(request: HttpRequest, number: int) -> HttpResponse:
    """Propose that it be voided, or answer somebody's proposal."""
    person = person_of(request)
    found = seen(person, number)
    if not found.may(Kind.VOID):
        raise Http404
    what, at = request.POST.get("what", ""), _number(request.POST.get("seen", "")) or 0
    reason = request.POST.get("reason", "")
    try:
        if what == "propose" and request.POST.get("fate") in VoidProposal.Fate.values:
            propose_void(
                found.programme, fate=request.POST["fate"], code=request.POST.get("code", ""), reason=reason,
                by=person.username, seen=at,
            )  # fmt: skip
        elif what == "confirm":
            confirm(found.programme, policies(), by=person.username, reason=reason, seen=at)
            defer_stages()
            defer_notices()
        elif what == "drop":
            drop_void(found.programme, by=person.username)
        else:
            raise Http404
    except XueshiError as error:
        return _one(request, number, error)
    return redirect(f"{reverse('portal:filing', args=[number])}?{urlencode({'done': what})}")


def _one(request: HttpRequest, number: int, error: XueshiError | None = None) -> HttpResponse:
    person = person_of(request)
    found = seen(person, number)
    done = request.GET.get("done", "")
    context = filing_page.context(found) | {
        "person": person, "error": filing_words.stopped(error) if error else "",
        "done": filing_words.step(done) if done in Kind.values else done if done in _ANSWERS else "",
        "reason": request.POST.get("reason", "") if error else "", "said": _remarks(request) if error else {},
        "copy_years": filing_form.years(local_date(now()).year) if found.organiser else [],
    }  # fmt: skip
    return render(request, "portal/filing.html", context, status=409 if error else 200)


def _remarks(request: HttpRequest) -> dict[str, str]:
    """What was said of fields."""
    said = {name: request.POST.get(f"remark_{name}", "").strip()[:_LONGEST_REMARK] for name in (*FIELDS, "timetable")}
    return {name: text for name, text in said.items() if text}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
