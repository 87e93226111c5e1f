"""How a process starts: home, database, Django, tables."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from agent.crypto import vault
from agent.home import home

_private: list[Path] = []
"""The home whose private database this process uses; empty where ``DATABASE_URL`` names one."""


@lru_cache(maxsize=1)
def start() -> None:
    """Make the house ready: the private database runs (unless ``DATABASE_URL`` names one), tables are up to date.

    :raises XueshiError: home, data key or database can't be used, or the key is not the one that the rows were sealed
        with; the sentence says how to mend it.
    """
    where = home()
    # Django's secret follows from the data key: one thing to keep, and sessions survive a restart
    os.environ.setdefault("XUESHI_SECRET_KEY", vault().fingerprint("django secret key").hex())
    if not os.environ.get("DATABASE_URL"):
        from agent.db.private import ensure  # noqa: PLC0415 - only who uses the private database pays for it

        os.environ["DATABASE_URL"] = ensure(where, say=_say)
        _private.append(where)
    os.environ["DJANGO_SETTINGS_MODULE"] = "agent.settings"
    import django  # noqa: PLC0415 - settings read the environment that was just set

    django.setup()
    _migrate()
    _check_key()


def revive() -> None:
    """Start the private database again, should it have been killed; one that has an address is not ours to start.

    :raises XueshiError: it can't be had now
    """
    from agent.db.private import ensure  # noqa: PLC0415 - as above

    for where in _private:
        ensure(where)


def _say(sentence: str) -> None:
    """Starting a database may take a while: say so to whoever waits."""
    print(sentence, file=sys.stderr)  # noqa: T201 - no console is there yet


def _migrate() -> None:
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with connection.cursor() as cursor:  # two processes that start at once: one migrates, the other waits
            cursor.execute("SELECT pg_advisory_lock(hashtext('xueshi migrate'))")
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('xueshi migrate'))")


def _check_key() -> None:
    """Another key than before would make a stranger of every learner, and nothing else would tell."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM intake_rawpage ORDER BY id LIMIT 1")
        row = cursor.fetchone()
    if row:
        vault().open(bytes(row[0]), b"raw page")
