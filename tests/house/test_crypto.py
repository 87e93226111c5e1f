"""Secrets at rest: sealed with one key, found by fingerprint, and refused under any other key."""

from __future__ import annotations

import base64
import stat
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import boot
from agent.crypto import DataKeyInvalid, DataKeyUnusable, SealBroken, Vault, load_data_key, vault
from agent.home import HomeUnusable, home
from tests.house.houses import Base, one

ONE, OTHER = Vault(b"1" * 32), Vault(b"2" * 32)


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_comes_back_and_shows_nothing(text: bytes, purpose: bytes):
    sealed = ONE.seal(text, purpose)
    assert ONE.open(sealed, purpose) == text
    assert len(sealed) == 1 + 12 + len(text) + 16
    assert len(text) < 8 or text not in sealed


@given(st.binary(min_size=1, max_size=50), st.data())
def test_any_changed_byte_breaks_the_seal(text: bytes, data):
    sealed = bytearray(ONE.seal(text, b"x"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        ONE.open(bytes(sealed), b"x")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"x" * 27, b"\x02" + b"x" * 40])
def test_what_is_no_seal_is_refused(sealed: bytes):
    with pytest.raises(SealBroken):
        ONE.open(sealed, b"x")


def test_a_seal_is_bound_to_its_key_and_its_purpose():
    sealed = ONE.seal(b"secret", b"token")
    assert ONE.seal(b"secret", b"token") != sealed
    for other, purpose in ((OTHER, b"token"), (ONE, b"number")):
        with pytest.raises(SealBroken):
            other.open(sealed, purpose)


def test_a_fingerprint_is_the_same_for_the_same_text_and_key_only():
    assert ONE.fingerprint("a") == ONE.fingerprint("a")
    assert len({ONE.fingerprint("a"), ONE.fingerprint("b"), OTHER.fingerprint("a")}) == 3
    assert len({ONE.digest(b"a"), ONE.digest(b"b"), OTHER.digest(b"a")}) == 3
    assert ONE.fingerprint("a")[:16] != ONE.digest(b"a")


# --- the key file ------------------------------------------------------------------------------------------------
def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    key = load_data_key(tmp_path, None)
    assert load_data_key(tmp_path, None) == key
    assert load_data_key(tmp_path, base64.b64encode(b"g" * 32).decode()) == b"g" * 32
    (file,) = tmp_path.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("data.key", 0o600)


def test_of_many_that_start_at_once_the_first_ones_key_stays(tmp_path):
    start, keys = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        keys.append(load_data_key(tmp_path, None))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["data.key"]


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(b"short").decode(), "é" * 44])
def test_what_is_no_key_is_refused_and_not_replaced(tmp_path, text: str):
    (tmp_path / "data.key").write_text(text, encoding="utf-8")
    with pytest.raises(DataKeyInvalid, match=r"data\.key is not 32 bytes"):
        load_data_key(tmp_path, None)
    assert (tmp_path / "data.key").read_text(encoding="utf-8") == text
    if text:
        with pytest.raises(DataKeyInvalid, match="XUESHI_DATA_KEY"):
            load_data_key(tmp_path, text)


def test_a_key_that_can_be_neither_read_nor_made_is_named(tmp_path):
    (tmp_path / "data.key").mkdir()
    with pytest.raises(DataKeyUnusable, match=r"data\.key can't be read or made: Is a directory"):
        load_data_key(tmp_path, None)
    with pytest.raises(DataKeyUnusable, match="No such file"):
        load_data_key(tmp_path / "gone", None)


# --- at the start ------------------------------------------------------------------------------------------------
@pytest.fixture
def other_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XUESHI_DATA_KEY", base64.b64encode(b"o" * 32).decode())
    vault.cache_clear()
    boot.start.cache_clear()
    yield
    vault.cache_clear()
    boot.start.cache_clear()


def test_a_house_is_not_opened_with_another_key(base: Base, xueshi, request):
    base.learner("u1")
    base.done("u1")
    base.sync()
    assert xueshi("programme", "list").exit == 0
    request.getfixturevalue("other_key")
    said = xueshi("sync", "base", "--json")
    assert (said.exit, said.json["error"]["code"]) == (2, "E_SEAL")
    assert "XUESHI_DATA_KEY" in said.err
    assert one("SELECT count(*) FROM learners_learner") == 1
    assert one("SELECT max(version) FROM intake_completion") == 1


def test_a_house_without_rows_takes_any_key(house: str, other_key, xueshi):
    assert xueshi("source", "list").exit == 0


def test_a_home_that_can_not_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(HomeUnusable, match="Not a directory"):
        home()
    monkeypatch.setenv("XUESHI_HOME", str(tmp_path / "new" / "home"))
    assert home() == tmp_path / "new" / "home"
    assert home().stat().st_mode & 0o066 == 0  # nobody else lists it
