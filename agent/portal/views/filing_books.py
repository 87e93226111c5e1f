"""Filings as a workbook: taken away, and brought back with a preview of what would change."""

from __future__ import annotations

from dataclasses import asdict

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from agent.errors import XueshiError
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.organisations.rights import Right
from agent.portal import filing_form, filing_page, filing_words
from agent.portal.filing_access import files_for, seen, visible
from agent.portal.people import Person, person_of, requires
from agent.programmes.attachments import TYPES
from agent.programmes.book import Line, read, take_over, written
from agent.programmes.models import Programme
from agent.programmes.transitions import State

_MOST_BYTES = 5_000_000
_MOST_ROWS = 2000
_SALT = "filings workbook"
_HOURS = 4 * 3600


@requires(Right.FILING_SEE)
def export(request: HttpRequest) -> HttpResponse:
    """The filings that one sees, of a state and year as the list's address says."""
    person = person_of(request)
    found = visible(person).select_related("organiser", "implementer")
    state, year = request.GET.get("state", ""), request.GET.get("year", "")
    if state in State.values:
        found = found.filter(state=state)
    if year.isascii() and year.isdigit() and len(year) < 5:  # noqa: PLR2004 - a year
        found = found.filter(year=int(year))
    return _book(list(found.order_by("-year", "key")[:_MOST_ROWS]), gettext("备案"), files_for(person))


@requires(Right.FILING_SEE)
def export_one(request: HttpRequest, number: int) -> HttpResponse:
    """One filing."""
    person = person_of(request)
    programme = seen(person, number).programme
    return _book([programme], f"{gettext('备案')}_{programme.year}_{programme.key}", files_for(person))


@requires(Right.FILING_WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Look at what a workbook would do; the second button does it."""
    person = person_of(request)
    own = files_for(person)
    if request.method != "POST":
        return _page(request, person, own)
    try:
        if "lines" in request.POST:
            return _take(request, person, own)
        organiser = _body(own, request.POST.get("organiser", ""))
        year = request.POST.get("year", "")
        if year not in map(str, filing_form.years(local_date(now()).year)):
            raise Http404
        file = request.FILES.get("file")
        data = file.read() if isinstance(file, UploadedFile) and (file.size or 0) <= _MOST_BYTES else b""
        lines = read(data, organiser, int(year))
    except XueshiError as error:
        return _page(request, person, own, error)
    signed = signing.dumps(
        {"by": person.username, "organiser": organiser.pk, "lines": [asdict(each) for each in lines]},
        salt=_SALT, compress=True,
    )  # fmt: skip
    words = [(each, [filing_words.label(name) for name in each.fields]) for each in lines]
    context = {
        "person": person, "lines": words, "signed": signed, "organiser": organiser,
        "doing": sum(each.what in ("new", "changed") for each in lines),
    }  # fmt: skip
    return render(request, "portal/filing_import.html", context)


def _take(request: HttpRequest, person: Person, own: list[Organisation]) -> HttpResponse:
    try:
        said = signing.loads(request.POST["lines"], salt=_SALT, max_age=_HOURS)
    except signing.BadSignature:
        raise Http404 from None
    organiser = _body(own, str(said["organiser"]))
    if said["by"] != person.username:
        raise Http404
    try:
        with transaction.atomic():
            take_over([Line(**each) for each in said["lines"]], organiser, by=person.username)
    except (XueshiError, IntegrityError):  # done already in another window, or changed since
        return _page(request, person, own, stale=True)
    return redirect("portal:filings")


def _body(own: list[Organisation], text: str) -> Organisation:
    found = next((each for each in own if str(each.pk) == text), None)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest,
    person: Person,
    own: list[Organisation],
    error: XueshiError | None = None,
    *,
    stale: bool = False,
) -> HttpResponse:
    context = {
        "person": person, "bodies": own, "years": filing_form.years(local_date(now()).year), "stale": stale,
        "error": filing_words.stopped(error) if error else "",
        "problems": [str(each) for each in error.params.get("problems", [])] if error else [],  # type: ignore[attr-defined] # a list by construction
    }  # fmt: skip
    return render(request, "portal/filing_import.html", context, status=409 if stale else 400 if error else 200)


def _book(programmes: list[Programme], name: str, own: list[Organisation]) -> HttpResponse:
    data = written(filing_page.currents(programmes, own))
    answer = HttpResponse(data, content_type=TYPES["xlsx"])
    answer.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=f"{name}.xlsx") or ""
    )
    return answer
