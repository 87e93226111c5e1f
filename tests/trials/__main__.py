"""`python -m tests.trials`: do what may go wrong, and look what became of it. ``--help`` shows what can be chosen."""

from __future__ import annotations

import argparse
import base64
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.trials.outcome import Outcome


def main() -> int:
    """Run the trials."""
    parser = argparse.ArgumentParser(prog="make trials", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="repeat a trial with its seed")  # noqa: S311
    parser.add_argument("--kills", type=int, default=200, help="processes to kill")
    parser.add_argument("--only", choices=("faults", "disk", "pages", "issue", "kills"), help="one part")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever is told to end leaves nobody running
    home = Path(tempfile.mkdtemp(prefix="xt"))
    try:
        set_up(home)
        return _tried(chosen, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def set_up(home: Path) -> None:
    """An environment like that of the tests: invented keys, no database yet."""
    os.environ.update(
        XUESHI_HOME=str(home), XUESHI_DATA_KEY=base64.b64encode(b"k" * 32).decode(),
        XUESHI_SECRET_KEY="only for trials", DATABASE_URL="postgresql:///not-yet",
        DJANGO_SETTINGS_MODULE="agent.settings",
    )  # fmt: skip
    for name in ("XUESHI_BASE_URL", "XUESHI_SIGNING_P12", "XUESHI_MAPPINGS", "XUESHI_REGION"):
        os.environ.pop(name, None)
    import django

    django.setup()


def _tried(chosen: argparse.Namespace, home: Path) -> int:
    from django.core.management import call_command

    from agent.db.private import PrivatePostgres
    from tests.trials import disk, faults, issue, kills, pages
    from tests.trials.places import at

    began = time.monotonic()

    def tell(sentence: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {sentence}\n")
        sys.stderr.flush()

    tell(f'seed {chosen.seed}; repeat with: make trials ARGS="--seed {chosen.seed}"')
    outcomes = []
    with PrivatePostgres(home / "quiet", durable=False) as quiet:
        with at(quiet.url()):
            call_command("migrate", verbosity=0)
        if chosen.only in (None, "faults"):
            outcomes += faults.run(quiet, chosen.seed, tell)
        if chosen.only in (None, "disk"):
            outcomes.append(disk.run(chosen.seed))
            tell(f"disk full: {len(outcomes[-1].faults)} faults")
        if chosen.only in (None, "pages"):
            outcomes.append(pages.run(quiet, chosen.seed, tell))
        if chosen.only in (None, "issue"):
            outcomes.append(issue.run(quiet, chosen.seed, max(1, chosen.kills // 2), tell))
        if chosen.only in (None, "kills"):
            outcomes.append(kills.run(quiet, chosen.seed, chosen.kills, tell))
    _show(outcomes)
    wrong = any(one.faults for one in outcomes)
    tell(f"seed {chosen.seed}: " + ("something is wrong" if wrong else "all is well"))
    return int(wrong)


def _show(outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for head in ("trial", "tried", "faults found", "seconds"):
        table.add_column(head, justify="left" if head in ("trial", "tried") else "right")
    for one in outcomes:
        tried = ", ".join(f"{count} {what}" for what, count in sorted(one.done.items()))
        table.add_row(one.name, tried, str(len(one.faults)) if one.faults else "none", f"{one.seconds:.0f}")
    console = Console(stderr=True, width=140)
    console.print(table)
    for one in outcomes:
        for fault in one.faults:
            console.print(f"✗ {one.name}: {fault}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
