from __future__ import annotations

import subprocess

import pytest

from agent.certificates.errors import Sm2Unavailable
from agent.certificates.sm2 import IDENTITY, OpenSslSm2, detached_signer

needs_openssl = pytest.mark.needs("openssl")


def openssl(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sm2")
    private, public = folder / "sm2.key", folder / "sm2.pub"
    assert openssl("genpkey", "-algorithm", "SM2", "-out", private).returncode == 0
    assert openssl("pkey", "-in", private, "-pubout", "-out", public).returncode == 0
    return private, public


def verified(data: bytes, signature: bytes, public, folder) -> bool:
    (folder / "data").write_bytes(data)
    (folder / "signature").write_bytes(signature)
    return openssl(
        "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin", "-inkey", public, "-pkeyopt",
        f"distid:{IDENTITY}", "-in", folder / "data", "-sigfile", folder / "signature",
    ).returncode == 0  # fmt: skip


@needs_openssl
def test_openssl_verifies_the_signature_over_a_credential_and_no_other(pair, signed, tmp_path):
    private, public = pair
    credential = signed.credential.encode()
    signature = detached_signer({"XUESHI_SM2_KEY": str(private)}).sign(credential)
    assert verified(credential, signature, public, tmp_path)
    assert not verified(credential + b"x", signature, public, tmp_path)
    assert not verified(credential[1:], signature, public, tmp_path)


@needs_openssl
def test_a_key_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Sm2Unavailable, match="no to the key"):
        OpenSslSm2(tmp_path / "none.key").sign(b"x")


def test_without_the_program_or_the_setting_the_sentence_says_so(tmp_path):
    with pytest.raises(Sm2Unavailable, match="FileNotFoundError"):
        OpenSslSm2(tmp_path / "k", program=str(tmp_path / "none")).sign(b"x")
    with pytest.raises(Sm2Unavailable, match="XUESHI_SM2_KEY"):
        detached_signer({})
