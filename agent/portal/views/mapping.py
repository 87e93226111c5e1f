"""Courses and programmes: what is mapped to what, what it may be, what a mapping would do, and doing and undoing it.

Nothing is mapped that was not tried before: the page of the difference is where one confirms.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from agent.errors import XueshiError
from agent.intake.models import Source
from agent.mapping.courses import course_of
from agent.mapping.links import Wanted, link_all, note_linked, note_unlinked, unlink
from agent.mapping.preview import at_once, of_links, of_unlink
from agent.mapping.suggestions import suggest
from agent.organisations.rights import Right
from agent.portal import mapping_page, mapping_words
from agent.portal.mapping_page import day_of, sources_with, wanted_of
from agent.portal.people import Person, person_of, requires
from agent.programmes.models import CourseLink
from agent.work.queue import defer_stages

_LONGEST = 300


@requires(Right.MAPPING_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """The courses of one's sources, the unmapped first."""
    person = person_of(request)
    sources = list(sources_with(person, Right.MAPPING_SEE))
    page = mapping_page.mapping_page(sources, request.GET)
    context = {
        "person": person, "sources": sources, "page": page, "decides": person.may(Right.MAPPING_DECIDE),
        "linked": _count(request, "linked"), "none": "none" in request.GET, "withdrawn": "withdrawn" in request.GET,
    }  # fmt: skip
    return render(request, "portal/mapping.html", context)


@requires(Right.MAPPING_SEE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One course of a source: what it may be, what it is, and what it was."""
    return _one(request, number, request.GET.get("course", ""))


def _one(request: HttpRequest, number: int, code: str, error: XueshiError | None = None, **typed: Any) -> HttpResponse:
    person = person_of(request)
    source = sources_with(person, Right.MAPPING_SEE).filter(pk=number).first()
    course = course_of(source, code.replace("\0", "")) if source and code else None
    if source is None or course is None:
        raise Http404
    decides = sources_with(person, Right.MAPPING_DECIDE).filter(pk=number).exists() and person.may(Right.MAPPING_DECIDE)
    suggestions = suggest([course])[course.course]
    context = {
        "person": person, "source": source, "course": course, "decides": decides, "typed": typed,
        "suggestions": [(each, mapping_page.value_of(course, each)) for each in suggestions],
        "programmes": mapping_page.programmes_for(person, source) if decides else [],
        "history": CourseLink.objects.filter(source=source, course=course.course).exclude(withdrawn_at=None)
        .select_related("programme").order_by("-withdrawn_at"),
        "refusal": mapping_words.refusal(error) if error else "",
    }  # fmt: skip
    return render(request, "portal/mapping_course.html", context, status=409 if error else 200)


@requires(Right.MAPPING_DECIDE)
@require_POST
def trying(request: HttpRequest) -> HttpResponse:
    """What the chosen mappings would do; the page has the button that confirms them."""
    person = person_of(request)
    values = _values(request)
    if not values:
        return redirect(f"{reverse('portal:mapping')}?none=1")
    because = _text(request, "because")
    by_source = wanted_of(person, values, because)
    try:
        trials = [(source, wanted, of_links(source, wanted, by=person.username)) for source, wanted in by_source]
    except XueshiError as error:
        return _refused(request, by_source, error)
    context = {"person": person, "trials": trials, "values": values, "because": because}
    return render(request, "portal/mapping_trial.html", context)


@requires(Right.MAPPING_DECIDE)
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Map what was tried, all or none; the stages release what waits."""
    person = person_of(request)
    values = _values(request)
    if not values:
        return redirect(f"{reverse('portal:mapping')}?none=1")
    by_source = wanted_of(person, values, _text(request, "because"))
    made: list[CourseLink] = []
    try:
        with transaction.atomic():
            for source, wanted in by_source:
                made += link_all(source, wanted, by=person.username)
            defer_stages()
            note_linked(made, by=person.username)
    except XueshiError as error:
        return _refused(request, by_source, error)
    return redirect(f"{reverse('portal:mapping')}?{urlencode({'linked': len(made)})}")


@requires(Right.MAPPING_DECIDE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """What withdrawing a mapping would do, to the certificates too; and the form that does it."""
    person = person_of(request)
    found = CourseLink.objects.filter(
        pk=number, withdrawn_at=None, source__in=sources_with(person, Right.MAPPING_DECIDE)
    )
    link = found.select_related("programme", "source__organisation").first()
    if link is None or link.source is None:
        raise Http404
    typed = {"until": _text(request, "until"), "reason": _text(request, "reason")}
    until = day_of(typed["until"])
    error: XueshiError | None = None
    trial = None
    try:
        if request.POST.get("do") == "withdraw":
            with transaction.atomic():
                left = unlink(number, by=person.username, reason=typed["reason"], until=until)
                defer_stages()
                note_unlinked(link, left, by=person.username, reason=typed["reason"])
            return redirect(f"{reverse('portal:mapping')}?withdrawn=1")
        if request.method == "POST" or at_once():
            trial = of_unlink(number, by=person.username, until=until)
    except XueshiError as refused:
        error = refused
    context = {
        "person": person, "link": link, "version": link.programme.versions.order_by("-version").first(),
        "trial": trial, "typed": typed, "until": until, "refusal": mapping_words.refusal(error) if error else "",
    }  # fmt: skip
    return render(request, "portal/mapping_withdraw.html", context, status=409 if error else 200)


def _values(request: HttpRequest) -> list[str]:
    """What was ticked, or what the form of one course says."""
    values = [value for value in request.POST.getlist("chosen") if value]
    programme = request.POST.get("programme", "")
    if not values and programme:
        asked = (request.POST.get(name, "") for name in ("source", "programme", "from", "to", "course"))
        values = [":".join(asked)]
    return list(dict.fromkeys(values))


def _refused(request: HttpRequest, by_source: list[tuple[Source, list[Wanted]]], error: XueshiError) -> HttpResponse:
    """Back to the course, with the sentence, and nothing of what was typed lost; of many, to a page that says it."""
    source, wanted = by_source[0]
    if len(by_source) == len(wanted) == 1:
        first = wanted[0]
        typed = {
            "programme": first.programme.pk, "valid_from": first.valid_from, "valid_to": first.valid_to,
            "because": first.because,
        }  # fmt: skip
        return _one(request, source.pk, first.course, error, **typed)
    person: Person = person_of(request)
    context = {"person": person, "refusal": mapping_words.refusal(error)}
    return render(request, "portal/mapping_refused.html", context, status=409)


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _count(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else None  # noqa: PLR2004 - digits
