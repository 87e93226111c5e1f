"""«Where is my hour?»: a course that is not there is named, and its source asked again."""

from __future__ import annotations

import logging
from datetime import date

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from agent.asking import asks
from agent.intake.models import Source
from agent.learners.models import Learner
from agent.localtime import local_date, now
from agent.portal import where_page
from agent.portal.people import person_of
from agent.portal.throttle import Brake
from agent.work.queue import ASKED, defer_look, defer_pull
from agent.work.tasks import LEARNER

_log = logging.getLogger(__name__)
_ASKS = 6  # questions of one learner in a quarter of an hour
_OFTEN = 5  # seconds after which the page looks again
_DIGITS = 9
_SINCE = date(2000, 1, 1)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def where(request: HttpRequest) -> HttpResponse:
    """The form, what is known of the course that was named, and the questions that wait for an answer."""
    person, user = person_of(request), request.user
    if person.learner is None or not isinstance(user, User):
        raise Http404
    text = " ".join((request.POST or request.GET).get("q", "").replace("\0", "").split())[: where_page.LONGEST]
    refusal, status = "", 200
    if request.method == "POST":
        refusal, status = _ask(request, person.learner, text)
        if not refusal:
            return redirect(f"{reverse('portal:where')}?{urlencode({'q': text})}")
    looked = len(text) >= where_page.SHORTEST
    answered = asks.newest(person.learner)
    often = _OFTEN if any(each.waits for each in answered) and "still" not in request.GET else 0
    context = {
        "person": person, "q": text, "looked": looked, "refusal": refusal, "answered": answered, "often": often,
        "found": where_page.found(person.learner, user, text) if looked else [],
        "places": where_page.places(text) if looked else [], "today": local_date(now()),
        "short": bool(text) and not looked,
    }  # fmt: skip
    return render(request, "portal/where.html", context, status=status)


def _ask(request: HttpRequest, learner: Learner, text: str) -> tuple[str, int]:
    """Put the question into the queue; or why not, and the status."""
    brake = Brake(request, "where", str(learner.pk), limit=_ASKS, anywhere=True)
    if brake.on():
        _log.warning("A learner asked sources again more than %d times in a quarter of an hour; refused.", _ASKS)
        return gettext("您刚才已经问了好几次，都记下了。请等十五分钟再问；平时也会按时自动读取。"), 429
    source = _source(request.POST.get("source", ""))
    if source is None or len(text) < where_page.SHORTEST:
        return gettext("请写出课程名称，并选一个学习平台。"), 400
    said = request.POST.get("day", "")[:10]
    try:
        day = date.fromisoformat(said) if said else None
    except ValueError:
        return gettext("日期看不懂，请写成2024-09-20这样。"), 400
    if day and not _SINCE <= day <= local_date(now()):
        return gettext("完成日期不能在以后，也不会那么早。"), 400
    brake.miss()
    with transaction.atomic():
        asks.ask(learner, source, text, day)
        if day:
            defer_look(source, *asks.window(day))
        else:
            defer_pull(source, "recent", LEARNER, priority=ASKED, unless_within=int(asks.FRESH.total_seconds()))
    return "", 200


def _source(number: str) -> Source | None:
    """The source of that number; a file that was sent once can't be asked again."""
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        return None
    return Source.objects.exclude(kind="roster").filter(pk=int(number)).first()
