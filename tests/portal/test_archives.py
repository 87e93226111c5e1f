"""Certificates of a programme as one file: for whoever organises it and for the bureau, and for nobody else."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from urllib.parse import urlencode

import pytest

from agent.certificates import archive, archive_work
from agent.certificates.archive import Failed
from agent.certificates.errors import SigningKeyMissing, TextTooLong
from agent.certificates.models import Archive, Certificate, CertificatePdf
from agent.intake.models import Completion
from tests.house.houses import one
from tests.portal.test_browser import site

__all__ = ["site"]


def fetched(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    file = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert file.testzip() is None
    return file


def test_the_officer_fetches_the_own_programmes(town, text):
    client, page = town.client("officer"), f"/archives/programme-{town.programmes['P2'].pk}/"
    address = f"{page[:-1]}.zip"
    assert f'href="{page}"' in text(client.get("/"))
    assert "还有1张证书没有制作" in text(client.get(page))
    answer = client.get(address)  # so few are made while one waits
    assert f'href="{address}"' in text(client.get(page))
    assert "attachment" in answer["Content-Disposition"]
    assert len(fetched(answer).namelist()) == 2
    assert CertificatePdf.objects.count() == 1
    fetched(town.client("officer").get(address))
    assert CertificatePdf.objects.count() == 1  # made once


@pytest.mark.parametrize(("who", "key"), [(who, "P1") for who in ("officer", "operator", "xiaoming", "stranger")])
def test_somebody_elses_programme_is_as_if_it_did_not_exist(town, who, key):
    client = town.client(who)
    for ending in (".zip", "/"):
        for ask in (client.get, client.post) if ending == "/" else (client.get,):
            theirs = ask(f"/archives/programme-{town.programmes[key].pk}{ending}")
            nobodys = ask(f"/archives/programme-999999{ending}")
            assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
            assert theirs.status_code == 404
    assert not Archive.objects.exists()


def test_the_bureau_fetches_all_and_employers(town, text):
    client = town.client("reviewer")
    assert len(fetched(client.get(f"/archives/programme-{town.programmes['P1'].pk}.zip")).namelist()) == 3
    Completion.objects.filter(name="王五").update(employer="枣庄市示例医院")
    assert len(fetched(client.get("/archives/employer.zip", {"name": "枣庄市示例医院"})).namelist()) == 2
    page = text(client.get("/archives/employer/", {"name": "枣庄市示例医院"}))
    assert "1张证书可以下载" in page
    assert f"/archives/employer.zip?{urlencode({'name': '枣庄市示例医院'})}" in page
    assert client.get("/archives/employer.zip", {"name": "别的单位"}).status_code == 404
    assert town.client("officer").get("/archives/employer.zip", {"name": "枣庄市示例医院"}).status_code == 404


def test_without_a_key_the_page_says_so_and_no_broken_file_comes(town, monkeypatch):
    def no_key():
        raise SigningKeyMissing(path="keys")

    monkeypatch.setattr("agent.portal.views.archives.signing_keys", no_key)
    answer = town.client("officer").get(f"/archives/programme-{town.programmes['P2'].pk}.zip")
    assert answer.status_code == 503
    assert "E_SIGNING_KEY_MISSING" in answer.content.decode()


@pytest.fixture
def many(town, monkeypatch):
    """More is missing than is made while somebody waits."""
    monkeypatch.setattr("agent.portal.views.archives._AT_ONCE", 0)
    return town


def test_of_many_a_worker_makes_them_and_the_page_shows_how_far_it_is(many, text):
    client, page = many.client("reviewer"), f"/archives/programme-{many.programmes['P1'].pk}/"
    assert client.get(f"{page[:-1]}.zip")["Location"] == page
    assert client.post(page)["Location"] == page
    assert "已经排队" in text(client.get(page))
    asked = Archive.objects.get()
    assert one("SELECT args->>'archive' FROM procrastinate_jobs WHERE task_name = 'archive'") == str(asked.pk)

    class Killed(BaseException):
        pass

    def stop() -> None:
        raise Killed

    with pytest.raises(Killed):
        archive_work.work(asked, stop)
    shown = text(client.get(page))
    assert "正在制作：1张，共2张" in shown
    assert 'value="50"' in shown
    assert 'http-equiv="refresh"' in shown
    assert 'http-equiv="refresh"' not in text(client.get(page, {"still": ""}))
    archive_work.work(asked)
    assert "2张证书可以下载" in text(client.get(page))
    assert len(fetched(client.get(f"{page[:-1]}.zip")).namelist()) == 3


def test_what_cant_be_made_is_named_and_the_rest_can_be_fetched(many, text, monkeypatch):
    client, page = many.client("reviewer"), f"/archives/programme-{many.programmes['P1'].pk}/"
    bad = Certificate.objects.filter(programme__key="P1").first()
    real = archive.pdf_of

    def one_fails(certificate):
        if certificate.pk == bad.pk:
            raise TextTooLong(number=bad.number)
        return real(certificate)

    monkeypatch.setattr(archive, "pdf_of", one_fails)
    archive_work.work(archive_work.ask(many.programmes["P1"], by="reviewer"))
    assert [type(one) for one in archive_work.failed_of(Archive.objects.get())] == [Failed]
    shown = text(client.get(page))
    assert "1张证书可以下载" in shown
    assert "E_TEXT_TOO_LONG" in shown
    file = fetched(client.get(f"{page[:-1]}.zip"))
    assert len(file.namelist()) == 2
    assert "E_TEXT_TOO_LONG" in file.read(archive.MANIFEST).decode()
    real(bad)  # somebody else had it made meanwhile
    assert "E_TEXT_TOO_LONG" not in text(client.get(page))
    assert len(fetched(client.get(f"{page[:-1]}.zip")).namelist()) == 3


def test_a_key_that_is_missing_stops_the_work_and_the_page_says_so(many, text):
    asked = archive_work.ask(many.programmes["P1"], by="reviewer")
    Archive.objects.update(error_code="E_SIGNING_KEY_MISSING", error="no key")
    shown = text(many.client("reviewer").get(f"/archives/programme-{asked.programme_id}/"))
    assert "为什么停下" in shown
    assert "制作缺少的2张" in shown


@pytest.mark.needs("curl", "unzip")
def test_a_download_that_broke_off_goes_on(town, site, tmp_path):
    """Over a real socket, by a program of others."""
    archive.make(archive.of_programme(town.programmes["P1"]))
    cookie = town.client("reviewer").cookies["sessionid"].value
    address, file = f"{site}/archives/programme-{town.programmes['P1'].pk}.zip", tmp_path / "P1.zip"
    curl = [shutil.which("curl"), "-sS", "--noproxy", "*", "-b", f"sessionid={cookie}", "-o", file, address]
    subprocess.run(curl, check=True)
    whole = file.read_bytes()
    assert subprocess.run(["unzip", "-tq", file], capture_output=True, check=False).returncode == 0
    for kept in (1, len(whole) // 3, len(whole) - 1):
        file.write_bytes(whole[:kept])
        done = subprocess.run(
            [*curl, "-C", "-", "-w", "%{http_code} %{size_download}"], check=True, capture_output=True
        )
        assert done.stdout.decode() == f"206 {len(whole) - kept}"
        assert file.read_bytes() == whole


def test_a_certificate_less_is_another_file(town):
    client, address = town.client("reviewer"), f"/archives/programme-{town.programmes['P1'].pk}.zip"
    first = client.get(address)
    again = client.get(address, headers={"range": "bytes=100-", "if-range": first["ETag"]})
    assert again.status_code == 206
    Certificate.objects.filter(programme__key="P1", holder="王五").update(state="revoked")
    changed = client.get(address, headers={"range": "bytes=100-", "if-range": first["ETag"]})
    assert changed.status_code == 200
    assert len(fetched(changed).namelist()) == 2
