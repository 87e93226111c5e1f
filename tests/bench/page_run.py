"""Measures signed pages in a process of its own: ``page_run COUNT ours|pyhanko`` in a fresh ``XUESHI_HOME``.

``pyhanko`` draws the same page by the same typesetter, kept ready, and signs it as pyHanko's documentation has it.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, date, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from agent.boot import start
from agent.certificates.credential import sign_credentials
from agent.certificates.facts import CertificateFacts
from agent.certificates.keys import SigningKeys
from agent.certificates.numbers import make_number, make_token
from agent.certificates.pdf import drawing_of, render_pdf
from agent.certificates.template_folder import shipped
from agent.home import home
from tests.bench.measure import peak_megabytes

_FAMILY, _GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜秀英敏静丽强磊"
_SECRET = b"only for the bench"


def main(count: str, how: str) -> None:
    """Draw and sign; print what it took."""
    start()
    from agent.certificates.signer import signing_keys

    keys = signing_keys()
    facts = [_facts(serial) for serial in range(1, int(count) + 11)]
    credentials = sign_credentials(facts, keys, issuer_id=keys.did, base_url="http://127.0.0.1:8000")
    draw = render_pdf if how == "ours" else _pyhanko(keys)
    pages = [
        draw(*pair, keys) for pair in list(zip(facts, credentials, strict=True))[:10]
    ]  # fonts are read, caches warm
    began, busy = time.perf_counter(), time.process_time()
    pages = [draw(*pair, keys) for pair in list(zip(facts, credentials, strict=True))[10:]]
    found = {
        "cpu": time.process_time() - busy,
        "seconds": time.perf_counter() - began,
        "kilobytes": statistics.median(map(len, pages)) / 1000,
        "megabytes": peak_megabytes(),
        "name": f"typst {version('typst')} + pyHanko {version('pyhanko')}",
    }
    print(json.dumps(found))


def _facts(serial: int) -> CertificateFacts:
    number, token = make_number("370400", 2024, "2", 1, 1, serial), make_token()
    name = _FAMILY[serial % 10] + _GIVEN[serial // 10 % 10] + _GIVEN[serial // 100 % 10]
    return CertificateFacts(
        number=number, token=token, holder=name, id_masked="370402********1234", programme="2024年卫生系统医师专业科目",
        category="professional", series="卫生", organiser="枣庄市卫生健康委员会（示例）",
        organiser_uscc="1137040000428A1B2W", implementer="枣庄市在线学习中心（示例）",
        filing_number="枣人社备〔2024〕001号", hours=2000, learned_from=None, learned_on=date(2024, 6, 1 + serial % 28),
        issued_at=datetime(2024, 7, 1, tzinfo=UTC), verify_url=f"HTTP://127.0.0.1:8000/VERIFY/{number}/{token}",
    )  # fmt: skip


def _pyhanko(keys: SigningKeys) -> object:
    """Draws as we do, and signs as in «Signing PDF files» of pyHanko's documentation."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    file = Path(home()) / "bench.p12"
    encryption = BestAvailableEncryption(_SECRET)
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"bench", keys.private_key, keys.certificate, list(keys.chain), encryption
        )
    )

    def draw(facts: CertificateFacts, credential: str, _: SigningKeys) -> bytes:
        page = drawing_of(shipped("classic")).page(facts, credential)
        signer = signers.SimpleSigner.load_pkcs12(str(file), passphrase=_SECRET)
        meta = signers.PdfSignatureMetadata(
            field_name="Signature", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
        )
        return signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(page)), meta, signer=signer).getvalue()

    return draw


if __name__ == "__main__":
    main(*sys.argv[1:])
