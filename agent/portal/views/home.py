"""The first page after signing in: a learner's year, or the desk of somebody who acts for a body."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from agent.credit.policy import Policy
from agent.flow import policies
from agent.localtime import local_date, now
from agent.portal.desk_book import book_of
from agent.portal.desks import desks_of
from agent.portal.people import Person, person_of
from agent.portal.spans import choices, chosen
from agent.portal.year_page import last_reads, page_of, title_deadline, years_of
from agent.programmes.workdays import CalendarUnknown


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The newest year with entries for a learner; the desk for everybody else."""
    person = person_of(request)
    return _desk(request, person) if person.learner is None else _year(request, person, None)


@login_required
def year(request: HttpRequest, year: int) -> HttpResponse:
    """One year of the learner."""
    person = person_of(request)
    if person.learner is None:
        raise Http404
    return _year(request, person, year)


@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """The desk, for learners who also act for a body."""
    return _desk(request, person_of(request))


@login_required
def book(request: HttpRequest) -> FileResponse:
    """The charts of one desk, or one of them, as a workbook; what is not one's own is as if it did not exist."""
    choice = chosen(request.GET.get("period", ""), local_date(now()))
    found = next(iter(desks_of(person_of(request), choice, only=request.GET.get("desk") or "none")), None)
    chart = request.GET.get("chart", "")
    if found is None or (chart and all(each.key != chart for each in found.charts)):
        raise Http404
    return book_of(found, choice, chart)


def _year(request: HttpRequest, person: Person, asked: int | None) -> HttpResponse:
    assert person.learner is not None  # noqa: S101 - both callers looked
    rules = policies()
    years = years_of(person.learner, rules)
    chosen = asked or next(iter(years), None) or max(rules, default=None)
    if asked and asked not in rules:
        raise Http404
    page = page_of(person.learner, rules[chosen], rules, years) if chosen else None
    context = {"person": person, "page": page, "today": local_date(now())} | _title(
        request, rules[chosen] if chosen else None
    )
    if page is None or page.empty:
        return render(request, "portal/year_empty.html", context | {"reads": last_reads()})
    return render(request, "portal/year.html", context)


def _title(request: HttpRequest, policy: Policy | None) -> dict[str, Any]:
    """By when who applies for a title has done, for the day that they name; asked, and kept nowhere."""
    said = request.GET.get("filing", "")[:10]
    if not said or policy is None:
        return {}
    try:
        filing = date.fromisoformat(said)
        return {"filing": filing, "title_by": title_deadline(filing, policy)}
    except ValueError:
        return {"filing_wrong": True}
    except CalendarUnknown:
        return {"filing": filing, "calendar_unknown": True}


def _desk(request: HttpRequest, person: Person) -> HttpResponse:
    if not person.memberships:
        return render(request, "portal/unlinked.html", {"person": person})
    today = local_date(now())
    choice = chosen(request.GET.get("period", ""), today)
    context = {"person": person, "desks": desks_of(person, choice), "choice": choice, "choices": choices(today)}
    return render(request, "portal/desk.html", context)
