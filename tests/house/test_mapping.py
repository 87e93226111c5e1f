"""Which course is which programme: listed, suggested, tried, decided, taken back."""

from __future__ import annotations

from datetime import date

import pytest

from agent.flow import run_stages
from agent.mapping.courses import courses, refresh
from agent.mapping.errors import LinkDates, LinkOverlaps, LinkUnknown, ProgrammeNotOpen, ReasonMissing
from agent.mapping.links import Wanted, link, unlink
from agent.mapping.preview import of_links, of_unlink
from agent.mapping.suggestions import suggest
from agent.matching.models import Achievement
from agent.programmes.file import read_programmes
from agent.programmes.filing import find, import_programmes
from agent.programmes.models import CourseLink, State
from connectors.testing.fake_moodle import PROGRAMMES
from tests.house.houses import Base, certificates, credited, held, in_force, one, released, rows, sql


def _teach(base: Base, course: str, *users: str) -> None:
    for user in users:
        base.learner(user, name=f"王{user}")
        base.done(user, course)


def test_courses_are_listed_the_unmapped_first_and_then_by_learners(base: Base):
    _teach(base, "YFGL", "u1")
    _teach(base, "XLJK", "u2", "u3")
    _teach(base, "WSYS", "u4", "u5", "u6")
    base.sync()
    found = courses([base.source])
    assert [(c.course, c.learners, c.state) for c in found.courses] == [
        ("XLJK", 2, "unmapped"), ("YFGL", 1, "unmapped"), ("WSYS", 3, "mapped"),
    ]  # fmt: skip
    assert [c.course for c in courses([base.source], state="unmapped").courses] == ["XLJK", "YFGL"]
    assert [c.course for c in courses([base.source], text="yfg").courses] == ["YFGL"]
    page = courses([base.source], limit=1, offset=1)
    assert ([c.course for c in page.courses], page.total) == (["YFGL"], 3)


def test_a_course_with_completions_outside_of_its_mapping_is_mapped_partly(base: Base):
    _teach(base, "WSYS", "u1")
    base.sync()
    CourseLink.objects.filter(course="WSYS").update(valid_from=date(2024, 6, 1))
    assert courses([base.source]).courses[0].state == "partly"


def test_courses_are_counted_again_only_after_a_pull_that_wrote_something(base: Base):
    _teach(base, "WSYS", "u1")
    base.sync()
    assert refresh(base.source)
    assert not refresh(base.source)
    base.pull()
    assert not refresh(base.source)
    _teach(base, "WSYS", "u2")
    base.pull()
    assert courses([base.source]).courses[0].learners == 2


def test_the_name_of_a_course_suggests_the_programme_that_is_called_so(base: Base):
    _teach(base, "YFGL", "u1")
    base.sync()
    sql("UPDATE intake_completion SET course = 'NEW', course_name = '【2024】人工智能工程师培训班（第二期）'")
    (course,) = courses([base.source]).courses
    (best, *_) = suggest([course])["NEW"]
    assert (best.title, best.valid_from, best.valid_to) == (
        "人工智能工程师培训", date(2024, 1, 1), date(2024, 12, 31),
    )  # fmt: skip
    assert [(r.kind, r.likeness) for r in best.reasons] == [("title", 1.0)]
    assert not CourseLink.objects.filter(course="NEW").exists()


def test_an_earlier_mapping_of_the_code_suggests_what_is_filed_under_that_title_this_year(base: Base):
    _next_year(base)
    _teach(base, "WSYS")
    base.learner("u1")
    base.done("u1", "WSYS", "2025-05-06T02:00")
    base.sync()
    (course,) = courses([base.source]).courses
    assert course.state == "partly"
    (best,) = suggest([course])["WSYS"]
    assert (best.programme, best.reasons[0].kind) == (find("370400/2025/N1").pk, "code")


def test_last_years_mapping_of_a_course_of_that_name_suggests_its_successor(base: Base):
    _next_year(base)
    base.learner("u1")
    base.done("u1", "WSYS", "2024-05-06T02:00")
    base.done("u1", "YFGL", "2025-05-06T02:00")
    base.sync()
    sql("UPDATE intake_completion SET course_name = '医师必修2025' WHERE course = 'YFGL'")
    sql("UPDATE intake_completion SET course_name = '医师必修' WHERE course = 'WSYS'")
    sql("DELETE FROM mapping_counted")
    course = next(c for c in courses([base.source]).courses if c.course == "YFGL")
    (best,) = suggest([course])["YFGL"]
    assert (best.programme, best.reasons[0].kind) == (find("370400/2025/N1").pk, "history")


def _next_year(base: Base) -> None:
    content = read_programmes(PROGRAMMES)
    row = content.programmes[0].model_copy(
        update={"key": "N1", "start": date(2025, 1, 1), "end": date(2025, 12, 31), "course": None,
                "title": "2025年卫生系统医师专业科目"}
    )  # fmt: skip
    import_programmes(content.model_copy(update={"programmes": [row]}), path="next", source=base.source, actor="test")


def test_what_a_mapping_would_do_is_what_it_does(base: Base):
    _teach(base, "YFGL", "u1", "u2")
    base.learner("u3", id_number="")
    base.done("u3", "YFGL")
    base.sync()
    wanted = Wanted("YFGL", find("P1"))
    trial = of_links(base.source, [wanted], by="anna")
    assert (trial.matched, trial.learners, trial.unmatched, trial.exact) == (2, 2, 0, True)
    assert trial.released == {"E_COURSE_UNMAPPED": 2}
    assert (trial.held, trial.still) == ({}, {"E_ID_MISSING": 1})
    assert (held(), credited()) == ({"E_COURSE_UNMAPPED": 2, "E_ID_MISSING": 1}, {})  # nothing has changed
    assert not CourseLink.objects.filter(course="YFGL").exists()
    link(base.source, wanted, by="anna")
    run_stages()
    assert held() == {"E_ID_MISSING": 1}
    assert released() == trial.released
    assert trial.hours == {"professional": sum(credited().values())}
    assert (trial.gain, trial.lose) == (2, 0)


def test_a_trial_counts_hours_after_the_caps_of_the_year(base: Base):
    _teach(base, "WSYS", "u1")
    base.done("u1", "YFGL")  # the same programme a second time is worth nothing
    base.sync()
    trial = of_links(base.source, [Wanted("YFGL", find("P1"))], by="anna")
    assert (trial.matched, trial.hours) == (1, {})


def test_a_trial_leaves_nothing_behind(base: Base):
    _teach(base, "YFGL", "u1")
    base.sync()
    run_stages()
    tables = ("programmes_courselink", "matching_achievement", "credit_creditentry", "quarantine_held",
              "learners_learner", "changes_change", "certificates_certificate")  # fmt: skip
    before = {table: rows(table) for table in tables}
    of_links(base.source, [Wanted("YFGL", find("P1"))], by="anna")
    assert {table: rows(table) for table in tables} == before
    assert run_stages().rested


def test_a_course_is_one_programme_on_a_day(base: Base):
    with pytest.raises(LinkOverlaps, match="WSYS"):
        link(base.source, Wanted("WSYS", find("P2")), by="anna")
    with pytest.raises(LinkOverlaps):
        link(base.source, Wanted("WSYS", find("P2"), date(2024, 12, 31), date(2024, 12, 31)), by="anna")
    CourseLink.objects.filter(course="WSYS").update(valid_to=date(2024, 6, 30))
    made = link(base.source, Wanted("WSYS", find("P2"), date(2024, 7, 1)), by="anna")
    assert (made.valid_from, made.valid_to) == (date(2024, 7, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    ("first", "last"), [("2024-05-02", "2024-05-01"), ("2025-01-01", "2025-02-01"), ("2023-01-01", "2023-12-31")]
)
def test_days_that_can_match_nothing_are_refused(base: Base, first: str, last: str):
    with pytest.raises(LinkDates):
        link(base.source, Wanted("YFGL", find("P1"), date.fromisoformat(first), date.fromisoformat(last)), by="anna")


def test_nothing_is_mapped_to_a_programme_that_was_rejected(base: Base):
    sql("UPDATE programmes_programme SET state = %s WHERE key = 'P4'", [State.REJECTED])
    with pytest.raises(ProgrammeNotOpen):
        link(base.source, Wanted("YFGL", find("P4")), by="anna")


def test_a_withdrawn_mapping_stays_on_record_and_what_it_matched_waits_again(base: Base):
    _teach(base, "WSYS", "u1", "u2")
    base.sync()
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    issued = certificates()
    assert len(issued) == 2
    trial = of_unlink(number, by="anna")
    assert (trial.unmatched, trial.held, trial.hours) == (2, {"E_COURSE_UNMAPPED": 2}, {"professional": -4000})
    assert (trial.revoked, trial.revoked_numbers) == (2, issued)
    assert (trial.gain, trial.lose) == (0, 2)
    assert certificates() == issued
    unlink(number, by="anna", reason="not this one")
    run_stages()
    assert (held(), credited(), certificates(), certificates("revoked")) == (
        {"E_COURSE_UNMAPPED": 2}, {}, [], issued,
    )  # fmt: skip
    assert {r for (r,) in sql("SELECT reason FROM certificates_certificateevent WHERE kind = 'revoked'")} == {
        "mapping withdrawn"
    }
    kept = CourseLink.objects.get(pk=number)
    assert (kept.withdrawn_by, kept.withdrawn_because, kept.withdrawn_at is not None) == ("anna", "not this one", True)
    assert run_stages().idle
    with pytest.raises(LinkUnknown):
        unlink(number, by="anna", reason="again")


def test_what_is_mapped_anew_in_the_same_moment_loses_nothing(base: Base):
    _teach(base, "WSYS", "u1")
    base.sync()
    before, issued = in_force(), certificates()
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    trial = of_unlink(number, by="anna", until=date(2024, 6, 30))
    assert (trial.unmatched, trial.revoked, trial.hours) == (0, 0, {})
    left = unlink(number, by="anna", reason="the term ended", until=date(2024, 6, 30))
    run_stages()
    assert left is not None
    assert Achievement.objects.get().course_link_id == left.pk
    assert (in_force(), certificates(), held()) == (before, issued, {})


def test_a_mapping_moved_to_another_programme_moves_its_completions(base: Base):
    _teach(base, "WSYS", "u1")
    base.sync()
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    unlink(number, by="anna", reason="it is P2")
    link(base.source, Wanted("WSYS", find("P2")), by="anna")
    run_stages()
    assert one("SELECT v.title FROM matching_achievement a JOIN programmes_programmeversion v"
               " ON v.id = a.programme_version_id") == "人工智能工程师培训"  # fmt: skip
    assert (len(certificates()), len(certificates("revoked"))) == (1, 1)


def test_withdrawing_asks_for_a_reason_and_for_a_day_within(base: Base):
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    with pytest.raises(ReasonMissing):
        unlink(number, by="anna", reason="  ")
    with pytest.raises(LinkDates):
        unlink(number, by="anna", reason="x", until=date(2025, 1, 1))


def test_a_file_that_is_imported_again_does_not_bring_back_what_a_person_withdrew(base: Base):
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    unlink(number, by="anna", reason="not this one")
    import_programmes(read_programmes(PROGRAMMES), path="x", source=base.source, actor="test")
    assert not CourseLink.objects.filter(course="WSYS", withdrawn_at=None).exists()


def test_the_reconciliation_agrees_after_a_withdrawal(base: Base, xueshi):
    _teach(base, "WSYS", "u1")
    base.sync()
    (number,) = CourseLink.objects.filter(course="WSYS").values_list("pk", flat=True)
    unlink(number, by="anna", reason="not this one")
    run_stages()
    said = xueshi("reconcile", "--json")
    assert said.exit == 0, said.out


def test_by_commands(base: Base, xueshi):
    _teach(base, "YFGL", "u1")
    base.sync()
    (course,) = xueshi("mapping", "courses", "base", "--unmapped", "--json").json
    assert (course["course"], course["learners"], course["links"]) == ("YFGL", 1, [])
    assert xueshi("mapping", "suggest", "base", "--json").exit == 0
    tried = xueshi("mapping", "link", "base", "YFGL", "P1", "--dry-run", "--json").json
    assert (tried["link"], tried["difference"]["matched"]) == (None, 1)
    assert held() == {"E_COURSE_UNMAPPED": 1}
    made = xueshi("mapping", "link", "base", "YFGL", "P1", "--json").json
    assert (made["difference"], held()) == (tried["difference"], {})
    number = made["link"]["number"]
    refused = xueshi("mapping", "unlink", number, "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (2, "E_REASON")
    gone = xueshi("mapping", "unlink", number, "--reason", "wrong", "--json").json
    assert gone["difference"]["certificates_revoked"] == 1
    assert held() == {"E_COURSE_UNMAPPED": 1}
    assert xueshi("mapping", "suggest", "base", "NOPE", "--json").json["error"]["code"] == "E_COURSE_UNKNOWN"
    assert xueshi("mapping", "link", "base", "YFGL", "P1", "--from", "soon", "--json").json["error"]["code"] == "E_DAY"
    assert "计入" in xueshi("mapping", "link", "base", "YFGL", "P1", "--dry-run").out


def test_a_trial_waits_for_the_stages_no_longer_than_a_page_may(base: Base, monkeypatch: pytest.MonkeyPatch):
    import os

    import psycopg

    from agent.mapping.errors import StagesBusy

    monkeypatch.setattr("agent.mapping.preview._WAIT", "50ms")
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('xueshi stages'))")
        with pytest.raises(StagesBusy):
            of_links(base.source, [Wanted("YFGL", find("P1"))], by="anna")
    assert of_links(base.source, [Wanted("YFGL", find("P1"))], by="anna").nothing


def test_a_large_trial_tells_the_hours_as_filed(base: Base, monkeypatch: pytest.MonkeyPatch):
    _teach(base, "YFGL", "u1", "u2")
    base.sync()
    monkeypatch.setattr("agent.mapping.preview.MOST_ROWS", 1)
    trial = of_links(base.source, [Wanted("YFGL", find("P2"))], by="anna")
    assert (trial.exact, trial.hours) == (False, {"professional": 4800})
