"""A disk that is full while rows land: a small file system of its own, in a process that alone sees it mounted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.trials.hasty import COMMAND, ROOT
from tests.trials.outcome import Outcome

_SIZE, _LEFT = 256 << 20, 512 << 10  # bytes
NAMESPACE = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"])
_ALONE = [*NAMESPACE, sys.executable, "-m", "tests.trials.disk"]


def run(seed: int) -> Outcome:
    """The trial, in a process of its own."""
    outcome, began = Outcome("disk full"), time.monotonic()
    done = subprocess.run([*_ALONE, str(seed)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        outcome.faults.append(f"exit code {done.returncode}: {done.stderr[-800:]}")
    else:
        outcome.faults += json.loads(done.stdout)
    outcome.done["disk full"] += 1
    outcome.seconds = time.monotonic() - began
    return outcome


def _inner(seed: int, home: Path) -> list[str]:
    from agent.db.private import PrivatePostgres
    from agent.intake.models import SourceState
    from connectors.testing.fake_moodle import FakeMoodle
    from tests.migrated import migrate
    from tests.trials import truth
    from tests.trials.places import SOURCE, at, fresh, furnish, undisturbed
    from tests.trials.script import REPORT, Script

    found: list[str] = []
    sync = [*COMMAND, "sync", SOURCE, "--json"]
    with PrivatePostgres(home / "h") as server, FakeMoodle(rows=0) as site, ExitStack() as stack:
        script, house = Script(site, seed), server.url()
        script.begin(20)
        with at(house):
            migrate(house)
            furnish(site, REPORT)
            undisturbed()
        twin = stack.enter_context(fresh(server))
        script.begin(600)
        with at(house):
            before, reached = truth.said(), SourceState.objects.get().reached
            room = os.statvfs(home)
            ballast = home / "ballast"
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - _LEFT)
            done = subprocess.run(sync, capture_output=True, text=True, check=False, timeout=300)
            code = json.loads(done.stdout or "{}").get("error", {}).get("code", "")
            if done.returncode != 1 or code not in {"E_DISK_FULL", "E_DATABASE_STOPPED"}:
                found.append(f"exit code {done.returncode}, {done.stdout[-300:]} {done.stderr[-300:]}")
            found += truth.leaks([done.stdout, done.stderr], site.token)
            ballast.unlink()
            server.start()  # it may have stopped: a log that can't be written ends it
            if SourceState.objects.get().reached != reached:
                found.append("the place that is reached moved")
            if lost := [one for one in truth.differences(truth.said(), before) if "lost" in one]:
                found += lost
            found += truth.wrong(at_rest=False)
            done = subprocess.run(sync, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                found.append(f"afterwards: exit code {done.returncode}, {done.stdout[-300:]}")
            ours, wrong = truth.said(), truth.wrong()
        with at(twin):
            undisturbed()
            found += truth.differences(ours, truth.said()) + wrong
    return found


def _main() -> None:
    from tests.trials.__main__ import set_up

    with tempfile.TemporaryDirectory(prefix="xd") as folder:
        home = Path(folder)
        # gone with this process, which alone sees it
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0711", "trial", folder], check=True)
        try:
            (home / "keys").mkdir()
            set_up(home / "keys")
            found = _inner(int(sys.argv[1]), home)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _main()
