"""The form of a filing: typed, saved, submitted, returned with remarks, accepted, changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import xlsxwriter
from django.conf import settings as django_settings
from django.contrib.auth.models import User

from agent.cli.programme import Decision
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.programmes import attachments
from agent.programmes.checks import NO_RULES
from agent.programmes.content import clean
from agent.programmes.deciding import Taken, last_event, newest, take
from agent.programmes.drafts import about, begin, copy, draft_of, save_draft
from agent.programmes.errors import (
    AttachmentRefused,
    CodeRefused,
    DecisionStale,
    DraftStale,
    FilingIncomplete,
    NotEditable,
    OwnDecision,
    ReasonMissing,
    ScannerFailed,
    TransitionRefused,
    WaiverMissing,
    WrongDay,
)
from agent.programmes.models import Attachment, FilingEvent, Programme, ProgrammeVersion
from agent.programmes.transitions import Kind
from agent.programmes.workdays import after
from tests.house.houses import one, sql
from tests.house.programme_files import BASE, HEALTH, LINE, bring

OFFICER, BUREAU = Taken(actor="officer"), Taken(actor="bureau", code="complete")


def first_day() -> date:
    """The first of March of the next year: always early enough."""
    return date(local_date(now()).year + 1, 3, 1)


def good(first: date | None = None, **change: Any) -> dict[str, Any]:
    """A form without faults."""
    first = first or first_day()
    return {
        "title": "医师能力提升", "category": "professional", "series": "卫生", "mode": "in_person",
        "audience": "全市医师", "capacity": "80", "hours": "16",
        "starts_on": str(first), "ends_on": str(first + timedelta(1)), "fee": "0",
        "place": "市民中心", "implementer": BASE["uscc"], "teachers": "张三，主任医师",
        "timetable": [
            {"date": str(first + timedelta(n)), "topic": "心血管", "teacher": "张三", "hours": "8"} for n in (0, 1)
        ],
    } | change  # fmt: skip


@pytest.fixture
def health(house: str) -> Organisation:
    Organisation.objects.create(**BASE, kind="training_base", region="370400", issuer_number=2)
    return Organisation.objects.create(**HEALTH, kind="sector_department", region="370400", issuer_number=1)


@pytest.fixture
def programme(health: Organisation) -> Programme:
    """A form without faults, as a draft."""
    return begin(health, first_day().year, by="officer", typed=good())


def filed(programme: Programme) -> Programme:
    take(programme, Kind.SUBMIT, OFFICER)
    return take(programme, Kind.ACCEPT, BUREAU)


def test_a_form_becomes_a_version_and_gets_its_number(programme):
    take(programme, Kind.SUBMIT, OFFICER)
    version = newest(programme)
    assert (version.version, version.hours, version.details["capacity"]) == (1, 1600, 80)
    programme = take(programme, Kind.ACCEPT, BUREAU)
    assert (programme.state, programme.filing_number) == ("filed", f"枣人社备〔{programme.year}〕001号")
    assert programme.implementer.uscc == BASE["uscc"]
    assert list(programme.events.order_by("pk").values_list("kind", "code", "version")) == [
        ("submit", "", 1), ("accept", "complete", 1),
    ]  # fmt: skip


def test_what_is_typed_is_kept_word_for_word_and_faults_stop_only_the_submission(health):
    programme = begin(health, first_day().year, by="officer")
    draft = save_draft(programme, good(hours="很多", title="<b>x</b>"), lock=1, by="officer")
    assert (draft.lock, draft.typed["hours"], draft.typed["title"]) == (2, "很多", "<b>x</b>")
    with pytest.raises(FilingIncomplete, match="hours"):
        take(programme, Kind.SUBMIT, OFFICER)
    assert not programme.versions.exists()


def test_an_old_window_overwrites_nothing(programme):
    save_draft(programme, good(place="这里"), lock=1, by="one")
    with pytest.raises(DraftStale):
        save_draft(programme, good(place="那里"), lock=1, by="two")
    assert draft_of(programme).typed["place"] == "这里"
    # the same words again are no conflict, and no new saving
    assert save_draft(programme, good(place="这里"), lock=1, by="two").lock == 2


def test_nobody_writes_in_what_the_bureau_reads(programme):
    take(programme, Kind.SUBMIT, OFFICER)
    with pytest.raises(NotEditable):
        save_draft(programme, good(place="那里"), lock=1, by="officer")
    with pytest.raises(TransitionRefused):  # pressed twice
        take(programme, Kind.SUBMIT, OFFICER)
    take(programme, Kind.WITHDRAW, OFFICER)
    save_draft(programme, good(place="那里"), lock=1, by="officer")
    take(programme, Kind.SUBMIT, OFFICER)
    assert list(programme.versions.order_by("version").values_list("details__place", flat=True)) == ["市民中心", "那里"]


def test_it_comes_back_with_remarks_and_goes_again_without_a_new_version_for_nothing(programme):
    take(programme, Kind.SUBMIT, OFFICER)
    with pytest.raises(ReasonMissing):
        take(programme, Kind.RETURN, Taken(actor="bureau"))
    with pytest.raises(CodeRefused):
        take(programme, Kind.RETURN, Taken(actor="bureau", reason="x", code="complete"))
    remarks = {"timetable": "第二天下午没有教师"}
    take(programme, Kind.RETURN, Taken(actor="bureau", reason="请补充", code="timetable", remarks=remarks))
    assert FilingEvent.objects.get(kind="return").remarks == remarks
    take(programme, Kind.SUBMIT, OFFICER)
    assert programme.versions.count() == 1


def test_what_happened_meanwhile_stops_a_decision(programme):
    take(programme, Kind.SUBMIT, OFFICER)
    seen = last_event(programme)
    take(programme, Kind.WITHDRAW, OFFICER)
    take(programme, Kind.SUBMIT, OFFICER)
    with pytest.raises(DecisionStale):
        take(programme, Kind.ACCEPT, Taken(actor="bureau", seen=seen))
    assert take(programme, Kind.ACCEPT, Taken(actor="bureau", seen=last_event(programme))).state == "filed"


def test_a_late_one_is_accepted_only_with_a_waiver(health):
    first = after(local_date(now()), 3)
    form = good(first, hours="8", ends_on=str(first), timetable=good(first)["timetable"][:1])
    programme = begin(health, first.year, by="officer", typed=form)
    with pytest.raises(FilingIncomplete, match="10 are needed"):
        take(programme, Kind.SUBMIT, OFFICER)
    save_draft(programme, form | {"late_reason": "上级临时部署"}, lock=1, by="officer")
    take(programme, Kind.SUBMIT, OFFICER)
    with pytest.raises(WaiverMissing):
        take(programme, Kind.ACCEPT, BUREAU)
    with pytest.raises(WaiverMissing):
        take(programme, Kind.ACCEPT, Taken(actor="bureau", code="waived"))
    assert take(programme, Kind.ACCEPT, Taken(actor="bureau", code="waived", reason="属实")).state == "filed"


def test_a_change_is_no_version_until_the_bureau_agrees(programme):
    programme = filed(programme)
    number = programme.filing_number
    changed = good(hours="8", timetable=good()["timetable"][:1])
    save_draft(programme, changed, lock=0, by="officer")
    assert Programme.objects.get(pk=programme.pk).state == "filed"  # writing is not asking
    with pytest.raises(ReasonMissing):
        take(programme, Kind.CHANGE, OFFICER)
    take(programme, Kind.CHANGE, Taken(actor="officer", reason="教师有变动"))
    assert (newest(programme).version, one("SELECT on_record FROM programmes_programme")) == (1, True)
    with pytest.raises(NotEditable):
        save_draft(programme, good(), lock=1, by="officer")
    take(programme, Kind.WITHDRAW_CHANGE, OFFICER)
    assert draft_of(programme).typed["hours"] == "8"  # what was written is still there
    take(programme, Kind.CHANGE, Taken(actor="officer", reason="教师有变动"))
    take(programme, Kind.REFUSE_CHANGE, Taken(actor="bureau", reason="不必"))
    take(programme, Kind.CHANGE, Taken(actor="officer", reason="真的有变动"))
    programme = take(programme, Kind.ACCEPT_CHANGE, BUREAU)
    assert (programme.state, programme.filing_number) == ("filed", number)
    assert list(ProgrammeVersion.objects.order_by("version").values_list("version", "hours")) == [(1, 1600), (2, 800)]
    assert draft_of(programme).lock == 0


def test_the_days_say_when_a_class_may_begin_end_or_be_called_off(programme):
    programme = filed(programme)
    with pytest.raises(WrongDay):
        take(programme, Kind.START, OFFICER)
    with pytest.raises(ReasonMissing):
        take(programme, Kind.CANCEL, OFFICER)
    assert take(programme, Kind.CANCEL, Taken(actor="officer", reason="不办了")).state == "cancelled"
    assert one("SELECT on_record FROM programmes_programme") is False


def test_from_the_first_day_to_the_end(programme):
    programme = filed(programme)
    today = local_date(now())
    ProgrammeVersion.objects.create(
        programme=programme, version=2, title="x", category="professional", series="卫生", hours=800,
        starts_on=today - timedelta(1), ends_on=today,
    )  # fmt: skip
    for kind, state in (
        (Kind.START, "running"), (Kind.DELIVER, "delivered"), (Kind.REPORT, "closing"), (Kind.REOPEN, "delivered"),
        (Kind.REPORT, "closing"), (Kind.CLOSE, "closed"),
    ):  # fmt: skip
        assert take(programme, kind, Taken(actor="x", reason="80人参加，80人合格")).state == state


def test_last_years_is_copied_without_its_days(programme):
    new = copy(programme, programme.year + 1, by="officer")
    typed = draft_of(new).typed
    assert (new.state, new.year, new.key) == ("draft", programme.year + 1, "1-001")
    assert (typed["title"], typed["starts_on"], {row["date"] for row in typed["timetable"]}) == (
        "医师能力提升",
        "",
        {""},
    )
    assert new.sequence == 1
    again = copy(programme, programme.year, by="officer")
    assert (again.sequence, again.key) == (2, "1-002")


# --- attachments -------------------------------------------------------------------------------------------------
PDF = b"%PDF-1.7 an invented file"


def test_a_file_lies_outside_the_web_and_once(programme):
    kept = attachments.attach(programme, "../../课表.pdf", PDF, by="officer")
    path = attachments.path_of(kept.sha256)
    assert (kept.name, kept.kind, path.read_bytes()) == ("课表.pdf", "pdf", PDF)
    assert path.stat().st_mode & 0o777 == 0o600
    assert attachments.attach(programme, "other.pdf", PDF, by="officer") == kept
    take(programme, Kind.SUBMIT, OFFICER)
    assert newest(programme).details["attachments"][0]["sha256"] == kept.sha256
    with pytest.raises(NotEditable):
        attachments.drop(kept, by="officer")
    take(programme, Kind.WITHDRAW, OFFICER)
    attachments.drop(kept, by="officer")
    assert path.is_file()  # a version names it


def test_what_no_version_names_is_deleted(programme):
    kept = attachments.attach(programme, "a.pdf", PDF, by="officer")
    attachments.drop(kept, by="officer")
    assert not attachments.path_of(kept.sha256).exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"MZ\x90\x00 a program"), ("a.exe", PDF), ("a", PDF), ("a.pdf", b""),
        ("a.docx", b"PK\x03\x04 no zip"),
        ("a.html", b"<script>"), ("a.svg", b"<svg onload=alert(1)>"), ("a.pdf", b"%PDF-" + b"0" * 50_000_000),
    ],
    ids=["exe named pdf", "pdf named exe", "no ending", "empty", "broken zip", "html", "svg", "50 MB"],
)  # fmt: skip
def test_what_is_no_paper_is_refused(programme, name, content):
    with pytest.raises(AttachmentRefused):
        attachments.attach(programme, name, content, by="officer")
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("scanner", "error"), [("false", AttachmentRefused), ("sh -c 'exit 2'", ScannerFailed), ("/nowhere", ScannerFailed)]
)
def test_what_the_scanner_refuses_is_not_kept(programme, monkeypatch, scanner, error):
    monkeypatch.setattr(django_settings, "SCANNER", scanner)
    content = PDF + scanner.encode()
    with pytest.raises(error):
        attachments.attach(programme, "a.pdf", content, by="officer")
    assert not Attachment.objects.exists()
    assert list((attachments.path_of("ab").parents[1]).rglob("tmp*")) == []
    monkeypatch.setattr(django_settings, "SCANNER", "sh -c 'grep -q PDF && test -f \"$0\"'")
    assert attachments.attach(programme, "a.pdf", content, by="officer").kind == "pdf"


# --- by command --------------------------------------------------------------------------------------------------
def test_every_step_goes_by_command(programme, xueshi):
    key = str(programme)
    assert {each.value for each in Decision} == {kind.value for kind in Kind} - {"void"}
    assert xueshi("programme", "decide", key, "submit", "--by", "officer", "--json").json["state"] == "submitted"
    said = xueshi("programme", "decide", key, "return", "--reason", "补", "--code", "timetable",
                  "--remark", "timetable=第二天没有教师", "--by", "bureau", "--json")  # fmt: skip
    assert said.json["state"] == "returned"
    shown = xueshi("programme", "show", key, "--json").json
    assert (shown["findings"], shown["allowed"]) == ([], ["submit", "discard"])
    assert shown["events"][-1]["remarks"] == {"timetable": "第二天没有教师"}
    for step in ("submit", "accept"):
        said = xueshi("programme", "decide", key, step, "--json")
    assert said.json["filing_number"]
    assert xueshi("programme", "impact", key, "--json").json["learners"] == 0
    proposed = xueshi(
        "programme", "void", key, "--fate", "revoke", "--code", "asked", "--reason", "x", "--by", "a", "--json"
    )
    assert proposed.json["state"] == "proposed"
    assert xueshi("programme", "confirm", key, "--by", "a", "--json").json["error"]["code"] == "E_TWO_PEOPLE"
    assert xueshi("programme", "confirm", key, "--by", "b", "--json").json["state"] == "voided"
    for command in ("list", "show", "impact"):
        assert xueshi("programme", command, *([key] if command != "list" else [])).exit == 0


def test_each_step_is_in_the_audit_log(programme):
    kept = attachments.attach(programme, "a.pdf", PDF, by="officer")
    attachments.drop(kept, by="officer")
    filed(programme)
    said = sql("SELECT actor, action, target FROM audit_auditevent ORDER BY index")
    assert said == [
        (actor, f"filing.{action}", f"programme {programme}")
        for actor, action in (
            ("officer", "begin"), ("officer", "attach"), ("officer", "detach"), ("officer", "submit"),
            ("bureau", "accept"),
        )
    ]  # fmt: skip


def test_a_draft_holds_no_more_than_a_form_may(programme):
    typed = clean({"title": "x" * 5000, "timetable": [{"topic": "t"}] * 500, "evil": "x"})
    assert (len(typed["title"]), len(typed["timetable"]), "evil" in typed) == (200, 180, False)


def test_a_reason_that_is_not_needed_asks_for_no_waiver(health):
    programme = begin(health, first_day().year, by="officer", typed=good(late_reason="以防万一"))
    assert filed(programme).state == "filed"


def test_days_count_to_when_it_was_handed_in(programme):
    take(programme, Kind.SUBMIT, OFFICER)
    programme.refresh_from_db()
    assert about(programme, NO_RULES).today == local_date(now())
    sql("ALTER TABLE programmes_filingevent DISABLE TRIGGER append_only")
    sql("UPDATE programmes_filingevent SET at = at - interval '9 days'")
    assert about(programme, NO_RULES).today == local_date(now() - timedelta(9))


def test_a_file_brings_the_whole_form_with_its_lessons(house: str, tmp_path):
    path = tmp_path / "p.xlsx"
    heads = (*LINE, "培训方式", "计划人数", "每人收费", "师资")
    with xlsxwriter.Workbook(path) as book:
        for name, rows in {
            "备案": [heads, [*LINE.values(), "线下", "80", "1,200元", "张三，主任医师\n李四"]],
            "课程表": [("项目编号", "日期", "主题", "教师", "学时"), ("K1", "2024-03-09", "心血管", "张三", 8)],
        }.items():  # fmt: skip
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    bring(path)
    details = ProgrammeVersion.objects.get().details
    assert (details["mode"], details["capacity"], details["fee"]) == ("in_person", 80, 120000)
    assert [each["name"] for each in details["teachers"]] == ["张三", "李四"]
    assert details["timetable"] == [{"date": "2024-03-09", "topic": "心血管", "teacher": "张三", "hours": 800}]
    bring(path)
    assert ProgrammeVersion.objects.count() == 1


# --- four eyes ------------------------------------------------------------------------------------------------------
BOTH = Taken(actor="zhou", reason="齐全", code="complete")
"""Somebody with the department's role and the bureau's."""


@pytest.fixture
def zhou(programme: Programme) -> Programme:
    """A form that an account of the house handed in."""
    User.objects.create_user("zhou")
    return take(programme, Kind.SUBMIT, Taken(actor="zhou"))


@pytest.mark.parametrize("kind", [Kind.ACCEPT, Kind.RETURN, Kind.REJECT])
def test_nobody_decides_on_what_they_handed_in(zhou, kind):
    with pytest.raises(OwnDecision) as refused:
        take(zhou, kind, Taken(actor="zhou", reason="x"))
    assert (refused.value.code, refused.value.exit_code) == ("E_OWN_DECISION", 1)
    assert "Somebody else" in refused.value.how_to_fix
    assert take(zhou, Kind.WITHDRAW, Taken(actor="zhou")).state == "draft"  # their own step it is


def test_nor_on_what_another_sent_of_their_writing_or_sent_again_unchanged(zhou):
    take(zhou, Kind.RETURN, Taken(actor="bureau", reason="再看看"))
    take(zhou, Kind.SUBMIT, Taken(actor="officer"))
    with pytest.raises(OwnDecision):  # the same version as they handed in
        take(zhou, Kind.ACCEPT, BOTH)
    take(zhou, Kind.WITHDRAW, OFFICER)
    save_draft(zhou, good(place="那里"), lock=1, by="zhou")
    take(zhou, Kind.SUBMIT, OFFICER)
    with pytest.raises(OwnDecision):  # their words
        take(zhou, Kind.ACCEPT, BOTH)
    take(zhou, Kind.WITHDRAW, OFFICER)
    save_draft(zhou, good(place="别处"), lock=2, by="officer")
    take(zhou, Kind.SUBMIT, OFFICER)
    assert take(zhou, Kind.ACCEPT, BOTH).state == "filed"  # what others wrote and sent


def test_nor_on_a_change_or_a_report_of_their_own(zhou):
    take(zhou, Kind.ACCEPT, BUREAU)
    save_draft(zhou, good(place="那里"), lock=0, by="officer")
    take(zhou, Kind.CHANGE, Taken(actor="zhou", reason="换地方"))
    for kind in (Kind.ACCEPT_CHANGE, Kind.REFUSE_CHANGE):
        with pytest.raises(OwnDecision):
            take(zhou, kind, Taken(actor="zhou", reason="x"))
    take(zhou, Kind.ACCEPT_CHANGE, BUREAU)
    Programme.objects.filter(pk=zhou.pk).update(state="delivered")
    take(zhou, Kind.REPORT, Taken(actor="zhou", reason="60人合格"))
    for kind in (Kind.CLOSE, Kind.REOPEN):
        with pytest.raises(OwnDecision):
            take(zhou, kind, Taken(actor="zhou", reason="x"))
    assert take(zhou, Kind.CLOSE, BUREAU).state == "closed"


def test_the_operator_of_the_machine_is_no_person_and_may_do_both(programme):
    take(programme, Kind.SUBMIT, Taken(actor="root"))  # no account is called so
    assert take(programme, Kind.ACCEPT, Taken(actor="root")).state == "filed"


def test_a_command_in_a_persons_name_is_that_persons(zhou, xueshi):
    said = xueshi("programme", "decide", str(zhou), "accept", "--by", "zhou", "--json")
    assert (said.exit, said.json["error"]["code"]) == (1, "E_OWN_DECISION")
    assert xueshi("programme", "decide", str(zhou), "accept", "--by", "wang", "--json").json["state"] == "filed"
