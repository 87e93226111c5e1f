"""Programmes go on record whole or not at all, and what is filed is not changed by a file."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import pytest
import yaml
from django.db import DatabaseError, IntegrityError, transaction

from agent.flow import run_stages
from agent.intake.sources import save
from agent.intake.sync import pull
from agent.organisations.models import Organisation
from agent.programmes.errors import (
    FilingIncomplete,
    FilingPatternInvalid,
    NotByOneself,
    ProgrammeFileInvalid,
    ProgrammeUnknown,
    SourceAmbiguous,
    TransitionRefused,
    WrongDay,
)
from agent.programmes.filing import bind_waiting_links, decide, find
from agent.programmes.models import CourseLink, FilingEvent, Programme, ProgrammeVersion, State
from agent.programmes.transitions import ON_RECORD, STEP, Kind, allowed, diagram, moves, table
from connectors.testing.fake_moodle import PROGRAMMES
from tests.house.houses import connect, file_programmes, filing_number, held, line, one, roster, sql
from tests.house.programme_files import BASE, BUREAU, HEALTH, LINE, ROW, bring, file, refused, sheet


def on_record() -> list[tuple]:
    return sql(
        "SELECT p.key, p.state, p.filing_number, v.title, v.category, v.subject, v.series, v.hours, v.starts_on::text,"
        " v.ends_on::text, o.name, o.uscc, o.kind, l.kind, l.course FROM programmes_programme p"
        " JOIN programmes_programmeversion v ON v.programme_id = p.id JOIN organisations_organisation o"
        " ON o.id = p.organiser_id LEFT JOIN programmes_courselink l ON l.programme_id = p.id ORDER BY p.key"
    )


def test_a_sheet_says_the_same_as_the_yaml_file(house: str, databases, tmp_path):
    file_programmes()
    said = on_record()
    content = yaml.safe_load(PROGRAMMES.read_text("utf-8"))
    words = {"public": "公需科目", "professional": "专业", "filed": "已备案", "submitted": "待受理"}
    path = sheet(
        tmp_path / "p.xlsx",
        *(
            {
                "项目编号": row["key"], "项目名称": f" {row['title']} ", "类别": words[row["category"]],
                "主办单位": content["departments"][row["organiser"]]["name"],
                "主办单位信用代码": content["departments"][row["organiser"]]["uscc"],
                "职称系列": row.get("series", ""), "公需科目": row.get("subject", ""), "学时": row["hours"],
                "开始日期": str(row["start"]), "结束日期": str(row["end"]), "课程简称": row["course"]["shortname"],
                "状态": words[row["state"]],
            }
            for row in content["programmes"]
        ),
        above=3,
    )  # fmt: skip
    with databases.copy("xueshi"):
        done = bring(path)
        assert (done.new, done.linked, done.waiting_for_source) == (9, 9, 9)
        assert on_record() == said
    assert len(said) == 9
    assert [state for _, state, *_ in said].count("submitted") == 1


def test_importing_again_changes_nothing(base):
    tables = ("programmes_programme", "programmes_programmeversion", "programmes_courselink",
              "programmes_filingevent", "programmes_filingcounter", "organisations_organisation")  # fmt: skip
    before = {table: sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables}  # noqa: S608 - names of ours
    done = file_programmes(base.source)
    assert (done.new, done.changed, done.unchanged, done.linked) == (0, 0, 9, 0)
    assert {table: sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables} == before  # noqa: S608


def test_filing_numbers_have_no_gaps_and_pass_over_those_that_files_bring(house: str, tmp_path):
    brought = "枣人社备〔2024〕002号"
    bring(file(tmp_path, ROW, ROW | {"key": "K2", "filing_number": brought}, ROW | {"key": "K3"}))
    assert [filing_number(key) for key in ("K1", "K2", "K3")] == [
        "枣人社备〔2024〕001号",
        brought,
        "枣人社备〔2024〕003号",
    ]
    with pytest.raises(ProgrammeFileInvalid):  # what is not imported takes no number
        bring(file(tmp_path, ROW | {"key": "K4"}, ROW | {"title": "改"}))
    bring(file(tmp_path, ROW | {"key": "K5"}))
    assert filing_number("K5") == "枣人社备〔2024〕004号"


def test_a_number_that_another_programme_has_is_refused(house: str, tmp_path):
    bring(file(tmp_path, ROW))
    taken = filing_number("K1")
    assert "programmes[0].filing_number: the filing number" in refused(
        file(tmp_path, ROW | {"key": "K2", "filing_number": taken})
    )
    twice = {"filing_number": "枣人社备〔2024〕77号"}
    assert "programmes[1].filing_number" in refused(
        file(tmp_path, ROW | {"key": "K2"} | twice, ROW | {"key": "K3"} | twice)
    )
    assert "is filed under" in refused(file(tmp_path, ROW | twice))
    assert Programme.objects.count() == 1


@pytest.mark.parametrize("pattern", ["{year}", "{number}", "{0}", "{sequence:zz}", "{sequence:070d}", "{sequence.x}"])
def test_a_pattern_that_gives_no_numbers_is_refused(house: str, tmp_path, settings_of_django, pattern: str):
    settings_of_django("FILING_NUMBER", pattern)
    with pytest.raises(FilingPatternInvalid):
        bring(file(tmp_path, ROW))
    assert not Programme.objects.exists()


@pytest.fixture
def settings_of_django(monkeypatch):
    from django.conf import settings

    return lambda name, value: monkeypatch.setattr(settings, name, value)


# --- what is filed stays ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [{"title": "改"}, {"hours": 24}, {"end": "2024-11-30"}, {"organiser": "other"}, {"implementer": "other"}],
)
def test_a_filed_programme_is_not_changed_by_a_file(house: str, tmp_path, change: dict):
    other = {"name": "枣庄市工业和信息化局（示例）", "uscc": "1137040000431C3D4B"}
    departments = {"health": HEALTH, "other": other}
    bring(file(tmp_path, ROW, departments=departments))
    before = on_record()
    message = refused(file(tmp_path, ROW | {"key": "K0"}, ROW | change, departments=departments))
    assert "programmes[1] (K1): is filed" in message
    assert on_record() == before


def test_a_programme_that_is_not_filed_gets_a_new_version_and_its_mapping_moves(base, tmp_path):
    draft = ROW | {"state": "submitted", "end": "2024-06-30", "course": {"shortname": "YFGL"}}
    bring(file(tmp_path, draft), base.source)
    done = bring(file(tmp_path, draft | {"end": "2024-12-31", "state": "filed"}), base.source)
    assert (done.new, done.changed) == (0, 1)
    assert list(ProgrammeVersion.objects.filter(programme__key="K1").values_list("version", "ends_on")) == [
        (1, date(2024, 6, 30)),
        (2, date(2024, 12, 31)),
    ]
    base.learner("u1")
    base.done("u1", "YFGL", "2024-09-05T02:00")
    base.sync()
    assert held() == {}
    assert one("SELECT version FROM matching_achievement a JOIN programmes_programmeversion v"
               " ON v.id = a.programme_version_id") == 2  # fmt: skip


# --- deciding ----------------------------------------------------------------------------------------------------
NEEDS_MORE = {
    Kind.CHANGE: FilingIncomplete,  # a file says less than a form asks
    Kind.CANCEL: WrongDay,  # 2024 has begun
    Kind.VOID: NotByOneself,
}


@pytest.mark.parametrize("state", State)
def test_each_state_allows_its_steps_and_no_other(house: str, tmp_path, state: State):
    bring(file(tmp_path, *(ROW | {"key": kind.value, "state": "draft"} for kind in Kind)))
    for at, kind in enumerate(Kind):
        numbered = None if state in ("draft", "submitted", "returned", "rejected", "cancelled") else f"n{at}"
        Programme.objects.filter(key=kind.value).update(state=state, filing_number=numbered)
        if state not in STEP[kind].sources:
            with pytest.raises(TransitionRefused) as error:
                decide(kind.value, kind, actor="bureau", reason="好")
            assert (", ".join(allowed(state)) or "nothing") in error.value.how_to_fix
        elif kind in NEEDS_MORE:
            with pytest.raises(NEEDS_MORE[kind]):
                decide(kind.value, kind, actor="bureau", reason="好")
        else:
            assert decide(kind.value, kind, actor="bureau", reason="好").state == STEP[kind].target
            event = FilingEvent.objects.get(programme__key=kind.value)
            assert (event.kind, event.from_state, event.to_state, event.actor, event.reason) == (
                kind, state, STEP[kind].target, "bureau", "好",
            )  # fmt: skip


def test_the_database_knows_what_is_on_record_and_refuses_what_is_no_step(house: str, tmp_path):
    bring(file(tmp_path, ROW))
    for state in State:
        Programme.objects.update(state=state)
        assert one("SELECT on_record FROM programmes_programme") == (state in ON_RECORD)
    programme = Programme.objects.get()
    for kind, before, after in product(Kind, State, State):
        if (kind, before, after) not in moves() and (before, after) in {("draft", "filed"), ("closed", "filed")}:
            with pytest.raises(IntegrityError), transaction.atomic():
                FilingEvent.objects.create(programme=programme, kind=kind, from_state=before, to_state=after, actor="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Programme.objects.update(state="running", filing_number=None)


def test_a_filed_version_and_an_event_never_change(house: str, tmp_path):
    bring(file(tmp_path, ROW))
    for statement in (
        "UPDATE programmes_programmeversion SET details = '{}'", "DELETE FROM programmes_programmeversion",
        "UPDATE programmes_filingevent SET remarks = '{}'",
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(statement)


def test_the_drawing_in_the_docs_is_the_table():
    page = (Path(__file__).parents[2] / "docs" / "programmes.md").read_text("utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page
    assert table() in page
    for state in State:
        assert f"`{state.value}`" in page, state


def test_a_programme_is_found_by_key_place_or_filing_number(house: str, tmp_path):
    bring(file(tmp_path, ROW, ROW | {"key": "K2", "state": "submitted"}))
    bring(file(tmp_path, ROW | {"start": "2025-01-01", "end": "2025-12-31"}))
    assert find("K2").key == "K2"
    assert find("370400/2025/K1").year == 2025
    assert find("枣人社备〔2024〕001号").year == 2024
    for unknown in ("K1", "K9", "x/K2", "2024/K2", "370400/2024/K9", "370400/²⁰²⁴/K2", ""):
        with pytest.raises(ProgrammeUnknown):
            find(unknown)


# --- R08 ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("organiser", ["hr", "base"])
def test_only_a_sector_department_files_professional_programmes(house: str, tmp_path, organiser: str):
    said = {"health": HEALTH, "hr": BUREAU, "base": BASE | {"kind": "training_base"}}
    message = refused(file(tmp_path, ROW, ROW | {"key": "K2", "organiser": organiser}, departments=said))
    assert f"programmes[1].organiser: «{organiser}» is not a sector department" in message
    assert "R08" in message
    assert not Programme.objects.exists()


def test_what_a_body_is_on_record_counts_and_not_what_a_file_takes_it_for(house: str, tmp_path):
    bring(file(tmp_path, ROW | {"implementer": "base"}))
    assert Organisation.objects.get(uscc=BASE["uscc"]).kind == "training_base"
    assert "R08" in refused(file(tmp_path, ROW | {"key": "K2", "organiser": "base"}))
    promoted = {"health": HEALTH, "base": BASE | {"kind": "sector_department"}}
    message = refused(file(tmp_path, ROW | {"key": "K2", "organiser": "base"}, departments=promoted))
    assert "departments.base.kind: 1237040049380J2K30 is on record as training_base" in message


def test_who_only_carries_out_in_a_sheet_is_no_department_afterwards(house: str, tmp_path):
    both = {"承办单位": BASE["name"], "承办单位信用代码": BASE["uscc"]}
    bring(sheet(tmp_path / "p.xlsx", LINE | both))
    assert Organisation.objects.get(uscc=BASE["uscc"]).kind == "training_base"
    assert Organisation.objects.get(uscc=HEALTH["uscc"]).kind == "sector_department"
    assert Programme.objects.get().implementer.uscc == BASE["uscc"]


# --- courses -----------------------------------------------------------------------------------------------------
def test_a_mapping_without_a_source_waits_for_the_first_of_its_kind(house: str, moodle, tmp_path):
    done = file_programmes()
    assert (done.linked, done.waiting_for_source) == (9, 9)
    save("paper", kind="roster", url=str(tmp_path / "x.csv"), token=None, options={}, allow_private=False)
    base = connect(moodle)
    assert bind_waiting_links(base.source) == 9
    assert bind_waiting_links(base.source) == 0
    assert set(CourseLink.objects.values_list("source__name", flat=True)) == {"base"}


def test_with_several_sources_the_file_must_say_which(house: str, moodle, tmp_path):
    connect(moodle, "one")
    two = connect(moodle, "two")
    with pytest.raises(SourceAmbiguous, match="one, two"):
        file_programmes()
    assert not Programme.objects.exists()
    file_programmes(two.source)
    assert set(CourseLink.objects.values_list("source__name", flat=True)) == {"two"}


def test_a_course_goes_to_a_source_of_its_own_kind(house: str, moodle, tmp_path):
    base = connect(moodle)
    paper = roster(tmp_path / "r.csv", line("王一", 1, "", 课程编号="101"))
    bring(sheet(tmp_path / "p.xlsx", LINE | {"课程简称": "WSYS"}, LINE | {"项目编号": 2, "课程编号": 101}), base.source)
    assert sql("SELECT s.name, l.course FROM programmes_courselink l JOIN intake_source s ON s.id = l.source_id"
               " ORDER BY 1") == [("base", "WSYS"), ("roster", "101")]  # fmt: skip
    pull(paper)
    run_stages()
    assert held() == {}


def test_the_state_moves_forward_only(house: str, tmp_path):
    bring(file(tmp_path, ROW))
    bring(file(tmp_path, ROW | {"state": "draft"}))
    assert Programme.objects.get().state == State.FILED
