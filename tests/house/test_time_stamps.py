"""A page waits for its time-stamp, or goes without where the setting says so; it is never stored half made."""

from __future__ import annotations

import io

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from agent.certificates.models import CertificatePdf
from agent.certificates.pdfs import timestamp_authority
from tests.certificates.tsa import time_stamp_authority
from tests.house.houses import Base, one

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def number(base: Base) -> str:
    base.learner("u1", "欧阳𠮷")
    base.done("u1")
    base.sync()
    return str(one("SELECT number FROM certificates_certificate"))


@pytest.fixture(autouse=True)
def settings_read_anew():
    timestamp_authority.cache_clear()
    yield
    timestamp_authority.cache_clear()


def stamped() -> bool:
    signature = PdfFileReader(io.BytesIO(bytes(CertificatePdf.objects.get().pdf))).embedded_signatures[0]
    return bool(signature.signer_info["unsigned_attrs"])


def test_with_an_authority_the_stored_page_carries_its_time(number, xueshi, tmp_path, monkeypatch):
    with time_stamp_authority(tmp_path / "tsa") as tsa:
        monkeypatch.setenv("XUESHI_TSA_URL", tsa.url)
        monkeypatch.setenv("XUESHI_TSA_CA", str(tsa.ca))
        assert xueshi("certificate", "pdf", number, "-o", tmp_path / "a.pdf").exit == 0
    assert stamped()
    # checked, and given out again, without the authority
    assert xueshi("certificate", "verify", tmp_path / "a.pdf").exit == 0
    assert xueshi("certificate", "pdf", number, "-o", tmp_path / "b.pdf").exit == 0
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_while_the_authority_is_away_there_is_no_page_and_the_reason_is_told(number, xueshi, tmp_path, monkeypatch):
    monkeypatch.setenv("XUESHI_TSA_URL", "http://127.0.0.1:9/tsa")
    said = xueshi("certificate", "pdf", number, "-o", tmp_path / "a.pdf", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_TSA_UNREACHABLE")
    assert not CertificatePdf.objects.exists()
    assert not (tmp_path / "a.pdf").exists()


def test_where_the_setting_says_so_pages_go_without_meanwhile(number, xueshi, tmp_path, monkeypatch):
    monkeypatch.setenv("XUESHI_TSA_URL", "http://127.0.0.1:9/tsa")
    monkeypatch.setenv("XUESHI_TSA_WHEN_DOWN", "without")
    assert xueshi("certificate", "pdf", number, "-o", tmp_path / "a.pdf").exit == 0
    assert not stamped()
    assert xueshi("certificate", "verify", tmp_path / "a.pdf").exit == 0


def test_the_doctor_asks_the_authority(house, xueshi, tmp_path, monkeypatch):
    def said() -> dict[str, object]:
        return next(one for one in xueshi("doctor", "--json").json["checks"] if one["check"] == "time-stamps")

    assert said()["ok"]
    monkeypatch.setenv("XUESHI_TSA_URL", "http://127.0.0.1:9/tsa")
    assert (said()["ok"], said()["code"]) == (False, "E_TSA_UNREACHABLE")
