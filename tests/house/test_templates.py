"""Bodies publish templates, programmes choose, and nobody's certificate changes because somebody edited one."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, transaction

from agent.certificates import pdfs, stage, template_register
from agent.certificates.errors import TextTooLong
from agent.certificates.models import (
    Certificate,
    CertificatePdf,
    CertificateTemplate,
    TemplateDraft,
    TemplateVersion,
)
from agent.certificates.pdfs import pdf_of
from agent.certificates.template_errors import (
    TemplateChoiceRefused,
    TemplateRefused,
    TemplateUnknown,
    TemplateVersionTaken,
)
from agent.certificates.template_folder import shipped
from agent.certificates.template_register import choose, content_of, publish, publish_shipped, template_of
from agent.localtime import now
from agent.organisations.models import Organisation
from agent.programmes.models import Programme
from tests.certificates.template_files import TOML, TYP, plain
from tests.house.houses import Base, sql

SECOND = TOML.replace("version = 1", "version = 2")


@pytest.fixture
def issued(base: Base) -> Base:
    """Two certificates of two programmes of one organiser."""
    base.learner("u1", "欧阳𠮷")
    base.done("u1")
    base.learner("u2", "王小明")
    base.done("u2")
    base.sync()
    return base


@pytest.fixture
def organiser(issued: Base) -> Organisation:
    return Certificate.objects.first().programme.organiser  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def hours(monkeypatch) -> Hours:
    """A clock for publishing, choosing and issuing that goes on by an hour at each look."""
    clock = Hours()
    for module in (template_register, stage):
        monkeypatch.setattr(module, "now", clock)
    return clock


class Hours:
    def __init__(self) -> None:
        self.moment = now() - timedelta(days=2)  # a credential of tomorrow is not valid yet

    def __call__(self) -> datetime:
        self.moment += timedelta(hours=1)
        return self.moment


def issue_another(base: Base, user: str) -> Certificate:
    base.learner(user)
    base.done(user)
    base.sync()
    return Certificate.objects.order_by("-pk")[:1].get()


def test_what_is_shipped_is_on_record_and_is_what_is_drawn_without_a_choice(issued):
    chosen = template_of(Certificate.objects.first())
    assert (str(chosen.version), chosen.language) == ("classic v1", "zh")
    assert content_of(chosen.version).digest == chosen.version.sha256 == shipped("classic").digest
    stored = pdf_of(Certificate.objects.first())
    assert (stored.template, stored.language) == (chosen.version, "zh")


def test_putting_what_is_shipped_on_record_again_changes_nothing(house):
    before = sql("SELECT id, xmin::text FROM certificates_templateversion")
    publish_shipped()
    assert sql("SELECT id, xmin::text FROM certificates_templateversion") == before
    assert len(before) == 2


def test_a_version_is_published_once_and_never_changes(organiser):
    first = publish(plain(), organiser, by="test")
    assert publish(plain(), organiser, by="another") == first
    with pytest.raises(TemplateVersionTaken) as error:
        publish(plain(TYP + "// changed\n"), organiser, by="test")
    assert error.value.params["next"] == 2
    second = publish(plain(TYP + "// changed\n", SECOND), organiser, by="test")
    assert (second.version, second.template) == (2, first.template)
    for statement in (
        "UPDATE certificates_templateversion SET version = 9",
        "DELETE FROM certificates_templateversion",
        "UPDATE certificates_certificatetemplate SET name = 'x'",
        "DELETE FROM certificates_templatechoice",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(statement)


def test_what_the_checks_find_is_not_published(organiser):
    with pytest.raises(TemplateRefused, match="E_TEMPLATE_WORD") as error:
        publish(plain(TYP.replace("学时证书", "全国学时证书")), organiser, by="test")
    assert error.value.params["count"] == 1
    assert not CertificateTemplate.objects.filter(owner=organiser).exists()


def test_a_choice_counts_for_what_is_issued_after_it(issued, organiser):
    earlier = Certificate.objects.first()
    publish(plain(), organiser, by="test")
    choose("plain", programme=earlier.programme, by="test")
    later = issue_another(issued, "u3")
    assert later.programme == earlier.programme
    assert str(template_of(earlier).version) == "classic v1"
    assert template_of(later).version.template.name == "plain"
    assert pdf_of(later).template.sha256 == plain().digest


def test_the_programmes_choice_comes_before_its_organisers(issued, organiser):
    programme = Certificate.objects.first().programme
    choose("modern", organisation=organiser, language="zh-en", by="test")
    third = issue_another(issued, "u3")
    assert (str(template_of(third).version), template_of(third).language) == ("modern v1", "zh-en")
    choose("classic", programme=programme, by="test")
    fourth = issue_another(issued, "u4")
    assert str(template_of(fourth).version) == "classic v1"
    assert str(template_of(third).version) == "modern v1"


def test_an_edited_template_changes_no_certificate_that_was_issued_drawn_or_not(issued, organiser):
    publish(plain(), organiser, by="test")
    choose("plain", organisation=organiser, by="test")
    drawn, undrawn = issue_another(issued, "u3"), issue_another(issued, "u4")
    page = bytes(pdf_of(drawn).pdf)
    publish(plain(TYP.replace("[学时证书]", "[学时证书 第二版]"), SECOND), organiser, by="test")
    assert bytes(pdf_of(drawn).pdf) == page
    assert pdf_of(undrawn).template.version == 1
    assert pdf_of(issue_another(issued, "u5")).template.version == 2


def test_a_body_chooses_among_its_own_and_the_shipped_ones(organiser):
    other = Organisation.objects.exclude(pk=organiser.pk).first()
    publish(plain(), other, by="test")
    with pytest.raises(TemplateUnknown):
        choose("plain", organisation=organiser, by="test")
    with pytest.raises(TemplateChoiceRefused, match="zh-en"):
        choose("plain", organisation=other, language="zh-en", by="test")
    own = publish(plain(toml=TOML.replace('"plain"', '"classic"')), organiser, by="test")
    assert choose("classic", organisation=organiser, by="test").template == own.template  # its own comes first


def test_a_certificate_that_its_template_can_not_draw_gets_another(issued, organiser):
    publish(plain(), organiser, by="test")
    choose("plain", organisation=organiser, by="test")
    certificate = issue_another(issued, "u3")
    # a title longer than any that a template is tried with, in a place that does not grow
    sql("ALTER TABLE programmes_programmeversion DISABLE TRIGGER append_only")
    sql("ALTER TABLE programmes_programmeversion ALTER title TYPE text")
    sql("UPDATE programmes_programmeversion SET title = repeat('长', 3000)")
    with pytest.raises(TextTooLong):
        pdf_of(Certificate.objects.get(pk=certificate.pk))
    assert not CertificatePdf.objects.exists()
    sql("UPDATE programmes_programmeversion SET title = repeat('长', 300)")
    choose("modern", certificate=certificate, by="test")
    assert str(pdf_of(Certificate.objects.get(pk=certificate.pk)).template) == "modern v1"


def test_one_certificate_is_not_chosen_for_once_it_has_its_page(issued):
    certificate = Certificate.objects.first()
    choose("modern", certificate=certificate, by="test")
    assert str(pdf_of(certificate).template) == "modern v1"
    with pytest.raises(TemplateChoiceRefused, match="page already"):
        choose("classic", certificate=Certificate.objects.get(pk=certificate.pk), by="test")


def test_a_certificate_older_than_all_templates_is_drawn_with_the_first(issued):
    sql("ALTER TABLE certificates_certificate DISABLE TRIGGER certificate_fixed")
    Certificate.objects.update(issued_at=Certificate.objects.first().issued_at - timedelta(days=900))
    assert str(template_of(Certificate.objects.first()).version) == "classic v1"


def test_a_release_without_migrations_brings_its_templates_too(issued, monkeypatch):
    calls = []
    monkeypatch.setattr(pdfs, "publish_shipped", lambda: calls.append(1))
    pdfs._shipped_on_record.cache_clear()
    for certificate in Certificate.objects.all():
        pdf_of(certificate)
    assert calls == [1]
    pdfs._shipped_on_record.cache_clear()


# --- the commands ------------------------------------------------------------------------------------------------
def test_from_a_new_folder_to_the_page_by_commands(issued, organiser, xueshi, tmp_path):
    folder = tmp_path / "ours"
    assert xueshi("template", "new", folder, "--like", "modern").exit == 0
    assert xueshi("template", "new", folder).exit == 2
    toml = folder / "template.toml"
    toml.write_text(toml.read_text("utf-8").replace('id = "modern"', 'id = "ours"'), "utf-8")
    checked = xueshi("template", "check", folder, "--json")
    assert (checked.exit, checked.json["findings"]) == (0, [])
    said = xueshi("template", "publish", folder, "--organisation", organiser.uscc, "--json")
    assert (said.exit, said.json["name"], said.json["version"]) == (0, "ours", 1)
    programme = Programme.objects.get(pk=Certificate.objects.first().programme_id)
    chosen = xueshi(
        "template", "choose", "ours", "--programme", programme.filing_number, "--language", "zh-en", "--json"
    )
    assert chosen.exit == 0
    number = issue_another(issued, "u9").number
    written = xueshi("certificate", "pdf", number, "-o", tmp_path / "a.pdf", "--json")
    assert written.json["sha256"] == hashlib.sha256((tmp_path / "a.pdf").read_bytes()).hexdigest()
    assert str(CertificatePdf.objects.get().template) == f"{organiser.uscc}/ours v1"
    listed = xueshi("template", "list", "--json").json
    assert {(row["name"], row["version"]) for row in listed["templates"]} == {
        ("classic", 1),
        ("modern", 1),
        ("ours", 1),
    }
    assert [row["template"] for row in listed["choices"]] == ["ours"]


def test_the_check_says_what_is_wrong_and_where_without_a_database(xueshi, tmp_path):
    plain(TYP.replace("学时证书", "中国学时证书")).write_to(tmp_path)
    said = xueshi("template", "check", tmp_path, "--json")
    assert (said.exit, [one["code"] for one in said.json["findings"]]) == (1, ["E_TEMPLATE_WORD"])
    assert "template.typ:8" in xueshi("template", "check", tmp_path).out
    assert xueshi("template", "check", tmp_path / "none", "--json").json["error"]["code"] == "E_FILE"


def test_pictures_of_its_own_are_published_only_when_somebody_looked(organiser, xueshi, tmp_path):
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
    plain(logo__svg=drawing).write_to(tmp_path)
    said = xueshi("template", "publish", tmp_path, "--organisation", organiser.uscc, "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_TEMPLATE_FILE")
    assert xueshi("template", "publish", tmp_path, "--organisation", organiser.uscc, "--no-emblem").exit == 0


def test_the_preview_draws_each_sample_into_a_folder(xueshi, tmp_path):
    (tmp_path / "t").mkdir()
    plain().write_to(tmp_path / "t")
    said = xueshi("template", "preview", tmp_path / "t", "-o", tmp_path / "out", "--json")
    assert said.exit == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        f"plain-zh-{name}.png" for name in ("longest", "ordinary", "rare", "shortest")
    ]


def test_a_preview_that_can_not_be_drawn_says_why(xueshi, tmp_path):
    plain(template__typ='#import "elsewhere.typ": *').write_to(tmp_path)
    said = xueshi("template", "preview", tmp_path, "-o", tmp_path / "out")
    assert said.exit == 1
    assert "E_TEMPLATE_REACH" in said.out


def test_choosing_is_for_exactly_one(issued, xueshi):
    said = xueshi("template", "choose", "modern", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_USAGE")
    said = xueshi("template", "choose", "none", "--programme", Programme.objects.first().filing_number, "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_TEMPLATE_UNKNOWN")
    assert TemplateVersion.objects.count() == 2


def test_while_one_edits_the_console_is_shown_each_state_of_the_folder(organiser, xueshi, tmp_path, monkeypatch):
    folder, drafts = tmp_path / "t", []
    folder.mkdir()
    plain().write_to(folder)
    states = iter([TYP + "// second\n", None])

    def saved_meanwhile(_: float) -> None:
        drafts.append(TemplateDraft.objects.get().sha256)
        text = next(states)
        if text is None:
            raise KeyboardInterrupt
        (folder / "template.typ").write_text(text, "utf-8")

    monkeypatch.setattr("agent.cli.template.time", SimpleNamespace(sleep=saved_meanwhile))
    said = xueshi("template", "preview", folder, "--organisation", organiser.uscc, "--watch")
    assert said.exit == 130
    assert drafts == [plain().digest, plain(TYP + "// second\n").digest]
    assert said.out.count("/templates/drafts/") == 2


def test_the_preview_is_for_a_folder_or_for_the_console(xueshi, tmp_path):
    plain().write_to(tmp_path)
    assert xueshi("template", "preview", tmp_path).exit == 2
