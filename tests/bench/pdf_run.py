"""Measures signed pages in a process of its own: ``pdf_run COUNT HOW [FILE]`` in a fresh ``XUESHI_HOME``.

``classic`` and ``modern`` are ours. ``pyhanko`` draws the same page by the same typesetter, kept ready, and signs it as
pyHanko's documentation has it. ``write`` puts what the pages say into FILE, for peers that draw by themselves.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from agent.boot import start
from agent.certificates.credential import sign_credentials
from agent.certificates.facts import CertificateFacts
from agent.certificates.keys import SigningKeys
from agent.certificates.numbers import make_number, make_token
from agent.certificates.pdf import drawing_of, page_data, render_pdf
from agent.certificates.template_folder import shipped
from agent.home import home
from tests.bench.measure import peak_megabytes

_FAMILY, _GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜秀英敏静丽强磊"
_WARM = 10
_SECRET = b"only for the bench"


def main(count: str, how: str, file: str = "") -> None:
    """Draw and sign; print what it took."""
    start()
    from agent.certificates.signer import signing_keys

    keys = signing_keys()
    facts = [_facts(serial) for serial in range(1, int(count) + _WARM + 1)]
    credentials = sign_credentials(facts, keys, issuer_id=keys.did, base_url="http://127.0.0.1:8000")
    pairs = list(zip(facts, credentials, strict=True))
    if how == "write":
        _write(Path(file), pairs)
        return
    draw = _pyhanko(keys) if how == "pyhanko" else partial(render_pdf, template=shipped(how))
    for pair in pairs[:_WARM]:  # fonts are read, caches warm
        draw(*pair, keys)
    began, busy = time.perf_counter(), time.process_time()
    pages = [draw(*pair, keys) for pair in pairs[_WARM:]]
    found = {
        "cpu": time.process_time() - busy,
        "seconds": time.perf_counter() - began,
        "pages": len(pages),
        "kilobytes": statistics.median(map(len, pages)) / 1000,
        "megabytes": peak_megabytes(),
        "name": f"typst {version('typst')} + pyHanko {version('pyhanko')}",
    }
    print(json.dumps(found))


def _write(file: Path, pairs: list[tuple[CertificateFacts, str]]) -> None:
    under = drawing_of(shipped("classic")).underlay(pairs[0][0].organiser, "zh").decode()
    lines = [{"underlay": under}, *(page_data(facts, credential, "zh") for facts, credential in pairs)]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    print(json.dumps({"pages": len(pairs)}))


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


def _pyhanko(keys: SigningKeys) -> Callable[[CertificateFacts, str, SigningKeys], bytes]:
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
