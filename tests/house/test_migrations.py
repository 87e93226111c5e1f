"""A house of the release before, with certificates in it, becomes one of today."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from agent.certificates import transparency
from agent.certificates.audit import audit
from agent.certificates.check import check_pdf
from agent.certificates.models import Certificate
from agent.certificates.pdfs import pdf_of
from agent.flow import run_stages
from agent.intake.sync import pull
from agent.portal.lookup import by_token
from tests.house.houses import Base, filing_number, line, roster, sql

BEFORE = "0003_in_force"
"""The last migration of certificates before they had a life, a log, status lists and published keys."""


@pytest.fixture
def old_house(base: Base, tmp_path: Path) -> list[tuple]:
    """Three certificates, one of which its source took back, in the tables of then; what they were."""
    people = [line(name, serial, filing_number("P1")) for serial, name in enumerate(("王一", "李二", "张三"), 1)]
    pull(roster(tmp_path / "r.csv", *people))
    run_stages()
    pdf_of(Certificate.objects.get(holder="王一"))
    sql("UPDATE intake_completion SET passed = false WHERE name = '张三'")
    assert run_stages().issued.revoked == 1
    call_command("migrate", "certificates", BEFORE, verbosity=0)
    return kept()


def kept() -> list[tuple]:
    """What of a certificate never changes, its state, and its events as they were written then."""
    return sql(
        "SELECT number, token, holder, state, hours, issued_at, credential, (SELECT array_agg((e.at, e.state, e.reason)"
        " ORDER BY e.id) FROM certificates_certificateevent e WHERE e.certificate_id = c.id)::text"
        " FROM certificates_certificate c ORDER BY number"
    )


def test_certificates_of_before_keep_all_they_were_and_are_in_the_log(old_house):
    call_command("migrate", verbosity=0)
    assert kept() == old_house
    assert sql("SELECT kind, reason_class FROM certificates_certificateevent ORDER BY id") == [
        *[("issued", "")] * 3,
        ("revoked", "source_withdrew"),
    ]
    assert transparency.publish().size == 4
    assert list(audit()) == []
    for certificate in Certificate.objects.all():
        shown = by_token(certificate.number, certificate.token)
        assert (shown.state, shown.signature) == (certificate.state, "valid")
        assert len(transparency.inclusion_proof(certificate)["entries"]) == 1 + (certificate.state == "revoked")
    assert check_pdf(bytes(pdf_of(Certificate.objects.get(holder="王一")).pdf)).valid
    assert run_stages().issued == type(run_stages().issued)()  # nothing is issued or told anew
    assert sql("SELECT count(*) FROM certificates_certificatenotice") == [(0,)]
