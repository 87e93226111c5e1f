"""A template is a folder; what is wrong with one is found before anybody's certificate is drawn with it."""

from __future__ import annotations

import contextlib
import zipfile
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.certificates.fonts import ems, require_glyphs
from agent.certificates.pdf import Drawing, render_pdf
from agent.certificates.template_check import FORBIDDEN, findings
from agent.certificates.template_errors import (
    TemplateFileRefused,
    TemplateInvalid,
    TemplateManifest,
    TemplateTrialFailed,
)
from agent.certificates.template_folder import SHIPPED, SHIPPED_NAMES, read_folder, read_zip, shipped
from agent.certificates.template_samples import LONGEST, longest, rare, samples, shortest
from agent.certificates.template_trial import run, tried
from agent.certificates.verify import verify_pdf
from tests.certificates.conftest import credential_for
from tests.certificates.template_files import TOML, TYP, plain, zipped

RECORDED = {"classic": (1, "0841c84caa91"), "modern": (1, "eab55c3f7e6b")}


def codes(template) -> set[tuple[str, str]]:
    return {(one.code, one.field) for one in findings(template)}


# --- the folder --------------------------------------------------------------------------------------------------
def test_a_folder_and_its_zip_are_the_same_template(tmp_path):
    template = shipped("modern")
    (tmp_path / "t").mkdir()
    template.write_to(tmp_path / "t")
    (tmp_path / "t" / ".DS_Store").write_bytes(b"x")
    assert read_folder(tmp_path / "t").digest == read_zip(template.packed()).digest == template.digest
    around = zipped({f"我的模板/{name}": content for name, content in template.files.items()})
    assert read_zip(around).digest == template.digest


@settings(max_examples=20)
@given(name=st.sampled_from(sorted(shipped("classic").files)), extra=st.binary(min_size=1, max_size=3))
def test_any_change_of_any_file_is_another_digest(name, extra):
    files = dict(shipped("classic").files)
    if name.endswith(".toml"):
        files["template.toml"] += b"\n# " + extra.hex().encode()
    else:
        files[name] += extra
    assert read_zip(zipped(files)).digest != shipped("classic").digest


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"../template.typ": ""}, "../template.typ"),
        ({"a/../../x.typ": ""}, "a/../../x.typ"),
        ({"/etc/x.typ": ""}, "/etc/x.typ"),
        ({"run.sh": ""}, "run.sh"),
        ({"x.wasm": b"\0asm"}, "x.wasm"),
        ({"照片.png": b""}, "照片.png") if not "照".isalnum() else ({"a b.png": b""}, "a b.png"),
        ({"big.png": b"0" * 4_000_001}, "big.png"),
        ({f"{n}.txt": b"" for n in range(70)}, "more than 60"),
    ],
)
def test_what_does_not_belong_into_a_zip_is_refused_by_its_name(files, named):
    whole = {"template.toml": TOML, "template.typ": TYP} | files
    with pytest.raises(TemplateFileRefused, match=named.replace(".", r"\.")):
        read_zip(zipped(whole))


def test_a_bomb_is_not_unpacked():
    with pytest.raises(TemplateFileRefused, match="four megabytes"):
        read_zip(zipped({"template.toml": TOML, "template.typ": TYP, "b.svg": b" " * 50_000_000}))


@settings(max_examples=60)
@given(cut=st.integers(0, 4000), noise=st.binary(max_size=40))
def test_no_bytes_make_it_raise_anything_else(cut, noise):
    data = shipped("classic").packed()
    with contextlib.suppress(TemplateInvalid):
        read_zip(data[:cut] + noise + data[cut + len(noise) :])


def test_links_are_not_followed(tmp_path):
    plain().write_to(tmp_path)
    (tmp_path / "secret.txt").symlink_to("/etc/passwd")
    with pytest.raises(TemplateFileRefused, match=r"secret\.txt"):
        read_folder(tmp_path)
    (tmp_path / "secret.txt").unlink()
    (tmp_path / "etc").symlink_to("/etc")
    with pytest.raises(TemplateFileRefused, match="etc"):
        read_folder(tmp_path)


@pytest.mark.parametrize("missing", ["template.toml", "template.typ"])
def test_a_folder_without_its_two_files_is_refused(missing):
    files = {name: content for name, content in plain().files.items() if name != missing}
    with pytest.raises(TemplateFileRefused, match=missing):
        read_zip(zipped(files))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('id = "plain"', 'id = "Plain!"', "id"),
        ("version = 1", "version = 0", "version"),
        ('["zh"]', '["de"]', "languages"),
        ('"A4"', '"A3"', "page"),
        ('"holder", ', "", "fields"),
        ('"holder", ', '"holder", "salary", ', "fields"),
        ("x = 120", "x = 190", "seal"),
        ("version = 1", "version = 1\ncolour = 1", "colour"),
        ("version = 1", "version = ", "syntax"),
    ],
)
def test_what_is_wrong_in_the_manifest_is_named(old, new, field):
    with pytest.raises(TemplateManifest) as error:
        plain(toml=TOML.replace(old, new, 1))
    assert str(error.value.params["field"]).startswith(field)


# --- the checks --------------------------------------------------------------------------------------------------
def test_the_small_template_is_good():
    assert findings(plain()) == []


@pytest.mark.parametrize("word", FORBIDDEN)
def test_words_of_the_state_are_found_where_they_are_written(word):
    found = codes(plain(TYP.replace("学时证书", f"{word}学时证书")))
    assert found == {("E_TEMPLATE_WORD", "template.typ:8")}
    assert codes(plain(toml=TOML.replace("素页", word))) == {("E_TEMPLATE_WORD", "template.toml, title")}


@pytest.mark.parametrize(
    "drawn",
    [
        '#place(dx: 30mm, dy: 210mm)[#("国" + "家")]',
        '#place(dx: 30mm, dy: 210mm, text(font: "Noto Sans SC", size: 30pt)[#("岗位" + "合格")])',
        '#place(dx: 30mm, dy: 210mm, ("职业", "资格").join().clusters().map(c => box(width: 9mm, c)).join())',
        '#place(dx: 30mm, dy: 210mm, rotate(20deg, ("中", "国").join()))',
    ],
)
def test_words_that_code_puts_together_are_found_on_the_page(drawn):
    assert codes(plain(TYP + drawn)) == {("E_TEMPLATE_WORD", "the drawn page (zh)")}


def test_words_in_a_comment_or_in_the_data_are_nobodys_fault():
    assert findings(plain(TYP.replace("every field", "全国 in a comment"))) == []
    title = replace(samples()["ordinary"], programme="习近平新时代中国特色社会主义思想学习")
    assert title.programme not in plain().files["template.typ"].decode()


def test_words_on_the_underlay_and_in_drawings_are_found():
    under = '#set page(width: 210mm, height: 297mm)\n#set text(font: "Noto Serif SC")\n#("全" + "国")'
    assert codes(plain(underlay__typ=under)) == {("E_TEMPLATE_WORD", "the drawn page (zh)")}
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><text>中国</text></svg>'
    assert codes(plain(emblem__svg=drawing)) == {("E_TEMPLATE_WORD", "emblem.svg:1")}


@pytest.mark.parametrize(
    "field", ["holder", "id_masked", "programme", "hours", "until", "organiser", "issued", "number"]
)
def test_a_field_that_is_not_drawn_is_named(field):
    assert codes(plain(TYP.replace(f"data.{field},", "[某],"))) == {("E_TEMPLATE_FIELD", field)}


def test_a_field_that_is_cut_by_code_is_named():
    cut = "data.programme.clusters().slice(0, calc.min(40, data.programme.clusters().len())).join(),"
    assert codes(plain(TYP.replace("data.programme,", cut))) == {("E_TEMPLATE_FIELD", "programme")}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("data.holder,", "box(width: 300mm, text(size: 30pt, data.holder)),", "runs off the page"),
        ("data.holder,", "block(width: 60mm, height: 5mm, clip: true, data.holder),", "cut off"),
        ("data.holder,", "block(width: 40mm, height: 3mm, data.holder),", "lie on each other"),
        ("180mm, size", "30mm, size", "does not fit its place"),
        ("dy: 230mm, code", "dy: 25mm, code", "on the code"),
    ],
)
def test_text_that_does_not_fit_is_told_with_the_field(old, new, why):
    found = [one for one in findings(plain(TYP.replace(old, new))) if one.code == "E_TEMPLATE_OVERFLOW"]
    assert why in found[0].message
    assert "holder" in {one.field for one in found} or why in ("does not fit its place", "on the code")


@pytest.mark.parametrize(
    ("addition", "code"),
    [
        ('#import "@preview/cetz:0.3.1"', "E_TEMPLATE_REACH"),
        ('#let where = "@preview" + "/cetz:0.3.1"\n#import where', "E_TEMPLATE_REACH"),
        ('#eval("1")', "E_TEMPLATE_REACH"),
        ('#plugin("x.wasm")', "E_TEMPLATE_REACH"),
        ('#pdf.attach("credential2.jwt", bytes("x"))', "E_TEMPLATE_REACH"),
        ('#read("/etc/passwd")', "E_TEMPLATE_REACH"),
        ('#read("../../../../etc/passwd")', "E_TEMPLATE_REACH"),
        ("#nothing-of-that-name", "E_TEMPLATE_DRAWING"),
        ("#place(dx: 20mm, dy: 215mm)[ئ]", "E_TEMPLATE_GLYPH"),
        ("#pagebreak()\n第二页", "E_TEMPLATE_PAGES"),
    ],
)
def test_what_reaches_out_or_can_not_be_drawn_has_its_code(addition, code):
    found = findings(plain(TYP + addition))
    assert {one.code for one in found} == {code}
    assert all(one.fix and "xueshi-template-" not in one.message for one in found)


def test_a_page_without_a_code_of_20_mm_is_refused():
    assert ("E_TEMPLATE_CODE", "qr") in codes(plain(TYP.replace("code(30mm)", "code(15mm)")))


def test_an_unknown_font_is_named():
    toml = TOML.replace('page = "A4"', 'page = "A4"\nfonts = ["SimSun"]')
    assert codes(plain(toml=toml)) == {("E_TEMPLATE_FONT", "fonts")}


# --- the trial's own process -------------------------------------------------------------------------------------
def test_a_trial_draws_every_sample_and_is_made_once():
    trial = tried(plain())
    assert trial.good
    assert set(trial.pictures["zh"]) == set(samples()) == {"ordinary", "longest", "shortest", "rare"}
    assert all(png.startswith(b"\x89PNG") for png in trial.pictures["zh"].values())
    assert tried(plain()) is trial


def test_a_template_that_takes_too_long_is_stopped():
    slow = TYP + "\n#{ for i in range(100000) { for j in range(100000) { let x = i * j } } }"
    with pytest.raises(TemplateTrialFailed, match="too much time"):
        run(plain(slow).packed(), seconds=3)


# --- what is shipped ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_the_shipped_templates_pass_every_check(name):
    assert findings(shipped(name)) == []


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_whoever_changes_a_shipped_template_raises_its_version(name):
    assert (shipped(name).manifest.version, shipped(name).digest[:12]) == RECORDED[name]


@pytest.mark.parametrize("name", SHIPPED_NAMES)
@pytest.mark.parametrize("language", ["zh", "zh-en"])
@pytest.mark.parametrize("sample", ["ordinary", "longest", "shortest", "rare"])
def test_all_samples_are_drawn_signed_and_small(name, language, sample, keys):
    facts = samples()[sample]
    pdf = render_pdf(facts, credential_for(facts, keys), keys, template=shipped(name), language=language)
    assert verify_pdf(pdf, keys.trusted).valid
    assert len(pdf) <= (60_000 if sample in ("ordinary", "shortest") and language == "zh" else 120_000)


WORDS = ("研修", "ABCDEFG ", "2024年", "（一）", "“人工智能”", "、", "Python 3.", "公需", "—", "a", "·", "《条例》")
UNMEASURED = "if surely { body(sizes.first()) }"
MEASURED = """if surely { context {
  if measure(width: box-width, body(sizes.first())).height > box-height { panic("too long for its place") }
  body(sizes.first())
}}"""


@pytest.mark.parametrize(("name", "shorter_than"), [("classic", 46), ("modern", 70)])
def test_a_sentence_that_surely_fits_does(name, shorter_than):
    files = shipped(name).files
    library = files["xueshi.typ"].decode()
    assert UNMEASURED in library
    assert f"sentence-shorter({shorter_than})" in files["template.typ"].decode()
    strict = read_zip(zipped({**files, "xueshi.typ": library.replace(UNMEASURED, MEASURED)}))
    random = Random(name)  # noqa: S311 - the same samples each time, no secret

    def text(length: float) -> str:
        said = ""
        while ems(said) < length:
            said += random.choice(WORDS)
        return said.strip()

    for _ in range(25):
        first = random.randint(8, shorter_than - 10)
        second = random.randint(2, shorter_than - first - 6)
        facts = replace(
            samples()["ordinary"], programme=text(first - 3), organiser=text(second - 2), hours=100_050,
            implementer=text(shorter_than - first - second - 4), learned_from=date(2024, 10, 10),
            learned_on=date(2024, 12, 12),
        )  # fmt: skip
        Drawing(strict).page(facts, "credential")


def test_the_samples_are_what_they_say():
    assert (len(LONGEST["holder"]), len(LONGEST["programme"])) == (50, 200)
    assert longest("holder").programme == samples()["ordinary"].programme
    assert len(shortest().programme) == 2
    require_glyphs({"name": rare().holder})


def test_the_folder_of_shipped_templates_holds_nothing_else():
    assert {path.name for path in SHIPPED.iterdir()} == {*SHIPPED_NAMES, "shared", "page.typ"}


def test_a_zip_with_encrypted_or_broken_parts_is_refused(tmp_path):
    data = bytearray(zipped({"template.toml": TOML}))
    data[6] |= 1  # says that it is encrypted
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(TemplateFileRefused):
        read_zip(bytes(data))
    assert zipfile.is_zipfile(tmp_path) is False
