"""Which database: Django's ``DATABASES`` entry from ``DATABASE_URL``, or from the private server's URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from agent.db.errors import DatabaseUrlInvalid
from agent.db.private import PrivatePostgres, ensure

_HOST = re.compile(r"[\w.:%-]*|/.*")
"""A host name, an address, or a socket's folder."""
_MISTAKEN = "it does not read as user:password@host:port/database; a password with / @ or % must be percent-encoded"


def database_settings(environ: Mapping[str, str], home: Path, *, start: bool = True) -> dict[str, Any]:
    """Django's settings of the default database: ``DATABASE_URL`` if it is set, else the private server of ``home``.

    ``start=False`` gives the private server's address without starting it: for what only looks at the settings.

    :raises DatabaseUrlInvalid: another kind of database, or no readable address. The password is in no error.
    :raises XueshiError: the private server can't be had.
    """
    url = environ.get("DATABASE_URL", "").strip()
    if not url:
        url = ensure(home) if start else PrivatePostgres(home).url()
    return settings_of(url)


def settings_of(url: str) -> dict[str, Any]:
    """Take a libpq URL apart; everything in its query (``sslmode``, ``options``, ``host`` …) is kept.

    :raises DatabaseUrlInvalid: as for `database_settings`.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in {"postgresql", "postgres"}:
        named = scheme if scheme.isidentifier() and "://" in url else "something without postgresql:// in front"
        raise DatabaseUrlInvalid(reason=f"xueshi works with PostgreSQL only, and this is {named}")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        # The reason that libpq gives quotes the part that it could not read: it may be the password.
        raise DatabaseUrlInvalid(reason=_MISTAKEN) from None
    hosts, ports = str(parts.pop("host", "")), str(parts.pop("port", ""))
    name = str(parts.pop("dbname", ""))
    # A password with @ or / in clear ends up in host, port or name, from where errors would show it.
    plain = all(_HOST.fullmatch(host) for host in hosts.split(",")) and "@" not in name
    if not plain or not re.fullmatch(r"[\d,]*", ports):
        raise DatabaseUrlInvalid(reason=_MISTAKEN)
    if not name:
        raise DatabaseUrlInvalid(reason="it names no database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": str(parts.pop("user", "")),
        "PASSWORD": str(parts.pop("password", "")),
        "HOST": hosts,
        "PORT": ports,
        "OPTIONS": {"connect_timeout": 10, "application_name": "xueshi", **parts},
    }
