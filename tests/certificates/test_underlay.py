"""The underlay as PDF's operators: what Typst would draw, or nothing at all."""

from __future__ import annotations

import subprocess
import zlib

import pytest

from agent.certificates.pdf import drawing_of, render_pdf
from agent.certificates.template_folder import SHIPPED_NAMES, shipped
from agent.certificates.underlay import operators
from agent.certificates.verify import verify_pdf
from tests.certificates.template_files import plain

_HEAD = '<svg viewBox="0 0 100 50" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def drawn(inside: str) -> str:
    packed = operators(f"{_HEAD}{inside}</svg>".encode())
    assert packed is not None
    return zlib.decompress(packed).decode()


def test_lines_areas_and_letters_keep_their_frames():
    text = drawn(
        '<path fill="#ff0000" fill-rule="nonzero" d="M 0 0h 10v 5Z "/>'
        '<g transform="matrix(1 0 0 -1 20 30)"><use xlink:href="#a" x="3" y="0" fill="#000000"/></g>'
        '<path fill="none" stroke="#0f5c63" stroke-width="0.22" d="M 1 2l 3 4q 1 1 2 0c 1 1 2 2 3 3"/>'
        '<defs><symbol id="a"><path d="M 0 0L 1 1Z"/></symbol></defs>'
    )
    assert text.startswith("/Artifact BMC q 1 0 0 -1 0 50 cm")
    assert "q 1 0 0 rg 0 0 m 10 0 l 10 5 l h f Q" in text
    assert "q 1 0 0 -1 20 30 cm q 1 0 0 1 3 0 cm 0 0 0 rg 0 0 m 1 1 l h f Q" in text
    assert "0.059 0.361 0.388 RG 0.22 w 0 J 0 j 4 M 1 2 m 4 6 l 4.67 6.67 5.33 6.67 6 6 c 7 7 8 8 9 9 c S" in text
    assert text.count("q ") == text.count("Q ") + text.count("Q\n")


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="x"/>',
        '<path fill="url(#g)" d="M 0 0h 1"/>',
        '<path fill="#ff000080" d="M 0 0h 1"/>',
        '<g clip-path="url(#c)"></g>',
        '<g transform="rotate(3)"></g>',
        '<path fill="#ff0000" stroke-dasharray="1" d="M 0 0h 1"/>',
    ],
)
def test_what_is_more_than_that_is_left_to_typst(inside):
    assert operators(f"{_HEAD}{inside}</svg>".encode()) is None


@pytest.mark.needs("pdftoppm")
@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_the_page_looks_as_typst_draws_it(name, signed, tmp_path):
    """Both pages as grey pictures: they differ in the anti-aliasing of fine lines only."""
    template = shipped(name)
    ours = render_pdf(signed.facts, signed.credential, signed.keys, template=template)
    theirs = drawing_of(template).page(signed.facts, signed.credential)
    pictures = []
    for n, pdf in enumerate((ours, theirs)):
        (tmp_path / f"{n}.pdf").write_bytes(pdf)
        subprocess.run(
            ["pdftoppm", "-r", "50", "-gray", "-singlefile", tmp_path / f"{n}.pdf", tmp_path / str(n)], check=True
        )
        pictures.append((tmp_path / f"{n}.pgm").read_bytes())
    one, other = pictures
    assert len(one) == len(other)
    apart = [abs(a - b) for a, b in zip(one, other, strict=True)]
    assert sum(apart) / len(apart) < 0.5
    assert sum(each > 60 for each in apart) < 40


def test_an_underlay_with_more_in_it_is_drawn_by_typst_and_signed_all_the_same(signed):
    under = (
        "#set page(width: 210mm, height: 297mm, margin: 0mm, fill: none)\n"
        '#rect(width: 100%, height: 20mm, fill: gradient.linear(rgb("#0f5c63"), white))'
    )
    template = plain(underlay__typ=under)
    assert drawing_of(template).under("甲", "zh") is None
    pdf = render_pdf(signed.facts, signed.credential, signed.keys, template=template)
    assert verify_pdf(pdf, signed.keys.trusted).valid
