"""The page as Typst sets it and as strangers' programs see it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from agent.certificates import errors
from agent.certificates.fonts import _read, ems, require_glyphs
from agent.certificates.pdf import drawing_of, render_pdf
from agent.certificates.template_folder import SHIPPED, SHIPPED_NAMES, shipped
from agent.certificates.verify import verify_pdf
from tests.certificates.conftest import signed_page

LONG_NAME = "买买提·阿卜杜拉·吐尔逊江·麦麦提艾力·阿布都热西提·古丽努尔·艾尼瓦尔·木合塔尔·伊敏江·阿里木"
LONG_TITLE = (
    "2024年度鲁南地区卫生健康系统基层医疗机构临床医师常见病多发病"
    "规范化诊疗及合理用药能力提升高级研修班（第三期·线上线下结合）"
)


def said_by(*command: object) -> str:
    return subprocess.run([str(part) for part in command], capture_output=True, check=True).stdout.decode()


def text_of(pdf: bytes, folder) -> str:
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    return re.sub(r"\s", "", said_by("pdftotext", "-layout", path, "-"))


@pytest.mark.needs("pdfsig")
def test_pdfsig_calls_it_valid_and_the_whole_document_signed(signed):
    said = said_by("pdfsig", signed.path)
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


@pytest.mark.needs("qpdf")
def test_qpdf_finds_nothing_to_complain_of(signed):
    assert "No syntax or stream encoding errors found" in said_by("qpdf", "--check", signed.path)


@pytest.mark.needs("pdftoppm", "zbarimg")
def test_the_code_is_read_from_the_page_at_150_dpi(signed, tmp_path):
    said_by("pdftoppm", "-r", 150, "-png", signed.path, tmp_path / "page")
    picture = next(tmp_path.glob("*.png"))
    assert said_by("zbarimg", "-q", "--nodbus", "--raw", picture).strip() == signed.facts.verify_url


@pytest.mark.needs("pdftotext")
def test_the_page_says_name_mask_programme_hours_number_dates_and_organisers(signed, tmp_path):
    page, facts = text_of(signed.pdf, tmp_path), signed.facts
    for text in (
        facts.holder,
        facts.id_masked,
        facts.programme,
        "24学时",
        facts.number,
        facts.filing_number,
        facts.organiser,
        facts.implementer,
        "于2024年3月1日至2024年5月13日",
        "2024年5月14日",
        "特发此证",
    ):
        assert text in page


@pytest.mark.needs("pdffonts")
def test_all_fonts_are_embedded_with_unicode(signed):
    fonts = said_by("pdffonts", signed.path).splitlines()[2:]
    assert fonts
    assert all(re.search(r"\byes yes yes\b", font) for font in fonts)


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_what_certificates_of_a_programme_have_in_common_is_set_in_the_same_piece_of_a_font(signed, name):
    drawing = drawing_of(shipped(name))
    one, other = (
        _pieces_of_fonts(drawing.page(replace(signed.facts, holder=holder, number=number, learned_on=day), "e.y.J"))
        for holder, number, day in [("王力", "C-1", date(2024, 5, 13)), ("买买提·艾力", "C-9876", date(2024, 4, 29))]
    )
    assert len(one) == len(other) == {"classic": 2, "modern": 3}[name]
    assert len(one & other) == len(one) - 1


def _pieces_of_fonts(page: bytes) -> set[bytes]:
    places = re.findall(rb"/FontFile3 (\d+) 0 R", page)
    return {re.search(rb"\n%s 0 obj.*?stream(.*?)endstream" % place, page, re.DOTALL)[1] for place in places}


@pytest.mark.needs("pdfdetach")
def test_the_credential_is_attached(signed, tmp_path):
    said_by("pdfdetach", "-save", 1, "-o", tmp_path / "credential", signed.path)
    assert (tmp_path / "credential").read_text() == signed.credential


def test_it_declares_pdf_a_3b_and_the_attachment_its_relationship(signed):
    assert b"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in signed.pdf
    assert b"/AFRelationship/Data" in signed.pdf
    assert b"/MarkInfo<</Marked true" in signed.pdf


def test_it_is_small(signed):
    assert len(signed.pdf) <= 60_000


def test_the_same_facts_and_moment_give_the_same_bytes(signed):
    moment = datetime(2024, 5, 20, 8, 30, tzinfo=UTC)
    first, second = (render_pdf(signed.facts, signed.credential, signed.keys, made_at=moment) for _ in range(2))
    assert first == second


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize(
    "texts",
    [
        {"holder": "王力", "programme": "急救"},
        {"holder": "王 力"},
        {"holder": LONG_NAME, "programme": LONG_TITLE},
        {"holder": "欧阳" * 25},
        {"holder": "Alexander Johannes Müller-Lüdenscheidt", "id_masked": "E12****56"},
        {"organiser": "枣庄市卫生健康委员会与枣庄市中医药发展促进中心联合办公室（示例）", "programme": LONG_TITLE * 3},
    ],
    ids=["short", "space", "long", "no dot", "Latin", "long organiser"],
)
def test_any_length_of_names_and_titles_is_shown_whole(texts, facts, keys, tmp_path):
    page = text_of(signed_page(replace(facts, **texts), keys), tmp_path)
    for text in texts.values():
        # a wrapped line of the left column may stand between two lines of the right one: compare by pieces
        pieces = [text] if len(text) < 12 else re.findall(".{1,6}", text)
        assert all(re.sub(r"\s", "", piece) in page for piece in pieces[:2])


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"hours": 750}, "计专业科目7.5学时"),
        ({"learned_from": None}, "培训”，于2024年5月13日完成规定学习内容"),
        ({"learned_from": date(2024, 5, 13)}, "于2024年5月13日参加由"),
        ({"programme": "建筑施工新技术"}, "“建筑施工新技术”培训，"),
        ({"implementer": "枣庄市工业和信息化局（示例）"}, "由枣庄市工业和信息化局（示例）主办的“"),
        ({"implementer": ""}, "由枣庄市工业和信息化局（示例）主办的“"),
        ({"issued_at": datetime(2024, 12, 31, 16, 30, tzinfo=UTC)}, "2025年1月1日"),
    ],
)
def test_the_sentence_follows_the_facts(texts, sentence, facts, keys, tmp_path):
    assert sentence in text_of(signed_page(replace(facts, **texts), keys), tmp_path)


@pytest.mark.parametrize(
    ("texts", "error", "code_point"),
    [
        ({"holder": "王\ue5e5"}, errors.PrivateUse, "U+E5E5"),
        ({"holder": "王\U000f0001"}, errors.PrivateUse, "U+F0001"),
        ({"holder": "王\U0002ebf0"}, errors.GlyphMissing, "U+2EBF0"),
        ({"holder": "\ufe00王"}, errors.GlyphMissing, "U+FE00"),
        ({"programme": "ئۇيغۇر"}, errors.GlyphMissing, "U+0626"),
        ({"holder": "王\u200b力"}, errors.TextControl, "U+200B"),
        ({"filing_number": "1\n2"}, errors.TextControl, "U+000A"),
    ],
)
def test_a_character_that_would_be_blank_is_refused_by_its_code_point(texts, error, code_point, facts, keys):
    with pytest.raises(error, match=re.escape(code_point)):
        signed_page(replace(facts, **texts), keys)


HANAMIN = "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"


@pytest.mark.needs("pdftotext", "pdffonts", HANAMIN)
@pytest.mark.parametrize("name", ["王𬎆", "𪚥𠮷䶮", "𫠠𬱖·㛃𪩘", "欧阳 𬭎"])
def test_characters_beyond_the_wheels_fonts_are_drawn_by_hanamin(name, facts, keys, tmp_path):
    pdf = signed_page(replace(facts, holder=name), keys)
    assert name.replace(" ", "") in text_of(pdf, tmp_path)
    fonts = said_by("pdffonts", tmp_path / "page.pdf").splitlines()[2:]
    assert all(re.search(r"\byes yes yes\b", font) for font in fonts)
    assert len(pdf) <= 60_000


@pytest.mark.needs(HANAMIN)
def test_all_of_gb_18030_2022_beyond_the_basic_plane_can_be_drawn():
    for first, last in (
        (0x20000, 0x2A6D6),
        (0x2A700, 0x2B734),
        (0x2B740, 0x2B81D),
        (0x2B820, 0x2CEA1),
        (0x2CEB0, 0x2EBE0),
    ):
        require_glyphs({"block": "".join(map(chr, range(first, last + 1)))})


@pytest.fixture
def fonts_read_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("XUESHI_FONTS", str(tmp_path))
    _read.cache_clear()
    yield
    _read.cache_clear()


def test_without_the_further_font_the_character_is_refused_by_its_code_point(fonts_read_anew):
    with pytest.raises(errors.GlyphMissing, match=re.escape("«𬎆» (U+2C386)")):
        require_glyphs({"holder": "王𬎆"})


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize("name", ["葛\U000e0100城", "神\ufe00谷", "王 小 明", "A. B·C"])
def test_selectors_spaces_and_dots_stay_in_the_name(name, facts, keys, tmp_path):
    assert name.replace(" ", "") in text_of(signed_page(replace(facts, holder=name), keys), tmp_path)


def test_what_fits_nowhere_is_refused_and_not_cut(facts, keys):
    with pytest.raises(errors.TextTooLong, match=facts.number):
        signed_page(replace(facts, programme="长" * 900), keys)


def test_text_can_not_become_markup(facts, keys):
    pdf = signed_page(replace(facts, holder='#panic("x")', programme='*a* _b_ $c$ @d "e" \\'), keys)
    assert verify_pdf(pdf, keys.trusted).valid


def test_templates_do_not_say_what_only_the_state_may_say():
    words = re.compile("中国|全国|国家|职业资格|岗位合格")
    assert not [path for path in SHIPPED.rglob("*.typ") if words.search(path.read_text(encoding="utf-8"))]


def test_lengths_of_texts_are_those_of_the_fonts():
    assert ems("欧阳") == 2
    assert ems("（示例）") == 4
    assert 0.4 < ems("A") < 0.9
    assert 0.1 < ems("·") <= 1
    assert ems("王 小") == pytest.approx(2 + ems(" "))
