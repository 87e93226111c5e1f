"""The page: a certificate's picture, as signed PDF/A-3b with the credential attached.

The page is made by Typst from a template (`template_folder`) and one JSON; the same facts, credential and time give the
same bytes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import typst

from agent.certificates.errors import TemplateFailed, TextTooLong
from agent.certificates.facts import NAME, CertificateFacts, document_texts, hours_text
from agent.certificates.fonts import ems, families, font_folders, require_glyphs
from agent.certificates.keys import SigningKeys
from agent.certificates.qr import qr_svg
from agent.certificates.signing import Stamp, sign_pdf
from agent.certificates.template_folder import DEFAULT, SHIPPED, Template, shipped
from agent.certificates.timestamps import TimestampAuthority
from agent.certificates.underlay import operators

_LOCAL = ZoneInfo("Asia/Shanghai")
_POINTS = 72 / 25.4  # PDF points in a millimetre
_UNDERLAYS = 64  # pictures of 150 kB that are kept: as many as a city has organisers
_LONG = re.compile(r"(?<![\w#])\d+\.\d{3,}")
_MAIN = "xueshi-page.typ"
_UNDERLAY = "xueshi-underlay.svg"
_MEASURED = ("holder", "programme", "organiser", "implementer", "series", "filing_number")
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
    template: Template | None = None,
    language: str = "zh",
    authority: TimestampAuthority | None = None,
) -> bytes:
    """The signed page.

    :param credential: the VC-JWT of the same facts; it is attached to the page
    :param made_at: when the page is signed; now, when not given
    :param template: the classic one, when not given
    :param language: one of the template's languages
    :param authority: stamps the signature with the time
    :raises GlyphMissing: a text has a character that no font of ours shows
    :raises TextTooLong: a text does not fit its place
    :raises TemplateFailed: the template does not compile
    :raises TimestampError: the authority does not stamp it
    """
    drawing = drawing_of(template or shipped(DEFAULT))
    moment = (made_at or datetime.now(UTC)).astimezone(_LOCAL).replace(microsecond=0)
    stamp = Stamp(
        signed_at=moment,
        rect=drawing.seal_rect,
        signer=facts.organiser,
        reason=f"签发{NAME}（编号 {facts.number}）",
    )
    under = drawing.under(facts.organiser, language)
    page = drawing.page(facts, credential, language, underlay=under is None)
    return sign_pdf(page, keys, stamp, authority, under or b"")


def drawing_of(template: Template) -> Drawing:
    """The template made ready, once; two that are equal share it."""
    with _lock:
        drawing = _drawings.get(template.digest)
        if drawing is None:
            if len(_drawings) >= _KEPT:
                _drawings.pop(next(iter(_drawings)))
            drawing = _drawings[template.digest] = Drawing(template)
    return drawing


def page_data(facts: CertificateFacts, credential: str, language: str) -> dict[str, Any]:
    """What a template is given, beside its layout and the fonts (docs/certificate-templates.md).

    :raises GlyphMissing: a text has a character that no font of ours shows
    """
    title, description = document_texts(
        facts.number,
        holder=facts.holder,
        programme=facts.programme,
        hours=facts.hours,
        filing_number=facts.filing_number,
    )
    shown = {field: getattr(facts, field) for field in _SHOWN}
    require_glyphs(shown)
    qr, modules = qr_svg(facts.verify_url)
    issued = facts.issued_at.astimezone(_LOCAL).date()
    days = {"from": facts.learned_from, "until": facts.learned_on, "issued": issued}
    return {
        **shown,
        **{name: day and _day(day) for name, day in days.items()},
        **{f"{name}_en": day and f"{day.day} {day:%B %Y}" for name, day in days.items()},
        "hours": hours_text(facts.hours),
        "verify_url": facts.verify_url,
        "qr": qr,
        "qr_modules": modules,
        "credential": credential,
        "title": title,
        "description": description,
        "keywords": [facts.number, facts.filing_number],
        "language": language,
        "ems": {name: ems(shown[name]) for name in _MEASURED},
    }


def _rounded(number: re.Match[str]) -> str:
    """A hundredth of a point is finer than any printer, and nine decimals would double the page's bytes."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


class Drawing:
    """A template that is ready to compile. Typst keeps what it parsed and laid out between calls."""

    def __init__(self, template: Template) -> None:
        self.template = template
        folder = Path(tempfile.mkdtemp(prefix="xueshi-template-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        template.write_to(folder)
        self._folder = folder
        (folder / _MAIN).write_bytes((SHIPPED / "page.typ").read_bytes())
        width, height = template.manifest.size
        self._layout = {"page": {"width": width, "height": height}, "seal": template.manifest.seal.model_dump()}
        self._lock = threading.Lock()  # one compiler serves one thread at a time
        self._underlays: dict[tuple[str, str], str] = {}
        self._unders: dict[tuple[str, str], tuple[bytes | None]] = {}
        try:
            self._main = _compiler(folder, _MAIN)
            self._under = _compiler(folder, "underlay.typ") if "underlay.typ" in template.files else None
        except typst.TypstError as error:
            raise TemplateFailed(template=template.manifest.id, reason=error.message) from None

    @property
    def seal_rect(self) -> tuple[float, float, float, float]:
        """Where the seal stands, in PDF's points from the lower left corner."""
        seal, (_, height) = self.template.manifest.seal, self.template.manifest.size
        left, top, size = seal.x, seal.y, seal.diameter
        x1, y1, x2, y2 = (v * _POINTS for v in (left, height - top - size, left + size, height - top))
        return x1, y1, x2, y2

    def page(self, facts: CertificateFacts, credential: str, language: str = "zh", *, underlay: bool = True) -> bytes:
        """The page as PDF/A-3b, unsigned; with the underlay, or for the signer to lay it under."""
        if language not in self.template.manifest.languages:
            raise TemplateFailed(template=self.template.manifest.id, reason=f"it is not set in «{language}»")
        data = page_data(facts, credential, language)
        with self._lock:
            return self._run(
                self._main, data, self._underlay(facts.organiser, language) if underlay else "", format="pdf",
                pdf_standards=["a-3b"], timestamp=int(facts.issued_at.timestamp()),
            )  # fmt: skip

    def under(self, organiser: str, language: str) -> bytes | None:
        """The underlay for the signer to lay under the page; empty: there is none, None: Typst has to draw it."""
        with self._lock:
            found = self._unders.get((organiser, language))
        if found is None:
            svg = self.underlay(organiser, language)
            found = (operators(svg) if svg else b"",)
            with self._lock:
                if len(self._unders) >= _UNDERLAYS:
                    self._unders.clear()
                self._unders[organiser, language] = found
        return found[0]

    def picture(self, data: Mapping[str, Any], kind: str, *, underlay: bool, **options: Any) -> bytes:
        """The page as ``svg`` or ``png``, for a person or a check to look at."""
        with self._lock:
            under = self._underlay(data["organiser"], data["language"]) if underlay else ""
            return self._run(self._main, data, under, format=kind, **options)

    def underlay(self, organiser: str, language: str) -> bytes:
        """What lies under the page, as SVG; empty: the template has none."""
        if self._under is None:
            return b""
        with self._lock:
            return self._run(self._under, {"organiser": organiser, "language": language}, format="svg")

    def _underlay(self, organiser: str, language: str) -> str:
        if self._under is None:
            return ""
        found = self._underlays.get((organiser, language))
        if found is None:
            if len(self._underlays) >= _UNDERLAYS:
                self._underlays.clear()
            svg = self._run(self._under, {"organiser": organiser, "language": language}, format="svg")
            found = self._underlays[organiser, language] = _LONG.sub(_rounded, svg.decode())
        return found

    def _run(self, compiler: typst.Compiler, data: Mapping[str, Any], underlay: str = "", **options: Any) -> bytes:
        # files, and not Typst's inputs: for each page with other inputs it makes its whole library anew
        told = {**data, **self._layout, "fonts": families(), "underlay": bool(underlay)}
        (self._folder / "data.json").write_bytes(orjson.dumps(told))
        if underlay:
            (self._folder / _UNDERLAY).write_text(underlay)
        name = self.template.manifest.id
        try:
            page, warnings = compiler.compile_with_warnings(**options)
        except typst.TypstError as error:
            if "too long for its place" in error.message:
                raise TextTooLong(number=data.get("number")) from None
            raise TemplateFailed(template=name, reason=error.message) from None
        if warnings:  # a font that is not found is only a warning, and leaves blanks
            raise TemplateFailed(template=name, reason="; ".join(warning.message for warning in warnings))
        if not isinstance(page, bytes):
            raise TemplateFailed(template=name, reason="it does not fit on one page")
        return page


def _compiler(folder: Path, file: str) -> typst.Compiler:
    """A compiler that sees this folder only; packages are looked for in it, and not in the network's."""
    return typst.Compiler(
        folder / file, root=folder, font_paths=typst_fonts(), ignore_system_fonts=True, package_path=folder,
        package_cache_path=folder,
    )  # fmt: skip


_KEPT = 16  # compilers of templates
_drawings: dict[str, Drawing] = {}
_lock = threading.Lock()


@lru_cache(maxsize=1)
def typst_fonts() -> typst.Fonts:
    """All fonts that a template may use, read once."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders())
