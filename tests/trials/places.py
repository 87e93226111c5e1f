"""Houses to try things in: a quiet server with a database each, and one of its own for what is killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

from agent.db.private import PrivatePostgres
from agent.db.url import settings_of
from agent.flow import run_stages
from agent.intake.models import Source
from agent.intake.sync import pull
from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import connect, file_programmes
from tests.trials.script import Route
from tests.work.processes import PATIENCE

_T = TypeVar("_T")
SOURCE = "base"


@contextmanager
def at(url: str) -> Iterator[None]:
    """Django speaks to that database meanwhile."""
    before = os.environ.get("DATABASE_URL", "")
    _point(url)
    try:
        yield
    finally:
        _point(before)


def _point(url: str) -> None:
    connections.close_all()
    os.environ["DATABASE_URL"] = url
    connection.settings_dict.update(settings_of(url))


@contextmanager
def fresh(server: PrivatePostgres, template: str = "xueshi") -> Iterator[str]:
    """A copy of a migrated database on a quiet server; its URL. Dropped at the end."""
    import psycopg

    name = f"t{os.urandom(6).hex()}"

    def say(statement: str) -> None:
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as session:
            session.execute(statement)

    connections.close_all()
    say(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER xueshi STRATEGY file_copy')
    try:
        yield server.url(name)
    finally:
        connections.close_all()
        say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def furnish(site: FakeMoodle, route: Route, name: str = SOURCE) -> Source:
    """The site as the source of the house that Django speaks to, with the programmes filed; asked by nobody."""
    source = connect(site, name, **route.options).source
    Source.objects.filter(pk=source.pk).update(scheduled=False, jitter=0, budget=1_000_000)
    file_programmes(source)
    return source


def undisturbed() -> None:
    """A pull and the stages, by hand and in peace."""
    pull(Source.objects.get(name=SOURCE))
    run_stages()


def steady(what: Callable[[], _T], patience: float = PATIENCE) -> _T:
    """What a question to the database answers, asked again while the database is away."""
    end = time.monotonic() + patience
    while True:
        try:
            return what()
        except (OperationalError, InterfaceError):
            connections.close_all()
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
