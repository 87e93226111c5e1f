"""`xueshi doctor`: is everything here that the work needs?"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from importlib.metadata import version

import typer

from agent.cli.output import AsJson, emit, page
from agent.errors import USAGE, XueshiError

_NEEDED_FREE = 1_000_000_000
_LONGEST_WAIT = 1800  # seconds; longer than any pull of a city takes


class DiskLow(XueshiError):
    """Only {free} MB are free under {path}."""

    code = "E_DISK_LOW"
    fix = "Make room: the database and the PDFs need at least 1 GB to go on."


class RightsTooWide(XueshiError):
    """{path} can be read by others (mode {mode})."""

    code = "E_RIGHTS"
    fix = "chmod 600 {path}"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at home, keys, database, rules, fonts and connectors, and say what to mend."""
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: sys.version.split()[0],
        "xueshi": lambda: version("xueshi"),
        "home": _home,
        "database": _database,
        "policies": _policies,
        "signing key": _signing,
        "fonts": _fonts,
        "time-stamps": _timestamps,
        "connectors": _connectors,
        "queue": _queue,
    }
    results = []
    for name, look in checks.items():
        try:
            results.append({"check": name, "ok": True, "found": look(), "code": None, "fix": None})
        except XueshiError as error:
            results.append(
                {"check": name, "ok": False, "found": error.message, "code": error.code, "fix": error.how_to_fix}
            )
    ok = all(result["ok"] for result in results)
    if as_json:
        emit({"ok": ok, "checks": results})
    else:
        for result in results:
            page.print(f"{'✓' if result['ok'] else '✗'} {result['check']:<12} {result['found']}", markup=False)
            if result["fix"]:
                page.print(f"  → {result['fix']}", markup=False)
    if not ok:
        raise typer.Exit(USAGE)


def _home() -> str:
    from agent.crypto import vault  # noqa: PLC0415
    from agent.home import home  # noqa: PLC0415

    path = home()
    vault()
    free = shutil.disk_usage(path).free
    if free < _NEEDED_FREE:
        raise DiskLow(free=free // 1_000_000, path=path)
    key = path / "data.key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        raise RightsTooWide(path=key, mode=oct(stat.S_IMODE(key.stat().st_mode)))
    return f"{path} ({free // 1_000_000_000} GB free)"


def _database() -> str:
    from agent.boot import start  # noqa: PLC0415
    from agent.db.faults import explain  # noqa: PLC0415

    private = not os.environ.get("DATABASE_URL")
    try:
        start()
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            found = cursor.fetchone()[0]
    except Exception as error:  # noqa: BLE001 - whatever the database says is judged, and raised again if unknown
        known = error if isinstance(error, XueshiError) else explain(error)
        raise known or error from None
    return f"PostgreSQL {found}{', private' if private else ''}"


def _queue() -> str:
    from agent.work.errors import JobsStuck  # noqa: PLC0415
    from agent.work.queue import depth  # noqa: PLC0415

    found = depth()
    waiting = sum(task["waiting"] for task in found["tasks"])
    if found["oldest_seconds"] > _LONGEST_WAIT:
        minutes = found["oldest_seconds"] // 60
        raise JobsStuck(waiting=waiting, minutes=minutes, workers=found["workers"])
    return f"{waiting} waiting, {found['workers']} workers"


def _policies() -> str:
    from agent.flow import policies  # noqa: PLC0415
    from agent.home import region  # noqa: PLC0415

    return f"{region()}: {', '.join(str(year) for year in sorted(policies())) or 'none'}"


def _signing() -> str:
    from agent.certificates.signer import signing_keys  # noqa: PLC0415

    keys = signing_keys()
    return f"{keys.algorithm} {keys.kid[:16]}"


def _fonts() -> str:
    from agent.certificates.fonts import families, require_glyphs  # noqa: PLC0415

    require_glyphs({"sample": "继续教育𠮷䶮·〔〕"})
    return ", ".join(families())


def _timestamps() -> str:
    from agent.certificates.timestamps import authority_of_settings  # noqa: PLC0415

    authority = authority_of_settings()
    return f"{authority.url}, {authority.size} bytes" if authority else "none asked for (XUESHI_TSA_URL)"


def _connectors() -> str:
    from connectors.base import kinds  # noqa: PLC0415

    return ", ".join(kinds())
