"""Checks a PDF that somebody brings, without asking any server.

pyHanko reads the document, because it shares nothing with the code that signed it. "The signature is valid" is also
said of a document that was added to; here only what is signed from the first byte to the last counts.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

from agent.certificates.cms import CmsForm
from agent.certificates.credential import read_credential
from agent.certificates.errors import CredentialInvalid
from agent.certificates.facts import document_texts
from agent.certificates.keys import PublicKey, TrustedKey, algorithm_of, in_order, public_key_of
from agent.certificates.numbers import is_number
from agent.certificates.timestamps import in_plain_form, token_holds

ATTACHMENT = "credential.jwt"
MAX_BYTES = 2_000_000
"""The largest file that is looked at: ours have some 60 kB, one with pictures ten times that."""
Trusted = x509.Certificate | PublicKey | TrustedKey
for _library in ("pyhanko", "pyhanko_certvalidator"):
    # A refused document is an answer and not an incident: no traceback of it in the log.
    logging.getLogger(_library).setLevel(logging.CRITICAL)
_END = b"%%EOF"
_ENDS_TRIED = 5


class Reason(StrEnum):
    """Why a document is not a valid certificate. The value is the stable code."""

    NOT_PDF = "E_NOT_PDF"
    TOO_LARGE = "E_TOO_LARGE"
    ENCRYPTED = "E_ENCRYPTED"
    NOT_SIGNED = "E_NOT_SIGNED"
    SEVERAL_SIGNATURES = "E_SEVERAL_SIGNATURES"
    ALTERED = "E_ALTERED"
    APPENDED = "E_APPENDED"
    UNTRUSTED = "E_UNTRUSTED"
    CREDENTIAL_MISSING = "E_CREDENTIAL_MISSING"
    CREDENTIAL = "E_CREDENTIAL"
    CREDENTIAL_OTHER = "E_CREDENTIAL_OTHER"

    @property
    def sentence(self) -> str:
        """The reason in English."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NOT_PDF: "The file is not a PDF document, or it is damaged.",
    Reason.TOO_LARGE: "The file is larger than a certificate can be, or grows beyond measure when it is read.",
    Reason.ENCRYPTED: "The document is encrypted; we give out none that is.",
    Reason.NOT_SIGNED: "The document is not signed.",
    Reason.SEVERAL_SIGNATURES: "The document carries more than the one signature that we gave it.",
    Reason.ALTERED: "The document was changed after it was signed.",
    Reason.APPENDED: "Something was added to the document after it was signed.",
    Reason.UNTRUSTED: "The document is signed, but not by us.",
    Reason.CREDENTIAL_MISSING: "The document does not carry the credential that belongs to a certificate.",
    Reason.CREDENTIAL: "The credential inside the document is not signed by us, or was changed.",
    Reason.CREDENTIAL_OTHER: "The credential inside the document belongs to another certificate.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. ``number`` and ``credential`` are given only when they can be believed."""

    valid: bool
    reasons: list[Reason] = field(default_factory=list)  # each is a code, and has its sentence
    number: str | None = None
    claimed: str | None = None  # the number that the document says it has, true or not: to look up the true data
    credential: dict[str, Any] | None = None
    signed_at: datetime | None = None  # as the signer's clock said
    signer: str | None = None


def verify_pdf(data: bytes, trusted: Sequence[Trusted]) -> Verdict:
    """Whether ``data`` is a certificate that we signed, whole and untouched. Never raises, whatever ``data`` is.

    :param trusted: our own certificates (`SigningKeys.trusted`), those of earlier keys too. Never a public CA's: it
        vouches for strangers. A bare public key vouches for the signing certificate that holds it.
    """
    if len(data) > MAX_BYTES:
        return refused(Reason.TOO_LARGE)
    try:
        reader, signatures = _open(data)
    except Exception:  # noqa: BLE001 - a stranger's bytes fail in every way that a parser has
        return refused(Reason.NOT_PDF)
    if reader.encrypted:
        return refused(Reason.ENCRYPTED)
    claimed = _claimed(reader)
    if len(signatures) != 1:
        reason = Reason.SEVERAL_SIGNATURES if signatures else Reason.NOT_SIGNED
        return replace(refused(reason), claimed=claimed)
    try:
        return replace(_verify(data, reader, signatures[0], trusted), claimed=claimed)
    except Exception:  # noqa: BLE001 - as above; a signature that can't be read is a changed one
        return replace(refused(Reason.ALTERED), claimed=claimed)


def refused(reason: Reason) -> Verdict:
    """The verdict on a document of which nothing can be believed."""
    return Verdict(valid=False, reasons=[reason])


def _open(data: bytes) -> tuple[PdfFileReader, list[EmbeddedPdfSignature]]:
    """The document; for one with text after its end, the signed document before that."""
    try:
        return _read(data)
    except Exception:
        end = len(data)
        for _ in range(_ENDS_TRIED):
            end = data.rfind(_END, 0, end)
            if end < 0:
                break
            with suppress(Exception):
                reader, signatures = _read(data[: end + len(_END) + 1])  # with the end of the line
                if signatures:
                    return reader, signatures
        raise


def _read(data: bytes) -> tuple[PdfFileReader, list[EmbeddedPdfSignature]]:
    reader = PdfFileReader(io.BytesIO(data), strict=False)
    return reader, [] if reader.encrypted else list(reader.embedded_signatures)


def _verify(data: bytes, reader: PdfFileReader, signature: EmbeddedPdfSignature, trusted: Sequence[Trusted]) -> Verdict:
    signed_at = signature.self_reported_timestamp
    certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
    credential = None
    reason = _fault_of_signature(data, signature, certificate, trusted)
    if reason is None:
        # a published key first, which knows until when it is believed
        credential, reason = _credential(reader, [*trusted, certificate])
    return Verdict(
        valid=reason is None,
        reasons=[] if reason is None else [reason],
        number=credential["credentialSubject"]["licenseNumber"] if credential else None,
        credential=credential,
        signed_at=signed_at,
        signer=_name(certificate),
    )


def _fault_of_signature(
    data: bytes, signature: EmbeddedPdfSignature, certificate: x509.Certificate, trusted: Sequence[Trusted]
) -> Reason | None:
    published = [one.certificate if isinstance(one, TrustedKey) else one for one in trusted]
    known = [one for one in published if isinstance(one, x509.Certificate)]
    if public_key_of(certificate) in [one for one in published if not isinstance(one, x509.Certificate)]:
        known.append(certificate)
    anchors = [asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in known]
    # The signer's own date is good enough: whoever holds our key needs no false date, and old certificates stay valid.
    moment = signature.self_reported_timestamp
    context = ValidationContext(trust_roots=anchors, moment=moment, allow_fetching=False)
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    # What was added later needs no judging of its own: nothing may have been.
    status = validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True)
    if not (status.intact and status.valid):
        return Reason.ALTERED
    if not status.trusted or any(_retired(one, certificate, moment) for one in trusted):
        return Reason.UNTRUSTED
    if not _whole(data, signature):
        return Reason.APPENDED
    return None if _in_our_form(data, signature, certificate) else Reason.ALTERED


def _retired(one: Trusted, signer: x509.Certificate, moment: datetime | None) -> bool:
    """Whether ``one`` is the signer's key, and was not to be trusted at the moment that the signature names."""
    if not isinstance(one, TrustedKey) or one.certificate != signer:
        return False
    return moment is None or not one.trusted_at(moment)


def _credential(reader: PdfFileReader, trusted: Sequence[Trusted]) -> tuple[dict[str, Any] | None, Reason | None]:
    """The credential inside a document whose signature holds, or why it can't be believed."""
    jwt = _attached(reader)
    if jwt is None:
        return None, Reason.CREDENTIAL_MISSING
    try:
        credential = read_credential(jwt, trusted)
    except CredentialInvalid:
        return None, Reason.CREDENTIAL
    if not is_number(credential["credentialSubject"]["licenseNumber"]):
        return None, Reason.CREDENTIAL_OTHER
    if _texts(reader) != _expected_texts(credential):
        return None, Reason.CREDENTIAL_OTHER
    return credential, None


def _whole(data: bytes, signature: EmbeddedPdfSignature) -> bool:
    """The signature leaves out its own gap, and nothing else up to the file's last byte."""
    start, first, second, rest = (int(value) for value in signature.byte_range)
    return (
        signature.evaluate_signature_coverage() == SignatureCoverageLevel.ENTIRE_FILE
        and (start, second + rest) == (0, len(data))
        and 0 < first < second
    )


def _in_our_form(data: bytes, signature: EmbeddedPdfSignature, certificate: x509.Certificate) -> bool:
    """The gap holds the signature byte for byte as we write it: what is in it and not signed may not differ either."""
    others = [x509.load_der_x509_certificate(one.dump()) for one in signature.other_embedded_certs]
    form = CmsForm(certificate, in_order(certificate, others), algorithm_of(public_key_of(certificate)))
    info = signature.signer_info
    digest = next(one["values"][0].native for one in info["signed_attrs"] if one["type"].native == "message_digest")
    token = _token(info)
    if token is None:
        return False
    expected = form.assemble(form.attributes(digest), info["signature"].native, token)
    _, first, second, _ = (int(value) for value in signature.byte_range)
    return data[first:second] == b"<" + expected.hex().encode().ljust(second - first - 2, b"0") + b">"


def _token(info: Any) -> bytes | None:
    """The time-stamp inside a signature; empty: it has none. None: it has one that does not hold, or something else."""
    if not info["unsigned_attrs"]:
        return b""
    (attribute,) = info["unsigned_attrs"]
    (token,) = attribute["values"]
    imprint = hashlib.sha256(info["signature"].native).digest()
    if attribute["type"].native != "signature_time_stamp_token" or not token_holds(token["content"], imprint):
        return None
    return bytes(token.dump()) if in_plain_form(token) else None


def _attached(reader: PdfFileReader) -> str | None:
    """The one attached credential."""
    names = reader.root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    files = [(str(names[i]), names[i + 1]) for i in range(0, len(names) - 1, 2)]
    if [name for name, _ in files] != [ATTACHMENT]:
        return None
    stream = files[0][1]["/EF"]["/F"]
    return stream.data.decode("ascii") if isinstance(stream, generic.StreamObject) else None


def _texts(reader: PdfFileReader) -> tuple[str, str]:
    info = reader.trailer["/Info"]
    return str(info["/Title"]), str(info["/Subject"])


def _claimed(reader: PdfFileReader) -> str | None:
    with suppress(Exception):
        return next((word for word in _texts(reader)[0].split() if is_number(word)), None)
    return None


def _expected_texts(credential: dict[str, Any]) -> tuple[str, str]:
    subject, achievement = credential["credentialSubject"], credential["credentialSubject"]["achievement"]
    names = [one["identityHash"] for one in subject["identifier"] if one["identityType"] == "name"]
    return document_texts(
        subject["licenseNumber"],
        holder=names[0],
        programme=achievement["name"],
        hours=round(subject["creditsEarned"] * 100),
        filing_number=achievement["humanCode"],
    )


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
