"""Issuing: a number without gaps for everyone who is due, once, and nothing for anybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from agent.certificates import stage
from agent.certificates.credential import read_credential
from agent.certificates.models import Certificate, CertificateEvent
from agent.certificates.numbers import is_number
from agent.certificates.signer import signing_keys
from agent.flow import policies, run_stages
from agent.intake.sync import pull
from agent.organisations.models import Kind
from agent.programmes.filing import decide
from tests.house.houses import Base, certificates, filing_number, held, in_force, line, number, one, roster, rows, sql


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose keys this test may lose."""
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "home"))
    signing_keys.cache_clear()
    yield tmp_path / "home"
    signing_keys.cache_clear()


def crowd(base: Base, count: int, course: str = "WSYS") -> None:
    for serial in range(1, count + 1):
        base.learner(f"u{serial}", f"王{chr(0x4E00 + serial)}")
        base.done(f"u{serial}", course, f"2024-05-{serial % 28 + 1:02d}T02:00")


def serials(key: str = "P1") -> list[int]:
    found = sql(
        "SELECT c.number FROM certificates_certificate c JOIN programmes_programme p ON p.id = c.programme_id"
        " WHERE p.key = %s ORDER BY 1",
        [key],
    )
    return [int(n[20:25]) for (n,) in found]


def test_everyone_with_a_filed_professional_programme_gets_one(base: Base):
    crowd(base, 3)
    base.done("u1", "RGZN")
    base.done("u1", "SZJS")  # public: no certificate stands for it (R09)
    base.done("u2", "DSJ")  # only submitted
    done = base.sync().issued
    assert (done.issued, done.revoked, done.held) == (4, 0, 0)
    assert (serials("P1"), serials("P2"), serials("G1"), serials("P4")) == ([1, 2, 3], [1], [], [])
    assert base.sync().issued.issued == 0


def test_a_certificate_says_what_the_ledger_recognised_and_is_signed(base: Base, tmp_path):
    pull(roster(tmp_path / "r.csv", line("王一", 1, filing_number("P1"), 开始日期="2024-06-04")))
    run_stages()
    certificate = Certificate.objects.get()
    assert (certificate.hours, certificate.holder, str(certificate.learned_on)) == (1600, "王一", "2024-06-05")
    assert certificate.id_masked == f"370{'*' * 11}{number(1)[-4:]}"
    assert is_number(certificate.number)
    credential = read_credential(certificate.credential, signing_keys().trusted)
    subject = credential["credentialSubject"]
    assert (subject["licenseNumber"], subject["creditsEarned"]) == (certificate.number, 16.0)
    assert certificate.verify_url.endswith(f"/VERIFY/{certificate.number}/{certificate.token}")
    assert list(CertificateEvent.objects.values_list("state", "reason")) == [("issued", "issued")]


def test_the_first_day_is_named_only_where_the_source_knows_it(base: Base, tmp_path):
    base.learner("u2", "李二")
    base.done("u2")
    base.sync()
    pull(roster(tmp_path / "r.csv", line("王一", 1, filing_number("P1"), 开始日期="2024-06-04")))
    run_stages()
    assert sql("SELECT holder, learned_from::text FROM certificates_certificate ORDER BY 1") == [
        ("李二", None),
        ("王一", "2024-06-04"),
    ]


def test_what_a_base_organises_has_no_certificate(base: Base):
    """R08: a base is an implementer."""
    crowd(base, 1)
    sql("UPDATE organisations_organisation SET kind = %s WHERE name LIKE '%%卫生健康%%'", [Kind.TRAINING_BASE])
    base.sync()
    assert (certificates(), len(in_force())) == ([], 1)
    sql("UPDATE organisations_organisation SET kind = %s WHERE name LIKE '%%卫生健康%%'", [Kind.SECTOR_DEPARTMENT])
    assert run_stages().issued.issued == 1


def test_accepting_a_programme_issues_what_waited(base: Base):
    crowd(base, 3, "DSJ")
    base.sync()
    assert certificates() == []
    decide("P4", "accept", actor="bureau")
    assert run_stages().issued.issued == 3
    assert serials("P4") == [1, 2, 3]


def test_a_course_taken_twice_gives_one_certificate(base: Base, tmp_path):
    base.learner("u1", "王一")
    base.done("u1")
    pull(roster(tmp_path / "r.csv", line("王一", 1, filing_number("P1"), "2024-08-05")))
    assert base.sync().issued.issued == 1
    assert sorted(entry[9] for entry in in_force()) == ["credited", "duplicate_course"]


# --- numbers -----------------------------------------------------------------------------------------------------
def test_a_batch_that_dies_leaves_no_gap(base: Base, monkeypatch):
    monkeypatch.setattr(stage, "_BATCH", 3)
    crowd(base, 10)
    sign, calls = stage.sign_credentials, []

    def dies_in_the_second(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise InterruptedError
        return sign(*args, **options)

    monkeypatch.setattr(stage, "sign_credentials", dies_in_the_second)
    with pytest.raises(InterruptedError):
        base.sync()
    assert serials() == [1, 2, 3]
    assert one("SELECT last FROM certificates_serial") == 3
    assert run_stages().issued.issued == 7
    assert serials() == list(range(1, 11))
    assert one("SELECT count(*) FROM certificates_certificateevent") == 10


def test_two_workers_share_the_work_without_gap_or_double(base: Base, monkeypatch):
    monkeypatch.setattr(stage, "_BATCH", 4)
    crowd(base, 40)
    base.pull()
    monkeypatch.setattr("agent.certificates.stage.run", lambda *_: stage.Issued())
    run_stages()
    monkeypatch.undo()
    monkeypatch.setattr(stage, "_BATCH", 4)
    done: list[int] = []

    def work() -> None:
        try:
            done.append(stage.run(policies()).issued)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(done) == 40
    assert serials() == list(range(1, 41))
    assert one("SELECT count(DISTINCT token) FROM certificates_certificate") == 40


# --- taken back --------------------------------------------------------------------------------------------------
def test_what_the_source_takes_back_is_revoked_and_stays_so(base: Base, tmp_path):
    path, good = tmp_path / "r.csv", line("王一", 1, filing_number("P1"), 考核结果="合格")
    pull(roster(path, good))
    run_stages()
    issued = certificates()
    pull(roster(path, good | {"考核结果": "不合格"}))
    assert run_stages().issued.revoked == 1
    assert (certificates(), certificates("revoked")) == ([], issued)
    assert list(CertificateEvent.objects.order_by("pk").values_list("state", "reason")) == [
        ("issued", "issued"),
        ("revoked", "taken back by the source"),
    ]
    pull(roster(path, good))
    done = run_stages().issued
    assert (done.issued, done.revoked) == (0, 0)  # a person decides whether it is issued anew
    before = rows("certificates_certificate")
    run_stages()
    assert rows("certificates_certificate") == before


def test_a_corrected_number_revokes_and_the_right_person_gets_one(base: Base, tmp_path):
    path, row = tmp_path / "r.csv", line("王一", 1, filing_number("P1"))
    pull(roster(path, row))
    run_stages()
    old = certificates()
    pull(roster(path, row | {"身份证号": number(2)}))
    done = run_stages().issued
    assert (done.issued, done.revoked) == (1, 1)
    assert certificates("revoked") == old
    assert one("SELECT id_masked FROM certificates_certificate WHERE state = 'issued'")[-4:] == number(2)[-4:]
    # whoever had the wrong certificate takes the course after all
    pull(roster(tmp_path / "own.csv", line("王一", 1, filing_number("P1"), "2024-09-05"), name="own"))
    assert run_stages().issued.issued == 1
    assert len(certificates()) == 2


def test_a_corrected_programme_revokes_and_the_right_one_is_issued(base: Base, tmp_path):
    """The base named the wrong filing number for its class and corrects it."""
    path, row = tmp_path / "r.csv", line("王一", 1, "")
    pull(roster(path, row, course_name="医师培训", filing_number=filing_number("P1")))
    run_stages()
    assert serials("P1") == [1]
    pull(roster(path, row, course_name="医师培训", filing_number=filing_number("P2")))
    done = run_stages().issued
    assert (done.issued, done.revoked, serials("P2")) == (1, 1, [1])
    assert one("SELECT reason FROM certificates_certificateevent WHERE state = 'revoked'").endswith("another programme")
    assert [(entry[3].split("|")[0], entry[5]) for entry in in_force()] == [("2024-06-05", 2400)]


def test_when_the_counting_one_of_two_is_taken_back_the_other_gets_the_certificate(base: Base, tmp_path):
    first = line("王一", 1, filing_number("P1"), "2024-06-05", 考核结果="合格")
    pull(roster(tmp_path / "a.csv", first, name="a"))
    pull(roster(tmp_path / "b.csv", line("王一", 1, filing_number("P1"), "2024-09-05"), name="b"))
    assert run_stages().issued.issued == 1
    pull(roster(tmp_path / "a.csv", first | {"考核结果": "不合格"}, name="a"))
    done = run_stages().issued
    assert (done.issued, done.revoked) == (1, 1)
    assert str(Certificate.objects.get(state="issued").learned_on) == "2024-09-05"
    assert serials() == [1, 2]


# --- what can't be drawn, what can't be signed --------------------------------------------------------------------
def test_a_character_without_a_glyph_holds_one_certificate_and_no_other(base: Base):
    base.site.add_user("u1", "王", "\U000323af", sfzh=number(1))
    base.learner("u2", "李二")
    base.done("u1")
    base.done("u2")
    done = base.sync().issued
    assert (done.issued, done.held, held()) == (1, 1, {"E_GLYPH_MISSING": 1})
    said = sql("SELECT params->>'text', params->>'code_points' FROM quarantine_held")
    assert said == [("王\U000323af", "\U000323af（U+323AF）")]
    assert one("SELECT count(*) FROM credit_creditentry") == 2
    before = rows("quarantine_held")
    assert run_stages().issued.held == 1
    assert rows("quarantine_held") == before
    sql("UPDATE matching_achievement SET name = '王明' WHERE key LIKE 'u1%%'")
    assert run_stages().issued.issued == 1
    assert (held(), serials()) == ({}, [1, 2])


def test_what_becomes_due_while_a_run_issues_is_looked_at_too(base: Base, monkeypatch):
    """Another process brings a name that can't be drawn after this one has looked."""
    monkeypatch.setattr(stage, "_BATCH", 2)
    crowd(base, 4)
    base.pull()
    seen = []

    def meanwhile(name: str, done: int, total: int | None) -> None:
        if name == "certificates" and done and not seen:
            seen.append(done)
            sql("UPDATE matching_achievement SET name = '王\U000323af' WHERE id NOT IN"
                " (SELECT achievement_id FROM certificates_certificate)")  # fmt: skip

    assert run_stages(meanwhile).issued.issued == 2
    assert seen
    assert not Certificate.objects.filter(holder__contains="\U000323af").exists()
    run_stages()
    assert held() == {"E_GLYPH_MISSING": 2}


def test_without_a_signing_key_nothing_is_issued_and_later_everything(base: Base, own_home: Path):
    crowd(base, 3)
    key = own_home / "keys" / "signer.key"
    signing_keys()
    saved = key.read_bytes()
    key.unlink()
    signing_keys.cache_clear()
    assert base.sync().issued.held == 3
    assert held() == {"E_SIGNING_KEY_MISSING": 3}
    assert (certificates(), len(in_force())) == ([], 3)
    assert one("SELECT count(*) FROM certificates_serial") == 0
    key.write_bytes(saved)
    assert run_stages().issued.issued == 3
    assert serials() == [1, 2, 3]


@pytest.mark.parametrize("lost", ["folder", "content"])
def test_keys_that_are_lost_are_never_replaced_in_silence(base: Base, own_home: Path, lost: str):
    crowd(base, 1)
    base.sync()
    (own_home / "keys").rename(own_home / "elsewhere")
    if lost == "content":
        (own_home / "keys").mkdir()
    signing_keys.cache_clear()
    base.learner("u9", "李二")
    base.done("u9")
    assert base.sync().issued.held == 1
    assert held() == {"E_SIGNING_KEY_MISSING": 1}
    assert len(certificates()) == 1
    assert not (own_home / "keys" / "signer.key").exists()
