"""The signing key, and who vouches for it.

Without configuration an installation makes a private certificate authority (CA) and lets it vouch for one signing key.
A PKCS#12 file or a PKCS#11 token replaces both. The key is loaded once and kept: loading it costs more than a hundred
signatures. Generations: a rotated key of our own lies beside the earlier one, as ``signer-2``, ``signer-3`` …
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from agent.certificates.authority import make_authority, make_signer
from agent.certificates.did import did_key
from agent.certificates.errors import (
    ProofKeyMissing,
    SigningKeyExpired,
    SigningKeyKind,
    SigningKeyMismatch,
    SigningKeyMissing,
    SigningKeyPassword,
    SigningKeyUnreadable,
    SigningKeyUsage,
)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Algorithm = Literal["ES256", "RS256"]

_FILES = ("ca.key", "ca.pem", "signer.key", "signer.pem")
_MIN_RSA_BITS = 2048
# Deterministic (RFC 6979): the same certificate gives the same bytes, and no weak random source can leak the key.
_ECDSA = ec.ECDSA(SHA256(), deterministic_signing=True)
_PROOF_KEY = b"xueshi eddsa-rdfc-2022 v1"


@dataclass(frozen=True, eq=False)
class SigningKeys:
    """A loaded signing key with its certificate."""

    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]  # what stands above the certificate, nearest first
    ca: x509.Certificate  # the top of the chain (a self-signed certificate is its own)
    organisation: str  # who runs the platform, as the credential's issuer is called
    private_ca: bool  # the CA is ours alone: whatever it vouches for is ours
    proof_key: ed25519.Ed25519PrivateKey | None = field(default=None, repr=False)  # for Data Integrity proofs
    where: str = ""  # file, folder or token that it came from, for a person

    @cached_property
    def trusted(self) -> tuple[x509.Certificate, ...]:
        """What a checker must trust. A public CA is not in it: it vouches for strangers too."""
        return (self.ca, self.certificate) if self.private_ca else (self.certificate,)

    @cached_property
    def algorithm(self) -> Algorithm:
        """The JOSE name of the signature."""
        return algorithm_of(self.private_key.public_key())

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The public key as JWK (RFC 7517), required members only."""
        return jwk_of(self.private_key.public_key())

    @cached_property
    def kid(self) -> str:
        """The JWK thumbprint (RFC 7638)."""
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode()
        return _base64url(hashlib.sha256(canonical).digest())

    @cached_property
    def did(self) -> str:
        """The key as ``did:key``: an identifier that anyone resolves offline."""
        return did_of(self.private_key.public_key())

    def proof(self) -> ed25519.Ed25519PrivateKey:
        """The key of Data Integrity proofs.

        :raises ProofKeyMissing: the token has none.
        """
        if self.proof_key is None:
            raise ProofKeyMissing(label=self.where)
        return self.proof_key

    def sign(self, data: bytes) -> bytes:
        """Sign with SHA-256: an ECDSA signature in DER, or an RSA PKCS#1 v1.5 one."""
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            return self.private_key.sign(data, _ECDSA)
        return self.private_key.sign(data, padding.PKCS1v15(), SHA256())


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A published key, and until when what it signed is to be believed."""

    certificate: x509.Certificate
    until: datetime | None = None  # retired: what is dated later was not signed by us; None: to its certificate's end

    def trusted_at(self, moment: datetime) -> bool:
        """Whether a signature dated ``moment`` (aware) may be this key's."""
        end = self.certificate.not_valid_after_utc
        return self.certificate.not_valid_before_utc <= moment <= (min(end, self.until) if self.until else end)


def public_key_of(item: x509.Certificate | PublicKey | TrustedKey) -> PublicKey:
    """The public key of a certificate or of a published key, or the key itself.

    :raises TypeError: a key of a kind that signs nothing here.
    """
    if isinstance(item, TrustedKey):
        item = item.certificate
    key = _key_in(item) if isinstance(item, x509.Certificate) else item
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise TypeError(type(key).__name__)
    return key


@lru_cache(maxsize=64)
def _key_in(certificate: x509.Certificate) -> object:
    """Kept, for taking it out costs as much as a signature does, and every page asks again."""
    return certificate.public_key()


def algorithm_of(key: PublicKey) -> Algorithm:
    """The JOSE name of signatures by ``key``."""
    return "ES256" if isinstance(key, ec.EllipticCurvePublicKey) else "RS256"


def jwk_of(key: PublicKey) -> dict[str, str]:
    """A public key as JWK, required members only."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        x, y = (_base64url(value.to_bytes(32, "big")) for value in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    numbers = key.public_numbers()
    e, n = (_base64url(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.e, numbers.n))
    return {"e": e, "kty": "RSA", "n": n}


def did_of(key: PublicKey) -> str:
    """A public key as ``did:key:z…``."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return did_key("p256", key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
    return did_key("rsa", key.public_bytes(Encoding.DER, PublicFormat.PKCS1))


def proof_key_of(key: PrivateKey) -> ed25519.Ed25519PrivateKey:
    """The Ed25519 key beside a signing key that lies in a file: it follows from it, so that one file is all to keep."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        number = key.private_numbers().private_value
    else:
        number = key.private_numbers().d
    secret = number.to_bytes((number.bit_length() + 7) // 8, "big")
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PROOF_KEY).derive(secret)
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def load_or_create(folder: Path, p12: Path | None, p12_password: bytes | None, *, organisation: str) -> SigningKeys:
    """The installation's signing key.

    :param folder: where a key of our own is kept; made, with its CA, when there is no such folder yet
    :param p12: a PKCS#12 file that is used instead
    :param organisation: who runs the platform; stands in the certificate that is made, and in every credential
    :raises SigningKeyError: its subclass says what is wrong with the key.
    """
    if p12 is not None:
        return _load_p12(p12, p12_password, organisation)
    if not folder.exists() or not any(folder.iterdir()):
        _create(folder, organisation)
    return _load_folder(folder, organisation)


def _create(folder: Path, organisation: str) -> None:
    """Make the folder whole or not at all: of two processes that start at once, the first one's keys stay."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))  # mode 0700
    try:
        ca_key, ca = make_authority(organisation)
        key, certificate = make_signer(ca_key, ca, organisation)
        for name, content in zip(_FILES, (_pem(ca_key), _pem(ca), _pem(key), _pem(certificate)), strict=True):
            _write(draft / name, content)
        with suppress(OSError):  # not empty: another process was first
            draft.rename(folder)
    except OSError as error:
        raise SigningKeyUnreadable(path=folder, reason=error.strerror) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _pem(item: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    if isinstance(item, x509.Certificate):
        return item.public_bytes(Encoding.PEM)
    return item.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def newest(folder: Path) -> str:
    """The name of the key that signs in ``folder``: ``signer``, or the highest of ``signer-2``, ``signer-3`` …

    The certificate decides, for it is written last: whoever looks in the middle of a rotation finds the earlier pair.
    """
    later = [int(n) for path in folder.glob("signer-*.pem") if (n := path.stem.removeprefix("signer-")).isdecimal()]
    return f"signer-{max(later)}" if later else "signer"


def rotate(folder: Path, organisation: str) -> SigningKeys:
    """Make the next key of our own, vouched for by the same authority; the earlier ones stay where they are.

    :raises SigningKeyError: the authority's key can't be read, or the folder not be written.
    """
    ca_key, ca = load_pem_private_key(_read(folder / "ca.key"), None), _load_certificate(folder / "ca.pem")
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise SigningKeyKind(path=folder / "ca.key", kind=type(ca_key).__name__)
    key, certificate = make_signer(ca_key, ca, organisation)
    generation = int(newest(folder).removeprefix("signer").removeprefix("-") or 1) + 1
    try:
        for ending, content in (("key", _pem(key)), ("pem", _pem(certificate))):
            draft = folder / f".signer-{generation}.{ending}"
            _write(draft, content)
            draft.rename(folder / f"signer-{generation}.{ending}")
    except OSError as error:
        raise SigningKeyUnreadable(path=folder, reason=error.strerror) from None
    return _load_folder(folder, organisation)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read(path))
    except ValueError:
        raise SigningKeyUnreadable(path=path, reason="no PEM") from None


def _load_folder(folder: Path, organisation: str) -> SigningKeys:
    name = newest(folder)
    try:
        key = load_pem_private_key(_read(folder / f"{name}.key"), None)
    except (ValueError, TypeError) as error:
        raise SigningKeyUnreadable(path=folder, reason=f"no PEM ({type(error).__name__})") from None
    certificate, ca = _load_certificate(folder / f"{name}.pem"), _load_certificate(folder / "ca.pem")
    return checked(key, certificate, (ca,), organisation, folder / f"{name}.pem", private_ca=True)


def _load_p12(path: Path, password: bytes | None, organisation: str) -> SigningKeys:
    content = _read(path)
    try:
        store = pkcs12.load_pkcs12(content, password)
    except ValueError:
        raise SigningKeyPassword(path=path) from None
    except Exception as error:  # noqa: BLE001 - an exotic cipher raises what its library likes
        raise SigningKeyUnreadable(path=path, reason=type(error).__name__) from None
    if store.key is None or store.cert is None:
        raise SigningKeyUnreadable(path=path, reason="it holds no private key with its certificate")
    certificate = store.cert.certificate
    chain = in_order(certificate, [extra.certificate for extra in store.additional_certs])
    return checked(store.key, certificate, chain, organisation, path, private_ca=False)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SigningKeyMissing(path=path) from None
    except OSError as error:
        raise SigningKeyUnreadable(path=path, reason=error.strerror) from None


def in_order(certificate: x509.Certificate, extras: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """What vouches for ``certificate``, nearest first; what does not belong to it is left out."""
    chain: list[x509.Certificate] = []
    below = certificate
    while below.issuer != below.subject:
        above = next((extra for extra in extras if extra.subject == below.issuer and extra not in chain), None)
        if above is None:
            break
        chain.append(above)
        below = above
    return tuple(chain)


def checked(
    key: object,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    organisation: str,
    path: Path | str,
    *,
    private_ca: bool,
    on_token: bool = False,
    proof_key: ed25519.Ed25519PrivateKey | None = None,
) -> SigningKeys:
    """A key and its certificate, when both may sign here today.

    :param path: where they are, for the errors' sentences
    :param on_token: the key can't be taken out of where it is
    :param proof_key: the token's own; that of a key in a file follows from it
    :raises SigningKeyError: its subclass says what is wrong.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey):
        good, kind = isinstance(key.curve, ec.SECP256R1), f"an elliptic-curve key on {key.curve.name}"
    elif isinstance(key, rsa.RSAPrivateKey):
        good, kind = key.key_size >= _MIN_RSA_BITS, f"an RSA key of {key.key_size} bits"
    else:
        good, kind = False, type(key).__name__.removesuffix("PrivateKey")
    if not good or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SigningKeyKind(path=path, kind=kind)
    if certificate.public_key() != key.public_key():
        raise SigningKeyMismatch(path=path)
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= datetime.now(UTC) <= until:
        raise SigningKeyExpired(path=path, since=since.date(), until=until.date())
    with suppress(x509.ExtensionNotFound):
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.digital_signature or usage.content_commitment):
            raise SigningKeyUsage(path=path)
    if not on_token:
        proof_key = proof_key_of(key)
    return SigningKeys(
        key, certificate, chain, (certificate, *chain)[-1], organisation, private_ca, proof_key, str(path)
    )
