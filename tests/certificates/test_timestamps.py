"""Pages with the time of a time-stamp authority (PAdES B-T): believed only when all of it is right."""

from __future__ import annotations

import io
import subprocess

import pytest
from asn1crypto import pem, x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from agent.certificates.errors import TimestampError, TimestampRefused, TimestampUnreachable
from agent.certificates.pdf import render_pdf
from agent.certificates.timestamps import TimestampAuthority, authority_of_settings
from agent.certificates.verify import verify_pdf
from tests.certificates.tsa import time_stamp_authority

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with time_stamp_authority(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture
def tsa(running):
    yield running
    running.spoil, running.status = bytes, 200


def ca_of(tsa) -> tuple[x509.Certificate, ...]:
    return (x509.Certificate.load(pem.unarmor(tsa.ca.read_bytes())[2]),)


@pytest.fixture(scope="module")
def stamped(running, signed) -> bytes:
    authority = TimestampAuthority(running.url, ca_of(running))
    return render_pdf(signed.facts, signed.credential, signed.keys, authority=authority)


def test_the_page_is_valid_and_carries_the_time(stamped, signed, tsa):
    assert verify_pdf(stamped, signed.keys.trusted).valid
    signature = PdfFileReader(io.BytesIO(stamped)).embedded_signatures[0]
    anchors = [x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in signed.keys.trusted]
    ours = ValidationContext(trust_roots=anchors, allow_fetching=False)
    theirs = ValidationContext(trust_roots=list(ca_of(tsa)), allow_fetching=False)
    status = validate_pdf_signature(signature, ours, ts_validation_context=theirs, skip_diff=True)
    assert status.timestamp_validity.valid
    assert status.timestamp_validity.trusted


@pytest.mark.needs("pdfsig", "qpdf")
def test_strangers_programs_take_it(stamped, tmp_path):
    (tmp_path / "a.pdf").write_bytes(stamped)
    for command, said in (("pdfsig", "Signature is Valid"), ("pdfsig", "Total document signed")):
        assert said in subprocess.run([command, tmp_path / "a.pdf"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["qpdf", "--check", tmp_path / "a.pdf"], check=True, capture_output=True)


def test_the_authority_is_asked_once_for_its_size_and_once_a_page(tsa, signed):
    authority, before = TimestampAuthority(tsa.url), tsa.asked
    for _ in range(2):
        render_pdf(signed.facts, signed.credential, signed.keys, authority=authority)
    assert tsa.asked - before == 3


def test_no_byte_of_the_gap_can_be_changed(stamped, signed):
    start = stamped.index(b"/Contents <") + 11
    end = stamped.index(b">", start)
    unnoticed = []
    for at in [*range(start, end, 97), *range(end - 4, end)]:
        digit = b"1" if stamped[at : at + 1] == b"0" else b"0"
        if verify_pdf(stamped[:at] + digit + stamped[at + 1 :], signed.keys.trusted).valid:
            unnoticed.append(at - start)
    assert unnoticed == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _: b"", "no time-stamp"),
        (lambda _: b"hello", "no time-stamp"),
        (lambda answer: answer[:-20], "no time-stamp"),
        (lambda answer: answer[:-3] + b"abc", "signature does not hold"),
        (lambda _: bytes.fromhex("30053003020102"), "rejection"),
    ],
)
def test_an_answer_that_is_not_right_is_refused(tsa, spoil, why):
    tsa.spoil = spoil
    with pytest.raises(TimestampRefused, match=why):
        TimestampAuthority(tsa.url).stamp(b"x")


def test_an_answer_to_another_question_is_refused(tsa):
    seen = []

    def first_again(answer: bytes) -> bytes:
        seen.append(answer)
        return seen[0]

    tsa.spoil = first_again
    authority = TimestampAuthority(tsa.url)
    authority.stamp(b"x")
    with pytest.raises(TimestampRefused, match="something else"):
        authority.stamp(b"x")


def test_an_authority_that_the_ca_does_not_vouch_for_is_refused(tsa, tmp_path):
    with time_stamp_authority(tmp_path / "other") as other, pytest.raises(TimestampRefused, match="own signature"):
        TimestampAuthority(other.url, ca_of(tsa)).stamp(b"x")


def test_an_authority_that_is_away_or_in_trouble_is_told(tsa):
    with pytest.raises(TimestampUnreachable):
        TimestampAuthority("http://127.0.0.1:9/tsa").stamp(b"x")
    tsa.status = 503
    with pytest.raises(TimestampUnreachable, match="HTTP 503"):
        TimestampAuthority(tsa.url).stamp(b"x")


def test_without_the_authority_there_is_no_page(signed):
    authority = TimestampAuthority("http://127.0.0.1:9/tsa")
    with pytest.raises(TimestampError):
        render_pdf(signed.facts, signed.credential, signed.keys, authority=authority)


def test_the_settings_name_the_authority(tsa, monkeypatch, tmp_path):
    assert authority_of_settings() is None
    monkeypatch.setenv("XUESHI_TSA_URL", tsa.url)
    monkeypatch.setenv("XUESHI_TSA_CA", str(tsa.ca))
    assert [one.dump() for one in authority_of_settings().ca] == [one.dump() for one in ca_of(tsa)]
    monkeypatch.setenv("XUESHI_TSA_CA", str(tmp_path / "none"))
    with pytest.raises(TimestampRefused, match="can't be read"):
        authority_of_settings()
