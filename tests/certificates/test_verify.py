from __future__ import annotations

import io
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields

from agent.certificates.authority import make_authority, make_signer
from agent.certificates.errors import PageUnexpected
from agent.certificates.keys import load_or_create
from agent.certificates.pdf import drawing_of, render_pdf
from agent.certificates.signing import sign_pdf
from agent.certificates.template_folder import shipped
from agent.certificates.verify import Reason, verify_pdf
from tests.certificates.conftest import credential_for, signed_page, write_p12


def verdict(pdf: bytes, signed):
    return verify_pdf(pdf, signed.keys.trusted)


def test_a_certificate_of_ours_is_valid(signed):
    found = verdict(signed.pdf, signed)
    assert (found.valid, found.reasons, found.number) == (True, [], signed.facts.number)
    assert found.credential["credentialSubject"]["creditsEarned"] == 24
    assert "学时平台（示例）" in found.signer
    assert found.signed_at.tzinfo is not None


def test_any_one_of_our_published_certificates_is_enough_to_trust_it(signed):
    assert verify_pdf(signed.pdf, [signed.keys.ca]).valid
    assert verify_pdf(signed.pdf, [signed.keys.certificate]).valid


@settings(max_examples=25)
@given(part=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_one_changed_byte_is_refused(signed, part, by):
    changed = bytearray(signed.pdf)
    changed[int(len(changed) * part)] ^= by
    found = verdict(bytes(changed), signed)
    assert not found.valid
    assert found.credential is None


def test_a_changed_word_in_the_properties_is_altered(signed):
    changed = signed.pdf.replace(b"/Creator(Typst", b"/Creator(typst")
    found = verdict(changed, signed)
    assert found.reasons == [Reason.ALTERED]
    assert (found.number, found.claimed) == (None, signed.facts.number)


@pytest.mark.parametrize("text", [b"\n", b"x", b"% 40 \xe5\xad\xa6\xe6\x97\xb6" * 200, b"\n%%EOF\n"])
def test_appended_text_is_refused(text, signed):
    assert verdict(signed.pdf + text, signed).reasons == [Reason.APPENDED]


def test_an_update_that_leaves_the_signature_intact_is_refused(signed):
    writer = IncrementalPdfFileWriter(io.BytesIO(signed.pdf))
    writer.set_info(writer.prev.trailer.raw_get("/Info"))
    fields.append_signature_field(writer, fields.SigFieldSpec("Another"))
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(signed.pdf)
    assert verdict(out.getvalue(), signed).reasons == [Reason.APPENDED]


def test_a_signature_by_a_stranger_is_refused(signed, tmp_path):
    stranger = load_or_create(tmp_path / "k", None, None, organisation="学时平台（示例）")
    found = verdict(render_pdf(signed.facts, signed.credential, stranger), signed)
    assert found.reasons == [Reason.UNTRUSTED]


def test_a_credential_by_a_stranger_is_refused(signed, tmp_path):
    stranger = load_or_create(tmp_path / "k", None, None, organisation="学时平台（示例）")
    page = render_pdf(signed.facts, credential_for(signed.facts, stranger), signed.keys)
    assert verdict(page, signed).reasons == [Reason.CREDENTIAL]


@pytest.mark.parametrize(
    "other", [{"holder": "欧阳某"}, {"hours": 4000}, {"programme": "急救"}, {"filing_number": "1号"}, {"number": "1"}]
)
def test_another_certificates_credential_is_refused(other, signed):
    page = render_pdf(signed.facts, credential_for(replace(signed.facts, **other), signed.keys), signed.keys)
    assert verdict(page, signed).reasons == [Reason.CREDENTIAL_OTHER]


def test_a_page_without_signature_is_refused(signed):
    page = drawing_of(shipped("classic")).page(signed.facts, signed.credential)
    assert verdict(page, signed).reasons == [Reason.NOT_SIGNED]


def test_another_signature_in_the_gap_is_refused(signed):
    other = signed_page(replace(signed.facts, holder="王力"), signed.keys)
    gap = signed.pdf.index(b"/Contents <") + 11
    theirs = other.index(b"/Contents <") + 11
    length = signed.pdf.index(b">", gap) - gap
    swapped = signed.pdf[:gap] + other[theirs : theirs + length] + signed.pdf[gap + length :]
    assert verdict(swapped, signed).reasons == [Reason.ALTERED]


def test_no_byte_of_the_gap_can_be_changed(signed):
    start = signed.pdf.index(b"/Contents <") + 11
    end = signed.pdf.index(b">", start)
    # some digits, the padding's end, and a digit's other case
    for at in [*range(start, end, 397), *range(end - 4, end)]:
        changed = signed.pdf[:at] + (b"1" if signed.pdf[at : at + 1] == b"0" else b"0") + signed.pdf[at + 1 :]
        assert not verdict(changed, signed).valid, at
    upper = signed.pdf[:start] + signed.pdf[start:end].upper() + signed.pdf[end:]
    assert not verdict(upper, signed).valid


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"%PDF-1.7", b"PK\x03\x04" * 100, b"%PDF-1.7\nstartxref\n0\n%%EOF", b"%PDF-1.4\nxref\n0 1\n" * 9],
)
def test_garbage_is_not_a_pdf(data, signed):
    assert verdict(data, signed).reasons == [Reason.NOT_PDF]


def test_a_file_that_was_cut_is_refused(signed):
    assert verdict(signed.pdf[:-100], signed).reasons == [Reason.NOT_PDF]


@settings(max_examples=25)
@given(noise=st.binary(max_size=200), start=st.integers(0, 60_000), end=st.integers(0, 60_000))
def test_no_bytes_make_it_raise_or_pass(signed, noise, start, end):
    changed = signed.pdf[:start] + noise + signed.pdf[end:]
    assert verdict(changed, signed).valid == (changed == signed.pdf)


def test_pages_signed_with_rsa_by_pkcs12_verify(signed, rsa_key, tmp_path):
    keys = load_or_create(tmp_path, write_p12(tmp_path / "x.p12", rsa_key), b"geheim", organisation="学时平台（示例）")
    assert verify_pdf(signed_page(signed.facts, keys), keys.trusted).valid


def test_a_chain_in_pkcs12_is_carried_along_and_only_its_signer_trusted(signed, tmp_path):
    ca_key, ca = make_authority("电子认证服务（示例）")
    key, certificate = make_signer(ca_key, ca, "枣庄市工业和信息化局（示例）")
    store = pkcs12.serialize_key_and_certificates(b"x", key, certificate, [ca], BestAvailableEncryption(b"p"))
    (tmp_path / "x.p12").write_bytes(store)
    keys = load_or_create(tmp_path / "k", tmp_path / "x.p12", b"p", organisation="学时平台（示例）")
    assert (keys.chain, keys.trusted) == ((ca,), (certificate,))
    assert verify_pdf(signed_page(signed.facts, keys), keys.trusted).valid


def test_a_page_made_after_a_change_of_keys_carries_the_older_credential(signed, tmp_path):
    newer = load_or_create(tmp_path / "k", None, None, organisation="学时平台（示例）")
    page = render_pdf(signed.facts, signed.credential, newer)
    assert verify_pdf(page, [*newer.trusted, *signed.keys.trusted]).valid


def test_every_reason_has_its_sentence():
    assert all(reason.sentence.endswith(".") for reason in Reason)
    assert all(reason.startswith("E_") for reason in Reason)


def test_only_pages_of_the_known_form_are_signed(signed):
    with pytest.raises(PageUnexpected):
        sign_pdf(b"%PDF-1.7 something else", signed.keys, None)
    with pytest.raises(PageUnexpected):
        sign_pdf(signed.pdf, signed.keys, None)  # has a signature field already


def test_the_signature_forbids_any_change(signed):
    reader = PdfFileReader(io.BytesIO(signed.pdf))
    assert reader.embedded_signatures[0].docmdp_level.name == "NO_CHANGES"
