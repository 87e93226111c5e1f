"""A database that goes away: what was due is asked for, its session is not kept, the log says it in a line."""

from __future__ import annotations

import logging
import sys
from threading import Event

import pytest
from django.db import InterfaceError, OperationalError

from agent.logs import OneLine
from agent.work import lasting
from agent.work.lasting import persistently
from tests.house.houses import one


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lasting, "_PAUSE", 0.0)


def test_it_is_asked_until_the_database_is_back(house: str, hurried, caplog):
    failures = [OperationalError("the connection is lost"), InterfaceError("connection already closed")]

    def ask() -> None:
        if failures:
            raise failures.pop(0)

    persistently(ask)
    assert failures == []
    assert caplog.text.count("waiting for it") == 1


def test_a_session_that_was_ended_is_not_used_again(house: str, hurried):
    from django.db import connection

    from tests.house.houses import sql

    sql("SELECT 1")
    connection.connection.close()
    said: list[int] = []
    persistently(lambda: said.append(one("SELECT 1")))
    assert said == [1]


def test_who_is_told_to_stop_waits_no_longer(hurried):
    def ask() -> None:
        raise OperationalError("the connection is lost")

    stopping = Event()
    stopping.set()
    with pytest.raises(OperationalError):
        persistently(ask, stopping)


def line_of(error: Exception) -> str:
    try:
        raise error  # noqa: TRY301 - it needs a traceback
    except Exception:  # noqa: BLE001 - whatever it is
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "It failed", (), sys.exc_info())
    return OneLine().format(record)


def test_an_exception_in_the_log_tells_its_place_and_not_its_words():
    said = line_of(ValueError("370402198001010014 of somebody"))
    assert "E_BUG: ValueError at test_lasting.py" in said
    assert "370402" not in said
    assert "Traceback" not in said


def test_a_lost_database_in_the_log_is_a_sentence():
    said = line_of(OperationalError("the connection is closed"))
    assert "E_DATABASE_STOPPED" in said
    assert "Traceback" not in said
