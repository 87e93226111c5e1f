"""Checking a file that somebody brings: what the file itself proves, and what we know of the certificate today."""

from __future__ import annotations

import hashlib

from agent.certificates.isolated import verify_isolated
from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.offline import Checked, checked_of
from agent.certificates.trust import trusted

REGISTER_STEPS = ("registered", "copy", "in_force")
"""What the register must say of it."""


def check_pdf(data: bytes) -> Checked:
    """Judge a PDF. Never raises for what the file holds: that comes back as reasons."""
    verdict = verify_isolated(data, trusted())
    checked = checked_of(verdict)
    checked.checks |= dict.fromkeys(REGISTER_STEPS)
    # a refused file's own number is a claim, good enough to look up the true state of what it pretends to be
    number = verdict.number or verdict.claimed
    certificate = (
        Certificate.objects.select_related("programme_version").filter(number=number).first() if number else None
    )
    if certificate is None:
        if verdict.valid:  # signed by us and in nobody's register: a copy of the key, or another installation's
            checked.refuse("registered", "E_NOT_REGISTERED: the register has no certificate with this number.")
        return checked
    checked.state = certificate.state
    if not verdict.valid:
        return checked  # what an altered file says is nothing to show beside true facts
    checked.holder, checked.programme = certificate.holder, certificate.programme_version.title
    checked.hours = f"{certificate.hours / 100:.2f}"
    checked.checks |= dict.fromkeys(REGISTER_STEPS, True)
    stored = CertificatePdf.objects.filter(pk=certificate.pk).values_list("sha256", flat=True).first()
    if stored != hashlib.sha256(data).hexdigest():  # every page is stored before it is given out
        checked.refuse("copy", "E_NOT_OUR_COPY: genuine signature, but not the file that was given out.")
    if certificate.state != Certificate.State.ISSUED:
        checked.refuse("in_force", f"E_NOT_IN_FORCE: the certificate is {certificate.state}.")
    return checked
