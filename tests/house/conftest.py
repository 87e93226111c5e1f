"""A house with one small base, for tests that make their own people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from connectors.http import Limits
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import Base, connect, file_programmes


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that fails is asked again at once, and not after half a second."""
    monkeypatch.setattr("connectors.http.Limits", partial(Limits, attempts=2, backoff=0.001, connect=2, read=5))


@pytest.fixture
def moodle() -> Iterator[FakeMoodle]:
    """The recorded site's courses, and nobody in them."""
    with FakeMoodle(rows=0) as site:
        yield site


@pytest.fixture(scope="session")
def filed(databases: Any) -> str:
    """A database with the demo's programmes filed for a source named «base», made once for each worker. Its name is new
    each time, for another folder of tests takes this fixture over, and then it is another.
    """
    name = f"filed{os.urandom(4).hex()}"
    with databases.copy("xueshi", keep=name), FakeMoodle(rows=0) as site:
        file_programmes(connect(site).source)
    return name


@pytest.fixture
def base(databases: Any, filed: str, moodle: FakeMoodle) -> Iterator[Base]:
    """That site as the source, in a copy of that database."""
    with databases.copy(filed):
        yield connect(moodle)
