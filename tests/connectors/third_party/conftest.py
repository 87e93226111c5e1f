"""The third party's package, installed as far as Python can tell: its metadata in a folder on the path, without pip."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import base

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # its modules; without metadata nobody finds a connector among them


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder with what an installer would write out of ``pyproject.toml``."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]
    folder = tmp_path / "site-packages"
    info = folder / f"xueshi_weike-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["xueshi.connectors"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[xueshi.connectors]", *lines, ""]))
    monkeypatch.syspath_prepend(folder)
    base._installed.cache_clear()
    yield folder
    base._installed.cache_clear()
