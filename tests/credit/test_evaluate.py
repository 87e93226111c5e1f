"""`xueshi credit evaluate`: what it reads, what it answers, what it refuses, one learner or a hundred thousand."""

import io
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator, FormatChecker

from agent.credit.bulk import Rules, evaluate_many, evaluate_one
from agent.credit.policy import input_schema
from tests.credit.kinds import ZAOZHUANG, years

INPUT, OUTPUT = (
    json.loads(files("mappings").joinpath(f"credit-{name}.schema.json").read_text("utf-8"))
    for name in ("input", "output")
)
RULES = Rules("370400", 2024)
TRAINING = {"id": "a", "kind": "training", "category": "public", "hours": 8, "end": "2024-06-03"}
YEAR = {
    "learner": {"id": "L1", "name": "示例", "id_number": "11010519491231002X"},
    "achievements": [
        TRAINING,
        {"id": "b", "kind": "exam", "end": "2024-06-03"},
        {"id": "c", "kind": "secondment", "start": "2024-01-01", "end": "2024-03-31"},
        {"id": 4, "kind": "study", "sessions": [{"date": "2024-07-01", "hours": 2.5}], "source": "self"},
    ],
    "absences": [{"kind": "maternity_leave", "start": "2024-07-02", "end": "2024-12-06"}],
    "title_application": {"filing_date": "2024-09-20"},
}
ENTRY = {"id", "category", "claimed", "credited", "capped", "rule", "reason_zh", "reason_en"}


def valid(schema, value):
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)
    return value


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="year.json"):
        path = tmp_path / name
        path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines), "utf-8")
        return path

    return write


# --- one learner -------------------------------------------------------------------------------------------------
def test_the_answer_has_the_shape_of_the_issue(xueshi, file):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", file(YEAR))

    answer = valid(OUTPUT, said.json)
    assert said.exit == 0
    assert set(answer) == {"entries", "standing", "deadline"}
    assert all(set(entry) == ENTRY for entry in answer["entries"])
    assert set(answer["standing"]) == {"public", "professional", "total", "required", "met", "missing"}
    assert answer["deadline"] == "2024-09-12"
    assert {(e["id"], e["category"]): e["credited"] for e in answer["entries"]} == {
        ("a", "public"): 8,
        ("b", "professional"): 16,
        ("c", "public"): 7.5,
        ("c", "professional"): 15,
        ("4", "professional"): 2.5,
    }
    assert answer["standing"]["total"] == 49
    assert "11010519491231002X" not in said.out


def test_in_full_it_says_policy_kinds_delivery_and_the_standing_on_the_deadline(xueshi, file):
    answer = valid(OUTPUT, xueshi("credit", "evaluate", "--policy", "370400/2024", "--full", file(YEAR)).json)

    assert answer["policy"] == ZAOZHUANG.stamp
    assert answer["for_title"]["total"] == 49
    assert answer["entries"][0]["delivery"] == "learner_declares"
    assert set(answer["entries"][0]) == ENTRY | {"kind", "learned_on", "recognised", "reason", "delivery"}


def test_another_policy_has_other_categories(xueshi, file):
    answer = valid(OUTPUT, xueshi("credit", "evaluate", "--policy", "440000/2024", file({"achievements": []})).json)

    assert answer["standing"]["required"] == {"public": 30, "professional": 42, "elective": 18, "total": 90}
    assert answer["deadline"] == "2024-12-31"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(years())
def test_every_year_and_its_answer_fit_the_published_schemas(made):
    policy, year = made
    valid(INPUT, {"achievements": year})

    answer = valid(OUTPUT, evaluate_one(policy, json.dumps({"achievements": year}).encode(), "year.json", full=True))

    assert sum(round(e["claimed"] * 100) for e in answer["entries"]) == sum(
        round(e["credited"] * 100) + round(e["capped"] * 100) for e in answer["entries"]
    )


def test_the_published_schema_of_the_input_is_that_of_the_code():
    Draft202012Validator.check_schema(OUTPUT)
    assert input_schema() == INPUT, (
        "write it anew: python -c 'from agent.credit.policy import input_schema; import json; "
        "print(json.dumps(input_schema(), ensure_ascii=False, indent=2))' > mappings/credit-input.schema.json"
    )
    valid(INPUT, YEAR)


def test_the_schemas_are_printed(xueshi):
    assert xueshi("credit", "schema").json == INPUT
    assert xueshi("credit", "schema", "output").json == OUTPUT


# --- refused -----------------------------------------------------------------------------------------------------
def a(**fields):
    return {"achievements": [TRAINING, TRAINING | {"id": "x"} | fields]}


@pytest.mark.parametrize(
    ("year", "path", "words"),
    [
        (a(hours=float("nan")), "achievements[1].hours", "not a number of hours"),
        (a(hours=-8), "achievements[1].hours", "not a number of hours"),
        (a(hours=None, minutes=-5), "achievements[1].minutes", "greater than 0"),
        (a(hours=25, start="2024-06-03"), "achievements[1].hours", "24 hours a day"),
        (a(sessions=[{"date": "2024-06-03", "hours": 25}]), "achievements[1].sessions[0].hours", "24 hours"),
        (
            a(sessions=[{"date": "2024-06-03", "hours": 13}, {"date": "2024-06-03", "hours": 12}]),
            "achievements[1].sessions[1].hours",
            "24 hours",
        ),
        (a(sessions=[{"date": "2024-06-05", "hours": 2}]), "achievements[1].sessions[0].date", "outside"),
        (a(start="2024-06-04"), "achievements[1].end", "ends before it starts (2024-06-04)"),
        (a(kind="lecture"), "achievements[1].kind", "'training', 'study'"),
        (a(kind=None), "achievements[1].kind", "'training', 'study'"),
        (a(category="elective"), "achievements[1].category", "no such category"),
        (a(category=None), "achievements[1].category", "says no category"),
        (a(hours=None), "achievements[1].hours", "says no hours"),
        (a(end=None), "achievements[1].end", "no day"),
        (a(end="2024-02-30"), "achievements[1].end", "not a day"),
        (a(end="2024-06-03T12:00:00"), "achievements[1].end", "time zone"),
        (a(end=20240603), "achievements[1].end", "not a day"),
        (a(id="a"), "achievements[1].id", "twice"),
        (a(half_days=1), "achievements[1].half_days", "no half days"),
        (a(evidence=["f1", "f1"]), "achievements[1].evidence[1].sha256", "evidence used twice"),
        (
            {"absences": [{"kind": "holiday", "start": "2024-06-03", "end": "2024-06-04"}]},
            "absences[0].kind",
            "no such",
        ),
        ({"absences": [{"kind": "abroad", "start": "2024-06-03", "end": "2024-06-01"}]}, "absences[0].end", "before"),
        ({"carried_over": {"elective": 5}}, "carried_over.elective", "no such category"),
        ({"title_application": {"filing_date": "soon"}}, "title_application.filing_date", "not a day"),
        ({"achievements": {"id": "a"}}, "achievements", "array"),
        ({"achievements": [TRAINING] * 2001}, "achievements", "at most 2000"),
    ],
)
def test_what_can_not_be_true_is_refused_with_place_value_and_fix(xueshi, file, year, path, words):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", file(year))

    error = said.json["error"]
    assert said.exit == 2
    assert error["code"] == "E_YEAR_INVALID"
    assert f", {path}: " in error["message"]
    assert words in error["message"]
    assert error["fix"]


def test_one_file_for_two_achievements_is_refused(xueshi, file):
    proof = {"type": "certificate", "sha256": "9f86d0"}
    year = {
        "achievements": [
            {"id": "a", "kind": "exam", "end": "2024-06-03", "evidence": proof},
            {"id": "b", "kind": "exam", "end": "2024-06-04", "evidence": proof},
        ]
    }
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", file(year))

    assert said.exit == 2
    assert "achievements[1].evidence[0].sha256: evidence used twice (it says 9f86d0)" in said.json["error"]["message"]


def test_an_identity_number_in_a_wrong_place_is_masked(xueshi, file):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", file(a(end="11010519491231002X")))

    assert "110***********002X" in said.json["error"]["message"]
    assert "19491231" not in said.out + said.err


@pytest.mark.parametrize(
    ("policy", "code"),
    [("370400/2031", "E_POLICY_MISSING"), ("370400", "E_POLICY_NAME"), ("370400/20x4", "E_POLICY_NAME")],
)
def test_a_year_without_policy_is_refused(xueshi, file, policy, code):
    said = xueshi("credit", "evaluate", "--policy", policy, "--json", file(YEAR))

    assert (said.exit, said.json["error"]["code"]) == (2, code)


def test_a_filing_in_a_year_without_a_known_calendar_is_refused_and_not_guessed(xueshi, file):
    year = {"title_application": {"filing_date": "2031-03-03"}}
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", file(year))

    assert (said.exit, said.json["error"]["code"]) == (2, "E_CALENDAR_UNKNOWN")
    assert "2031" in said.json["error"]["message"]


@pytest.mark.parametrize("text", ["", "{", "null", "[1,", '{"achievements": []} {"achievements": []}', "\x00"])
def test_what_is_no_year_is_refused(xueshi, file, text):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", file(text))

    assert said.exit == 2
    assert said.json["error"]["code"] in {"E_YEAR_UNREADABLE", "E_YEAR_INVALID"}


def test_a_file_that_is_not_there_is_named(xueshi, tmp_path):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", "--json", tmp_path / "none.json")

    assert (said.exit, said.json["error"]["code"]) == (2, "E_FILE")


# --- many --------------------------------------------------------------------------------------------------------
def test_lines_are_answered_by_lines_and_what_is_refused_by_its_error(xueshi, file):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", file(YEAR, a(hours=-1), "{", {"achievements": []}))

    first, second, third, fourth = (json.loads(line) for line in said.out.splitlines())
    assert said.exit == 1
    assert valid(OUTPUT, first)["standing"]["total"] == 49
    assert (second["line"], second["error"]["problems"][0]["path"]) == (2, "achievements[1].hours")
    assert (third["line"], third["error"]["code"]) == (3, "E_YEAR_UNREADABLE")
    assert fourth["standing"]["total"] == 0
    assert "2 refused" in said.err


def test_one_line_in_a_file_of_lines_is_answered_by_a_line(xueshi, file):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", file(YEAR, name="years.jsonl"))

    assert json.loads(said.out.strip())["standing"]["total"] == 49
    assert len(said.out.splitlines()) == 1


@pytest.mark.parametrize("many", [[], [YEAR], [YEAR, {"achievements": []}]])
def test_a_list_is_answered_by_a_list(xueshi, file, many):
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", file(many))

    assert [each["standing"]["total"] for each in said.json] == [49, 0][: len(many)]


def test_a_file_proves_something_of_one_learner_only(xueshi, file):
    exam = {"achievements": [{"id": "e", "kind": "exam", "end": "2024-06-03", "evidence": "9f86d0"}]}
    said = xueshi("credit", "evaluate", "--policy", "370400/2024", file(exam, exam))

    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["standing"]["total"] == 16
    assert second["error"]["code"] == "E_EVIDENCE_USED"
    assert "achievements[0].evidence[0].sha256" in second["error"]["message"]
    assert "line 1" in second["error"]["message"]


def test_processes_answer_in_order_as_one_does(tmp_path):
    lines = [
        json.dumps({"achievements": [TRAINING | {"id": f"n{number}", "hours": 1 + number % 8}]}).encode()
        for number in range(1200)
    ]
    alone, together = io.BytesIO(), io.BytesIO()

    one = evaluate_many(RULES, lines, alone.write, processes=1)
    two = evaluate_many(RULES, lines, together.write, processes=2)

    assert one == two
    assert (one.learners, one.entries, one.refused) == (1200, 1200, 0)
    assert alone.getvalue() == together.getvalue()


def test_it_reads_from_a_pipe_without_a_home_or_a_database(tmp_path):
    environ = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environ["XUESHI_HOME"] = str(tmp_path / "home")
    said = subprocess.run(
        [Path(sys.executable).with_name("xueshi"), "credit", "evaluate", "--policy", "370400/2024", "-"],
        input=json.dumps(YEAR),
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["standing"]["total"] == 49
    assert not (tmp_path / "home").exists()
