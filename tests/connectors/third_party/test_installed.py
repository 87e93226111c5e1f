"""A person installs the third party's package and syncs: the commands find its connector by the entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_weike import FakeWeike

from connectors.testing.conformance import COHORT, COURSES

HERE = Path(__file__).parent


@pytest.fixture
def site():
    with FakeWeike(COURSES) as site:
        for one in COHORT:
            who = {"login": one.user, "name": one.name, "sfzh": one.id_number}
            site.finish(**who, course=one.course, finished=f"{one.at:%Y-%m-%d %H:%M:%S}")
        yield site


@pytest.fixture
def said(house, installed, tmp_path):
    """Runs ``xueshi`` as a process of its own, which sees what is installed in the folder; the JSON that it says."""
    path = os.pathsep.join([str(installed), str(HERE)])

    def run(*words, fails=0):
        command = [Path(sys.executable).with_name("xueshi"), *words, "--json"]
        environ = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == fails, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_third_partys_source_is_added_checked_and_synced(site, said, tmp_path):
    from agent.intake.models import Completion

    token = tmp_path / "token"
    token.write_text(site.token)
    words = ("--kind", "weike", "--url", site.url, "--allow-private", "--token-file", str(token))
    assert said("source", "add", "wk", *words)["kind"] == "weike"
    found = said("source", "check", "wk")
    assert (found["ok"], found["site"]) == (True, "微课学院（虚构）")
    said("sync", "wk")
    landed = Completion.objects.filter(source__name="wk", current=True)
    assert {(row.account, row.course) for row in landed} == {(one.user, one.course) for one in COHORT}
    site.break_it("invalid_token")
    assert "设置 > 开放接口" in said("source", "check", "wk", fails=1)["problems"][0]["fix"]
