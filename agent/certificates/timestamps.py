"""A time-stamp authority (RFC 3161): says when a signature was there, so that it counts after its key has expired.

PAdES calls a page with such a time-stamp B-T. What the authority answers is checked before it is believed: that it is
of this very signature and question, signed by whoever may sign time-stamps, and at a time that our clock agrees with.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import requests
from asn1crypto import algos, cms, core, pem, tsp, x509
from cryptography.x509 import load_der_x509_certificate
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from agent.certificates.der import INTEGER, OCTETS, SEQUENCE, SET, TAG_0, tlv
from agent.certificates.errors import TimestampRefused, TimestampUnreachable

_CONNECT, _READ = 5, 15  # seconds
_MOST_BYTES = 64_000
_SLACK = 192  # a later token may be a little longer: serial number, fractions of a second, an ECDSA signature
_CLOCKS = timedelta(minutes=5)
_GRANTED = {"granted", "granted_with_mods"}


class _Response(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """TimeStampResp; asn1crypto's own wants a token in a refusal too."""

    _fields = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]


@dataclass(frozen=True, eq=False)
class TimestampAuthority:
    """The authority at ``url``; ``ca``: who must vouch for it (anybody, when none are given)."""

    url: str
    ca: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @cached_property
    def size(self) -> int:
        """Room that a token needs at most, in bytes: learned from one, once.

        :raises TimestampError: it can't be had
        """
        return len(self.stamp(b"how long is a token?")) + _SLACK

    def stamp(self, signature: bytes) -> bytes:
        """The token in DER that says when ``signature`` was there.

        :raises TimestampUnreachable: the authority does not answer
        :raises TimestampRefused: it refuses, or its answer can't be believed
        """
        imprint, nonce = hashlib.sha256(signature).digest(), secrets.randbits(63)
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                    "hashed_message": imprint,
                },
                "nonce": nonce,
                "cert_req": True,
            }
        )
        answer = self._ask(request.dump())
        try:
            response = _Response.load(answer, strict=True)
            status = response["status"]["status"].native
            if status not in _GRANTED:
                raise TimestampRefused(url=self.url, reason=f"it answers «{status}»")
            token = response["time_stamp_token"]
            return bytes(self._believed(token, imprint, nonce).dump())
        except (ValueError, KeyError, TypeError) as error:
            raise TimestampRefused(url=self.url, reason=f"no time-stamp ({type(error).__name__})") from None

    def _ask(self, question: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with requests.post(
                self.url, data=question, headers=headers, timeout=(_CONNECT, _READ), stream=True, allow_redirects=False
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise TimestampUnreachable(url=self.url, reason=f"HTTP {response.status_code}")
                return response.raw.read(_MOST_BYTES, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise TimestampUnreachable(url=self.url, reason=type(error).__name__) from None

    def _believed(self, token: cms.ContentInfo, imprint: bytes, nonce: int) -> cms.ContentInfo:
        info = token["content"]["encap_content_info"]["content"].parsed
        if info["message_imprint"]["hashed_message"].native != imprint or info["nonce"].native != nonce:
            raise TimestampRefused(url=self.url, reason="the time-stamp is of something else")
        if abs(info["gen_time"].native - datetime.now(UTC)) > _CLOCKS:
            raise TimestampRefused(url=self.url, reason="its clock and ours differ by more than five minutes")
        if not token_holds(token["content"], imprint, self.ca):
            raise TimestampRefused(url=self.url, reason="the time-stamp's own signature does not hold")
        if not in_plain_form(token):
            raise TimestampRefused(url=self.url, reason="it holds parts that nothing vouches for")
        return token


def token_holds(signed: cms.SignedData, imprint: bytes, ca: tuple[x509.Certificate, ...] = ()) -> bool:
    """Whether a token is whole, of ``imprint``, and signed by a certificate for time-stamps.

    :param ca: who must vouch for that certificate; without, whoever the token brings along
    """
    anchors = ca or tuple(one.chosen for one in signed["certificates"])
    moment = signed["encap_content_info"]["content"].parsed["gen_time"].native
    context = ValidationContext(trust_roots=list(anchors), moment=moment, allow_fetching=False)
    found = asyncio.run(validate_tst_signed_data(signed, context, lambda _: imprint))
    trusted = found.get("trust_problem_indic") is None
    return bool(found["intact"] and found["valid"] and trusted)


def in_plain_form(token: cms.ContentInfo) -> bool:
    """Whether a token is byte for byte what follows from its certificates, its signed parts and its signature.

    CMS leaves parts unsigned (algorithms named twice, the certificates that it carries along) where a byte could be
    changed and nobody would see it; each certificate has to be signed by another, then none of its bytes can differ.
    """
    signed = token["content"]
    if len(signed["signer_infos"]) != 1 or len(signed["crls"] or ()):
        return False
    info = signed["signer_infos"][0]
    certificates = [one.chosen for one in signed["certificates"]]
    signer = next(
        (one for one in certificates if one.serial_number == info["sid"].chosen["serial_number"].native), None
    )
    if signer is None or info["unsigned_attrs"] or not all(_vouched_for(one, certificates) for one in certificates):
        return False
    sid = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    digest, method = (_spellings(info[name]) for name in ("digest_algorithm", "signature_algorithm"))
    attributes = info["signed_attrs"].contents
    kind, content = (cms.ContentType(name).dump() for name in ("signed_data", "tst_info"))
    return token.dump() in {
        tlv(SEQUENCE, kind + tlv(TAG_0, tlv(SEQUENCE, b"".join((
            tlv(INTEGER, b"\x03"),
            tlv(SET, one_digest),
            tlv(SEQUENCE, content + tlv(TAG_0, tlv(OCTETS, signed["encap_content_info"]["content"].contents))),
            tlv(TAG_0, b"".join(one.dump() for one in certificates)),
            tlv(SET, tlv(SEQUENCE, b"".join((
                tlv(INTEGER, b"\x01"), sid.dump(), one_digest, tlv(TAG_0, attributes), one_method,
                tlv(OCTETS, info["signature"].native),
            )))),
        )))))
        for one_digest in digest for one_method in method
    }  # fmt: skip


def _spellings(algorithm: core.Sequence) -> list[bytes]:
    """An algorithm's name with no parameters and with NULL: both are in use."""
    name = algorithm["algorithm"].dump()
    return [tlv(SEQUENCE, name), tlv(SEQUENCE, name + b"\x05\x00")]


def _vouched_for(certificate: x509.Certificate, among: Sequence[x509.Certificate]) -> bool:
    mine = load_der_x509_certificate(certificate.dump())
    for other in among:
        with suppress(Exception):  # each kind of key refuses in its own way
            mine.verify_directly_issued_by(load_der_x509_certificate(other.dump()))
            return True
    return False


def authority_of_settings() -> TimestampAuthority | None:
    """The authority that ``XUESHI_TSA_URL`` names, vouched for by ``XUESHI_TSA_CA``; None: pages are B-B.

    :raises TimestampRefused: the file of ``XUESHI_TSA_CA`` can't be read
    """
    url, file = os.environ.get("XUESHI_TSA_URL"), os.environ.get("XUESHI_TSA_CA")
    if not url:
        return None
    ca: tuple[x509.Certificate, ...] = ()
    if file:
        try:
            ca = tuple(x509.Certificate.load(der) for _, _, der in pem.unarmor(Path(file).read_bytes(), multiple=True))
        except (OSError, ValueError) as error:
            raise TimestampRefused(url=url, reason=f"{file} can't be read ({type(error).__name__})") from None
    return TimestampAuthority(url, ca)
