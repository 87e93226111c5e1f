"""Checking a file that somebody brings: what the file itself proves, and what we know of the certificate today."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.trust import trusted
from agent.certificates.verify import verify_pdf


@dataclass(slots=True)
class Checked:
    """``valid``: genuine, unchanged and in force. ``state``: as the register has it, ``unknown`` when it has none."""

    valid: bool
    state: str = "unknown"
    reasons: list[str] = field(default_factory=list)
    number: str | None = None
    holder: str | None = None
    programme: str | None = None
    hours: str | None = None


def check_pdf(data: bytes) -> Checked:
    """Judge a PDF. Never raises for what the file holds: that comes back as reasons."""
    verdict = verify_pdf(data, trusted())
    checked = Checked(verdict.valid, reasons=[f"{r}: {r.sentence}" for r in verdict.reasons], number=verdict.number)
    # a refused file's own number is a claim, good enough to look up the true state of what it pretends to be
    number = verdict.number or verdict.claimed
    certificate = (
        Certificate.objects.select_related("programme_version").filter(number=number).first() if number else None
    )
    if certificate is None:
        if verdict.valid:  # signed by us and in nobody's register: a copy of the key, or another installation's
            checked.valid = False
            checked.reasons.append("E_NOT_REGISTERED: the register has no certificate with this number.")
        return checked
    checked.state = certificate.state
    if not verdict.valid:
        return checked  # what an altered file says is nothing to show beside true facts
    checked.holder, checked.programme = certificate.holder, certificate.programme_version.title
    checked.hours = f"{certificate.hours / 100:.2f}"
    stored = CertificatePdf.objects.filter(pk=certificate.pk).values_list("sha256", flat=True).first()
    if stored and stored != hashlib.sha256(data).hexdigest():
        checked.valid = False
        checked.reasons.append("E_NOT_OUR_COPY: genuine signature, but not the file that was given out.")
    if certificate.state != Certificate.State.ISSUED:
        checked.valid = False
        checked.reasons.append(f"E_NOT_IN_FORCE: the certificate is {certificate.state}.")
    return checked
