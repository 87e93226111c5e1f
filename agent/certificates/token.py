"""A signing key inside a PKCS#11 token (an HSM, a smart card): it signs, and can't be taken out.

The token's keys are given the interfaces of `cryptography`, so that everything that signs stays as it is.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from agent.certificates.authority import self_signed
from agent.certificates.errors import SigningKeyMismatch, SigningKeyMissing, SigningKeyToken
from agent.certificates.keys import SigningKeys, checked, in_order

_HALF = 32
_sessions: dict[tuple[str, str], Any] = {}
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Token:
    """Where a key is: the module that speaks to the device, the token's label, the key's label."""

    module: str
    label: str
    key: str
    pin: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Token | None:
        """The token that the settings name; None: they name none."""
        module = environment.get("XUESHI_PKCS11_MODULE")
        if not module:
            return None
        names = (("XUESHI_PKCS11_TOKEN", ""), ("XUESHI_PKCS11_KEY", "xueshi"), ("XUESHI_PKCS11_PIN", ""))
        return cls(module, *(environment.get(name) or default for name, default in names))

    def __str__(self) -> str:
        return f"{self.label}/{self.key}"


class TokenKey(ec.EllipticCurvePrivateKey):
    """A P-256 key on a token. One signature at a time: a session belongs to one thread at once."""

    def __init__(self, key: Any, public_key: ec.EllipticCurvePublicKey, token: Token) -> None:
        self._key, self._public, self._token = key, public_key, token
        self._lock = threading.Lock()

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:  # noqa: ARG002 - ECDSA with SHA-256 is all that is asked of it
        """An ECDSA signature over the SHA-256 of ``data``, in DER.

        :raises SigningKeyToken: the device is gone, or refuses.
        """
        try:
            with self._lock:
                # hashed here, for not every token knows how to; the key's part is its own
                raw = self._key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
        except pkcs11.PKCS11Error as error:
            raise _fault(self._token, error) from None
        return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half, as its certificate has it."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """256."""
        return self._public.key_size

    def _stays(self, *_: object, **__: object) -> NoReturn:
        """It can't be taken out, copied or used for anything but signatures."""
        raise SigningKeyToken(token=self._token, reason="the key does not leave it")

    exchange = private_numbers = private_bytes = __copy__ = __deepcopy__ = _stays


def load_token(token: Token, *, organisation: str) -> SigningKeys:
    """The signing key on ``token``, with the certificate that lies beside it under the same label.

    :raises SigningKeyError: no such token, wrong PIN, no key or certificate, or one that may not sign today.
    """
    try:
        session = _open(token)
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC, label=token.key)
        query = {Attribute.CLASS: ObjectClass.CERTIFICATE}
        found = [(one[Attribute.LABEL], one[Attribute.VALUE]) for one in session.get_objects(query)]
    except pkcs11.NoSuchKey:
        raise SigningKeyMissing(path=f"{token} (PKCS#11)") from None
    except pkcs11.PKCS11Error as error:
        raise _fault(token, error) from None
    own = [x509.load_der_x509_certificate(value) for label, value in found if label == token.key]
    if not own:
        raise SigningKeyMissing(path=f"{token} (PKCS#11, certificate)")
    public = own[0].public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise SigningKeyToken(token=token, reason="its certificate is not of a P-256 key")
    chain = in_order(own[0], [x509.load_der_x509_certificate(value) for label, value in found if label != token.key])
    held = TokenKey(key, public, token)
    _prove(held, token)
    return checked(held, own[0], chain, organisation, str(token), private_ca=False, on_token=True)


def _prove(key: TokenKey, token: Token) -> None:
    """A certificate of another key under the same label would make signatures that nobody can verify."""
    algorithm = ec.ECDSA(SHA256())
    try:
        key.public_key().verify(key.sign(b"xueshi", algorithm), b"xueshi", algorithm)
    except InvalidSignature:
        raise SigningKeyMismatch(path=f"{token} (PKCS#11)") from None


def create_key(token: Token, *, organisation: str) -> None:
    """Make a P-256 key on ``token`` that can't be read out, and its self-signed certificate beside it.

    :raises SigningKeyToken: there is one of that label already, or the device refuses.
    """
    try:
        session = _open(token)
        with suppress(pkcs11.NoSuchKey):
            session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=token.key)
            raise SigningKeyToken(token=token, reason="there is a key of that label already")
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
        public, private = parameters.generate_keypair(
            store=True,
            label=token.key,
            id=token.key.encode(),
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        # an OCTET STRING of two bytes' head around the point
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public[Attribute.EC_POINT][2:])
        certificate = self_signed(TokenKey(private, point, token), organisation)
        session.create_object({
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
            Attribute.TOKEN: True,
            Attribute.LABEL: token.key,
            Attribute.ID: token.key.encode(),
            Attribute.SUBJECT: certificate.subject.public_bytes(),
            Attribute.VALUE: certificate.public_bytes(Encoding.DER),
        })  # fmt: skip
    except pkcs11.PKCS11Error as error:
        raise _fault(token, error) from None


def _open(token: Token) -> Any:
    """A session of our own, logged in. A device knows one login for each program: the earlier session ends before."""
    with _opening:
        if earlier := _sessions.pop((token.module, token.label), None):
            with suppress(pkcs11.PKCS11Error):
                earlier.close()
        try:
            found = pkcs11.lib(token.module).get_token(token_label=token.label)
            session = found.open(rw=True, user_pin=token.pin)
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise _fault(token, error) from None
        _sessions[token.module, token.label] = session
        return session


def _fault(token: Token, error: Exception) -> SigningKeyToken:
    """The kind of error alone: its text may hold anything."""
    return SigningKeyToken(token=token, reason=type(error).__name__)
