"""Whatever is wrong: a sentence with what and how to mend it, an exit code, nothing half-written, no traceback."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mappings
from agent.credit.policy import load_policy
from agent.flow import run_stages
from agent.intake.models import Completion, Source, SyncRun
from agent.programmes.models import Programme
from tests import bombs
from tests.house.houses import Base, held, line, number, roster, rows
from tests.house.programme_files import LINE, ROW, file, sheet

ROSTERS = Path(__file__).parents[1] / "connectors" / "rosters"


@pytest.fixture
def fails(xueshi) -> Callable[..., dict[str, str]]:
    """Run a command that must fail in order; what it says in JSON."""

    def run(*command: object, exit: int) -> dict[str, str]:  # noqa: A002 - it reads as what it is
        said = xueshi(*command, "--json")
        assert said.exit == exit, said.err
        assert "Traceback" not in said.out + said.err
        error = said.json["error"]
        assert list(error) == ["code", "message", "fix"]
        assert error["code"].startswith("E_")
        assert error["code"] != "E_BUG"
        assert error["message"].splitlines()[0].endswith((".", ")", ":"))
        assert error["fix"]
        for word in error.values():
            assert word.splitlines()[0] in said.err  # whole, on one line
            # a parameter that nobody gave shows as «?»; «?!» is what one of the bad files says
            assert "?" not in word.replace("«?!»", "").replace("?\n", "")
        return error

    return run


# --- sources -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("invalid_token", "E_TOKEN_INVALID"),
        ("expired_token", "E_TOKEN_EXPIRED"),
        ("html", "E_NOT_JSON"),
        ("broken_json", "E_TRUNCATED"),
        ("wrong_json", "E_MALFORMED"),
        ("column_missing", "E_COLUMN_MISSING"),
        ("column_renamed", "E_COLUMN_MISSING"),
        ("truncated", "E_TRUNCATED"),
        ("reset", "E_UNREACHABLE"),
        ("maintenance", "E_MAINTENANCE"),
        ("not_found", "E_NOT_FOUND"),
        ("disabled", "E_REFUSED"),
        ("redirect", "E_REDIRECTED"),
        ("totals_lie", "E_TOTALS"),
    ],
)
def test_a_source_that_fails_leaves_everything_as_it_was(base: Base, fails, fault: str, code: str):
    base.learner("u1")
    base.done("u1")
    base.sync()
    before = rows("intake_completion"), rows("credit_creditentry"), rows("quarantine_held")
    base.done("u1", "RGZN")
    base.site.faults.add(fault)
    error = fails("sync", "base", exit=1)
    assert error["code"] == code
    assert "The sync of base stopped. " in error["message"]
    assert base.site.token not in str(error)
    assert (rows("intake_completion"), rows("credit_creditentry"), rows("quarantine_held")) == before
    run = SyncRun.objects.latest("pk")
    assert (run.state, run.error_code) == ("failed", code)
    base.site.clear_faults()
    base.site.renew_token(base.site.token)
    assert base.sync().matched.matched == 1


def test_an_address_where_nobody_answers(base: Base, fails, xueshi):
    base.site.stop()
    assert fails("sync", "base", exit=1)["code"] == "E_UNREACHABLE"
    said = xueshi("source", "check", "base", "--json")
    assert (said.exit, said.json["problems"][0]["code"]) == (1, "E_UNREACHABLE")


def test_a_name_that_nobody_knows(house: str, fails):
    assert fails("sync", "none", exit=2)["message"] == "There is no source named «none»; there are: none yet."
    assert fails("source", "check", "none", exit=2)["code"] == "E_SOURCE_UNKNOWN"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--kind", "canvas", "--url", "https://x.example"), "E_KIND_UNKNOWN"),
        (("--kind", "moodle", "--url", "https://x.example", "--option", "colour=red"), "E_OPTION"),
        (("--kind", "moodle", "--url", "https://x.example", "--option", "report_id=one"), "E_OPTION"),
        (("--kind", "moodle", "--url", "https://x.example", "--option", "report_id"), "E_OPTION"),
        (("--kind", "moodle", "--url", "ftp://x.example"), "E_ADDRESS_INVALID"),
        (("--kind", "moodle", "--url", "http://x.example"), "E_ADDRESS_INVALID"),
        (("--kind", "moodle", "--url", "https://me:secret@x.example"), "E_ADDRESS_INVALID"),
        (("--kind", "moodle", "--url", "https://x.example", "--token-file", "/none"), "E_TOKEN_FILE"),
        (("--kind", "moodle", "--url", "https://x.example", "--token-file", "/"), "E_TOKEN_FILE"),
    ],
    ids=lambda part: part[-1] if isinstance(part, tuple) else part,
)
def test_a_source_that_can_not_be_is_not_added(house: str, fails, words: tuple[str, ...], code: str):
    error = fails("source", "add", "x", *words, exit=2)
    assert error["code"] == code
    assert "secret" not in str(error)
    assert not Source.objects.exists()


@pytest.mark.parametrize("text", ["", "two words", "\n\n"])
def test_a_token_file_holds_one_word(house: str, fails, tmp_path, text: str):
    (tmp_path / "t").write_text(text)
    words = ("--kind", "moodle", "--url", "https://x.example", "--token-file", tmp_path / "t")
    assert fails("source", "add", "x", *words, exit=2)["code"] == "E_TOKEN_FILE"


def test_a_token_is_never_taken_from_the_command_line(house: str, xueshi):
    """It would show in the list of processes."""
    said = xueshi("source", "add", "x", "--kind", "moodle", "--url", "https://x.example", "--token", "abc")
    assert (said.exit, "abc" in said.err) == (2, False)


# --- rosters -------------------------------------------------------------------------------------------------------
def _cut_off(path: Path) -> None:
    path.write_bytes((ROSTERS / "a-clean.xlsx").read_bytes()[:-2000])


def _bomb(path: Path) -> None:
    shutil.copy(ROSTERS / "a-clean.xlsx", path)
    bombs.put_into(path)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_cut_off, "E_FILE_BROKEN"),
        (_bomb, "E_FILE_TOO_LARGE"),
        (lambda path: path.write_bytes(b""), "E_FILE_BROKEN"),
        (lambda path: path.write_text("a,b\n1,2\n"), "E_HEADER_MISSING"),
        (lambda path: path.write_bytes(b"\xff\xfe\xfd" * 9), "E_FILE_ENCODING"),
        (lambda path: path.mkdir(), "E_FILE_MISSING"),
        (lambda _: None, "E_FILE_MISSING"),
    ],
)
@pytest.mark.usefixtures("house")
def test_a_broken_roster_is_refused_whole(fails, xueshi, tmp_path, make: Any, code: str):
    path = tmp_path / "r.xlsx"
    make(path)
    assert fails("roster", "check", path, exit=2)["code"] == code
    assert xueshi("source", "add", "r", "--kind", "roster", "--url", path).exit == 0
    assert fails("sync", "r", exit=1)["code"] == code
    assert not Completion.objects.exists()


def test_a_template_that_can_not_be_written_is_named(fails, tmp_path):
    error = fails("roster", "template", "-o", tmp_path / "none" / "t.xlsx", exit=2)
    assert str(tmp_path / "none" / "t.xlsx") in error["message"]


# --- rules and programmes ------------------------------------------------------------------------------------------
@pytest.fixture
def rules(tmp_path, monkeypatch) -> Path:
    """A folder of policies that replaces the shipped one; its one file."""
    folder = tmp_path / "mappings" / "370400" / "2024"
    folder.mkdir(parents=True)
    shipped = Path(mappings.__file__).parent / "370400" / "2024" / "policy.yaml"
    shutil.copy(shipped, folder)
    monkeypatch.setenv("XUESHI_MAPPINGS", str(tmp_path / "mappings"))
    load_policy.cache_clear()
    yield folder / "policy.yaml"
    load_policy.cache_clear()


@pytest.mark.parametrize(
    "wrong",
    [
        ("hours_per_day: 8", "hours_per_day: lots", "lots"),
        ("kind: day_cap", "kind: day_hat", "day_hat"),
        ("region:", "regiom:", "region: field required"),
        ("parameters: {allowed: false}", "parameters: {allowed: [", "line"),
    ],
)
def test_a_wrong_rule_file_stops_before_anything_is_done(base: Base, fails, rules, tmp_path, wrong):
    old, new, said = wrong
    text = rules.read_text("utf-8")
    assert old in text
    rules.write_text(text.replace(old, new, 1), encoding="utf-8")
    base.learner("u1")
    base.done("u1")
    error = fails("sync", "base", exit=2)
    assert error["code"] == "E_POLICY_INVALID"
    assert said in error["message"]
    assert "policy.yaml, line " in error["message"]
    assert fails("programme", "decide", "P4", "accept", exit=2) == error
    assert fails("programme", "import", file(tmp_path, ROW), exit=2) == error
    assert not SyncRun.objects.exists()
    assert (Programme.objects.count(), Programme.objects.get(key="P4").state) == (9, "submitted")


def test_a_rule_file_that_is_not_there_holds_and_does_not_guess(base: Base, rules):
    rules.unlink()
    base.learner("u1")
    base.done("u1")
    base.sync()
    assert held() == {"E_NO_POLICY": 1}


def test_lint_names_file_line_and_fix(rules, xueshi):
    rules.write_text(rules.read_text("utf-8").replace("hours_per_day: 8", "hours_per_day: lots", 1), encoding="utf-8")
    said = xueshi("mapping", "lint", "--json")
    assert said.exit == 2
    (problem,) = said.json
    assert list(problem) == ["file", "line", "path", "message", "fix"]
    assert problem["line"] > 1
    assert xueshi("mapping", "lint").exit == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("mapping", "explain", "370400"), "E_POLICY_NAME"),
        (("mapping", "explain", "370400/1999"), "E_POLICY_MISSING"),
        (("mapping", "explain", "../2024"), "E_POLICY_MISSING"),
        (("mapping", "explain", "370400/²"), "E_POLICY_NAME"),
        (("learner", "show", "12", "--year", "2024"), "E_ID_NUMBER"),
        (("learner", "show", "", "--year", "2024"), "E_ID_NUMBER"),
        (("programme", "decide", "P9", "accept"), "E_PROGRAMME_UNKNOWN"),
        (("quarantine", "show", "9"), "E_HELD_UNKNOWN"),
        (("programme", "import", "/none.yaml"), "E_PROGRAMME_FILE"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else part,
)
def test_what_does_not_exist_is_named(house: str, fails, command: tuple[str, ...], code: str):
    assert fails(*command, exit=2)["code"] == code


def test_an_unknown_rule_is_named_with_the_known_ones(fails):
    assert "R10" in fails("mapping", "explain", "370400/2024", "R99", exit=2)["fix"]


def test_a_learner_of_whom_nothing_is_known(house: str, fails):
    error = fails("learner", "show", number(1), "--year", "2024", exit=1)
    assert error["code"] == "E_LEARNER_UNKNOWN"
    assert number(1) not in str(error)


def test_a_programme_file_is_refused_with_row_and_column_and_nothing_is_imported(house: str, fails, tmp_path):
    error = fails("programme", "import", sheet(tmp_path / "p.xlsx", LINE, LINE | {"学时": "?!"}), exit=2)
    assert "sheet 项目, cell J3: «" in error["message"]
    assert not Programme.objects.exists()


# --- the machine ---------------------------------------------------------------------------------------------------
def test_a_port_that_is_taken(house: str, xueshi):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = xueshi("serve", "--port", other.getsockname()[1])
    assert (said.exit, "E_PORT" in said.err, "--port" in said.err) == (2, True, True)


def test_a_host_that_is_not_here(house: str, xueshi):
    said = xueshi("serve", "--host", "no-such-host.invalid", "--port", "8765")
    assert (said.exit, "E_PORT" in said.err) == (2, True)


def test_what_nobody_foresaw_tells_its_kind_and_no_more(house: str, xueshi, monkeypatch):
    def broken() -> None:
        raise RuntimeError(number(1))

    monkeypatch.setattr("agent.cli.source.start", broken)
    said = xueshi("source", "list", "--json")
    assert (said.exit, said.json["error"]["code"]) == (1, "E_BUG")
    assert "RuntimeError" in said.err
    assert number(1) not in said.out + said.err
    assert "Traceback" not in said.err
    with pytest.raises(RuntimeError):
        xueshi("source", "list", "--debug")
    with pytest.raises(RuntimeError):
        xueshi("--debug", "source", "list")


def test_a_correction_after_all_this_goes_through(base: Base, tmp_path, xueshi):
    path = tmp_path / "r.csv"
    roster(path, line("王一", 1, "枣人社备〔2024〕001号", 学时="abc"), name="paper")
    assert xueshi("sync", "paper", "--json").json["held"] == 1
    roster(path, line("王一", 1, "枣人社备〔2024〕001号"), name="paper")
    assert xueshi("sync", "paper", "--json").json["held"] == 0
    assert run_stages().issued.issued == 0
    assert xueshi("certificate", "list", "--json").json[0]["holder"] == "王一"
