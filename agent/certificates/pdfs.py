"""The signed page of a certificate: made when it is first wanted, stored with its hash, never made again."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache, partial

from django.db import transaction

from agent.certificates.errors import TimestampError
from agent.certificates.facts import CertificateFacts
from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.pdf import render_pdf
from agent.certificates.signer import keys_to_sign
from agent.certificates.template_register import Chosen, content_of, lock_page, publish_shipped, template_of
from agent.certificates.timestamps import authority_of_settings
from agent.localtime import now


def pdf_of(certificate: Certificate) -> CertificatePdf:
    """The stored page of ``certificate``; two who want it first at once get the same one.

    :raises agent.certificates.errors.CertificateError: it can't be drawn or signed; nothing unsigned is given out.
    """
    stored = CertificatePdf.objects.filter(pk=certificate.pk).first()
    if stored:
        return stored
    _shipped_on_record()
    with transaction.atomic():
        lock_page(certificate)
        stored = CertificatePdf.objects.filter(pk=certificate.pk).first()
        if stored:
            return stored
        chosen = template_of(certificate)
        page = _signed(certificate, chosen)
        return CertificatePdf.objects.create(
            certificate=certificate, pdf=page, sha256=hashlib.sha256(page).hexdigest(), made_at=now(),
            template=chosen.version, language=chosen.language,
        )  # fmt: skip


def _signed(certificate: Certificate, chosen: Chosen) -> bytes:
    """The page, with a time-stamp where an authority is set."""
    render = partial(
        render_pdf, facts_of(certificate), certificate.credential, keys_to_sign(),
        template=content_of(chosen.version), language=chosen.language,
    )  # fmt: skip
    try:
        return render(authority=timestamp_authority())
    except TimestampError:
        if os.environ.get("XUESHI_TSA_WHEN_DOWN") != "without":
            raise
        return render()


timestamp_authority = lru_cache(maxsize=1)(authority_of_settings)
"""Read once: what the authority's tokens measure is learned once, too."""


@lru_cache(maxsize=1)
def _shipped_on_record() -> None:
    """A release without migrations brings its templates too."""
    publish_shipped()


def facts_of(certificate: Certificate) -> CertificateFacts:
    """What was certified, as the issuing stage knew it: from the certificate and the version it points at."""
    version, programme = certificate.programme_version, certificate.programme
    return CertificateFacts(
        number=certificate.number, token=certificate.token, holder=certificate.holder,
        id_masked=certificate.id_masked, programme=version.title, category=version.category, series=version.series,
        organiser=programme.organiser.name, organiser_uscc=programme.organiser.uscc,
        implementer=programme.implementer.name if programme.implementer else "",
        filing_number=programme.filing_number or "", hours=certificate.hours, learned_from=certificate.learned_from,
        learned_on=certificate.learned_on, issued_at=certificate.issued_at, verify_url=certificate.verify_url,
        status_list=certificate.status_list_id, status_index=certificate.status_index,
    )  # fmt: skip
