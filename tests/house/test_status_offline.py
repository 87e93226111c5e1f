"""In force or not, by saved status lists and published keys: no server, no register."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from agent.certificates import life
from agent.certificates.credential import read_jwt
from agent.certificates.life import Because
from agent.certificates.models import Certificate
from agent.certificates.pdfs import pdf_of
from agent.certificates.status_files import StatusFiles, StatusReason, StatusUnreadable
from agent.certificates.trust_files import proof_keys_of, trust_of
from agent.flow import policies
from tests.house.houses import Base

URL = "https://xueshi.example.org"
REVIEW = Because("under_review", "a tip-off")


@pytest.fixture
def issued(base: Base, monkeypatch, tmp_path) -> list[Certificate]:
    """Three certificates of an installation that has an address of its own."""
    monkeypatch.setattr(settings, "BASE_URL", URL)
    monkeypatch.setattr(settings, "ISSUER", "web")
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "home"))
    for n, name in enumerate(("王小明", "欧阳𠮷", "阿卜杜拉·买买提"), 1):
        base.learner(f"u{n}", name)
        base.done(f"u{n}")
    base.sync()
    return list(Certificate.objects.order_by("number"))


@pytest.fixture
def kept(tmp_path) -> Path:
    """Where the checker keeps what was fetched."""
    (tmp_path / "lists").mkdir()
    (tmp_path / "papers").mkdir()
    return tmp_path


def fetch(kept: Path, certificate: Certificate, accept: str = "application/vc+jwt") -> None:
    """Save keys, the lists that the credential names, and its files, as a checker would."""
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT=accept)
    (kept / "keys.pem").write_bytes(client.get("/verify/keys.pem").content)
    (kept / "did.json").write_bytes(client.get("/.well-known/did.json").content)
    for status in read_jwt(certificate.credential)["credentialStatus"]:
        url = status["statusListCredential"]
        answer = client.get(url.removeprefix(URL))
        assert answer.status_code == 200
        (kept / "lists" / f"{status['statusPurpose']}.saved").write_bytes(answer.content)
    (kept / "papers" / "c.jwt").write_text(certificate.credential)


@pytest.fixture
def judged(xueshi, kept, monkeypatch):
    """What the command says of the saved credential or page."""

    def ask(file: str = "papers/c.jwt", trust: str = "keys.pem", status: str = "lists"):
        with monkeypatch.context() as only:
            only.setattr("agent.cli.certificate.start", lambda: pytest.fail("the house was opened"))
            return xueshi(
                "certificate", "verify", kept / file, "--trust", kept / trust, "--status", kept / status, "--json"
            )

    return ask


def codes(said) -> list[str]:
    return [reason.partition(":")[0] for reason in said.json["reasons"]]


@pytest.mark.parametrize(("accept", "trust"), [("application/vc+jwt", "keys.pem"), ("application/vc", "did.json")])
def test_each_state_is_told_by_lists_in_both_forms(issued, kept, judged, accept, trust):
    fetch(kept, issued[0], accept)
    said = judged(trust=trust)
    assert (said.exit, said.json["valid"], said.json["state"]) == (0, True, "issued")
    assert said.json["checks"] == {"credential": True, "in_force": True}
    assert said.json["listed_at"]

    life.suspend([issued[0].number], REVIEW)
    fetch(kept, issued[0], accept)
    said = judged(trust=trust)
    assert (said.exit, said.json["state"], codes(said)) == (1, "suspended", ["E_SUSPENDED"])

    life.revoke([issued[1].number], Because("improper", "somebody else sat there"), policies())
    life.supersede([issued[2].number], Because("other", "as written"), holder="阿卜杜拉")
    for certificate in issued[1:]:
        fetch(kept, certificate, accept)
        said = judged(trust=trust)
        assert (said.exit, said.json["state"], codes(said)) == (1, "revoked", ["E_REVOKED"])
        assert said.json["checks"]["in_force"] is False


def test_what_an_earlier_key_signed_is_judged_by_the_lists_of_the_key_of_today(issued, kept, judged, xueshi):
    (kept / "papers" / "c.pdf").write_bytes(bytes(pdf_of(issued[0]).pdf))
    assert xueshi("keys", "rotate").exit == 0
    fetch(kept, issued[0])
    for file in ("papers/c.pdf", "papers/c.jwt"):
        said = judged(file)
        assert (said.exit, said.json["state"], said.json["checks"]["in_force"]) == (0, "issued", True)


def test_lists_that_cant_tell_are_no_yes(issued, kept, judged):
    fetch(kept, issued[0], "application/vc")  # an embedded proof, and no key for it
    said = judged()
    assert (said.exit, said.json["state"], codes(said)) == (1, "unchecked", ["E_STATUS_UNTRUSTED"])
    assert said.json["checks"]["in_force"] is None
    saved = kept / "lists" / "revocation.saved"
    changed = json.loads(saved.read_bytes())
    changed["validUntil"] = "2099-01-01T00:00:00Z"
    saved.write_text(json.dumps(changed))
    assert codes(judged(trust="did.json")) == ["E_STATUS_UNTRUSTED"]
    saved.unlink()
    assert codes(judged(trust="did.json")) == ["E_STATUS_MISSING"]
    said = judged(status="papers")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_STATUS_LIST")


def test_an_old_list_shows_what_was_revoked_and_not_what_is_in_force(issued, kept):
    life.revoke([issued[1].number], Because("improper", "somebody else sat there"), policies())
    life.suspend([issued[2].number], REVIEW)
    fetch(kept, issued[0])
    trust = [kept / "keys.pem", kept / "did.json"]
    files = StatusFiles([kept / "lists"], trust_of(trust), proof_keys_of(trust))
    later = datetime.now(UTC) + timedelta(days=2)
    found = [files.look_up(read_jwt(each.credential), later) for each in issued]
    assert [(one.state, one.reasons) for one in found] == [
        ("unchecked", (StatusReason.STALE,)),
        ("revoked", (StatusReason.REVOKED,)),
        ("suspended", (StatusReason.SUSPENDED, StatusReason.STALE)),
    ]
    assert files.look_up({}, later).reasons == (StatusReason.NO_STATUS,)


def test_a_forged_or_broken_credential_is_not_even_looked_up(issued, kept, judged):
    fetch(kept, issued[0])
    (kept / "papers" / "c.jwt").write_text(issued[0].credential[:-6] + "AAAAAA")
    said = judged()
    assert (said.exit, said.json["checks"]) == (1, {"credential": False, "in_force": None})


def test_lists_without_keys_are_refused(issued, kept, xueshi):
    fetch(kept, issued[0])
    assert xueshi("certificate", "verify", kept / "papers/c.jwt", "--status", kept / "lists").exit == 2
    with pytest.raises(StatusUnreadable):
        StatusFiles([kept / "keys.pem"], [], [])
