"""Policy files: what loads, and what is refused with place, line, value and fix."""

import json
import shutil
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from agent.credit.eligibility import entitled
from agent.credit.errors import PolicyInvalid, PolicyMissing, RuleUnknown
from agent.credit.examples import differences
from agent.credit.explain import explain, shown_parameters
from agent.credit.lint import lint, lint_policy, published_schema
from agent.credit.policy import load_policy, policy_files, schema
from agent.credit.policy_file import Unreadable, plain, read
from agent.credit.policy_types import to_hundredths

SHIPPED = files("mappings").joinpath("370400", "2024", "policy.yaml").read_text("utf-8")
POLICY = load_policy("370400", 2024)
EVERY_EXAMPLE = [
    pytest.param(policy, example, id=f"{policy.version} {example.name.en}")
    for policy in (load_policy(region, int(year)) for region, year, _ in policy_files())
    for example in policy.examples
]


def problems(*changes, text=SHIPPED):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return lint_policy("policy.yaml", text.encode(), "370400", "2024")


def the_problem(*changes):
    (problem,) = problems(*changes)
    return problem


# --- what is shipped ---------------------------------------------------------------------------------------------
def test_all_shipped_mappings_are_well():
    assert lint() == []


@pytest.mark.parametrize(("policy", "example"), EVERY_EXAMPLE)
def test_example(policy, example):
    assert list(differences(policy, example)) == []


def test_every_rule_of_zaozhuang_2024_that_is_in_force():
    assert " ".join(rule.id for rule in POLICY.rules) == " ".join(f"R{n:02d}" for n in range(1, 29) if n != 26)
    assert POLICY.required_total.parameters.hours == 9000
    assert len(POLICY.catalogues["public"].parameters.subjects) == 12
    assert POLICY.day_cap.parameters.hours_per_day == 800
    assert POLICY.rounding.parameters.step == 10


def test_the_catalogue_is_that_of_the_notice():
    subjects = POLICY.catalogues["public"].parameters.subjects

    assert subjects[0] == "习近平新时代中国特色社会主义思想"
    assert subjects[-1] == "枣庄市继续教育特色课程"


def test_the_stamp_carries_the_version_and_the_files_digest():
    assert POLICY.digest == sha256(SHIPPED.encode()).hexdigest()
    assert POLICY.stamp == f"370400/2024.2+{POLICY.digest[:12]}"


def test_the_published_schema_is_that_of_the_code_and_is_a_schema():
    Draft202012Validator.check_schema(published_schema())
    assert published_schema() == json.loads(json.dumps(schema())), (
        "write it anew: python -c 'from agent.credit.policy import schema; import json; "
        "print(json.dumps(schema(), ensure_ascii=False, indent=2))' > mappings/policy.schema.json"
    )


def test_certificates_are_for_filed_professional_programmes_of_sector_departments():
    assert entitled(POLICY) == {("professional", "sector_department", "filed")}


# --- loading -----------------------------------------------------------------------------------------------------
def test_a_folder_replaces_the_package(tmp_path):
    other = tmp_path / "440100" / "2025"
    other.mkdir(parents=True)
    text = SHIPPED.replace('"370400"', '"440100"').replace("year: 2024", "year: 2025")
    text = text.replace("370400/2024.2", "440100/2025.3")[: SHIPPED.index("examples:")]
    (other / "policy.yaml").write_text(text, "utf-8")

    assert load_policy("440100", 2025, tmp_path).version == "440100/2025.3"
    with pytest.raises(PolicyMissing, match=r"370400 for the year 2024 .* known: 440100/2025"):
        load_policy("370400", 2024, tmp_path)


@pytest.mark.parametrize(("region", "year"), [("370400", 1999), ("../../etc", 2024), ("", 2024), ("nowhere", 2024)])
def test_a_missing_policy_is_named(region, year):
    with pytest.raises(PolicyMissing) as caught:
        load_policy(region, year)
    assert "370400/2024" in caught.value.message
    assert caught.value.exit_code == 2


def test_a_wrong_file_is_refused_with_place_line_value_and_fix(tmp_path):
    folder = tmp_path / "370400" / "2024"
    folder.mkdir(parents=True)
    (folder / "policy.yaml").write_text(SHIPPED.replace("hours_per_day: 8", "hours_per_day: eight", 1), "utf-8")
    line = SHIPPED[: SHIPPED.index("hours_per_day: 8")].count("\n") + 1

    with pytest.raises(PolicyInvalid) as caught:
        load_policy("370400", 2024, tmp_path)

    message = caught.value.message
    assert f"{tmp_path}/370400/2024/policy.yaml, line {line}, rules[9].parameters.hours_per_day:" in message
    assert "not a number of hours" in message
    assert "(it says eight)" in message
    assert "Write hours like 8, 7.5" in caught.value.how_to_fix


def test_a_folder_of_another_region_is_refused(tmp_path):
    shutil.copytree(str(files("mappings") / "370400"), tmp_path / "370500")

    with pytest.raises(PolicyInvalid, match="the folder says 370500/2024"):
        load_policy("370500", 2024, tmp_path)


# --- what lint finds ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("hours_per_day: 8", "hours_per_day: 8.125", "rules[9].parameters.hours_per_day", "two digits"),
        ("hours_per_day: 8", "hours_per_day: -8", "rules[9].parameters.hours_per_day", "not a number of hours"),
        ("hours_per_day: 8", "hours_per_day: NaN", "rules[9].parameters.hours_per_day", "not a number of hours"),
        ("hours_per_day: 8", "hours_per_day: true", "rules[9].parameters.hours_per_day", "not a number of hours"),
        ("hours_per_day: 8", "hours_per_day: 25", "rules[9].parameters.hours_per_day", "24 hours"),
        ("hours_per_day: 8", "hours_a_day: 8", "rules[9].parameters.hours_per_day", "required"),
        ("kind: day_cap", "kind: daycap", "rules[9]", "daycap"),
        ("id: R10", "id: R11", "rules", "R11 stands there 2 times"),
        ("{hours: 90}", "{hours: 80}", "rules", "more hours than the year"),
        ("- 知识产权", "- 数字技术", "rules[3].parameters.subjects", "数字技术 stands there 2 times"),
        ("category: public, hours: 30", "category: both, hours: 30", "rules[1].parameters.category", "both"),
        ("hours: 60, filled_by: []", "hours: 60, filled_by: [professional]", "rules[2].parameters.filled_by", "itself"),
        ('done_by: "12-31"', 'done_by: "11-30"', "rules[19].parameters.done_by", "calendar year"),
        ('until: "01-31"', 'until: "02-29"', "rules[19].parameters.sync_grace_until", "no such day"),
        ("allowed: false}", "allowed: no}", "rules[24].parameters.allowed", "boolean"),
        ("allowed: false}", "allowed: false, most: 5}", "rules[24].parameters.most", "yet so much"),
        ("achievement: exam\n", "achievement: study\n", "rules[12].parameters.achievement", "R12 already rules"),
        ("each: 16", "each: 0", "rules[12].parameters.each", "greater than 0"),
        (
            "hours_per_day: 8\n      not",
            "hours_per_day: 30\n      not",
            "rules[15].parameters.hours_per_day",
            "24 hours",
        ),
        (
            "share_day_cap: false\n      hours_per_day",
            "share_day_cap: true\n      hours_per_day",
            "rules[15].parameters.hours_per_day",
            "has one of its own",
        ),
        ("each: 10\n      per_year: 30", "each: 10\n      per_year: 5", "rules[13].parameters.each", "a year 5"),
        (
            "each: 16\n      share_day_cap: false",
            "each: 16\n      share_day_cap: true",
            "rules[12].parameters.each",
            "R10 lets no day hold them",
        ),
        (
            "not_counted: [travel, rest]",
            "prevailing: [{level: national, each: 20, document: d}]",
            "rules[15].parameters.prevailing",
            "actual hours",
        ),
        (
            "full_year: [{category: public, hours: 30}",
            "full_year: [{category: professional, hours: 30}",
            "rules[16].parameters.full_year",
            "professional stands there 2 times",
        ),
        ("days_of_a_month: 15", "days_of_a_month: 32", "rules[16].parameters.days_of_a_month", "28"),
        (
            "{category: professional, parts: 2}",
            "{category: x, parts: 2}",
            "rules[17].parameters.split[1].category",
            "x",
        ),
        (
            "{category: public, parts: 1}, {category: professional, parts: 2}",
            "{category: public, parts: 0}",
            "rules[17].parameters.split",
            "no category has a part",
        ),
        ("absence: sick_leave", "absence: abroad", "rules[17].parameters.reasons", "abroad stands there 2 times"),
        (
            "working_days_before: 5",
            "working_days_before: -5",
            "rules[20].parameters.working_days_before",
            "than or equal",
        ),
        ("{achievement: exam, types", "{achievement: study, types", "rules[22].parameters.types", "2 times"),
        (
            "demands: []",
            "demands: [{series: a, document: d, total: 9, required: [{category: public, hours: 10}]}]",
            "rules[25].parameters.demands[0].total",
            "need more",
        ),
        ("kind: auditor", "kind: declaration", "rules[23].parameters.province_mode", "required"),
        ("open: true", "open: yes", "rules[3].parameters.open", "boolean"),
        ("超过 {hours_per_day} 学时", "超过 {hours_a_day} 学时", "rules[9].sentence.zh", "parameter"),
        ("silent: [without_sessions]", "silent: [sessions]", "rules[9].silent[0]", "no parameter"),
        ("version: 370400/2024.2", "version: 370400/2023.1", "version", "not of this region"),
        ('region: "370400"', "region: 370400", "region", "string"),
        ("year: 2024\n", 'year: "2024"\n', "year", "integer"),
        ("id: a, credited: 50", "id: a, credited: 49", "examples[2].entries[0].credited", "come to 50"),
        ("credited: 2, rule: R10", "credited: 2, rule: R11", "examples[13].entries[1].rule", "R10 decides"),
        ("R10, reason: day_cap", "R10, reason: duration", "examples[13].entries[1].reason", "day_cap"),
        ("met: true}", "met: false}", "examples[0].standing.met", "true"),
        ("hours: 50, start: 2024", "hours: 50, start: 2025", "examples[2].achievements[0].end", "ends before"),
        ("      - {id: b, credited: 40", "      - {id: x, credited: 40", "examples[2].entries[1].id", "no achievement"),
    ],
)
def test_lint_names_the_place_and_the_reason(old, new, path, words):
    found = problems((old, new))

    problem = next(each for each in found if each.path == path)
    assert words in problem.message
    assert problem.fix
    assert problem.line is not None
    assert problem.file == "policy.yaml"


def test_two_rules_for_one_category_contradict_each_other():
    problem = problems(("category: professional, hours: 60", "category: public, hours: 60"))[0]

    assert (problem.path, problem.message) == ("rules[2].parameters.category", "rule R02 already rules this category")


def test_a_policy_without_a_rule_that_every_year_needs_is_refused():
    start, end = SHIPPED.index("  - id: R25"), SHIPPED.index("  - id: R28")

    assert the_problem((SHIPPED[start:end], "")).message == "0 rules of kind carry_over"


def test_a_policy_without_examples_is_a_problem():
    assert the_problem((SHIPPED[SHIPPED.index("examples:") :], "")).path == "examples"


def test_an_empty_folder_is_a_problem(tmp_path):
    assert [problem.path for problem in lint(tmp_path)] == ["(folder)"]
    assert [problem.path for problem in lint(tmp_path / "none")] == ["(folder)"]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"rules: [", 1, "not YAML"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: 1\nb: 2\na: 3\n", 3, "second time"),
        (b"a: &x [1]\nb: *x\n", 1, "alias"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        (b"? [a]\n: 1\n", 1, "not a word"),
        (b"- 1\n", 1, "not a mapping"),
        (b"", 1, "not a mapping"),
        (b"a: 1\n---\nb: 1\n", 2, "not YAML"),
        (b"[" * 5000, None, ""),
        (b"#" * 1_000_001, None, "larger"),
        (b"a: \x00\n", None, "not YAML"),
    ],
)
def test_what_is_no_mapping_file_is_refused(content, line, words):
    with pytest.raises(Unreadable) as caught:
        read("policy.yaml", content)
    assert words in caught.value.problem.message
    assert line is None or caught.value.problem.line == line


def test_words_numbers_and_hours_are_read_exactly():
    assert [plain(text) for text in ("no", "01-31", "8", "8.10", "true", "~", "1e3")] == [
        "no",
        "01-31",
        8,
        Decimal("8.10"),
        True,
        None,
        "1e3",
    ]
    assert [to_hundredths(hours) for hours in (8, "7.5", "0.10", Decimal("0.07"), 0)] == [800, 750, 10, 7, 0]


# --- explaining --------------------------------------------------------------------------------------------------
def test_a_rule_is_explained_in_chinese_and_english_with_its_source_and_defaults():
    assert explain(POLICY, "r28").splitlines() == [
        "R28 取整 / Rounding",
        "  学时保存到 0.01，认定时向下取到 0.1；按分钟计的来源，45 分钟为 1 学时。",
        "  Hours are kept to 0.01 and credited down to 0.1; for sources that count minutes, 45 minutes are one hour.",
        "  依据 source: 枣高社字〔2024〕17号 通知未规定",
        "  step: 0.1（通知未规定，默认值 / the notice is silent, a default）",
        "  minutes_per_hour: 45（通知未规定，默认值 / the notice is silent, a default）",
    ]


def test_the_whole_policy_is_explained():
    text = explain(POLICY)

    assert text.startswith("枣庄市 2024 年度 / Zaozhuang, 2024\n")
    assert POLICY.stamp in text
    assert all(f"\n{rule.id} {rule.name.zh}" in text for rule in POLICY.rules)
    assert shown_parameters(POLICY.rounding) == {"step": "0.1", "minutes_per_hour": "45", "hours_per_half_day": ""}


def test_an_unknown_rule_names_those_there_are():
    with pytest.raises(RuleUnknown) as caught:
        explain(POLICY, "R99")
    assert "R10, R11, R12" in caught.value.how_to_fix
