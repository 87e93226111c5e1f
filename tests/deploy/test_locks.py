"""Lock files name versions and hashes, and never where these come from: that is each machine's own business."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "tests/bench/requirements-peers.lock",
         "tests/verifiers/package-lock.json"]  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_an_address(lock):
    text = (ROOT / lock).read_text("utf-8")
    assert re.search(r"sha(256|512)", text)
    assert not re.search(r"https?://|--(extra-)?index-url|\"resolved\"", text)
