"""The page: a certificate's picture, as signed PDF/A-3b with the credential attached.

The page is made by Typst from a template folder (``template.typ``, ``template.toml``) and one JSON; the same facts,
credential and time give the same bytes.
"""

from __future__ import annotations

import re
import threading
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import typst

from agent.certificates.errors import TemplateFailed, TextTooLong
from agent.certificates.facts import NAME, CertificateFacts, document_texts, hours_text
from agent.certificates.fonts import families, font_folders, require_glyphs
from agent.certificates.keys import SigningKeys
from agent.certificates.qr import qr_svg
from agent.certificates.signing import Stamp, sign_pdf

TEMPLATES = Path(__file__).parent / "templates_typst"
_LOCAL = ZoneInfo("Asia/Shanghai")
_POINTS = 72 / 25.4  # PDF points in a millimetre
_UNDERLAYS = 64  # pictures of 150 kB that are kept: as many as a city has organisers
_LONG = re.compile(r"(?<![\w#])\d+\.\d{3,}")
_SHOWN = (
    "number",
    "holder",
    "id_masked",
    "programme",
    "series",
    "organiser",
    "implementer",
    "filing_number",
)


def render_pdf(
    facts: CertificateFacts,
    credential: str,
    keys: SigningKeys,
    *,
    made_at: datetime | None = None,
    template: str = "classic",
) -> bytes:
    """The signed page.

    :param credential: the VC-JWT of the same facts; it is attached to the page
    :param made_at: when the page is signed; now, when not given
    :raises GlyphMissing: a text has a character that no font of ours shows
    :raises TemplateFailed: the template does not compile
    """
    page = _template(template)
    moment = (made_at or datetime.now(UTC)).astimezone(_LOCAL).replace(microsecond=0)
    stamp = Stamp(
        signed_at=moment,
        rect=page.seal_rect,
        signer=facts.organiser,
        reason=f"签发{NAME}（编号 {facts.number}）",
    )
    return sign_pdf(page.compile(facts, credential), keys, stamp)


def _rounded(number: re.Match[str]) -> str:
    """A hundredth of a point is finer than any printer, and nine decimals would double the page's bytes."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True, eq=False)
class _Template:
    """A template that is ready to compile. Typst keeps what it parsed and laid out between calls."""

    name: str
    layout: dict[str, Any]
    page: typst.Compiler
    underlay: typst.Compiler
    lock: threading.Lock  # one compiler serves one thread at a time
    underlays: dict[str, str]  # organiser → picture

    @property
    def seal_rect(self) -> tuple[float, float, float, float]:
        """Where the seal stands, in PDF's points from the lower left corner."""
        seal, height = self.layout["seal"], self.layout["page"]["height"]
        left, top, size = seal["x"], seal["y"], seal["diameter"]
        x1, y1, x2, y2 = (v * _POINTS for v in (left, height - top - size, left + size, height - top))
        return x1, y1, x2, y2

    def compile(self, facts: CertificateFacts, credential: str) -> bytes:
        """The page, unsigned."""
        title, description = document_texts(
            facts.number,
            holder=facts.holder,
            programme=facts.programme,
            hours=facts.hours,
            filing_number=facts.filing_number,
        )
        issued = facts.issued_at.astimezone(_LOCAL)
        shown = {field: getattr(facts, field) for field in _SHOWN}
        require_glyphs(shown)
        qr, modules = qr_svg(facts.verify_url)
        data = {
            **shown,
            "hours": hours_text(facts.hours),
            "from": _day(facts.learned_from) if facts.learned_from else None,
            "until": _day(facts.learned_on),
            "issued": _day(issued.date()),
            "verify_url": facts.verify_url,
            "qr": qr,
            "qr_modules": modules,
            "credential": credential,
            "title": title,
            "description": description,
            "keywords": [facts.number, facts.filing_number],
        }
        with self.lock:
            underlay = self.underlays.get(facts.organiser)
            if underlay is None:
                if len(self.underlays) >= _UNDERLAYS:
                    self.underlays.clear()
                svg = self._run(self.underlay, {"organiser": facts.organiser}, format="svg")
                underlay = self.underlays[facts.organiser] = _LONG.sub(_rounded, svg.decode())
            return self._run(
                self.page,
                data,
                {"underlay": underlay},
                format="pdf",
                pdf_standards=["a-3b"],
                timestamp=int(issued.timestamp()),
            )

    def _run(
        self, compiler: typst.Compiler, data: dict[str, Any], inputs: dict[str, str] | None = None, **options: Any
    ) -> bytes:
        text = orjson.dumps({**data, **self.layout, "fonts": families()}).decode()
        try:
            page, warnings = compiler.compile_with_warnings(sys_inputs={"data": text, **(inputs or {})}, **options)
        except typst.TypstError as error:
            if "too long for its place" in error.message:
                raise TextTooLong(number=data.get("number")) from None
            raise TemplateFailed(template=self.name, reason=error.message) from None
        if warnings:  # a font that is not found is only a warning, and leaves blanks
            raise TemplateFailed(template=self.name, reason="; ".join(warning.message for warning in warnings))
        if not isinstance(page, bytes):
            raise TemplateFailed(template=self.name, reason="it does not fit on one page")
        return page


@lru_cache(maxsize=16)
def _template(name: str) -> _Template:
    folder = TEMPLATES / name
    try:
        layout = tomllib.loads((folder / "template.toml").read_text(encoding="utf-8"))
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders())
        page, underlay = (
            typst.Compiler(folder / file, root=folder, font_paths=fonts, ignore_system_fonts=True)
            for file in ("template.typ", "underlay.typ")
        )
    except (OSError, tomllib.TOMLDecodeError, typst.TypstError) as error:
        raise TemplateFailed(template=name, reason=str(error)) from None
    return _Template(name, layout, page, underlay, threading.Lock(), {})
