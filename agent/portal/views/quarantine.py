"""The quarantine: what waits and why, what mends it, what a person may decide. The stages release, nobody by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from agent.errors import XueshiError
from agent.learners.models import Learner
from agent.mapping.preview import at_once, of_decision, of_taking_back
from agent.matching.decisions import candidates, decide, in_force, note, row_of, take_back
from agent.matching.models import Decision
from agent.organisations.rights import Right
from agent.portal import mapping_words, quarantine_page
from agent.portal.mapping_page import sources_with
from agent.portal.paged import paged
from agent.portal.people import EVERYTHING, Person, person_of, requires
from agent.quarantine.models import Held
from agent.work.queue import defer_stages

_LONGEST = 300
_MOST = 500
_DIGITS = 18


@requires(Right.QUARANTINE_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """What waits by code, and what was released lately."""
    person = person_of(request)
    context = {
        "person": person, "page": quarantine_page.whole(person), "decided": _count(request, "decided"),
        "taken": "taken" in request.GET,
    }  # fmt: skip
    return render(request, "portal/quarantine.html", context)


@requires(Right.QUARANTINE_SEE)
def of_code(request: HttpRequest, code: str) -> HttpResponse:
    """The items of one code."""
    person = person_of(request)
    sources = list(sources_with(person, Right.QUARANTINE_SEE))
    if not quarantine_page.known(code) or (
        request.GET.get("source") and request.GET["source"] not in {source.name for source in sources}
    ):
        raise Http404
    page = quarantine_page.items_of(person, code, request.GET, sources)
    asked = {name: request.GET.get(name, "") for name in ("source", "q")}
    kind = quarantine_page.decision_for(person, code)
    context = {
        "person": person, "code": code, "page": page, "sources": sources, "asked": asked,
        "next": urlencode({**{k: v for k, v in asked.items() if v}, "after": page.after}) if page.after else "",
        "decides": kind in (Decision.Kind.ALIAS, Decision.Kind.WAIVER), "kind": kind, "none": "none" in request.GET,
    }  # fmt: skip
    return render(request, "portal/quarantine_code.html", context)


@requires(Right.QUARANTINE_SEE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One item with its raw record, where it stands, and what may be decided."""
    return _one(request, number)


def _one(request: HttpRequest, number: int, error: XueshiError | None = None, **typed: Any) -> HttpResponse:
    person = person_of(request)
    found = quarantine_page.mine(person, [number], Right.QUARANTINE_SEE)
    if not found:
        raise Http404
    source = sources_with(person, Right.MAPPING_SEE).filter(name=found[0].source).first()
    context = {
        "person": person, "page": quarantine_page.one_item(person, found[0]), "typed": typed, "of": source,
        "clear": person.may(Right.QUARANTINE_DECIDE), "refusal": mapping_words.refusal(error) if error else "",
    }  # fmt: skip
    return render(request, "portal/quarantine_item.html", context, status=409 if error else 200)


@requires(Right.QUARANTINE_DECIDE)
@require_POST
def trying(request: HttpRequest) -> HttpResponse:
    """What a decision about the chosen items would do; the page has the button that takes it."""
    person = person_of(request)
    items, learner = _asked(request, person)
    if not items:
        return redirect(_back(request))
    reason = _text(request, "reason")
    numbers = [item.pk for item in items]
    try:
        trial = of_decision(numbers, by=person.username, reason=reason, learner=learner)
    except XueshiError as error:
        return _refused(request, items, error, reason)
    context = {
        "person": person, "items": items, "learner": learner, "reason": reason, "trial": trial,
        "kind": quarantine_page.decision_for(person, items[0].code),
    }  # fmt: skip
    return render(request, "portal/quarantine_trial.html", context)


@requires(Right.QUARANTINE_DECIDE)
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Decide what was tried, about all or none; the stages release."""
    person = person_of(request)
    items, learner = _asked(request, person)
    if not items:
        return redirect(_back(request))
    reason = _text(request, "reason")
    try:
        with transaction.atomic():
            made = decide([item.pk for item in items], by=person.username, reason=reason, learner=learner)
            defer_stages()
            for each in made:
                note(each, by=person.username)
    except XueshiError as error:
        return _refused(request, items, error, reason)
    return redirect(f"{reverse('portal:quarantine')}?{urlencode({'decided': len(items)})}")


@requires(Right.QUARANTINE_SEE)
def decisions(request: HttpRequest) -> HttpResponse:
    """The decisions in force."""
    person = person_of(request)
    page = paged(_decisions(person), request.GET)
    context = {"person": person, "page": page, "rows": page.rows, "decides": person.may(Right.QUARANTINE_DECIDE)}
    return render(request, "portal/quarantine_decisions.html", context)


@requires(Right.QUARANTINE_DECIDE)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """What taking a decision back would do, and the form that does it."""
    person = person_of(request)
    found = _decisions(person, Right.QUARANTINE_DECIDE).filter(pk=number).first()
    if found is None or (found.kind == Decision.Kind.WAIVER and not _bureau(person)):
        raise Http404
    error: XueshiError | None = None
    trial = None
    reason = _text(request, "reason")
    try:
        if request.POST.get("do", "") == "try" or (request.method != "POST" and at_once()):
            trial = of_taking_back(number, by=person.username)
        elif request.method == "POST":
            with transaction.atomic():
                made = take_back(number, by=person.username, reason=reason)
                defer_stages()
                note(made, by=person.username)
            return redirect(f"{reverse('portal:quarantine')}?taken=1")
    except XueshiError as refused:
        error = refused
    context = {
        "person": person, "decision": found, "trial": trial, "reason": reason,
        "refusal": mapping_words.refusal(error) if error else "",
    }  # fmt: skip
    return render(request, "portal/quarantine_undo.html", context, status=409 if error else 200)


def _asked(request: HttpRequest, person: Person) -> tuple[list[Held], Learner | None]:
    """The items that the form names, and who they are; all of one code.

    :raises Http404: one of them, or the person, is none that one may decide about
    """
    wanted = {_number(value) for value in request.POST.getlist("chosen")[:_MOST]}
    items = quarantine_page.mine(person, [n for n in wanted if n], Right.QUARANTINE_DECIDE)
    if len(items) != len(wanted) or len({item.code for item in items}) > 1:
        raise Http404
    if items and quarantine_page.decision_for(person, items[0].code) is None:
        raise Http404
    number = _number(request.POST.get("learner", ""))
    if number is None:
        return items, None
    # only who was offered: nobody tries out numbers of people elsewhere
    rows = [row for row in map(row_of, items) if row]
    offered = {c.learner.pk: c.learner for row in rows for c in candidates(row, everywhere=_bureau(person))}
    if number not in offered:
        raise Http404
    return items, offered[number]


def _refused(request: HttpRequest, items: list[Held], error: XueshiError, reason: str) -> HttpResponse:
    if len(items) == 1:
        return _one(request, items[0].pk, error, reason=reason)
    context = {"person": person_of(request), "refusal": mapping_words.refusal(error)}
    return render(request, "portal/mapping_refused.html", context, status=409)


def _decisions(person: Person, right: Right = Right.QUARANTINE_SEE) -> QuerySet[Decision]:
    everything = person.bodies_with(right) is EVERYTHING
    return in_force(None if everything else list(sources_with(person, right)))


def _bureau(person: Person) -> bool:
    return person.bodies_with(Right.QUARANTINE_DECIDE) is EVERYTHING


def _back(request: HttpRequest) -> str:
    code = request.POST.get("code", "")
    address = reverse("portal:quarantine-code", args=[code]) if quarantine_page.known(code) else ""
    return f"{address or reverse('portal:quarantine')}?none=1"


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _count(request: HttpRequest, name: str) -> int | None:
    return _number(request.GET.get(name, "")[:6])
