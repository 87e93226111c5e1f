"""The public log's page and its answers for machines: no sign-in, and nothing personal."""

from __future__ import annotations

from django.test import Client

from agent.certificates import merkle, transparency
from agent.certificates.heads import read_head
from agent.certificates.models import Certificate
from agent.certificates.signer import signing_keys


def test_before_the_first_head_it_says_so(town, text):
    assert "日志还没有签过树头" in text(Client().get("/transparency/"))
    assert Client().get("/transparency/sth.json").status_code == 503


def test_the_page_shows_the_newest_head(town, text):
    head = transparency.publish()
    page = text(Client().get("/transparency/"))
    assert f"日志里有{head.size}条记录" in page
    assert bytes(head.root).hex() in page
    assert "李" not in page


def test_a_machine_checks_the_proof_of_a_certificate(certificate):
    transparency.publish()
    head = read_head(Client().get("/transparency/sth.json").json()["jws"], signing_keys().trusted)
    proof = Client().get("/transparency/proof/inclusion", {"number": certificate.number}).json()
    (entry,) = proof["entries"]
    path = [bytes.fromhex(each) for each in entry["path"]]
    assert merkle.verify_inclusion(
        merkle.leaf_hash(entry["entry"].encode()), entry["index"], head.size, path, head.root
    )
    assert set(proof) == {"number", "head", "entries"}


def test_what_is_not_there_is_refused_in_one_way(certificate):
    transparency.publish()
    for number in ("1" * 26, "", "x", "９"):
        assert Client().get("/transparency/proof/inclusion", {"number": number}).status_code == 404


def test_consistency_is_proved_between_sizes_that_there_are(certificate):
    head = transparency.publish()
    count = Certificate.objects.count()
    assert head.size == count >= 2
    ask = lambda first, second: Client().get(  # noqa: E731
        "/transparency/proof/consistency", {"first": first, "second": second}
    )
    path = [bytes.fromhex(each) for each in ask(1, count).json()["path"]]
    assert merkle.verify_consistency(1, count, merkle.root(1, transparency.read), bytes(head.root), path)
    for wrong in ((count, 1), (1, count + 1), ("x", 2), (-1, 2)):
        assert ask(*wrong).status_code == 400
