"""Connecting a source in steps that the server keeps: kind, address and token or a file, a live look, a schedule.

The token goes into the database sealed and never comes back: no page, address, session or log holds it.
"""

from __future__ import annotations

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from agent.errors import XueshiError
from agent.intake import changing as changing_
from agent.intake import drafts
from agent.intake.models import Source, SourceDraft
from agent.intake.noted import changing
from agent.organisations.rights import Right
from agent.portal import connect_page, mapping_words
from agent.portal.mapping_page import sources_with
from agent.portal.people import Person, person_of, requires
from agent.work.queue import ASKED, defer_pull
from agent.work.schedule import trigger, zone_of
from connectors.errors import ConnectorError

_LONGEST = 1000
_ZONE = "Asia/Shanghai"


@requires(Right.SOURCES_CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The first step: what kind, what name, for whom; and what was begun and not finished."""
    person = person_of(request)
    bodies = connect_page.bodies_for(person)
    refusal = ""
    if request.method == "POST":
        body = next((each for each in bodies if str(each.pk) == request.POST.get("organisation", "")), None)
        if body is None:
            raise Http404
        try:
            draft = drafts.begin(_text(request, "kind"), _text(request, "name"), body, by=person.username)
        except XueshiError as error:
            refusal = mapping_words.refusal(error)
        else:
            return redirect("portal:connect-draft", draft.pk)
    context = {
        "person": person, "bodies": bodies, "kinds": connect_page.kinds_offered(), "refusal": refusal,
        "begun": SourceDraft.objects.filter(person.within(Right.SOURCES_CONNECT, "organisation"))
        .select_related("organisation").order_by("-at"),
        "sources": sources_with(person, Right.SOURCES_SEE), "name": _text(request, "name"),
    }  # fmt: skip
    return render(request, "portal/connect.html", context, status=409 if refusal else 200)


@sensitive_post_parameters("token")
@requires(Right.SOURCES_CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """A draft: its address or file, what a look found, and the button that connects it."""
    person = person_of(request)
    found = SourceDraft.objects.select_related("organisation", "source").filter(pk=number)
    draft = found.filter(person.within(Right.SOURCES_CONNECT, "organisation")).first()
    if draft is None:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            return _step(request, person, draft)
        except (XueshiError, ConnectorError) as error:
            refusal = mapping_words.refusal(error)
            draft.refresh_from_db()
    typed = request.POST if refusal else {}
    context = {
        "person": person, "draft": draft, "looked": connect_page.looked(draft.found), "refusal": refusal,
        "fields": connect_page.fields_of(draft), "is_file": draft.kind == drafts.FILES,
        "may_allow": connect_page.may_allow_private(person),
        "has_token": draft.token is not None or bool(draft.source and draft.source.token),
        "url": typed.get("url", draft.url), "recent": typed.get("recent", "15m"),
        "full": typed.get("full", "30 2 * * *"),
    }  # fmt: skip
    return render(request, "portal/connect_draft.html", context, status=409 if refusal else 200)


def _step(request: HttpRequest, person: Person, draft: SourceDraft) -> HttpResponse:
    match request.POST.get("do"):
        case "address":
            url = _text(request, "url")
            allow = connect_page.may_allow_private(person) and request.POST.get("private") == "1"
            # what an administrator allowed stays allowed, for that very place
            kept = not connect_page.may_allow_private(person) and connect_page.allowed_already(draft, url)
            drafts.address(
                draft, url, token=_text(request, "token") or None,
                options=connect_page.options_of(draft, request.POST), allow_private=allow or kept,
            )  # fmt: skip
            drafts.look(draft)
        case "file":
            file = request.FILES.get("file")
            content = file.read() if file and file.size is not None and file.size <= drafts.MOST_BYTES else b""
            options = connect_page.options_of(draft, request.POST)
            drafts.upload(draft, (file.name if file else "") or "?", content, options)
            drafts.look(draft)
        case "look" if draft.url:
            drafts.look(draft)
        case "connect" if draft.source:
            with transaction.atomic():
                source = changing_.apply(draft, by=person.username)
                defer_pull(source, "full", "hand", priority=ASKED)
            return redirect(f"{reverse('portal:source', args=[source.pk])}?saved=1")
        case "connect":
            return _connect(request, person, draft)
        case "discard":
            back = draft.source_id
            drafts.discard(draft)
            return redirect("portal:source", back) if back else redirect("portal:connect")
        case _:
            raise Http404
    return redirect("portal:connect-draft", draft.pk)


def _connect(request: HttpRequest, person: Person, draft: SourceDraft) -> HttpResponse:
    recent, full = _text(request, "recent"), _text(request, "full")
    for text in (recent, full):
        if text:
            trigger(text, zone_of(_ZONE))
    more = {"file": draft.file} if draft.file else {}
    with changing(draft.name, "source.connect", by=person.username, **more):
        source = drafts.connect(draft, recent_at=recent, full_at=full, scheduled=True)
        defer_pull(source, "full", "hand", priority=ASKED)
    return redirect("portal:connected", source.pk)


@requires(Right.SOURCES_CONNECT)
def done(request: HttpRequest, number: int) -> HttpResponse:
    """It is connected: what happens now, and what to do next."""
    person = person_of(request)
    source: Source | None = sources_with(person, Right.SOURCES_CONNECT).filter(pk=number).first()
    if source is None:
        raise Http404
    run = source.runs.order_by("-started_at").first()
    return render(request, "portal/connected.html", {"person": person, "source": source, "run": run})


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:_LONGEST]
