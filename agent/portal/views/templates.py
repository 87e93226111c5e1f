"""Certificate templates in the console: what a body may use, what it tries out, and who chose what.

A draft is looked at before it is published: every sample is drawn and every check told. With ``live`` in the address
the page looks again by itself, while somebody edits the folder (`xueshi template preview --organisation … --watch`).
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Max, OuterRef, Prefetch, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from agent.certificates.models import CertificateTemplate, TemplateChoice, TemplateDraft, TemplateVersion
from agent.certificates.template_errors import TemplateFileRefused, TemplateInvalid, TemplateTrialFailed
from agent.certificates.template_folder import pictures_of_its_own, read_zip
from agent.certificates.template_register import choose, content_of, publish, save_draft
from agent.certificates.template_samples import samples
from agent.certificates.template_trial import tried
from agent.errors import XueshiError
from agent.organisations.models import Kind, Organisation
from agent.organisations.rights import Right
from agent.portal.paged import PAGE, Paged, cut, offset_of
from agent.portal.people import EVERYTHING, Person, person_of, requires
from agent.portal.template_words import fault
from agent.portal.words import english
from agent.programmes.models import Category, Programme, ProgrammeVersion

_MOST_BYTES = 4_000_000
_LOOK_AGAIN = 3  # seconds


@requires(Right.TEMPLATES_SEE)
def index(request: HttpRequest) -> HttpResponse:
    """What there is, what is chosen, and a form for a ZIP."""
    return _index(request, *_designer(request))


@requires(Right.TEMPLATES_WRITE)
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a ZIP as a draft; it is tried on the page that follows."""
    person, bodies = _designer(request, Right.TEMPLATES_WRITE)
    owner = _own(bodies, request.POST.get("owner", ""))
    file = request.FILES.get("file")
    try:
        if file is None or file.size is None or file.size > _MOST_BYTES:
            raise TemplateFileRefused(file=file.name if file else "ZIP", reason="it is missing, or above 4 MB")
        draft = save_draft(read_zip(file.read()), owner, by=person.username)
    except TemplateInvalid as error:
        return _index(request, person, bodies, error)
    return redirect("portal:template-draft", draft.pk)


@requires(Right.TEMPLATES_SEE)
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """A draft: its pages, its faults, and the button that publishes it."""
    person, bodies = _designer(request)
    return _draft(request, person, get_object_or_404(TemplateDraft, pk=number, owner__in=bodies))


@requires(Right.TEMPLATES_WRITE)
@require_POST
def publish_draft(request: HttpRequest, number: int) -> HttpResponse:
    """Publish what was looked at, and nothing that came in between."""
    person, bodies = _designer(request, Right.TEMPLATES_WRITE)
    found = get_object_or_404(TemplateDraft, pk=number, owner__in=bodies)
    template = content_of(found)
    if request.POST.get("sha256") != found.sha256 or (pictures_of_its_own(template) and "looked" not in request.POST):
        return _draft(request, person, found, again=True)
    try:
        version = publish(template, found.owner, by=person.username)
    except XueshiError as error:
        return _draft(request, person, found, error=error)
    return redirect("portal:template-version", version.pk)


@requires(Right.TEMPLATES_SEE)
def version(request: HttpRequest, number: int) -> HttpResponse:
    """A published version: its pages, as they will be for ever."""
    person, bodies = _designer(request)
    found = _version(bodies, number)
    pages = _pages(content_of(found).manifest.languages)
    context = {"person": person, "version": found, "pages": pages, "current": _newest(found)}
    return render(request, "portal/template_version.html", context)


@requires(Right.TEMPLATES_SEE)
def folder(request: HttpRequest, number: int) -> HttpResponse:
    """A version's folder as a ZIP, to begin one's own with."""
    found = _version(_designer(request)[1], number)
    name = f"{found.template.name}_v{found.version}.zip"
    headers = {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""}
    return HttpResponse(bytes(found.content), content_type="application/zip", headers=headers)


@requires(Right.TEMPLATES_SEE)
def picture(request: HttpRequest, kind: str, number: int, language: str, sample: str) -> HttpResponse:
    """A sample's page as PNG."""
    bodies = _designer(request)[1]
    found: TemplateVersion | TemplateDraft = (
        _version(bodies, number)
        if kind == "versions"
        else get_object_or_404(TemplateDraft, pk=number, owner__in=bodies)
    )
    try:
        png = tried(content_of(found)).pictures.get(language, {}).get(sample)
    except TemplateTrialFailed:
        png = None
    if png is None:
        raise Http404
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=60"})


@requires(Right.TEMPLATES_WRITE)
@require_POST
def choosing(request: HttpRequest) -> HttpResponse:
    """Choose for a body's programmes, or for one of them."""
    person, bodies = _designer(request, Right.TEMPLATES_WRITE)
    name, _, language = request.POST.get("template", "").partition("/")
    key = request.POST.get("programme", "")
    try:
        if key:
            programme = get_object_or_404(Programme, pk=_number(key), organiser__in=bodies)
            choose(name, programme=programme, language=language, by=person.username)
        else:
            owner = _own(bodies, request.POST.get("owner", ""))
            choose(name, organisation=owner, language=language, by=person.username)
    except XueshiError as error:
        return _index(request, person, bodies, error)
    return redirect("portal:templates")


def _designer(request: HttpRequest, right: Right = Right.TEMPLATES_SEE) -> tuple[Person, list[Organisation]]:
    """Who asks, and for which bodies."""
    person = person_of(request)
    bodies = person.bodies_with(right)
    return person, list(Organisation.objects.order_by("pk")) if bodies is EVERYTHING else bodies


def _own(bodies: list[Organisation], text: str) -> Organisation:
    found = next((body for body in bodies if str(body.pk) == text), None)
    if found is None:
        raise Http404
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Http404
    return int(text)


def _version(bodies: list[Organisation], number: int) -> TemplateVersion:
    found = get_object_or_404(TemplateVersion.objects.select_related("template__owner"), pk=number)
    if found.template.owner is not None and found.template.owner not in bodies:
        raise Http404
    return found


def _newest(version: TemplateVersion) -> bool:
    newest: int = version.template.versions.aggregate(n=Max("version"))["n"]
    return version.version == newest


def _pages(languages: list[Any]) -> list[dict[str, str]]:
    """What is to be looked at, in order."""
    names = {
        "ordinary": gettext("平常"),
        "longest": gettext("最长"),
        "shortest": gettext("最短"),
        "rare": gettext("生僻字"),
    }
    tongues = _tongues()
    return [
        {"language": language, "sample": name, "title": f"{names[name]} · {tongues[language]}"}
        for language in languages
        for name in samples()
    ]


def _draft(
    request: HttpRequest, person: Person, found: TemplateDraft, *, error: XueshiError | None = None, again: bool = False
) -> HttpResponse:
    template = content_of(found)
    faults = [fault(_as_finding(error))] if error else []
    pages: list[dict[str, str]] = []
    try:
        trial = tried(template)
    except TemplateTrialFailed as stopped:
        faults.append(fault(_as_finding(stopped)))
    else:
        faults += [fault(one) for one in trial.findings]
        drawn = trial.pictures
        pages = [p for p in _pages(template.manifest.languages) if p["sample"] in drawn.get(p["language"], {})]
    context = {
        "person": person, "draft": found, "manifest": template.manifest, "faults": faults, "pages": pages,
        "headline": _verdict(len(faults)), "own_pictures": pictures_of_its_own(template), "again": again,
        "often": _LOOK_AGAIN if "live" in request.GET else None,
    }  # fmt: skip
    return render(request, "portal/template_draft.html", context, status=409 if error or again else 200)


def _verdict(faults: int) -> str:
    if not faults:
        return gettext("检查都通过了，可以发布")
    return ngettext("有%(n)d处要改", "有%(n)d处要改", faults) % {"n": faults}


def _as_finding(error: XueshiError) -> dict[str, str]:
    field = str(error.params.get("field") or error.params.get("file") or "")
    return {"code": error.code, "field": field, "message": error.message, "fix": error.how_to_fix}


def _index(
    request: HttpRequest, person: Person, bodies: list[Organisation], error: XueshiError | None = None
) -> HttpResponse:
    families = list(
        CertificateTemplate.objects.filter(owner__in=bodies).select_related("owner")
        | CertificateTemplate.objects.filter(owner=None).select_related("owner")
    )
    newest = {
        each.template_id: each
        for each in TemplateVersion.objects.filter(template__in=families).defer("content").order_by("version")
    }
    rows: list[dict[str, Any]] = [
        {"template": each, "version": newest[each.pk], "title": _title(newest[each.pk])}
        for each in sorted(families, key=lambda one: (one.owner_id is None, one.name))
        if each.pk in newest
    ]
    chosen = _chosen(bodies, request.GET)
    context = {
        "person": person, "bodies": bodies, "rows": rows, "error": fault(_as_finding(error)) if error else None,
        "headline": ngettext("%(n)d个证书模板可用", "%(n)d个证书模板可用", len(rows)) % {"n": len(rows)},
        "drafts": TemplateDraft.objects.filter(owner__in=bodies).defer("content").order_by("-saved_at"),
        "options": [option for row in rows for option in _options(row["version"])],
        "chosen": chosen.rows, "page": chosen,
    }  # fmt: skip
    return render(request, "portal/templates.html", context, status=400 if error else 200)


def _chosen(bodies: list[Organisation], asked: QueryDict) -> Paged[dict[str, Any]]:
    """A page of those for whom a template can be chosen: organisers, then their programmes, the newest first."""
    choices = TemplateChoice.objects.select_related("template").order_by("-chosen_at", "-pk")
    organisers = [body for body in bodies if body.kind != Kind.EMPLOYER]
    first = offset_of(asked)
    mine = organisers[first : first + PAGE + 1]
    prefetch_related_objects(mine, Prefetch("template_choices", choices))
    professional = ProgrammeVersion.objects.filter(programme=OuterRef("pk"), category=Category.PROFESSIONAL)
    programmes = (
        Programme.objects.filter(Exists(professional), organiser__in=bodies)
        .order_by("-year", "key", "pk")
        .prefetch_related("versions", Prefetch("template_choices", choices))
    )
    start, room = max(first - len(organisers), 0), PAGE + 1 - len(mine)
    return cut([*map(_of_organiser, mine), *map(_of_programme, programmes[start : start + room])], asked)


def _tongues() -> dict[str, str]:
    return {"zh": gettext("中文"), "zh-en": gettext("中英双语")}


def _title(version: TemplateVersion) -> str:
    return version.title_en if english() else version.title


def _options(version: TemplateVersion) -> list[dict[str, str]]:
    tongues = _tongues()
    return [
        {"value": f"{version.template.name}/{language}", "name": f"{_title(version)} · {tongues[language]}"}
        for language in version.languages.split(",")
    ]


def _of_organiser(organiser: Organisation) -> dict[str, Any]:
    choice = next(iter(organiser.template_choices.all()), None)
    return {"name": organiser.name, "owner": organiser.pk, "programme": "", "choice": choice, "value": _value(choice)}


def _of_programme(programme: Programme) -> dict[str, Any]:
    choice = next(iter(programme.template_choices.all()), None)
    title = max(programme.versions.all(), key=lambda one: one.version).title
    return {"name": title, "owner": "", "programme": programme.pk, "choice": choice, "value": _value(choice)}


def _value(choice: TemplateChoice | None) -> str:
    return f"{choice.template.name}/{choice.language}" if choice else ""
