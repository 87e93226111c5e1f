"""What a learner hands on: copies for a purpose, transcripts, ZIPs; limits, foreign numbers, and what is over."""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agent.audit.models import AuditEvent
from agent.certificates.models import Certificate
from agent.localtime import now
from agent.papers import making
from agent.papers.errors import DaysInvalid, NotInForce, PurposeMissing, TooManyAlive
from agent.papers.models import Paper

FOR = {"purpose": "示例公司2024年职称评审", "days": "30"}


@pytest.fixture
def mine(certificate):
    return certificate


def made(certificate: Certificate, **more) -> Paper:
    return making.copy(certificate, **{"purpose": "示例公司评审", "days": 30, "by": "test", **more})


def test_a_certificate_has_a_page_with_its_picture_and_a_code_to_share(town, text, mine):
    client = town.client("xiaoming")
    assert f"/certificates/{mine.number}/" in text(client.get("/certificates/"))
    page = text(client.get(f"/certificates/{mine.number}/"))
    assert "验证页的二维码" in page
    assert "<svg" in page
    picture = client.get(f"/certificates/{mine.number}.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert picture["Cache-Control"] == "no-store"


@pytest.mark.needs("pdfsig", "pdftotext")
def test_a_copy_bears_its_purpose_and_verifies_as_such(town, text, mine, tmp_path):
    client = town.client("xiaoming")
    assert client.post(f"/certificates/{mine.number}/", FOR).status_code == 302
    paper = Paper.objects.get()
    assert timedelta(29) < paper.expires_at - now() <= timedelta(30)
    answer = client.get(f"/papers/{paper.pk}.pdf")
    file = tmp_path / "copy.pdf"
    file.write_bytes(answer.content)
    said = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    shown = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
    assert "仅供" in shown
    assert "示例公司2024年职称评审" in shown
    assert b"credential.jwt" not in answer.content  # what never expires is not in it
    stranger = Client()
    page = text(stranger.get(making.address(paper.token).partition(":8000")[2]))
    assert "证书副本有效" in page
    assert FOR["purpose"] in page
    assert "李" in page
    assert "小明" not in page
    upload = SimpleUploadedFile("x.pdf", answer.content, "application/pdf")
    assert "证书副本有效" in text(stranger.post("/verify/file/", {"pdf": upload}))
    changed = SimpleUploadedFile("x.pdf", answer.content.replace(b"/Type", b"/Tipe", 1), "application/pdf")
    assert "证书副本有效" not in text(stranger.post("/verify/file/", {"pdf": changed}))


def test_an_expired_or_taken_back_copy_shows_nothing(town, text, mine):
    old, back = made(mine), made(mine)
    Paper.objects.filter(pk=old.pk).update(expires_at=now() - timedelta(minutes=1))
    client = town.client("xiaoming")
    assert client.post(f"/papers/{back.pk}/end/").status_code == 302
    for paper, word in ((old, "已经过期"), (back, "已被本人收回")):
        answer = Client().get(f"/verify/p/{paper.token}/")
        assert (answer.status_code, word in text(answer)) == (410, True)
        assert "李" not in text(answer)
        assert client.get(f"/papers/{paper.pk}.pdf").status_code == 410
        upload = SimpleUploadedFile("x.pdf", bytes(paper.pdf), "application/pdf")
        assert Client().post("/verify/file/", {"pdf": upload}).status_code == 410


def test_a_copy_says_when_its_certificate_is_no_longer_in_force(town, text, mine):
    paper = made(mine)
    Certificate.objects.filter(pk=mine.pk).update(state="revoked")
    page = text(Client().get(f"/verify/p/{paper.token}/"))
    assert "原证书不再有效" in page
    assert "已撤销" in page
    mine.refresh_from_db()
    with pytest.raises(NotInForce):
        made(mine)
    assert town.client("xiaoming").get(f"/certificates/{mine.number}.png").status_code == 410


def test_at_most_three_are_alive(town, text, mine):
    papers = [made(mine) for _ in range(3)]
    with pytest.raises(TooManyAlive):
        made(mine)
    answer = town.client("xiaoming").post(f"/certificates/{mine.number}/", FOR)
    assert (answer.status_code, "已经有3份在有效期内" in text(answer)) == (409, True)
    making.end(papers[0], by="test")
    assert made(mine).pk
    other = Certificate.objects.filter(learner=mine.learner).exclude(pk=mine.pk).first()
    assert made(other).pk  # each certificate has its own three


@pytest.mark.parametrize(
    ("more", "error"),
    [({"purpose": " x "}, PurposeMissing), ({"purpose": "长" * 61}, PurposeMissing), ({"days": 0}, DaysInvalid),
     ({"days": 91}, DaysInvalid)],
)  # fmt: skip
def test_purpose_and_days_are_looked_at(mine, more, error):
    with pytest.raises(error):
        made(mine, **more)
    assert not Paper.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"days": "91"}, {"days": "soon"}, {"days": "9999"}, {"purpose": ""}, {"purpose": "\ue000\ue001"}]
)
def test_a_wrong_form_is_refused_with_a_sentence(town, text, mine, wrong):
    answer = town.client("xiaoming").post(f"/certificates/{mine.number}/", FOR | wrong)
    assert (answer.status_code, 'role="alert"' in text(answer)) == (409, True)


def test_papers_are_not_made_without_end(town, mine, monkeypatch):
    from agent.portal.views import papers

    monkeypatch.setattr(papers, "_MADE", 2)
    client = town.client("xiaoming")
    said = [client.post(f"/certificates/{mine.number}/", FOR | {"days": "0"}).status_code for _ in range(3)]
    assert said == [409, 409, 429]


def test_somebody_elses_are_not_there(town, mine):
    paper, client = made(mine), town.client("wangwu")
    for address in (
        f"/certificates/{mine.number}/", f"/certificates/{mine.number}.png", f"/papers/{paper.pk}.pdf",
        f"/certificates/{mine.number}/declaration.zip", "/certificates/99/",
    ):  # fmt: skip
        assert client.get(address).status_code == 404, address
    assert client.post(f"/certificates/{mine.number}/", FOR).status_code == 404
    assert client.post(f"/papers/{paper.pk}/end/").status_code == 404
    assert Paper.objects.get().ended_at is None


def test_wrong_addresses_are_braked_like_those_of_certificates(town, monkeypatch):
    from agent.portal.views import verify

    monkeypatch.setattr(verify, "_MISSES", 2)
    assert [Client().get(f"/verify/p/X{n}/").status_code for n in range(3)] == [404, 404, 429]


@pytest.mark.needs("pdfsig", "pdftotext")
def test_a_transcript_says_the_year_as_the_ledger_has_it(town, text, mine, tmp_path):
    client = town.client("xiaoming")
    assert client.post("/papers/", FOR | {"year": "2024"}).status_code == 302
    paper = Paper.objects.get()
    assert (paper.said["total"], paper.said["required"]) == (7800, 9000)
    file = tmp_path / "transcript.pdf"
    file.write_bytes(client.get(f"/papers/{paper.pk}.pdf").content)
    assert "Signature is Valid" in subprocess.run(["pdfsig", file], capture_output=True, text=True, check=False).stdout
    shown = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    for word in ("2024", "还差", "建筑施工新技术", "370***********0018", "示例公司2024年职称评审"):
        assert word in shown
    assert "370402199001010018" not in shown
    page = text(Client().get(f"/verify/p/{paper.token}/"))
    assert "78，共需90" in page
    assert client.post("/papers/", FOR | {"year": "1999"}).status_code == 404
    assert {"paper.made"} <= set(AuditEvent.objects.values_list("action", flat=True))


@pytest.mark.needs("pdfsig")
def test_a_long_year_takes_more_pages_and_is_signed_whole(town, mine, tmp_path):
    from dataclasses import replace

    from agent.credit.year import year_of
    from agent.flow import policies

    year = year_of(mine.learner, policies()[2024])
    long = replace(year, entries=year.entries * 30)
    paper = making.transcript(mine.learner, long, "还差12学时", {}, purpose="评审用", days=1, by="test")
    file = tmp_path / "long.pdf"
    file.write_bytes(bytes(paper.pdf))
    said = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_all_certificates_as_one_file(town, mine):
    answer = town.client("xiaoming").get("/certificates.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        rows = list(csv.reader(io.StringIO(archive.read("证书清单.csv").decode("utf-8-sig"))))
        assert archive.testzip() is None
        assert all(archive.read(name).startswith(b"%PDF-") for name in names if name.endswith("pdf"))
    own = Certificate.objects.filter(learner=mine.learner).count()
    assert [sum(name.endswith(end) for name in names) for end in ("pdf", "jwt")] == [own, own]
    assert len(rows) == own + 1
    assert town.client("newcomer").get("/certificates.zip").status_code == 404


def test_proof_for_the_provinces_declaration(town, mine):
    answer = town.client("xiaoming").get(f"/certificates/{mine.number}/declaration.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        first, second, third = archive.namelist()
        assert archive.read(first).startswith(b"%PDF-")
        assert archive.read(second).startswith(b"%PDF-")
        rows = dict(csv.reader(io.StringIO(archive.read(third).decode("utf-8-sig"))))
    assert (rows["备案编号"], rows["申报学时"], rows["申报年度"]) == ("枣人社备〔2024〕002号", "40", "2024")
    assert "370402199001010018" not in "".join(rows.values())
