"""What verifiers that we did not write say of what we issue, from what we publish and nothing else."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from agent.certificates.credential import issuer_of, read_jwt, sign_jwts
from agent.certificates.did import did_web, method_of
from agent.certificates.models import Certificate
from agent.certificates.proof import multikey_of, with_proof
from agent.certificates.signer import signing_keys
from tests.certificates import verifiers
from tests.house.houses import Base, sql

pytestmark = pytest.mark.needs("node", "npm")
URL = "https://xueshi.example.org"
DID = "did:web:xueshi.example.org"


@pytest.fixture(scope="session", autouse=True)
def _installed():
    verifiers.install()


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


def fetched(certificate: Certificate, form: str = "json") -> Any:
    asked = {"number": certificate.number, "token": certificate.token, "name": certificate.holder, "form": form}
    answer = Client(HTTP_HOST="localhost").post("/verify/credential/", asked)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content) if form == "json" else answer.content.decode()


def published(*credentials: dict[str, Any], accept: str = "*/*") -> dict[str, str]:
    """Our DID document and the status lists that the credentials name, as a verifier would fetch them."""
    urls = {DID: "/.well-known/did.json"}
    for credential in credentials:
        for status in credential["credentialStatus"]:
            urls[status["statusListCredential"]] = status["statusListCredential"].removeprefix(URL)
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT=accept)
    return {url: client.get(path).content.decode() for url, path in urls.items()}


def test_the_credential_verifies_by_its_proof_and_by_its_jwt(issued):
    proofs = {c.holder: fetched(c) for c in issued}
    jwts = {c.holder: fetched(c, "jwt") for c in issued}
    said = verifiers.ask(published(*proofs.values()), proofs=proofs, jwts=jwts)
    for one in said["proofs"].values():
        assert one["error"] is None
        assert one["verified"]
        assert one["status"] == {"revocation": False, "suspension": False}
    assert all(one["verified"] and one["current"] for one in said["jwts"].values()), said["jwts"]
    assert {one["header"]["typ"] for one in said["jwts"].values()} == {"JWT"}


def test_whatever_is_changed_in_it_shows(issued):
    good, proofs = fetched(issued[0]), {}
    for name, change in {
        "holder": lambda c: c["credentialSubject"]["identifier"][0].update(identityHash="李四"),
        "hours": lambda c: c["credentialSubject"].update(creditsEarned=240),
        "programme": lambda c: c["credentialSubject"]["achievement"].update(name="别的"),
        "place in the list": lambda c: c["credentialStatus"][0].update(statusListIndex="1"),
        "date": lambda c: c.update(validFrom="2020-01-01T00:00:00Z"),
        "date of the proof": lambda c: c["proof"].update(created="2020-01-01T00:00:00Z"),
    }.items():
        proofs[name] = copy.deepcopy(good)
        change(proofs[name])
    head, body, tail = issued[0].credential.split(".")
    changed = body[:-8] + ("A" if body[-8] != "A" else "B") + body[-7:]
    said = verifiers.ask(published(good), proofs=proofs, jwts={"one letter": f"{head}.{changed}.{tail}"})
    assert {name: one["proven"] for name, one in said["proofs"].items()} == dict.fromkeys(proofs, False)
    assert not any(one["verified"] for one in said["proofs"].values())
    assert not said["jwts"]["one letter"]["verified"]


def test_revoked_and_suspended_stand_in_the_status_lists(issued):
    proofs = {c.holder: fetched(c) for c in issued}
    for certificate, state in zip(issued, ("revoked", "suspended", "superseded"), strict=True):
        sql("UPDATE certificates_certificate SET state = %s WHERE id = %s", [state, certificate.pk])
    said = verifiers.ask(published(*proofs.values()), proofs=proofs)["proofs"]
    assert all(one["proven"] for one in said.values()), said  # the signature holds: read the status
    assert [said[c.holder]["status"] for c in issued] == [
        {"revocation": True, "suspension": False},
        {"revocation": False, "suspension": True},
        {"revocation": True, "suspension": False},
    ]


def test_an_expired_one_is_refused(issued):
    keys = signing_keys()
    past = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    ended = read_jwt(issued[0].credential) | {"validFrom": "2024-01-01T00:00:00Z", "validUntil": past}
    bare = {name: value for name, value in ended.items() if name not in ("iss", "jti", "nbf")}
    method = method_of(DID, multikey_of(keys.proof()))
    proof = with_proof(bare, keys.proof(), method=method, created=datetime.now(UTC))
    jwt = sign_jwts([ended], keys, issuer_id=DID)[0]
    said = verifiers.ask(published(proof), proofs={"x": proof}, jwts={"x": jwt})
    assert not said["proofs"]["x"]["verified"]
    assert "validUntil" in said["proofs"]["x"]["error"]
    assert said["jwts"]["x"]["verified"]
    assert not said["jwts"]["x"]["current"]


def test_what_an_earlier_key_signed_still_verifies(issued, xueshi):
    before, jwt = fetched(issued[0]), fetched(issued[0], "jwt")
    assert xueshi("keys", "rotate", "--json").exit == 0
    after = fetched(issued[0])
    assert before["proof"]["verificationMethod"] != after["proof"]["verificationMethod"]
    said = verifiers.ask(published(before), proofs={"before": before, "after": after}, jwts={"before": jwt})
    assert [one["verified"] for one in said["proofs"].values()] == [True, True], said["proofs"]
    assert said["jwts"]["before"]["verified"]


def test_offline_the_issuer_is_the_key_itself(issued, monkeypatch):
    monkeypatch.setattr(settings, "ISSUER", "key")
    proof = fetched(issued[0])
    documents = published(proof)
    del documents[DID]
    assert proof["issuer"]["id"].startswith("did:key:z6Mk")
    said = verifiers.ask(documents, proofs={"x": proof})["proofs"]["x"]
    assert said["verified"], said


def test_a_status_list_as_jwt_verifies_too(issued):
    lists = published(fetched(issued[0]), accept="application/vc+jwt")
    did = lists.pop(DID)
    said = verifiers.ask({DID: did}, jwts=lists)["jwts"]
    assert all(one["verified"] and one["current"] for one in said.values()), said
    assert len(said) == 2


def test_the_issuer_is_the_one_who_publishes(issued):
    assert did_web(URL) == DID
    assert fetched(issued[0])["issuer"] == issuer_of(DID, signing_keys(), URL)
