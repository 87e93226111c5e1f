"""The signed page of a certificate: made when it is first wanted, stored with its hash, never made again."""

from __future__ import annotations

import hashlib

from django.db import connection, transaction

from agent.certificates.facts import CertificateFacts
from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.pdf import render_pdf
from agent.certificates.signer import keys_to_sign
from agent.localtime import now


def pdf_of(certificate: Certificate) -> CertificatePdf:
    """The stored page of ``certificate``; two who want it first at once get the same one.

    :raises agent.certificates.errors.CertificateError: it can't be drawn or signed; nothing unsigned is given out.
    """
    stored = CertificatePdf.objects.filter(pk=certificate.pk).first()
    if stored:
        return stored
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('xueshi pdf'), %s)", [certificate.pk % 2**31])
        stored = CertificatePdf.objects.filter(pk=certificate.pk).first()
        if stored:
            return stored
        page = render_pdf(facts_of(certificate), certificate.credential, keys_to_sign())
        return CertificatePdf.objects.create(
            certificate=certificate, pdf=page, sha256=hashlib.sha256(page).hexdigest(), made_at=now()
        )


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
