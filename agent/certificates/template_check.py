"""What is held against a template before it may be published. Every finding has a code, a place and a fix.

A template is drawn with invented certificates and the pages are looked at: a field whose change changes nothing is not
shown, and text that leaves the page, is cut off or lies on other text does not fit. Its own words are read from the
sources and from the page, so that words put together by code are found too; what the data says (a title with 中国 in
it) is the programme's matter and is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
import typst

from agent.certificates import template_samples as samples
from agent.certificates.errors import TemplateFailed, TextTooLong
from agent.certificates.facts import CertificateFacts
from agent.certificates.fonts import families
from agent.certificates.pdf import Drawing, page_data, typst_fonts
from agent.certificates.template_folder import Template
from agent.certificates.template_ink import Box, Ink, Outline, overlaps, read

FORBIDDEN = ("中国", "全国", "国家", "职业资格", "岗位合格")
"""Words that only the state may put on a certificate."""
_LETTERS = "".join(sorted(set("".join(FORBIDDEN))))
_MOST_KB = 200
_LEAST_CODE = 20 / 25.4 * 72  # points: 20 mm are read by a phone from arm's length
_SLACK = 0.6  # points by which ink may touch other ink
_COMMENT = re.compile(r"//(?<!:)[^\n]*|/\*.*?\*/", re.DOTALL)
_OUR_FOLDER = re.compile(r"/\S*?xueshi-template-\w+/?")
_REACHES = (
    (re.compile(r"[\"']@[\w-]+/"), "packages come from the network"),
    (re.compile(r"(?:#|^|[{;(])\s*(?:import|include)\s+(?![\"'])", re.MULTILINE), "only a file named in the source"),
    (re.compile(r"\b(?:eval|plugin)\b"), "eval and plugin run what nobody has read"),
    (re.compile(r"\bpdf\.(?:attach|embed)\b"), "only the credential is attached, by the program"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. ``field``: of the certificate or of template.toml, or a file."""

    code: str
    field: str
    message: str
    fix: str

    def as_json(self) -> dict[str, str]:
        """For scripts and for the way out of the trial's process."""
        return asdict(self)


def findings(template: Template) -> list[Finding]:
    """All that stands against publishing; empty: nothing does."""
    found = list(_in_sources(template)) + list(_fonts(template))
    if any(one.code == "E_TEMPLATE_REACH" for one in found):
        return found  # what reaches out of its folder is not run at all
    try:
        drawing = Drawing(template)
    except TemplateFailed as error:
        return [*found, _drawing_fault(error, "template.typ")]
    for language in template.manifest.languages:
        told = {(one.code, one.field) for one in found}  # once, though it is so in each language
        found += [one for one in _drawn(drawing, language) if (one.code, one.field) not in told]
    return found


# --- without drawing ---------------------------------------------------------------------------------------------
def _in_sources(template: Template) -> Iterator[Finding]:
    title = template.manifest.title
    for name, text in [*_texts(template), ("template.toml, title", f"{title.zh} {title.en}")]:
        for word in FORBIDDEN:
            if word in text:
                line = text[: text.index(word)].count("\n") + 1
                yield _word(word, f"{name}:{line}" if "," not in name else name)
        if name.endswith(".typ"):
            for pattern, why in _REACHES:
                if reach := pattern.search(text):
                    line = text[: reach.start()].count("\n") + 1
                    yield Finding(
                        "E_TEMPLATE_REACH", f"{name}:{line}", f"«{reach[0].strip()}» is not allowed: {why}.",
                        "Bring what the page needs as files of the folder, and import them by their names.",
                    )  # fmt: skip


def _texts(template: Template) -> Iterator[tuple[str, str]]:
    """Sources and drawings as text, without comments but with their lines."""
    for name, content in template.files.items():
        if name.endswith((".typ", ".svg")):
            text = content.decode("utf-8", "replace")
            blank = _COMMENT.sub(lambda gone: "\n" * gone[0].count("\n"), text) if name.endswith(".typ") else text
            yield name, blank


def _word(word: str, where: str) -> Finding:
    return Finding(
        "E_TEMPLATE_WORD", where, f"«{word}» may not stand on a certificate of continuing education.",
        "Take the word out. Titles of programmes and names of bodies come from the data and may have it.",
    )  # fmt: skip


def _fonts(template: Template) -> Iterator[Finding]:
    known = typst_fonts().families()
    for family in template.manifest.fonts:
        if family not in known:
            yield Finding(
                "E_TEMPLATE_FONT", "fonts", f"There is no font «{family}».", f"Use one of: {', '.join(known)}."
            )


# --- by drawing --------------------------------------------------------------------------------------------------
def _drawn(drawing: Drawing, language: str) -> Iterator[Finding]:
    def ink(facts: CertificateFacts) -> tuple[bytes, Ink]:
        svg = drawing.picture(page_data(facts, samples.CREDENTIAL, language), "svg", underlay=False)
        return svg, read(svg)

    try:
        usual = ink(samples.ORDINARY)[1]
        pdf = drawing.page(samples.ORDINARY, samples.CREDENTIAL, language)  # PDF/A refuses what no font can draw
    except TextTooLong:
        yield _overflow("all", "ordinary texts", "a text does not fit its place in the smallest letters", language)
        return
    except TemplateFailed as error:
        yield _drawing_fault(error, "template.typ")
        return
    if len(pdf) > _MOST_KB * 1000:
        yield Finding(
            "E_TEMPLATE_HEAVY", "images", f"A page has {len(pdf) // 1000} kB; {_MOST_KB} are allowed.",
            "Use smaller images, or drawings (SVG) with fewer points.",
        )  # fmt: skip
    under = drawing.underlay(samples.ORDINARY.organiser, language)
    text = "\n".join([usual.text(_letters()), read(under).text(_letters()) if under else ""])
    written = "\n".join(source for _, source in _texts(drawing.template))
    for word in FORBIDDEN:
        if word in text and word not in written:  # where it is written was told already
            yield _word(word, f"the drawn page ({language})")
    yield from _code_faults(usual)
    faults = list(_fit(ink, language))
    yield from faults
    if not faults:
        yield from _not_shown(drawing, language)


def _code_faults(ink: Ink) -> Iterator[Finding]:
    """The code is the last square picture that is drawn; without it nobody can check the paper."""
    squares = [box for box in ink.images if abs((box[2] - box[0]) - (box[3] - box[1])) < 1]
    if not any(box[2] - box[0] >= _LEAST_CODE and _inside(box, ink) for box in squares):
        yield Finding(
            "E_TEMPLATE_CODE", "qr", "There is no code of 20 mm or more on the page.",
            "Place it: #code(30mm), from xueshi.typ.",
        )  # fmt: skip


def _fit(ink: Any, language: str) -> Iterator[Finding]:
    """Texts that do not fit: each as long as it gets, then all at once, then all as short as they get."""
    for field in samples.LONGEST:
        fault = _unfit(ink, samples.longest(field))
        if fault:
            yield _overflow(field, f"the longest {field} ({len(samples.LONGEST[field])} characters)", fault, language)
    for name, facts in (("all", samples.longest()), ("shortest", samples.shortest()), ("rare", samples.rare())):
        fault = _unfit(ink, facts)
        if fault:
            yield _overflow(name, {"all": "all texts at their longest"}.get(name, f"the {name} texts"), fault, language)
            break  # one sentence is enough, when each alone fits


def _unfit(ink: Any, facts: CertificateFacts) -> str:
    """Why the page with these facts is wrong; empty: it is not."""
    try:
        page = ink(facts)[1]
    except TextTooLong:
        return "a text does not fit its place in the smallest letters"
    except TemplateFailed as error:
        return str(error.params.get("reason"))
    boxes = [run.box for run in page.runs]
    faults = {
        "text runs off the page": any(not _inside(box, page) for box in boxes),
        "text is cut off": any(run.window and not _in_box(run.box, run.window) for run in page.runs),
        "texts lie on each other": any(overlaps(page.runs, least=_SLACK + 0.5)),
        "text lies on the code": any(_touch(box, code) for box in boxes for code in page.images if _square(code)),
    }
    return next((why for why, so in faults.items() if so), "")


def _overflow(field: str, what: str, fault: str, language: str) -> Finding:
    return Finding(
        "E_TEMPLATE_OVERFLOW", field, f"With {what} {fault} ({language}).",
        "Let the text shrink or wrap: `fitting` and `in-two-lines` of xueshi.typ do both.",
    )  # fmt: skip


def _not_shown(drawing: Drawing, language: str) -> Iterator[Finding]:
    def svg(facts: CertificateFacts, **data: object) -> bytes:
        made = page_data(facts, samples.CREDENTIAL, language) | {"title": "", "description": "", "keywords": []}
        return drawing.picture(made | data, "svg", underlay=False)

    whole = samples.longest()
    before = svg(whole)
    for field in drawing.template.manifest.fields:
        if field in samples.CHANGED and svg(replace(whole, **samples.CHANGED[field])) == before:
            yield Finding(
                "E_TEMPLATE_FIELD", field, f"The page does not show {field} whole ({language}).",
                f"Draw data.{field}, or take it out of fields if it may be left out.",
            )  # fmt: skip


def _drawing_fault(error: TemplateFailed, where: str) -> Finding:
    reason = _OUR_FOLDER.sub("", str(error.params["reason"]))
    if missing := re.search(r"the text `\"(.+?)\"` could not be displayed", reason):
        points = " ".join(f"U+{ord(c):04X}" for c in missing[1])
        return Finding(
            "E_TEMPLATE_GLYPH", where, f"No font has «{missing[1]}» ({points}).",
            "Use another character, or draw it as an SVG.",
        )  # fmt: skip
    if "escape the project root" in reason or "file not found" in reason:
        return Finding(
            "E_TEMPLATE_REACH", where, f"It reads what is not in its folder: {reason}.",
            "Bring what the page needs as files of the folder.",
        )  # fmt: skip
    if "one page" in reason:
        return Finding(
            "E_TEMPLATE_PAGES", where, "It takes more than one page.", "A certificate is one page: place its parts."
        )
    return Finding("E_TEMPLATE_DRAWING", where, f"It can't be drawn: {reason}.", "Correct what the sentence names.")


def _inside(box: Box, ink: Ink) -> bool:
    return _in_box(box, (0, 0, ink.width, ink.height))


def _in_box(box: Box, window: Box) -> bool:
    return (
        box[0] >= window[0] - _SLACK
        and box[1] >= window[1] - _SLACK
        and box[2] <= window[2] + _SLACK
        and box[3] <= window[3] + _SLACK
    )


def _square(box: Box) -> bool:
    return abs((box[2] - box[0]) - (box[3] - box[1])) < 1 and box[2] - box[0] >= _LEAST_CODE


def _touch(one: Box, code: Box) -> bool:
    """Whether ink lies in the code itself; its quiet zone is of the same colour and may be touched."""
    zone = (code[2] - code[0]) / 12
    width = min(one[2], code[2] - zone) - max(one[0], code[0] + zone)
    height = min(one[3], code[3] - zone) - max(one[1], code[1] + zone)
    return width > 0 and height > 0


@lru_cache(maxsize=1)
def _letters() -> dict[str, list[tuple[Outline, str]]]:
    """The outlines of all characters of the forbidden words, in every font that is here."""
    known: dict[str, list[tuple[Outline, str]]] = {}
    for family in {*families(), *typst_fonts().families()}:
        source = (
            "#set page(width: auto, height: auto)\n"
            f"#set text(font: {orjson.dumps(family).decode()}, fallback: false)\n#stack(dir: ltr, "
            + ", ".join(f"[{letter}]" for letter in _LETTERS)
            + ")"
        )
        svg = typst.compile(source.encode(), font_paths=typst_fonts(), ignore_system_fonts=True, format="svg")
        ink = read(svg)
        for run, letter in zip(ink.runs, _LETTERS, strict=False):
            outline = ink.outlines[run.glyphs[0]]
            known.setdefault(outline[0], []).append((outline, letter))
    return known
