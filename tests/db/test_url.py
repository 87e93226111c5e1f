"""DATABASE_URL: everything libpq reads is taken over, and a password is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.db.errors import DatabaseUrlInvalid
from agent.db.url import database_settings, settings_of


def test_the_parts_go_where_django_wants_them() -> None:
    url = "postgresql://u:p%40ss%2F@db.example:5433/hours?sslmode=require&options=-c%20statement_timeout%3D9"
    assert settings_of(url) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "hours",
        "USER": "u",
        "PASSWORD": "p@ss/",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": "xueshi",
            "sslmode": "require",
            "options": "-c statement_timeout=9",
        },
    }


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgres://u@/hours?host=/run/postgresql", "/run/postgresql"),
        ("postgresql://u@%2Frun%2Fpg/hours", "/run/pg"),
        ("postgresql://u@a.example,b.example:5433/hours", "a.example,b.example"),
        ("postgresql://u@[2001:db8::1]/hours", "2001:db8::1"),
        ("postgresql:///hours", ""),
    ],
)
def test_sockets_several_hosts_and_ipv6_are_hosts(url: str, host: str) -> None:
    assert settings_of(url)["HOST"] == host


@pytest.mark.parametrize("password", ["a?b", "a#b", "[a", "a:b"])
def test_a_password_that_libpq_reads_is_read(password: str) -> None:
    settings = settings_of(f"postgresql://u:{password}@h/d")
    assert (settings["PASSWORD"], settings["HOST"]) == (password, "h")


def test_database_url_wins_over_the_private_server(tmp_path: Path) -> None:
    assert database_settings({"DATABASE_URL": " postgresql://u@h/d "}, tmp_path / "none")["NAME"] == "d"
    assert not (tmp_path / "none").exists()


def test_without_it_the_private_server_is_named_and_not_started_when_only_looked_at(tmp_path: Path) -> None:
    settings = database_settings({}, tmp_path, start=False)
    assert (settings["NAME"], settings["USER"]) == ("xueshi", "xueshi")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://u:hush@h/d", "oracle://h", "h=d password=hush", "hush"])
def test_another_engine_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="PostgreSQL only") as refused:
        settings_of(url)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hush%zz@h/d",
        "postgresql://u:pre@hush@h/d",
        "postgresql://u:pre/hush@h/d",
        "postgresql://u:hush@h:port/d",
        "postgresql://u:hush@h/d?nonsense=1",
        "postgresql://u:hush@h",
    ],
)
def test_a_mistaken_address_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as refused:
        settings_of(url)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "%40" in refused.value.how_to_fix
