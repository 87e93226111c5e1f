"""The verify page of one certificate: what its template asks, and what it only shows."""

from __future__ import annotations

from datetime import datetime

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import localtime

from agent.certificates.facts import hours_text
from agent.portal.letter import filled
from agent.portal.lookup import Shown, status_lists
from agent.portal.templatetags.portal import figure, grouped
from agent.portal.words import reason_class

_TEMPLATE = "portal/verify.html"


def page(shown: Shown) -> str:
    """The page as HTML."""
    lists = {one.rstrip("/").rpartition("/")[2]: one for one in status_lists(shown.credential)}
    kind, words = _kind(shown) | {"lists": bool(lists)}, _words(shown)
    words |= {"revocation": lists.get("revocation", ""), "suspension": lists.get("suspension", "")}
    if shown.chain:  # no two are alike
        return render_to_string(_TEMPLATE, {"shown": {**kind, **words, "chain": shown.chain}})
    return filled(_TEMPLATE, kind, words)


def _kind(shown: Shown) -> dict[str, str | bool]:
    """All that the template asks, so that there are few kinds of page."""
    last = shown.successor
    return {
        "live": shown.live,
        "sign": shown.sign,
        "signature": shown.signature,
        "public": shown.category == "public",
        "has_series": bool(shown.series),
        "some_days": shown.learned_from not in (None, shown.learned_on),
        "has_implementer": bool(shown.implementer),
        "ended": shown.ended_at is not None,
        "has_class": bool(shown.ended_class),
        "has_why": bool(shown.ended_why),
        "followed": last is not None,
        "followed_live": last is not None and last.state == "issued",
        "logged": shown.logged is not None,
        "step_waits": shown.logged is not None and shown.logged.uncovered,
    }


def _words(shown: Shown) -> dict[str, str]:
    last, logged = shown.successor, shown.logged
    return {
        "number": shown.number,
        "number_grouped": grouped(shown.number),
        "token": shown.token,
        "holder": shown.holder,
        "id_masked": shown.id_masked,
        "programme": shown.programme,
        "hours": hours_text(shown.hours),
        "series": shown.series,
        "first_day": shown.learned_from.isoformat() if shown.learned_from else "",
        "last_day": shown.learned_on.isoformat(),
        "organiser": shown.organiser,
        "implementer": shown.implementer,
        "filing_number": shown.filing_number,
        "issued_day": _day(shown.issued_at),
        "ended_day": _day(shown.ended_at) if shown.ended_at else "",
        "ended_class": reason_class(shown.ended_class) if shown.ended_class else "",
        "ended_why": shown.ended_why,
        "follower": grouped(last.number) if last else "",
        "follower_path": last.path if last else "",
        "api": reverse("portal:verify-api", args=[shown.token]),
        "proof": f"{reverse('portal:transparency-inclusion')}?number={shown.number}",
        "entry": figure(logged.entry) if logged else "",
        "log_size": figure(logged.size) if logged else "",
        "head_at": f"{localtime(logged.at):%Y-%m-%d %H:%M}" if logged else "",
    }


def _day(moment: datetime) -> str:
    return f"{localtime(moment):%Y-%m-%d}"
