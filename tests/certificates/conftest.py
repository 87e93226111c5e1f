"""One key, one certificate, one signed page for all tests of this folder: making them is what takes time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from agent.certificates.credential import sign_credentials
from agent.certificates.facts import CertificateFacts
from agent.certificates.keys import SigningKeys, load_or_create
from agent.certificates.numbers import make_number
from agent.certificates.pdf import render_pdf

BASE_URL = "https://xueshi.example.org"
NUMBER = make_number("370400", 2024, "2", 1, 2, 17)
FACTS = CertificateFacts(
    number=NUMBER,
    token="23456789ABCDEFGHJKLMN",
    holder="欧阳𠮷",
    id_masked="370***********1234",
    programme="人工智能工程师培训",
    category="professional",
    series="工程",
    organiser="枣庄市工业和信息化局（示例）",
    organiser_uscc="1137040000431C3D4B",
    implementer="枣庄市在线学习中心（示例）",
    filing_number="枣人社继教〔2024〕2号（示例）",
    hours=2400,
    learned_from=date(2024, 3, 1),
    learned_on=date(2024, 5, 13),
    issued_at=datetime(2024, 5, 14, 1, tzinfo=UTC),
    verify_url=f"HTTPS://XUESHI.EXAMPLE.ORG/V/{NUMBER}/23456789ABCDEFGHJKLMN",
)


@dataclass(frozen=True)
class Signed:
    """A certificate in all its forms."""

    facts: CertificateFacts
    keys: SigningKeys
    credential: str
    pdf: bytes
    path: Path


def credential_for(facts: CertificateFacts, keys: SigningKeys) -> str:
    return sign_credentials([facts], keys, issuer_id=keys.did, base_url=BASE_URL)[0]


def signed_page(facts: CertificateFacts, keys: SigningKeys) -> bytes:
    return render_pdf(facts, credential_for(facts, keys), keys)


def write_p12(path: Path, key, *, password: bytes = b"geheim", until: timedelta = timedelta(days=30), of=None) -> Path:
    """A PKCS#12 file with a self-signed certificate: of ``key``, or wrongly of another one (``of``)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "枣庄市电子签章（示例）")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key((of or key).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + until)
        .sign(of or key, SHA256())
    )
    store = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(password))
    path.write_bytes(store)
    return path


@pytest.fixture(scope="session")
def facts() -> CertificateFacts:
    return FACTS


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> SigningKeys:
    return load_or_create(tmp_path_factory.mktemp("home") / "keys", None, None, organisation="学时平台（示例）")


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def signed(facts, keys, tmp_path_factory) -> Signed:
    credential = credential_for(facts, keys)
    pdf = render_pdf(facts, credential, keys)
    path = tmp_path_factory.mktemp("pdf") / "certificate.pdf"
    path.write_bytes(pdf)
    return Signed(facts, keys, credential, pdf, path)
