"""A learner's certificate on its own page, and what they hand on: copies, transcripts, all as ZIP, proof for the
province. Somebody else's are not there: the same answer as for what does not exist.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from agent.certificates.archive import file_name, safe
from agent.certificates.models import Certificate
from agent.certificates.pdf import drawing_of, page_data
from agent.certificates.pdfs import facts_of, pdf_of
from agent.certificates.qr import qr_svg
from agent.certificates.template_register import content_of, template_of
from agent.credit.year import year_of
from agent.errors import XueshiError
from agent.flow import policies
from agent.learners.models import Learner
from agent.localtime import SHANGHAI, local_date, now
from agent.papers import making
from agent.papers.errors import PaperError
from agent.papers.models import Paper
from agent.portal import paper_words
from agent.portal.people import person_of
from agent.portal.throttle import Brake
from agent.portal.views.certificates import own, refused
from agent.portal.views.credentials import credential_in
from agent.portal.words import category_name, headline

_MADE = 12  # papers of one learner in a quarter of an hour: each is drawn and signed
_CHOICES = (7, 30, 90)
_KEPT = timedelta(days=180)
"""How long papers that are over stay in the list."""
_PREVIEW = 110.0  # dots an inch


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, number: str) -> HttpResponse:
    """One certificate: what it looks like, its code to share, its files, and copies for a purpose."""
    found, said, status = own(request, number), "", 200
    if request.method == "POST":
        said, status = _make(request, lambda form: making.copy(found, **form))
        if not said:
            return redirect("portal:certificate", number)
    papers = _papers(found.learner, kind=Paper.Kind.COPY, certificate=found)
    context = {
        "person": person_of(request), "certificate": found, "code": qr_svg(found.verify_url)[0], "papers": papers,
        "said": said, **_form(request),
    }  # fmt: skip
    return render(request, "portal/certificate.html", context, status=status)


@login_required
def preview(request: HttpRequest, number: str) -> HttpResponse:
    """The picture of one in force."""
    found = own(request, number)
    if found.state != Certificate.State.ISSUED:
        return refused(request, found)
    try:
        chosen = template_of(found)
        data = page_data(facts_of(found), "", chosen.language)
        picture = drawing_of(content_of(chosen.version)).picture(data, "png", underlay=True, ppi=_PREVIEW)
    except XueshiError as error:
        return _not_now(request, error)
    return HttpResponse(picture, content_type="image/png")


@login_required
def everything(request: HttpRequest) -> HttpResponse:
    """All certificates in force: each as PDF and as credential, with a list."""
    learner = _learner(request)
    found = Certificate.objects.filter(learner=learner, state=Certificate.State.ISSUED).order_by("-learned_on", "-pk")
    certificates = list(found.select_related("programme__organiser", "programme__implementer", "programme_version"))
    if not certificates:
        raise Http404
    rows = [("证书编号", "培训项目", "备案编号", "学时", "完成日期", "签发时间", "PDF", "SHA-256", "核验地址")]
    files: dict[str, bytes] = {}
    try:
        for each in certificates:
            stored, facts = pdf_of(each), facts_of(each)
            name = file_name(facts.holder, facts.programme, facts.number)
            files[name] = bytes(stored.pdf)
            files[name.removesuffix("pdf") + "jwt"] = credential_in("jwt", each)[0]
            local = each.issued_at.astimezone(SHANGHAI)
            rows.append((
                facts.number, facts.programme, facts.filing_number, f"{facts.hours / 100:g}",
                facts.learned_on.isoformat(), f"{local:%Y-%m-%d %H:%M}", name, stored.sha256, facts.verify_url,
            ))  # fmt: skip
    except XueshiError as error:
        return _not_now(request, error)
    return _zip(files | {"证书清单.csv": _csv(rows)}, f"{safe(learner.name)}_{gettext('学时证书')}.zip")


@login_required
def declaration(request: HttpRequest, number: str) -> HttpResponse:
    """What the province's declaration asks for: the certificate, the filing with the hours, and what to type where."""
    found = own(request, number)
    if found.state != Certificate.State.ISSUED:
        return refused(request, found)
    try:
        stored, sheet = pdf_of(found), making.declaration(found)
    except XueshiError as error:
        return _not_now(request, error)
    fields = [("省平台申报页的项目", "填写"), *making.declared(found).items()]
    files = {
        f"1_学时证书_{found.number}.pdf": bytes(stored.pdf), f"2_备案与学时证明_{found.number}.pdf": sheet,
        "3_填报内容.csv": _csv(fields),
    }  # fmt: skip
    return _zip(files, f"{gettext('省平台申报材料')}_{found.number}.zip")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All papers of the learner; by POST a transcript of a year."""
    learner, rules, said, status = _learner(request), policies(), "", 200
    years = sorted(set(rules), reverse=True)
    if request.method == "POST":
        text = request.POST.get("year", "")
        policy = next((rules[year] for year in years if str(year) == text), None)
        if policy is None:
            raise Http404
        year = year_of(learner, policy)
        names = {each.id: category_name(each) for each in policy.categories}
        line = headline(year.standing, policy.categories, policy.year)
        said, status = _make(request, lambda form: making.transcript(learner, year, line, names, **form))
        if not said:
            return redirect("portal:papers")
    context = {
        "person": person_of(request), "papers": _papers(learner), "years": years, "said": said,
        "year": request.POST.get("year", ""), **_form(request),
    }  # fmt: skip
    return render(request, "portal/papers.html", context, status=status)


@login_required
def page(request: HttpRequest, number: int) -> HttpResponse:
    """A paper's PDF, while it is in force."""
    paper = _own_paper(request, number)
    if paper_words.standing(paper) != "live":
        return render(request, "portal/paper_over.html", {"standing": paper_words.standing(paper)}, status=410)
    return _file(bytes(paper.pdf), "application/pdf", f"{paper_words.kind(paper)}_{safe(paper.purpose)}.pdf")


@login_required
@require_POST
def end(request: HttpRequest, number: int) -> HttpResponse:
    """Take a paper back."""
    paper = _own_paper(request, number)
    making.end(paper, by=person_of(request).username)
    if paper.certificate:
        return redirect("portal:certificate", paper.certificate.number)
    return redirect("portal:papers")


def _make(request: HttpRequest, make: Any) -> tuple[str, int]:
    """Make a paper with what the form says; or why not, and the status."""
    brake = Brake(request, "paper", str(_learner(request).pk), limit=_MADE, anywhere=True)
    if brake.on():
        return gettext("您刚才已经做了好几份，请等十五分钟再做。"), 429
    brake.miss()
    days = request.POST.get("days", "")
    said = {
        "purpose": request.POST.get("purpose", "").replace("\0", "")[:200],
        "days": int(days) if days.isascii() and days.isdigit() and len(days) <= 3 else 0,  # noqa: PLR2004 - digits
        "by": person_of(request).username,
    }
    try:
        make(said)
    except PaperError as error:
        return paper_words.refusal(error), 409
    except XueshiError as error:
        return paper_words.refusal(error), 503 if error.code.startswith(("E_SIGNING", "E_TIMESTAMP")) else 409
    return "", 200


def _form(request: HttpRequest) -> dict[str, Any]:
    return {"purpose": request.POST.get("purpose", "")[:60], "choices": _CHOICES, "most": making.ALIVE,
            "today": local_date(now())}  # fmt: skip


def _papers(learner: Learner, **more: Any) -> list[dict[str, Any]]:
    found = Paper.objects.filter(learner=learner, expires_at__gt=now() - _KEPT, **more).defer("pdf")
    return [
        {"paper": each, "kind": paper_words.kind(each), "standing": paper_words.standing(each),
         "address": making.address(each.token)}
        for each in found.select_related("certificate").order_by("-pk")
    ]  # fmt: skip


def _own_paper(request: HttpRequest, number: int) -> Paper:
    return get_object_or_404(Paper.objects.select_related("certificate"), pk=number, learner=_learner(request))


def _learner(request: HttpRequest) -> Learner:
    learner = person_of(request).learner
    if learner is None:
        raise Http404
    return learner


def _not_now(request: HttpRequest, error: XueshiError) -> HttpResponse:
    return render(request, "portal/not_now.html", {"error": error}, status=503)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[_plain(cell) for cell in row] for row in rows])
    return ("\ufeff" + text.getvalue()).encode()


def _plain(cell: str) -> str:
    """No cell acts in a spreadsheet."""
    return "'" + cell if cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) else cell


def _zip(files: dict[str, bytes], name: str) -> HttpResponse:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:  # stored: PDFs are packed already
        for each, content in files.items():
            archive.writestr(each, content)
    return _file(body.getvalue(), "application/zip", name)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response
