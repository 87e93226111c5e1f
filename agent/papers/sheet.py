"""Draws a sheet with Typst as PDF/A-3b and signs it; as many pages as it takes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typst

from agent.certificates.errors import TemplateFailed
from agent.certificates.fonts import families, require_glyphs
from agent.certificates.pdf import typst_fonts
from agent.certificates.pdfs import timestamp_authority
from agent.certificates.qr import qr_svg
from agent.certificates.signer import ORGANISATION, keys_to_sign
from agent.certificates.signing import Stamp, sign_pdf
from agent.localtime import SHANGHAI

_FOLDER = Path(__file__).parent / "typst"
_COMMON = "paper.typ"
_SEAL = (450.0, 40.0, 540.0, 90.0)  # where a reader clicks to see the signature: points from the lower left corner


def signed(
    name: str, said: Mapping[str, Any], shown: Mapping[str, str], *, address: str, at: datetime, reason: str,
    files: Mapping[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    """The sheet ``name`` with what is ``said`` on it, signed.

    :param shown: those texts of it that people wrote: each of their characters must be drawable
    :param address: what its QR code leads to
    :raises agent.certificates.errors.CertificateError: it can't be drawn or signed; nothing unsigned is given out
    """
    require_glyphs(shown)
    code, _ = qr_svg(address)
    told = {**said, "qr": code, "address": address, "fonts": families(), "made": f"{at.astimezone(SHANGHAI):%Y-%m-%d}"}
    with tempfile.TemporaryDirectory(prefix="xueshi-paper-") as place:
        folder = Path(place)
        (folder / "data.json").write_bytes(orjson.dumps(told))
        for each in (name, _COMMON):
            (folder / each).write_bytes((_FOLDER / each).read_bytes())
        for file, content in (files or {}).items():
            (folder / file).write_bytes(content)
        page = _compiled(folder, name, at)
    stamp = Stamp(
        signed_at=at.astimezone(SHANGHAI).replace(microsecond=0), rect=_SEAL, signer=ORGANISATION, reason=reason
    )
    return sign_pdf(page, keys_to_sign(), stamp, timestamp_authority(), several=True)


def _compiled(folder: Path, name: str, at: datetime) -> bytes:
    try:
        compiler = typst.Compiler(
            folder / name, root=folder, font_paths=typst_fonts(), ignore_system_fonts=True, package_path=folder,
            package_cache_path=folder,
        )  # fmt: skip
        page, warnings = compiler.compile_with_warnings(
            format="pdf", pdf_standards=["a-3b"], timestamp=int(at.timestamp())
        )
    except typst.TypstError as error:
        raise TemplateFailed(template=name, reason=error.message) from None
    if warnings or not isinstance(page, bytes):
        raise TemplateFailed(template=name, reason="; ".join(each.message for each in warnings))
    return page
