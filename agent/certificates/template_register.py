"""Which template a certificate is drawn with: published versions, choices, and the rule between them.

The rule: at a certificate's issue the programme's newest choice counts, then its organiser's, then the shipped classic
one; of that template the newest version published by then. Both are kept for ever, so the answer never changes,
whenever the page is first drawn. A certificate that its template can't draw may be given another, once chosen by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from agent.audit.chain import record
from agent.certificates.template_errors import (
    TemplateChoiceRefused,
    TemplateRefused,
    TemplateUnknown,
    TemplateVersionTaken,
)
from agent.certificates.template_folder import DEFAULT, SHIPPED_NAMES, Template, read_zip, shipped
from agent.certificates.template_models import CertificateTemplate, TemplateChoice, TemplateDraft, TemplateVersion
from agent.certificates.template_trial import tried
from agent.localtime import now
from agent.organisations.models import Organisation
from agent.programmes.models import Programme

if TYPE_CHECKING:
    from agent.certificates.models import Certificate


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a certificate is drawn with."""

    version: TemplateVersion
    language: str


def publish(template: Template, owner: Organisation, *, by: str) -> TemplateVersion:
    """Publish a version, after the checks. The same content again is the version that is there already.

    :raises TemplateRefused: a check found something
    :raises TemplateVersionTaken: the number is taken by another content, or a higher one is published
    """
    known = _same(template, owner)
    if known:
        return known
    found = tried(template).findings
    if found:
        first = f"{found[0]['code']} {found[0]['field']}: {found[0]['message']}"
        raise TemplateRefused(count=len(found), first=first)
    with transaction.atomic():
        made = _store(template, owner, by=by)
        _tell("template.published", made, by, {"version": made.version, "sha256": made.sha256})
    return made


def _tell(
    action: str, of: TemplateVersion | TemplateDraft | TemplateChoice, by: str, after: dict[str, Any], *, on: str = "",
    before: dict[str, Any] | None = None, owner: Organisation | None = None,
) -> None:  # fmt: skip
    family = of if isinstance(of, TemplateDraft) else of.template
    on = on or f"template {family.name}"
    record(by, action, on=on, before=before, after=after, organisation=owner or family.owner)


def _same(template: Template, owner: Organisation | None) -> TemplateVersion | None:
    """The newest version, if it is this very content."""
    newest = (
        TemplateVersion.objects.filter(template__owner=owner, template__name=template.manifest.id)
        .order_by("-version")
        .first()
    )
    return newest if newest and newest.sha256 == template.digest else None


@transaction.atomic
def _store(template: Template, owner: Organisation | None, *, by: str) -> TemplateVersion:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi templates'))")
    manifest = template.manifest
    family, _ = CertificateTemplate.objects.get_or_create(owner=owner, name=manifest.id)
    newest = family.versions.order_by("-version").first()
    if newest and newest.sha256 == template.digest:
        return newest
    if newest and newest.version >= manifest.version:
        raise TemplateVersionTaken(version=manifest.version, name=manifest.id, next=newest.version + 1)
    return TemplateVersion.objects.create(
        template=family, version=manifest.version, title=manifest.title.zh, title_en=manifest.title.en,
        languages=",".join(manifest.languages), sha256=template.digest, content=template.packed(),
        published_at=_moment(), published_by=by,
    )  # fmt: skip


def publish_shipped() -> None:
    """Put what this release ships on record, after each migration: an older release's version stays as it was."""
    if TemplateVersion._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001 - Django's own way
        return  # migrated to a time before templates
    for name in SHIPPED_NAMES:
        template = shipped(name)
        newest = TemplateVersion.objects.filter(template__owner=None, template__name=name).order_by("-version").first()
        if newest is None or newest.version < template.manifest.version:
            _store(template, None, by="xueshi")


@transaction.atomic
def save_draft(template: Template, owner: Organisation, *, by: str) -> TemplateDraft:
    """Keep what the body wants to look at, in place of the draft before."""
    draft, _ = TemplateDraft.objects.update_or_create(
        owner=owner, name=template.manifest.id,
        defaults={"sha256": template.digest, "content": template.packed(), "saved_at": now(), "saved_by": by},
    )  # fmt: skip
    _tell("template.draft", draft, by, {"sha256": draft.sha256})
    return draft


def usable_by(owner: Organisation) -> QuerySet[CertificateTemplate]:
    """The templates that a body may choose: its own, and the shipped ones."""
    return CertificateTemplate.objects.filter(Q(owner=owner) | Q(owner=None)).order_by("owner_id", "name")


def choose(
    name: str,
    *,
    by: str,
    language: str = "zh",
    organisation: Organisation | None = None,
    programme: Programme | None = None,
    certificate: Certificate | None = None,
) -> TemplateChoice:
    """Choose a template for what is issued from now on; for one certificate, only while it has no page.

    :param name: of the organiser's own template or of a shipped one; its own comes first
    :raises TemplateUnknown: the organiser has none with that name
    :raises TemplateChoiceRefused: it is not set in that language, or the certificate has its page
    """
    of = programme or (certificate.programme if certificate else None)
    owner = organisation or (of.organiser if of else None)
    if owner is None:
        raise TemplateChoiceRefused(reason="it is for nobody")
    family = usable_by(owner).filter(name=name).order_by("owner_id").first()  # NULL, the shipped, comes last
    newest = family.versions.order_by("-version").first() if family else None
    if family is None or newest is None:
        raise TemplateUnknown(name=name, whose=owner.name)
    if language not in newest.languages.split(","):
        raise TemplateChoiceRefused(reason=f"{name} is set in {newest.languages}, not in {language}")
    with transaction.atomic():
        if certificate:
            lock_page(certificate)
            if hasattr(certificate, "pdf"):
                raise TemplateChoiceRefused(reason=f"{certificate.number} has its page already")
        whose = {"organisation": organisation, "programme": programme, "certificate": certificate}
        last = TemplateChoice.objects.filter(**whose).select_related("template").order_by("-pk").first()
        made = TemplateChoice.objects.create(
            template=family, language=language, **whose, chosen_at=_moment(), chosen_by=by
        )
        _tell(
            "template.chosen", made, by, _said(made), before=_said(last) if last else None, owner=owner,
            on=" ".join(f"{kind} {each}" for kind, each in whose.items() if each),
        )  # fmt: skip
    return made


def _said(choice: TemplateChoice) -> dict[str, str]:
    return {"template": choice.template.name, "language": choice.language}


def _moment() -> datetime:
    """Now, in whole seconds as certificates have it: what is chosen and then issued within one second counts."""
    return now().replace(microsecond=0)


def lock_page(certificate: Certificate) -> None:
    """Only one at a time decides on a certificate's page, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi pdf'), %s)", [certificate.pk % 2**31])


def template_of(certificate: Certificate) -> Chosen:
    """What ``certificate`` is drawn with: see the rule at the head of this module."""
    before = Q(chosen_at__lte=certificate.issued_at)
    programme = certificate.programme
    choice = (
        TemplateChoice.objects.filter(
            Q(certificate=certificate) | (before & (Q(programme=programme) | Q(organisation_id=programme.organiser_id)))
        )
        .select_related("template")
        .order_by("certificate_id", "programme_id", "-chosen_at", "-pk")  # NULLs last: one certificate, then programme
        .first()
    )
    if choice:
        family, language = choice.template, choice.language
        moment = max(certificate.issued_at, choice.chosen_at) if choice.certificate_id else certificate.issued_at
    else:
        family, language = CertificateTemplate.objects.get(owner=None, name=DEFAULT), "zh"
        moment = certificate.issued_at
    versions = family.versions.order_by("-version")
    # older than its first version: issued before this release knew templates
    version = versions.filter(published_at__lte=moment).first() or versions.last()
    if version is None:
        raise TemplateUnknown(name=family.name, whose=programme.organiser.name)
    return Chosen(version, language if language in version.languages.split(",") else version.languages.split(",")[0])


def content_of(version: TemplateVersion | TemplateDraft) -> Template:
    """The template itself; unpacked once for each content."""
    return _unpacked(version.sha256, type(version), version.pk)


@lru_cache(maxsize=32)
def _unpacked(sha256: str, kind: Any, pk: int) -> Template:
    return read_zip(bytes(kind.objects.values_list("content", flat=True).get(pk=pk, sha256=sha256)))
