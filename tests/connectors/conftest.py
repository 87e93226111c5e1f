"""The fake Moodle over real sockets, and connectors that wait for nothing."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.base import SourceConfig
from connectors.http import Limits
from connectors.moodle import MoodleConnector
from connectors.testing.fake_moodle import FakeMoodle

RECORDED = Path(__file__).parent / "recorded"
HASTY = Limits(connect=2, read=2, deadline=5, attempts=3, backoff=0.001, longest_wait=0.05)


@pytest.fixture(scope="session")
def hasty():
    """Limits under which nothing takes long."""
    return HASTY


@pytest.fixture
def site():
    """A running fake Moodle with the recorded site."""
    with FakeMoodle() as running:
        yield running


@pytest.fixture
def connect(site):
    """Makes connectors to the fake site; closes them at the end."""
    made = []

    def make(limits=HASTY, url=None, token=None, **options):
        options = {name.replace("__", "."): str(value) for name, value in options.items()}
        secret = SecretStr(site.token if token is None else token)
        config = SourceConfig("base", url or site.url, secret, options, allow_private=True)
        made.append(MoodleConnector(config, limits=limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def recorded():
    """What a real Moodle answered, by name (recorded/README.md)."""
    found = {}
    for name in ("answers.json", "refused.json"):
        found |= {one["name"]: one for one in json.loads((RECORDED / name).read_text("utf-8"))}
    return found
