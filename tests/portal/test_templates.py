"""Certificate templates in the console: one's own body's, looked at before they are published."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agent.certificates.models import TemplateChoice, TemplateDraft, TemplateVersion
from agent.certificates.template_register import publish
from agent.portal.template_words import FAULTS, FIELDS
from tests.certificates.template_files import TOML, TYP, plain


@pytest.fixture
def officer(town):
    return town.client("officer")


def uploaded(client, town, template, body: str = "industry"):
    data = template if isinstance(template, bytes) else template.packed()
    file = SimpleUploadedFile("模板.zip", data, "application/zip")
    return client.post("/templates/upload/", {"owner": town.bodies[body].pk, "file": file})


def test_the_list_shows_what_is_shipped_and_ones_own_and_nobody_elses(town, officer, text):
    publish(plain(), town.bodies["industry"], by="test")
    publish(plain(toml=TOML.replace("素页", "别家的")), town.bodies["health"], by="test")
    page = text(officer.get("/templates/"))
    assert "3个证书模板可用" in page
    assert "经典横版" in page
    assert "素页" in page
    assert "别家的" not in page
    assert "人工智能工程师培训" in page


def test_learners_and_strangers_find_nothing_there(town):
    version = TemplateVersion.objects.first().pk
    for who in ("xiaoming", "stranger"):
        for path in ("", f"versions/{version}/", f"versions/{version}.zip", f"versions/{version}/zh-ordinary.png"):
            assert town.client(who).get(f"/templates/{path}").status_code == 404


def test_a_draft_is_tried_and_its_pictures_and_faults_are_shown(town, officer, text):
    answer = uploaded(officer, town, plain(TYP.replace("学时证书", "全国学时证书")))
    page = text(officer.get(answer.url))
    assert "有1处要改" in page
    assert FAULTS["E_TEMPLATE_WORD"][0] in page
    assert "template.typ:8" in page
    assert 'name="sha256"' not in page
    picture = officer.get(f"{answer.url}zh-longest.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert officer.get(f"{answer.url}zh-en-longest.png").status_code == 404
    draft = TemplateDraft.objects.get()
    refused = officer.post(f"{answer.url}publish/", {"sha256": draft.sha256})
    assert (refused.status_code, TemplateVersion.objects.count()) == (409, 2)


def test_a_good_draft_is_published_by_its_button(town, officer, text):
    answer = uploaded(officer, town, plain())
    page = text(officer.get(answer.url))
    assert "检查都通过了，可以发布" in page
    digest = TemplateDraft.objects.get().sha256
    assert digest in page
    done = officer.post(f"{answer.url}publish/", {"sha256": digest}, follow=True)
    version = TemplateVersion.objects.get(template__name="plain")
    assert (version.published_by, version.template.owner) == ("officer", town.bodies["industry"])
    assert done.redirect_chain == [(f"/templates/versions/{version.pk}/", 302)]
    assert "第1版" in text(done)


def test_only_what_was_looked_at_is_published(town, officer, text):
    answer = uploaded(officer, town, plain())
    seen = TemplateDraft.objects.get().sha256
    uploaded(officer, town, plain(TYP + "// another\n"))
    refused = officer.post(f"{answer.url}publish/", {"sha256": seen})
    assert (refused.status_code, TemplateVersion.objects.filter(template__name="plain").exists()) == (409, False)
    assert "再看一遍" in text(refused)


def test_pictures_of_its_own_must_have_been_looked_at(town, officer, text):
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
    answer = uploaded(officer, town, plain(logo__svg=drawing))
    assert "logo.svg" in text(officer.get(answer.url))
    digest = TemplateDraft.objects.get().sha256
    assert officer.post(f"{answer.url}publish/", {"sha256": digest}).status_code == 409
    assert officer.post(f"{answer.url}publish/", {"sha256": digest, "looked": "on"}).status_code == 302


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"PK no zip", "E_TEMPLATE_FILE"), (b"", "E_TEMPLATE_FILE"), (b"0" * 4_000_001, "E_TEMPLATE_FILE")],
)
def test_what_is_no_template_is_refused_with_its_reason(town, officer, text, data, code):
    answer = uploaded(officer, town, data)
    assert answer.status_code == 400
    assert code in text(answer)
    assert FAULTS[code][0] in text(answer)
    assert not TemplateDraft.objects.exists()


def test_nobody_uploads_or_chooses_for_another_body(town, officer):
    assert uploaded(officer, town, plain(), "health").status_code == 404
    refused = officer.post("/templates/choose/", {"owner": town.bodies["health"].pk, "template": "modern/zh"})
    assert refused.status_code == 404
    other = town.programmes["P1"].pk  # of the health department
    assert officer.post("/templates/choose/", {"programme": other, "template": "modern/zh"}).status_code == 404
    assert officer.post("/templates/choose/", {"programme": "x", "template": "modern/zh"}).status_code == 404
    uploaded(town.client("operator"), town, plain(), "base")
    theirs = TemplateDraft.objects.get().pk
    for path in (f"/templates/drafts/{theirs}/", f"/templates/drafts/{theirs}/zh-ordinary.png"):
        assert officer.get(path).status_code == 404
    assert officer.post(f"/templates/drafts/{theirs}/publish/").status_code == 404


def test_choosing_for_the_body_and_for_a_programme(town, officer, text):
    owner, programme = town.bodies["industry"], town.programmes["P2"]
    assert officer.post("/templates/choose/", {"owner": owner.pk, "template": "modern/zh-en"}).status_code == 302
    assert officer.post("/templates/choose/", {"programme": programme.pk, "template": "classic/zh"}).status_code == 302
    chosen = TemplateChoice.objects.order_by("pk").values_list("template__name", "language", "chosen_by")
    assert list(chosen) == [("modern", "zh-en", "officer"), ("classic", "zh", "officer")]
    page = text(officer.get("/templates/"))
    assert '<option value="modern/zh-en" selected>' in page
    assert '<option value="classic/zh" selected>' in page
    refused = officer.post("/templates/choose/", {"owner": owner.pk, "template": "none/zh"})
    assert (refused.status_code, "E_TEMPLATE_UNKNOWN" in text(refused)) == (400, True)


def test_a_versions_folder_is_downloaded_as_a_zip(town, officer):
    version = TemplateVersion.objects.get(template__name="modern")
    answer = officer.get(f"/templates/versions/{version.pk}.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"template.toml", "template.typ", "underlay.typ", "xueshi.typ"} <= set(names)
    assert 'filename="modern_v1.zip"' in answer["Content-Disposition"]


def test_the_live_page_looks_again_by_itself(town, officer, text):
    answer = uploaded(officer, town, plain())
    assert 'http-equiv="refresh"' not in text(officer.get(answer.url))
    assert '<meta http-equiv="refresh" content="3">' in text(officer.get(f"{answer.url}?live=1"))


def test_every_code_and_field_of_the_checks_has_its_chinese_words():
    from agent.certificates import template_check, template_errors
    from agent.certificates.template_folder import OPTIONAL, REQUIRED
    from tests.portal.source_text import codes_in

    assert codes_in(template_check, template_errors) <= {*FAULTS, "E_TEMPLATE_INVALID"}
    assert {*REQUIRED, *OPTIONAL} <= set(FIELDS)
