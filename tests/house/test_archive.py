"""All certificates of a programme or of an employer in one file, that is never made twice and never whole in memory."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from agent.certificates import archive, archive_work
from agent.certificates.errors import SigningKeyMissing, TextTooLong
from agent.certificates.models import CertificatePdf
from agent.flow import run_stages
from agent.intake.errors import Interrupted
from agent.intake.sources import save
from agent.intake.sync import pull
from agent.programmes.filing import find
from tests.house.houses import Base, certificates, filing_number, line


@pytest.fixture
def six(base: Base, tmp_path: Path) -> Base:
    """Three of P1 and three of P2, two of each at the hospital."""
    people = []
    for serial in range(1, 7):
        employer = "枣庄市示例医院" if serial % 3 else ""
        number = filing_number("P1" if serial <= 3 else "P2")
        people.append(line(f"王{chr(0x4E00 + serial)}", serial, number, 工作单位=employer))
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(people[0]))
        writer.writeheader()
        writer.writerows(people)
    pull(save("roster", kind="roster", url=str(path), token=None, options={}, allow_private=False)[0])
    run_stages()
    assert len(certificates()) == 6
    return base


def opened(path: Path) -> tuple[zipfile.ZipFile, list[dict[str, str]]]:
    file = zipfile.ZipFile(path)
    assert file.testzip() is None
    text = file.read(archive.MANIFEST).decode("utf-8-sig")
    return file, list(csv.DictReader(io.StringIO(text)))


def test_a_programmes_certificates_with_a_manifest_of_their_hashes(six: Base, xueshi: Any, tmp_path: Path):
    out = tmp_path / "P1.zip"
    said = xueshi("certificate", "archive", "--programme", "P1", "--out", out, "--json")
    assert (said.exit, said.json["certificates"], said.json["pages"]) == (0, 3, 3)
    file, manifest = opened(out)
    assert [row["证书编号"] for row in manifest] == sorted(row["证书编号"] for row in manifest)
    assert len(manifest) == 3
    for row in manifest:
        page = file.read(row["文件名"])
        assert page.startswith(b"%PDF-")
        assert hashlib.sha256(page).hexdigest() == row["SHA-256"]
        assert row["文件名"].startswith(f"{row['姓名']}_2024年卫生系统")
        assert "*" in row["证件号码"]
    infos = [info for info in file.infolist() if info.filename != archive.MANIFEST]
    assert all(info.flag_bits & 0x800 for info in infos)  # the names are UTF-8, and say so
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}


def test_an_employers_certificates_of_all_programmes(six: Base, xueshi: Any, tmp_path: Path):
    out = tmp_path / "e.zip"
    assert xueshi("certificate", "archive", "--employer", "枣庄市示例医院", "--out", out).exit == 0
    assert len(opened(out)[1]) == 4
    assert xueshi("certificate", "archive", "--employer", "别的单位", "--out", out, "--json").json["pages"] == 0
    assert opened(out)[1] == []


def test_a_second_attempt_goes_on_and_gives_the_same_bytes(six: Base):
    class BrokenOff(Exception):
        pass

    def after_one(done: int, _total: int) -> None:
        if done == 2:
            raise BrokenOff

    wanted = archive.of_programme(find("P1"))
    with pytest.raises(BrokenOff):
        archive.make(wanted, after_one)
    kept = dict(CertificatePdf.objects.values_list("pk", "made_at"))
    assert len(kept) == 2
    told: list[tuple[int, int]] = []
    assert archive.make(wanted, lambda *said: told.append(said)) == []
    assert told == [(3, 3)]
    assert kept.items() <= dict(CertificatePdf.objects.values_list("pk", "made_at")).items()
    assert b"".join(archive.stream(wanted)) == b"".join(archive.stream(wanted))


def test_a_page_that_cant_be_made_keeps_no_other_from_it_and_is_named(six: Base, xueshi: Any, tmp_path, monkeypatch):
    real, bad = archive.pdf_of, certificates()[0]

    def one_fails(certificate: Any) -> Any:
        if certificate.number == bad:
            raise TextTooLong(number=bad)
        return real(certificate)

    monkeypatch.setattr(archive, "pdf_of", one_fails)
    said = xueshi("certificate", "archive", "--programme", "P1", "--out", tmp_path / "x.zip", "--json")
    assert (said.exit, said.json["failed"]) == (1, [{"number": bad, "code": "E_TEXT_TOO_LONG"}])
    (row,) = [row for row in opened(tmp_path / "x.zip")[1] if not row["文件名"]]
    assert (row["证书编号"], row["SHA-256"]) == (bad, "")
    assert row["未制作的原因"].startswith("E_TEXT_TOO_LONG")


def test_a_file_that_broke_off_is_gone_on_with_on_the_command_line(six: Base, xueshi: Any, tmp_path, monkeypatch):
    out, whole = tmp_path / "x.zip", b"".join(archive.stream(archive.of_programme(find("P1"))))
    (tmp_path / ".x.zip.0123.part").write_bytes(b"of other contents")
    real = archive.pages

    def killed(keys: Any) -> Any:
        monkeypatch.setattr(archive, "pages", real)
        raise KeyboardInterrupt

    zipped = archive.laid_out(archive.of_programme(find("P1")))
    (tmp_path / f".x.zip.{zipped.digest[:16]}.part").write_bytes(whole[:50_001])
    monkeypatch.setattr(archive, "pages", killed)
    assert xueshi("certificate", "archive", "--programme", "P1", "--out", out).exit != 0
    assert not out.exists()  # whole or not at all
    said = xueshi("certificate", "archive", "--programme", "P1", "--out", out, "--json")
    assert (said.exit, said.json["kept"], said.json["bytes"]) == (0, 50_001, len(whole))
    assert out.read_bytes() == whole
    assert [path.name for path in tmp_path.glob(".x.zip*")] == []


def test_two_never_write_one_file(six: Base, xueshi: Any, tmp_path):
    wanted = archive.of_programme(find("P1"))
    archive.make(wanted)
    with (tmp_path / f".x.zip.{archive.laid_out(wanted).digest[:16]}.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        said = xueshi("certificate", "archive", "--programme", "P1", "--out", tmp_path / "x.zip", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_FILE")
    assert not (tmp_path / "x.zip").exists()


def test_a_page_that_is_no_more_as_it_was_measured_breaks_the_file_off(six: Base):
    wanted = archive.of_programme(find("P1"))
    archive.make(wanted)
    zipped = archive.laid_out(wanted)
    with pytest.raises(ValueError, match="王"):
        b"".join(zipped.pieces(lambda keys: dict.fromkeys(keys, b"short")))


def test_work_that_was_asked_for_is_done_once_and_says_how_far_it_is(six: Base):
    asked = archive_work.ask(find("P1"), by="officer")
    assert archive_work.going(asked)
    pages = iter((False, True))

    def stop() -> None:
        if next(pages, False):
            raise Interrupted(name="P1")

    with pytest.raises(Interrupted):
        archive_work.work(asked, stop)
    asked.refresh_from_db()
    assert (archive_work.going(asked), archive.made(archive.of(asked))[:2]) == (True, (2, 3))
    archive_work.work(asked)
    asked.refresh_from_db()
    assert (archive_work.going(asked), archive.made(archive.of(asked))[:2], asked.failed) == (False, (3, 3), [])


def test_without_a_key_the_work_stops_and_says_why(six: Base, monkeypatch):
    def no_key(_: Any) -> Any:
        raise SigningKeyMissing(path="keys")

    asked = archive_work.ask(find("P1"), by="officer")
    monkeypatch.setattr(archive, "pdf_of", no_key)
    with pytest.raises(SigningKeyMissing):
        archive_work.work(asked)
    asked.refresh_from_db()
    assert (archive_work.going(asked), asked.error_code) == (False, "E_SIGNING_KEY_MISSING")
    monkeypatch.undo()
    archive_work.work(archive_work.ask(find("P1"), by="officer"))
    asked.refresh_from_db()
    assert (asked.error_code, asked.finished_at is None) == ("", False)


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ("王小明", "王小明"), ("../../etc", "etc"), ("a/b\\c:d", "a_b_c_d"), ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("\u202e王", "王"), ("", "_"),
    ],
)  # fmt: skip
def test_names_are_safe_on_every_file_system(holder: str, shown: str):
    name = archive.file_name(holder, "长" * 200, "1" * 26)
    assert name.startswith(f"{shown}_长")
    assert len(name.encode()) <= 255


def test_one_of_both_has_to_be_named(xueshi: Any, tmp_path: Path):
    assert xueshi("certificate", "archive", "--out", tmp_path / "x.zip").exit == 2
