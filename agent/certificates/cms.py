"""The signature itself: CMS SignedData as PAdES B-B asks (ETSI EN 319 142-1), detached.

Everything in it is the same for each document except the document's digest and the signature, so the rest is built
once per key and kept as bytes. A general library builds (and parses) all of it again for every document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from asn1crypto import algos, cms, tsp, x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from agent.certificates.der import OCTETS, SEQUENCE, SET, TAG_0, TAG_1, tlv
from agent.certificates.keys import Algorithm, SigningKeys
from agent.certificates.timestamps import TimestampAuthority

_VERSION_1 = b"\x02\x01\x01"
_AROUND_A_TOKEN = 64
_MESSAGE_DIGEST = cms.CMSAttributeType("message_digest").dump()
_TIME_STAMP_TOKEN = cms.CMSAttributeType("signature_time_stamp_token").dump()


class CmsForm:
    """The form of all signatures by one certificate. Each of its bytes follows from certificates, digest, signature.

    A checker builds it again and compares: CMS leaves parts unsigned (above all the certificates that it carries along)
    where a byte could be changed and nobody would see it.
    """

    def __init__(self, certificate: Certificate, chain: Sequence[Certificate], algorithm: Algorithm) -> None:
        certificates = [x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in (certificate, *chain)]
        signer = certificates[0]
        sha256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
        method = "sha256_ecdsa" if algorithm == "ES256" else "sha256_rsa"
        sid = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
        self._attributes = [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}).dump(),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [_named(certificates)]}).dump(),
        ]
        self._kind = cms.ContentType("signed_data").dump()
        self._head = (
            _VERSION_1
            + tlv(SET, sha256)
            + cms.EncapsulatedContentInfo({"content_type": "data"}).dump()
            + tlv(TAG_0, b"".join(sorted(one.dump() for one in certificates)))
        )
        self._before = _VERSION_1 + sid.dump() + sha256
        self._after = algos.SignedDigestAlgorithm({"algorithm": method}).dump()

    def attributes(self, digest: bytes) -> bytes:
        """What is signed in place of a document with this SHA-256. DER orders a SET by its members' bytes."""
        message_digest = tlv(SEQUENCE, _MESSAGE_DIGEST + tlv(SET, tlv(OCTETS, digest)))
        return b"".join(sorted([*self._attributes, message_digest]))

    def assemble(self, attributes: bytes, signature: bytes, token: bytes = b"") -> bytes:
        """The CMS in DER; with the ``token`` of a time-stamp authority it is B-T."""
        body = self._before + tlv(TAG_0, attributes) + self._after + tlv(OCTETS, signature)
        if token:
            body += tlv(TAG_1, tlv(SEQUENCE, _TIME_STAMP_TOKEN + tlv(SET, token)))
        signed_data = tlv(SEQUENCE, self._head + tlv(SET, tlv(SEQUENCE, body)))
        return tlv(SEQUENCE, self._kind + tlv(TAG_0, signed_data))


class CmsSigner:
    """Signs digests with one key."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._form = CmsForm(keys.certificate, keys.chain, keys.algorithm)
        self.size = len(self.sign(hashlib.sha256(b"").digest())) + 8
        """Room that a signature needs at most: an ECDSA signature's length varies by some bytes."""

    def room(self, authority: TimestampAuthority | None) -> int:
        """Room that a signature needs at most, with its time-stamp."""
        return self.size + (authority.size + _AROUND_A_TOKEN if authority else 0)

    def sign(self, digest: bytes, authority: TimestampAuthority | None = None) -> bytes:
        """The CMS in DER that signs a document by its SHA-256.

        :raises agent.certificates.errors.TimestampError: the authority does not stamp it
        """
        attributes = self._form.attributes(digest)
        signature = self._keys.sign(tlv(SET, attributes))
        token = authority.stamp(signature) if authority else b""
        return self._form.assemble(attributes, signature, token)


def _named(certificates: list[x509.Certificate]) -> tsp.SigningCertificateV2:
    """The attribute that binds the signature to these very certificates, the signer's first."""
    return tsp.SigningCertificateV2(
        {
            "certs": [
                {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "cert_hash": hashlib.sha256(one.dump()).digest(),
                    "issuer_serial": {
                        "issuer": [x509.GeneralName("directory_name", one.issuer)],
                        "serial_number": one.serial_number,
                    },
                }
                for one in certificates
            ]
        }
    )


@lru_cache(maxsize=8)
def cms_signer(keys: SigningKeys) -> CmsSigner:
    """The signer of ``keys``, built on first use."""
    return CmsSigner(keys)
