"""The commands: stable words for scripts, one JSON value last on standard output, exit codes that mean something."""

from __future__ import annotations

import json

import pytest

from agent.certificates.numbers import is_number
from agent.certificates.signer import signing_keys
from connectors.base import kinds
from connectors.testing.fake_moodle import PROGRAMMES
from tests.house.houses import Base, filing_number, line, number, one, roster, sql

COMMANDS = {
    (): ("demo", "serve", "source", "sync", "programme", "quarantine", "learner", "certificate", "mapping", "roster",
         "doctor"),
    ("source",): ("add", "check", "list"),
    ("programme",): ("import", "list", "decide"),
    ("quarantine",): ("list", "show"),
    ("learner",): ("show",),
    ("certificate",): ("list", "show", "pdf", "verify"),
    ("mapping",): ("lint", "explain"),
    ("roster",): ("template", "check"),
}  # fmt: skip


@pytest.mark.parametrize("group", COMMANDS, ids="xueshi {}".format)
def test_help_names_every_command_with_a_sentence(xueshi, group):
    said = xueshi(*group, "--help")
    assert (said.exit, said.err) == (0, "")
    for command in COMMANDS[group]:
        assert f"│ {command} " in said.out
        own = xueshi(*group, command, "--help")
        assert own.exit == 0
        assert "Usage: xueshi" in own.out
        assert len(own.out.strip().splitlines()[2].strip()) > 10
        if (command,) not in COMMANDS and command != "serve":
            assert "--json" in own.out


def test_nothing_said_is_a_request_for_help(xueshi):
    assert "Usage: xueshi" in (said := xueshi()).out + said.err


@pytest.mark.parametrize(
    "wrong",
    [("nonsense",), ("sync",), ("sync", "a", "b"), ("source", "add", "x"), ("serve", "--port", "0"),
     ("programme", "decide", "K", "hope"), ("learner", "show", "x", "--year", "next"), ("sync", "x", "--jsn")],
    ids=" ".join,
)  # fmt: skip
def test_what_is_not_understood_is_usage(xueshi, wrong):
    said = xueshi(*wrong)
    assert (said.exit, said.out) == (2, "")
    assert "Traceback" not in said.err
    assert "Usage: xueshi" in said.err


# --- a source, from adding it to the certificate ---------------------------------------------------------------------
@pytest.fixture
def token(tmp_path, moodle):
    path = tmp_path / "token"
    path.write_text(f"{moodle.token}\n")
    return path


def test_adding_checking_and_syncing_a_source(house: str, xueshi, moodle, token):
    moodle.add_user("u1", "王", "一", sfzh=number(1))
    moodle.add_row("u1", "WSYS", "2024-05-06T02:00", "90")
    moodle.add_row("u1", "YFGL", "2024-05-06T02:00", "90")
    words = (
        "--kind",
        "moodle",
        "--url",
        moodle.url,
        "--token-file",
        token,
        "--option",
        "report_id=1",
        "--allow-private",
    )
    assert xueshi("programme", "import", PROGRAMMES, "--json").json == {
        "new": 9, "changed": 0, "unchanged": 0, "linked": 9, "waiting_for_source": 9,
    }  # fmt: skip
    added = xueshi("source", "add", "base", *words, "--json")
    assert added.json == {"name": "base", "kind": "moodle", "url": moodle.url, "new": True, "course_links": 9}
    assert xueshi("source", "add", "base", *words, "--json").json["new"] is False
    checked = xueshi("source", "check", "base", "--json")
    assert checked.exit == 0
    assert list(checked.json) == ["ok", "site", "release", "route", "capabilities", "problems"]
    assert (checked.json["ok"], checked.json["route"], checked.json["problems"]) == (True, "report", [])
    assert checked.json["capabilities"]["completion_time"] is True
    synced = xueshi("sync", "base", "--json")
    assert synced.exit == 0
    assert list(synced.json) == [
        "source", "landed", "new", "changed", "unchanged", "missing_upstream", "held", "calls", "seconds",
    ]  # fmt: skip
    assert {k: v for k, v in synced.json.items() if k not in ("calls", "seconds")} == {
        "source": "base", "landed": 2, "new": 2, "changed": 0, "unchanged": 0, "missing_upstream": 0, "held": 1,
    }  # fmt: skip
    assert synced.json["calls"] > 3
    assert isinstance(synced.json["seconds"], float)
    moodle.change_row("u1", "WSYS", grade="80")
    moodle.remove_row("u1", "YFGL")
    again = xueshi("sync", "base", "--json").json
    assert (again["landed"], again["changed"], again["missing_upstream"]) == (1, 1, 1)
    (listed,) = xueshi("source", "list", "--json").json
    assert (listed["name"], listed["state"], listed["error"]) == ("base", "done", "")
    assert moodle.token not in xueshi("source", "list", "--json").out + xueshi("source", "list").out


def test_a_check_that_finds_something_missing_says_what_to_click(base: Base, xueshi):
    base.site.faults.add("missing_function", function="core_reportbuilder_retrieve_report")
    said = xueshi("source", "check", "base", "--json")
    assert (said.exit, said.json["ok"]) == (1, False)
    assert said.json["problems"]
    for problem in said.json["problems"]:
        assert list(problem) == ["code", "message", "fix"]
        assert problem["code"].startswith("E_")
        assert problem["fix"]
    assert said.json["problems"][0]["code"] in xueshi("source", "check", "base").out


# --- looking at what a demo left ---------------------------------------------------------------------------------
def test_certificates_are_listed_as_promised(demo_house, xueshi):
    said = xueshi("certificate", "list", "--json")
    assert said.exit == 0
    assert len(said.json) == demo_house.result["certificates"]["total"]
    for row in said.json:
        assert list(row) == ["number", "state", "programme", "filing_number", "holder", "id_masked", "hours",
                             "learned_on", "issued_at", "verify_url"]  # fmt: skip
        assert is_number(row["number"])
        assert (row["state"], row["id_masked"][3:14]) == ("issued", "*" * 11)
        assert row["hours"] in ("20.00", "24.00", "48.00", "32.00", "16.00", "8.00")
    number_ = said.json[0]["number"]
    shown = xueshi("certificate", "show", number_, "--json").json
    assert shown | said.json[0] == shown
    assert [event["state"] for event in shown["events"]] == ["issued"]
    assert shown["credential"].count(".") == 2
    assert number_ in xueshi("certificate", "show", number_).out


def test_programmes_are_listed_with_state_and_number(demo_house, xueshi):
    listed = {row["key"]: row for row in xueshi("programme", "list", "--json").json}
    assert len(listed) == 9
    assert (listed["P4"]["state"], listed["P4"]["filing_number"]) == ("submitted", None)
    assert listed["P1"] == {
        "programme": "370400/2024/P1", "key": "P1", "state": "filed", "filing_number": "枣人社备〔2024〕001号",
        "title": "2024年卫生系统医师专业科目", "category": "professional", "organiser": "枣庄市卫生健康委员会（示例）",
        "hours": "20.00", "version": 1, "starts_on": "2024-01-01", "ends_on": "2024-12-31",
    }  # fmt: skip


def test_a_learners_year_is_shown_with_every_reason(base: Base, xueshi, tmp_path):
    pull_in(
        xueshi,
        roster(
            tmp_path / "r.csv",
            line("王一", 1, filing_number("P1"), 开始日期="2024-06-05", 学时="20"),
            line("王一", 1, filing_number("G1"), "2024-07-05"),
            line("王一", 1, "枣人社备〔2024〕999号", "2024-08-05"),
        ).name,
    )
    said = xueshi("learner", "show", number(1), "--year", 2024, "--json")
    assert said.exit == 0
    shown = said.json
    assert list(shown) == ["learner", "year", "policy", "standing", "entries", "held"]
    assert shown["learner"] == {"name": "王一", "id_masked": f"370{'*' * 11}{number(1)[-4:]}"}
    assert shown["standing"] == {
        "public": "8.00", "professional": "8.00", "total": "16.00",
        "required": {"public": "30.00", "professional": "60.00", "total": "90.00"}, "met": False,
        "missing": {"public": "22.00", "professional": "52.00", "total": "74.00"},
    }  # fmt: skip
    first, second = shown["entries"]
    assert (first["claimed"], first["credited"], first["capped"], first["rule"]) == ("20.00", "8.00", "12.00", "R10")
    assert "8" in first["reason_zh"]
    assert first["reason_en"].startswith("8 h credited")
    assert first["policy"] == shown["policy"]
    assert is_number(first["certificate"])
    assert second["certificate"] is None
    assert [row["code"] for row in shown["held"]] == ["E_FILING_UNKNOWN"]
    assert number(1) not in said.out + said.err
    page = xueshi("learner", "show", number(1).lower(), "--year", 2024).out
    assert "王一" in page
    assert "R10" in page
    assert number(1) not in page
    old = number(1)[:6] + number(1)[8:17]
    assert xueshi("learner", "show", old, "--year", 2024, "--json").json == shown


def test_what_waits_is_listed_and_shown_with_its_fix(demo_house, xueshi):
    rows = xueshi("quarantine", "list", "--json").json
    assert len(rows) == sum(demo_house.result["quarantined"].values())
    assert xueshi("quarantine", "list", "--code", "E_ID_DATE", "--json").json == [
        row for row in rows if row["code"] == "E_ID_DATE"
    ]
    assert xueshi("quarantine", "list", "--source", "other", "--json").json == []
    assert xueshi("quarantine", "list", "--released", "--json").json == []
    for code in demo_house.result["quarantined"]:
        row = next(row for row in rows if row["code"] == code)
        shown = xueshi("quarantine", "show", row["number"], "--json").json
        assert shown == row
        assert all(shown[field] for field in ("sentence_zh", "sentence_en", "fix_zh", "fix_en"))
        assert "？" not in shown["sentence_zh"] + shown["sentence_en"]  # nothing that it names is missing
        page = xueshi("quarantine", "show", row["number"]).out
        assert code in page
        assert "\n→ " in page


def test_the_rules_are_checked_and_explained(xueshi):
    assert xueshi("mapping", "lint", "--json").json == []
    said = xueshi("mapping", "explain", "370400/2024", "R10")
    assert said.exit == 0
    assert "R10" in said.out
    assert "R11" not in said.out
    assert xueshi("mapping", "explain", "370400/2024", "--json").json["region"] == "370400"


def test_doctor_looks_at_everything(house: str, xueshi):
    said = xueshi("doctor", "--json")
    assert said.exit == 0, said.err
    assert said.json["ok"] is True
    found = {check["check"]: check["found"] for check in said.json["checks"]}
    assert list(found) == [
        "python",
        "xueshi",
        "home",
        "database",
        "policies",
        "signing key",
        "fonts",
        "time-stamps",
        "connectors",
        "queue",
    ]
    assert found["database"].startswith("PostgreSQL 18")
    assert found["policies"] == "370400: 2024"
    assert found["connectors"] == ", ".join(kinds())


def test_doctor_says_what_to_mend(house: str, xueshi, monkeypatch, tmp_path):
    monkeypatch.setenv("XUESHI_MAPPINGS", str(tmp_path / "none"))
    monkeypatch.setenv("XUESHI_SIGNING_P12", str(tmp_path / "none.p12"))
    signing_keys.cache_clear()
    said = xueshi("doctor", "--json")
    assert (said.exit, said.json["ok"]) == (2, False)
    wrong = {check["check"]: check for check in said.json["checks"] if not check["ok"]}
    assert wrong["signing key"]["code"] == "E_SIGNING_KEY_MISSING"
    assert wrong["signing key"]["fix"]


def test_a_decision_releases_and_issues(demo_copy, xueshi):
    said = xueshi("programme", "decide", "P4", "accept", "--reason", "材料齐全", "--json")
    assert said.exit == 0
    assert said.json == {
        "programme": "370400/2024/P4", "state": "filed", "filing_number": "枣人社备〔2024〕009号",
        "matched": 273, "issued": 273,
    }  # fmt: skip
    assert sql("SELECT reason FROM programmes_filingevent ORDER BY id DESC LIMIT 1") == [("材料齐全",)]
    assert "E_PROGRAMME_NOT_FILED" not in {row["code"] for row in xueshi("quarantine", "list", "--json").json}
    assert len(xueshi("quarantine", "list", "--released", "--json").json) == 273


def test_json_is_the_last_and_only_thing_on_standard_output(base: Base, xueshi):
    base.learner("u1")
    base.done("u1")
    for command in (("sync", "base"), ("source", "list"), ("programme", "list"), ("certificate", "list"), ("doctor",)):
        said = xueshi(*command, "--json")
        json.loads(said.out)
        assert said.out.endswith("\n")
        plain = xueshi(*command)
        assert plain.exit == said.exit
        assert not plain.out.lstrip().startswith(("[\n", "{\n"))
    assert one("SELECT count(*) FROM certificates_certificate") == 1


def pull_in(xueshi, name: str) -> None:
    assert xueshi("sync", name).exit == 0
