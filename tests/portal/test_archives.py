"""Certificates of a programme as one file: for whoever organises it and for the bureau, and for nobody else."""

from __future__ import annotations

import io
import zipfile

import pytest

from agent.certificates.errors import SigningKeyMissing
from agent.certificates.models import CertificatePdf
from agent.intake.models import Completion


def fetched(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    file = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert file.testzip() is None
    return file


def test_the_officer_fetches_the_own_programmes(town):
    address = f"/archives/programme-{town.programmes['P2'].pk}.zip"
    assert f'href="{address}"' in town.client("officer").get("/").content.decode()
    answer = town.client("officer").get(address)
    assert "attachment" in answer["Content-Disposition"]
    assert len(fetched(answer).namelist()) == 2
    assert CertificatePdf.objects.count() == 1
    fetched(town.client("officer").get(address))
    assert CertificatePdf.objects.count() == 1  # made once


@pytest.mark.parametrize(("who", "key"), [(who, "P1") for who in ("officer", "operator", "xiaoming", "stranger")])
def test_somebody_elses_programme_is_as_if_it_did_not_exist(town, who, key):
    client = town.client(who)
    theirs = client.get(f"/archives/programme-{town.programmes[key].pk}.zip")
    nobodys = client.get("/archives/programme-999999.zip")
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
    assert theirs.status_code == 404


def test_the_bureau_fetches_all_and_employers(town):
    client = town.client("reviewer")
    assert len(fetched(client.get(f"/archives/programme-{town.programmes['P1'].pk}.zip")).namelist()) == 3
    Completion.objects.filter(name="王五").update(employer="枣庄市示例医院")
    assert len(fetched(client.get("/archives/employer.zip", {"name": "枣庄市示例医院"})).namelist()) == 2
    assert client.get("/archives/employer.zip", {"name": "别的单位"}).status_code == 404
    assert town.client("officer").get("/archives/employer.zip", {"name": "枣庄市示例医院"}).status_code == 404


def test_without_a_key_the_page_says_so_and_no_broken_file_comes(town, monkeypatch):
    def no_key():
        raise SigningKeyMissing(path="keys")

    monkeypatch.setattr("agent.portal.views.archives.signing_keys", no_key)
    answer = town.client("officer").get(f"/archives/programme-{town.programmes['P2'].pk}.zip")
    assert answer.status_code == 503
    assert "E_SIGNING_KEY_MISSING" in answer.content.decode()
