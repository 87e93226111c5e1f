"""A connected source: how it is read and when, paused and begun again; what else changes goes through a live look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agent.errors import XueshiError
from agent.intake import changing, drafts
from agent.intake.changing import Times
from agent.intake.models import Source, SourceDraft, SourceState
from agent.localtime import now
from agent.organisations.rights import Right
from agent.portal import connect_page, mapping_words
from agent.portal.mapping_page import sources_with
from agent.portal.people import person_of, requires
from agent.work.schedule import trigger, zone_of

_LONGEST = 100
_MOST_CALLS = 1_000_000


@requires(Right.SOURCES_SEE, post=Right.SOURCES_CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: HttpRequest, number: int) -> HttpResponse:
    """What is set for it; of those who may connect it, a form of its times, and the way to change the rest."""
    person = person_of(request)
    found = sources_with(person, Right.SOURCES_SEE).select_related("organisation").filter(pk=number).first()
    mine = sources_with(person, Right.SOURCES_CONNECT).filter(pk=number).exists()
    if found is None or (request.method == "POST" and not mine):
        raise Http404
    refusal, typed = "", dict[str, object]()
    if request.method == "POST":
        try:
            return _do(request, found, by=person.username)
        except XueshiError as error:
            refusal, typed = mapping_words.refusal(error), dict(request.POST.items())
            found.refresh_from_db()
    context: dict[str, Any] = {
        "person": person, "source": found, "mine": mine, "refusal": refusal, "saved": "saved" in request.GET,
        "is_file": found.kind == drafts.FILES,
        "has_token": Source.objects.filter(pk=number).exclude(token=None).exists(),
        "options": connect_page.options_said(found), "times": _times(found, typed),
        "pushed": mine and Source.objects.filter(pk=number).exclude(push_secret=None).exists(),
        "draft": SourceDraft.objects.filter(source=found).first() if mine else None,
        "resting": SourceState.objects.filter(source=found, open_until__gt=now()).first(),
        "run": found.runs.order_by("-started_at").first(),
        "kind": dict(connect_page.kinds_offered()).get(found.kind, found.kind),
    }  # fmt: skip
    return render(request, "portal/source.html", context, status=409 if refusal else 200)


def _do(request: HttpRequest, found: Source, *, by: str) -> HttpResponse:
    revision = _number(request.POST.get("revision", ""))
    match request.POST.get("do"):
        case "change":
            return redirect("portal:connect-draft", changing.begin(found, by=by).pk)
        case "times":
            times = Times(
                recent_at=_text(request, "recent"), full_at=_text(request, "full"),
                budget=min(_number(request.POST.get("budget", "")) or found.budget, _MOST_CALLS),
                scheduled=found.scheduled,
            )  # fmt: skip
            for text in filter(None, (times.recent_at, times.full_at)):
                trigger(text, zone_of(found.time_zone))
            changing.set_times(found, times, revision=revision, by=by)
        case "pause" | "resume" as what:
            changing.pause(found, paused=what == "pause", revision=revision, by=by)
        case "rename":
            changing.rename(found, _text(request, "name"), revision=revision, by=by)
        case _:
            raise Http404
    return redirect(f"{reverse('portal:source', args=[found.pk])}?saved=1")


def _times(found: Source, typed: Mapping[str, object]) -> dict[str, object]:
    """What stands in the form: what was typed, where it was refused."""
    kept = {"name": found.name, "recent": found.recent_at, "full": found.full_at, "budget": found.budget}
    return {name: typed.get(name, value) for name, value in kept.items()}


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0  # noqa: PLR2004 - digits
