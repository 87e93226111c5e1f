"""The PDF that somebody uploads: each mutant is refused, and told why in words."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from agent.certificates.keys import load_or_create
from agent.certificates.models import Certificate
from agent.certificates.pdf import render_pdf
from agent.certificates.pdfs import facts_of, pdf_of
from agent.certificates.signer import signing_keys
from agent.portal.verdict_words import reason_of
from agent.portal.views import verify_file
from tests import bombs


@pytest.fixture
def pdf(certificate) -> bytes:
    return bytes(pdf_of(certificate).pdf)


def upload(data: bytes, name: str = "证书.pdf", **extra: object):
    file = SimpleUploadedFile(name, data, content_type="application/pdf")
    return Client(enforce_csrf_checks=True).post("/verify/file/", {"pdf": file}, **extra)


def words(answer) -> list[str]:
    """The words beside the steps, in their order."""
    return re.findall("<small>(符合|不符合|未核对)</small>", answer.content.decode())


def test_the_file_that_was_given_out_is_genuine_and_in_force(certificate, pdf, text):
    answer = upload(pdf)
    page = text(answer)
    assert "<h1>文件是真的，证书有效</h1>" in page
    assert words(answer) == ["符合"] * 8
    assert f"/VERIFY/{certificate.number}/{certificate.token}" in page
    assert "小明" not in page
    assert not answer.cookies
    assert answer["Referrer-Policy"] == "no-referrer"


def flipped(pdf: bytes, certificate: Certificate) -> bytes:
    return pdf.replace(b"/Creator(Typst", b"/Creator(typst")


def appended(pdf: bytes, certificate: Certificate) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.set_info(writer.prev.trailer.raw_get("/Info"))
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def with_contents_of_another(pdf: bytes, certificate: Certificate) -> bytes:
    other = render_pdf(replace(facts_of(certificate), holder="王力"), certificate.credential, signing_keys())
    start, theirs = pdf.index(b"/Contents <") + 11, other.index(b"/Contents <") + 11
    length = pdf.index(b">", start) - start
    return pdf[:start] + other[theirs : theirs + length] + pdf[start + length :]


def with_credential_of_another(pdf: bytes, certificate: Certificate) -> bytes:
    other = Certificate.objects.exclude(pk=certificate.pk).first()
    return render_pdf(facts_of(certificate), other.credential, signing_keys())  # type: ignore[union-attr]


def encrypted(pdf: bytes, certificate: Certificate) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf)))
    writer.encrypt(owner_pass="geheim", user_pass="")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def no_pdf(pdf: bytes, certificate: Certificate) -> bytes:
    return b"\x89PNG\r\n" + pdf[100:2000]


def bomb(pdf: bytes, certificate: Certificate) -> bytes:
    return bombs.pdf(80)


@pytest.mark.parametrize(
    ("mutant", "code", "holding"),
    [
        (flipped, "E_ALTERED", 1),
        (appended, "E_APPENDED", 3),
        (with_contents_of_another, "E_ALTERED", 1),
        (with_credential_of_another, "E_CREDENTIAL_OTHER", 4),
        (encrypted, "E_ENCRYPTED", 0),
        (no_pdf, "E_NOT_PDF", 0),
        (bomb, None, 0),  # how it dies of its limits differs; that it is refused does not
    ],
)
def test_a_mutant_is_refused_with_the_step_that_fails(mutant, code, holding, certificate, pdf):
    answer = upload(mutant(pdf, certificate))
    page = answer.content.decode()
    assert "<h1>这个文件不能采信</h1>" in page
    assert words(answer) == ["符合"] * holding + ["不符合"] + ["未核对"] * (7 - holding)
    if code:
        assert reason_of(code) in page
    assert certificate.number not in page  # what a false file claims is not looked up for anybody


def test_a_certificate_of_another_installation_is_sent_to_where_it_came_from(certificate, tmp_path, text):
    stranger = load_or_create(tmp_path / "k", None, None, organisation="别处的平台")
    page = text(upload(render_pdf(facts_of(certificate), certificate.credential, stranger)))
    assert reason_of("E_UNTRUSTED") in page


def test_a_second_printing_by_our_own_key_is_not_what_was_given_out(certificate, pdf, text):
    again = render_pdf(replace(facts_of(certificate), learned_from=None), certificate.credential, signing_keys())
    answer = upload(again)
    assert "<h1>签名是真的，但不能采信</h1>" in text(answer)
    assert words(answer) == ["符合"] * 6 + ["不符合", "符合"]


def test_a_revoked_one_is_genuine_and_not_in_force(certificate, pdf, text):
    Certificate.objects.filter(pk=certificate.pk).update(state="revoked")
    answer = upload(pdf)
    assert words(answer) == ["符合"] * 7 + ["不符合"]
    assert reason_of("E_NOT_IN_FORCE") in text(answer)


def test_too_large_is_told_before_it_is_read(house, text):
    answer = upload(b"%PDF-" + bytes(2_100_000))
    assert (answer.status_code, "文件超过2 MB" in text(answer)) == (413, True)


def test_no_file_is_told(house, text):
    for answer in (Client().post("/verify/file/"), upload(b"")):
        assert (answer.status_code, "请先选择一个文件" in text(answer)) == (400, True)
    assert Client().get("/verify/file/")["Location"] == "/verify/"


def test_whoever_uploads_without_end_waits(house, monkeypatch):
    monkeypatch.setattr(verify_file, "_FILES", 2)
    assert [upload(b"x").status_code for _ in range(3)] == [200, 200, 429]


def test_when_all_places_are_taken_it_says_so(house, monkeypatch, text):
    monkeypatch.setattr(verify_file, "_PATIENCE", 0)
    monkeypatch.setattr(verify_file, "_AT_ONCE", type("Taken", (), {"acquire": lambda *_, **__: False})())
    answer = upload(b"x")
    assert (answer.status_code, "请一分钟后再试" in text(answer)) == (503, True)
