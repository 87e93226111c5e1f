"""Commands that need no database start none and set up no Django: `make check` runs one of them on a bare machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ("mapping", "lint"),
        ("mapping", "explain", "370400/2024", "R10"),
        ("roster", "template"),
        ("credit", "schema"),
        ("--help",),
    ],
)
def test_it_runs_in_a_process_of_its_own_without_a_home(arguments, tmp_path: Path):
    environ = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environ["XUESHI_HOME"] = str(tmp_path / "home")
    xueshi = Path(sys.executable).with_name("xueshi")

    said = subprocess.run([xueshi, *arguments], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stderr
    assert not (tmp_path / "home").exists()
