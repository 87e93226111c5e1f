"""A small time-stamp authority (RFC 3161): `openssl ts` behind a loopback socket."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Where it is, who vouches for it, what it was asked, and how its answers are spoiled."""

    url: str
    ca: Path
    asked: int = 0
    spoil: Callable[[bytes], bytes] = bytes
    status: int = 200


@contextmanager
def time_stamp_authority(folder: Path) -> Iterator[Authority]:
    """An authority with a CA of its own, as long as the block lasts."""
    _make_keys(folder)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            with one_at_a_time:
                authority.asked += 1
                query, reply = folder / "query", folder / "reply"
                query.write_bytes(question)
                command = ["openssl", "ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", query, "-out", reply]
                subprocess.run(command, check=True, capture_output=True)
                answer = authority.spoil(reply.read_bytes())
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority = Authority(f"http://127.0.0.1:{server.server_port}/tsa", folder / "ca.pem")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


def _make_keys(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = ("时间戳根（示例）", "时间戳（示例）")
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in names)
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    tsa = _certificate(name, ca_name, key, ca_key).add_extension(usages, critical=True)
    (folder / "ca.pem").write_bytes(ca.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "tsa.pem").write_bytes(tsa.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _certificate(subject: x509.Name, issuer: x509.Name, key, by) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
