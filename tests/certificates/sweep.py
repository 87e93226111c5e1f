"""Certificates held against programs that we did not write, and against whoever alters them.

`make test` looks at a sample of the demo site's, `make trials` at 200: its real names, and names and titles as long,
short and rare as they get, in each template and language.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from agent.certificates import template_samples
from agent.certificates.facts import CertificateFacts, hours_text
from agent.certificates.keys import SigningKeys
from agent.certificates.pdf import render_pdf
from agent.certificates.template_folder import SHIPPED_NAMES, shipped
from agent.certificates.verify import verify_pdf

PROGRAMS = ("pdfsig", "qpdf", "pdftotext", "pdffonts", "pdfdetach", "pdftoppm", "zbarimg")
_DRESSES = [(name, language) for name in SHIPPED_NAMES for language in ("zh", "zh-en")]
_UNUSUAL: list[dict[str, str]] = [
    {"holder": template_samples.LONGEST["holder"]},
    {"holder": template_samples.LONGEST["holder"], "programme": template_samples.LONGEST["programme"]},
    {"holder": "王𬎆"}, {"holder": "𪚥𠮷䶮"}, {"holder": "𫠠𬱖·㛃𪩘"}, {"holder": "欧阳 𬭎"},
    {"holder": "丁一", "programme": "急救"},
    {"holder": "古丽·A. B·C"}, {"organiser": template_samples.LONGEST["organiser"]},
    {"implementer": template_samples.LONGEST["implementer"]}, {"implementer": ""},
]  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A certificate and its signed page."""

    facts: CertificateFacts
    credential: str
    dress: tuple[str, str]
    pdf: bytes

    @property
    def name(self) -> str:
        """For whoever reads a fault."""
        return f"{self.facts.number} {self.facts.holder} {'/'.join(self.dress)}"


def pages(
    certified: Sequence[CertificateFacts],
    count: int,
    keys: SigningKeys,
    sign: Callable[[CertificateFacts], str],
) -> list[Page]:
    """So many pages: the certificates in turn, unusual ones among them, in each template and language in turn."""
    unusual = [replace(certified[n % len(certified)], **texts) for n, texts in enumerate(_UNUSUAL)]
    chosen = [facts for _, facts in zip(range(count), cycle([*unusual, *certified]), strict=False)]
    made = []
    for facts, (name, language) in zip(chosen, cycle(_DRESSES), strict=False):
        credential = sign(facts)
        pdf = render_pdf(facts, credential, keys, template=shipped(name), language=language)
        made.append(Page(facts, credential, (name, language), pdf))
    return made


def faults(made: Sequence[Page], folder: Path, keys: SigningKeys) -> list[str]:
    """What programs of others find to be wrong with the pages, and pyHanko behind our own check; empty: nothing."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda pair: list(_looked_at(pair[1], folder / str(pair[0]))), enumerate(made))
        told = [f"{page.name}: {fault}" for page, each in zip(made, found, strict=True) for fault in each]
    return told + [f"{page.name}: refused" for page in made if not verify_pdf(page.pdf, keys.trusted).valid]


def _looked_at(page: Page, folder: Path) -> Iterator[str]:
    folder.mkdir()
    path = folder / "page.pdf"
    path.write_bytes(page.pdf)
    signed = _said("pdfsig", path)
    for wanted in ("Signature is Valid", "Total document signed", "ETSI.CAdES.detached"):
        if wanted not in signed:
            yield f"pdfsig does not say «{wanted}»"
    if "No syntax or stream encoding errors found" not in _said("qpdf", "--check", path):
        yield "qpdf complains"
    text = re.sub(r"\s", "", _said("pdftotext", "-raw", path, "-"))
    facts = page.facts
    for field, wanted in (
        ("holder", facts.holder), ("number", facts.number), ("mask", facts.id_masked),
        ("hours", hours_text(facts.hours)), ("programme", facts.programme[:20]),
        ("organiser", facts.organiser[:12]), ("filing number", facts.filing_number),
    ):  # fmt: skip
        if re.sub(r"\s", "", wanted) not in text:
            yield f"pdftotext does not find the {field} «{wanted}»"
    fonts = _said("pdffonts", path).splitlines()[2:]
    if not fonts or not all(re.search(r"\byes yes yes\b", font) for font in fonts):
        yield "pdffonts: not all are embedded with Unicode"
    _said("pdfdetach", "-save", 1, "-o", folder / "credential", path)
    if (folder / "credential").read_text() != page.credential:
        yield "pdfdetach gives another credential"
    _said("pdftoppm", "-r", 150, "-gray", path, folder / "page")
    if _said("zbarimg", "-q", "--nodbus", "--raw", next(folder.glob("*.pgm"))).strip() != facts.verify_url:
        yield "zbarimg reads another address"


def _said(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")


def unnoticed(made: Sequence[Page], keys: SigningKeys, seed: int) -> list[str]:
    """Alterations that our check lets pass; empty: it refuses them all. One of each kind for every page."""
    chance = random.Random(seed)  # noqa: S311 - to repeat a trial
    passed = []
    for page, other in zip(made, [*made[1:], made[0]], strict=True):
        for kind, altered in _mutants(page, other, keys, chance):
            if altered != page.pdf and verify_pdf(altered, keys.trusted).valid:
                passed.append(f"{page.name}: {kind}")
    return passed


def _mutants(page: Page, other: Page, keys: SigningKeys, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    at, bit = chance.randrange(len(page.pdf)), 1 << chance.randrange(8)
    yield f"byte {at} ^ {bit}", page.pdf[:at] + bytes([page.pdf[at] ^ bit]) + page.pdf[at + 1 :]
    yield "update appended", page.pdf + b"\n9 0 obj\n<</Title(x)>>\nendobj\n%%EOF\n"
    yield "cut", page.pdf[: chance.randrange(len(page.pdf))]
    mine, theirs = (slice(one.index(b"/Contents <") + 11, _end(one)) for one in (page.pdf, other.pdf))
    yield "/Contents swapped", page.pdf[: mine.start] + other.pdf[theirs] + page.pdf[mine.stop :]
    if other.facts.number != page.facts.number:
        pdf = render_pdf(page.facts, other.credential, keys, template=shipped(page.dress[0]), language=page.dress[1])
        yield "another certificate's credential", pdf


def _end(pdf: bytes) -> int:
    return pdf.index(b">", pdf.index(b"/Contents <"))
