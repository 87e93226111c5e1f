"""The file that is given out: made once, whole, and nobody else's word for it."""

from __future__ import annotations

import hashlib
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from agent.certificates.check import REGISTER_STEPS
from agent.certificates.models import Certificate
from agent.certificates.offline import FILE_STEPS
from agent.certificates.pdfs import pdf_of
from agent.certificates.signer import signing_keys
from tests.house.houses import Base, one, sql


@pytest.fixture
def issued(base: Base) -> Base:
    base.learner("u1", "欧阳𠮷")
    base.done("u1")
    base.sync()
    return base


def fetch(xueshi, path: Path) -> bytes:
    said = xueshi("certificate", "pdf", one("SELECT number FROM certificates_certificate"), "-o", path, "--json")
    assert said.exit == 0, said.err
    data = path.read_bytes()
    assert said.json == {
        "number": one("SELECT number FROM certificates_certificate"), "file": str(path),
        "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
    }  # fmt: skip
    return data


def test_the_file_is_made_once_and_given_out_again(issued, xueshi, tmp_path):
    first = fetch(xueshi, tmp_path / "a.pdf")
    made = sql("SELECT made_at, xmin::text FROM certificates_certificatepdf")
    assert fetch(xueshi, tmp_path / "b.pdf") == first
    assert sql("SELECT made_at, xmin::text FROM certificates_certificatepdf") == made
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdf", "b.pdf"]


def test_two_who_want_it_first_at_once_get_the_same(issued):
    start, pages = threading.Barrier(3), []

    def work() -> None:
        try:
            start.wait()
            pages.append(bytes(pdf_of(Certificate.objects.get()).pdf))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pages) == 3
    assert len(set(pages)) == 1
    assert one("SELECT count(*) FROM certificates_certificatepdf") == 1


def test_a_file_of_ours_is_valid_and_says_whose_it_is(issued, xueshi, tmp_path):
    fetch(xueshi, path := tmp_path / "a.pdf")
    said = xueshi("certificate", "verify", path, "--json")
    assert said.exit == 0
    number = one("SELECT number FROM certificates_certificate")
    assert said.json == {
        "valid": True, "state": "issued", "reasons": [], "number": number, "holder": "欧阳𠮷",
        "programme": "2024年卫生系统医师专业科目", "hours": "20.00",
        "checks": dict.fromkeys((*FILE_STEPS, *REGISTER_STEPS), True), "listed_at": None,
    }  # fmt: skip
    assert xueshi("certificate", "verify", path).out.startswith("有效  issued")


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.7, 0.999])
def test_one_changed_byte_is_refused(issued, xueshi, tmp_path, place: float):
    data = bytearray(fetch(xueshi, path := tmp_path / "a.pdf"))
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)
    said = xueshi("certificate", "verify", path, "--json")
    assert (said.exit, said.json["valid"], said.json["holder"]) == (1, False, None)
    assert said.json["reasons"][0].startswith("E_")


@pytest.mark.parametrize("added", [b"\n", b"% a comment\n", b"\n1 0 obj<</Title (x)>>endobj\n%%EOF\n"])
def test_what_is_appended_is_refused(issued, xueshi, tmp_path, added: bytes):
    data = fetch(xueshi, path := tmp_path / "a.pdf")
    path.write_bytes(data + added)
    said = xueshi("certificate", "verify", path, "--json")
    assert (said.exit, said.json["valid"], said.json["state"]) == (1, False, "issued")
    assert [r.partition(":")[0] for r in said.json["reasons"]] == ["E_APPENDED"]


def test_what_is_no_certificate_is_refused(house, xueshi, tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"hello")
    said = xueshi("certificate", "verify", tmp_path / "x.pdf", "--json")
    assert (said.exit, said.json["state"]) == (1, "unknown")
    assert said.json["reasons"] == ["E_NOT_PDF: The file is not a PDF document, or it is damaged."]
    assert xueshi("certificate", "verify", tmp_path / "none.pdf", "--json").json["error"]["code"] == "E_FILE"


def test_a_revoked_certificate_is_genuine_and_not_in_force(issued, xueshi, tmp_path):
    fetch(xueshi, path := tmp_path / "a.pdf")
    sql("UPDATE certificates_certificate SET state = 'revoked'")
    said = xueshi("certificate", "verify", path, "--json")
    assert (said.exit, said.json["valid"], said.json["state"]) == (1, False, "revoked")
    assert said.json["reasons"] == ["E_NOT_IN_FORCE: the certificate is revoked."]


def test_a_file_signed_by_our_key_and_in_nobodys_register_is_refused(issued, xueshi, tmp_path, databases):
    fetch(xueshi, path := tmp_path / "a.pdf")
    with databases.copy("xueshi"):
        said = xueshi("certificate", "verify", path, "--json")
    assert (said.exit, said.json["valid"], said.json["state"]) == (1, False, "unknown")
    assert said.json["reasons"] == ["E_NOT_REGISTERED: the register has no certificate with this number."]


def test_a_genuine_file_of_another_installation_is_not_ours(issued, xueshi, tmp_path, monkeypatch, databases):
    fetch(xueshi, path := tmp_path / "a.pdf")
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "other"))
    signing_keys.cache_clear()
    try:
        with databases.copy("xueshi"):
            said = xueshi("certificate", "verify", path, "--json")
    finally:
        signing_keys.cache_clear()
    assert (said.exit, said.json["state"]) == (1, "unknown")
    assert said.json["reasons"][0].startswith("E_UNTRUSTED")


# --- where it is written -----------------------------------------------------------------------------------------
@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond four kilobytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_nothing_half_written_is_left(issued, xueshi, tmp_path, request):
    pdf_of(Certificate.objects.get())
    (tmp_path / "a.pdf").write_bytes(b"what was there")
    request.getfixturevalue("small_files")
    number = one("SELECT number FROM certificates_certificate")
    said = xueshi("certificate", "pdf", number, "-o", tmp_path / "a.pdf")
    assert (said.exit, "E_FILE" in said.err, "Traceback" in said.err) == (2, True, False)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.pdf", b"what was there")]


def test_a_folder_that_is_not_there_is_named(issued, xueshi, tmp_path):
    number = one("SELECT number FROM certificates_certificate")
    for path in (tmp_path / "none" / "a.pdf", tmp_path):
        said = xueshi("certificate", "pdf", number, "-o", path)
        assert (said.exit, str(path) in said.err) == (2, True)


def test_a_device_stays_a_device(issued, xueshi, tmp_path):
    number = one("SELECT number FROM certificates_certificate")
    (tmp_path / "null").symlink_to("/dev/null")
    assert xueshi("certificate", "pdf", number, "-o", tmp_path / "null").exit == 0
    assert (tmp_path / "null").is_symlink()
    assert Path("/dev/null").is_char_device()


def test_an_unknown_number_is_refused(house, xueshi):
    for command in (("show", "1"), ("pdf", "1", "-o", "x.pdf")):
        said = xueshi("certificate", *command, "--json")
        assert (said.exit, said.json["error"]["code"]) == (2, "E_CERTIFICATE_UNKNOWN")
