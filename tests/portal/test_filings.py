"""The pages on which departments file programmes and the bureau decides."""

from __future__ import annotations

import io
import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from agent.localtime import local_date, now
from agent.organisations.models import Membership
from agent.programmes.deciding import Taken, take
from agent.programmes.drafts import begin, draft_of
from agent.programmes.models import Attachment, FilingEvent, Programme, ProgrammeVersion, VoidProposal
from agent.programmes.transitions import STEP, Kind, Who
from tests.house.programme_files import sheet
from tests.portal.conftest import Town

YEAR = local_date(now()).year + 1
FIRST = date(YEAR, 3, 1)


def typed(town: Town, **change: Any) -> dict[str, Any]:
    """A form without faults."""
    return {
        "title": "工业互联网安全", "category": "professional", "series": "工程", "mode": "in_person",
        "audience": "技术人员", "capacity": "60", "hours": "16",
        "starts_on": str(FIRST), "ends_on": str(FIRST + timedelta(1)), "fee": "0",
        "place": "市民中心", "implementer": town.bodies["base"].uscc, "teachers": "张三，高级工程师",
        "timetable": [
            {"date": str(FIRST + timedelta(n)), "topic": "入门", "teacher": "张三", "hours": "8"} for n in (0, 1)
        ],
    } | change  # fmt: skip


def post(form: dict[str, Any], **more: Any) -> dict[str, Any]:
    """That form as a browser sends it."""
    rows = form["timetable"]
    plain = {name: value for name, value in form.items() if name != "timetable"}
    return plain | {f"t_{name}": [row[name] for row in rows] for name in ("date", "topic", "teacher", "hours")} | more


@pytest.fixture
def filing(town: Town) -> Programme:
    """A draft of the department of industry, without faults."""
    return begin(town.bodies["industry"], YEAR, by="officer", typed=typed(town))


@pytest.fixture
def submitted(filing: Programme) -> Programme:
    return take(filing, Kind.SUBMIT, Taken(actor="officer"))


def address(filing: Programme, rest: str = "") -> str:
    return f"/filings/{filing.pk}/{rest}"


def last(filing: Programme) -> int:
    return FilingEvent.objects.filter(programme=filing).latest("pk").pk


# --- the department --------------------------------------------------------------------------------------------------
def test_from_an_empty_form_to_a_submission(town, text):
    client = town.client("officer")
    page = text(client.get("/filings/"))
    assert "新建备案" in page
    answer = client.post("/filings/new/", {"organiser": town.bodies["industry"].pk, "year": YEAR})
    form = answer["Location"]
    assert "还没有填" not in text(client.get(form))  # nobody is scolded for an empty page
    answer = client.post(form, post(typed(town, hours="15"), lock=1, what="submit"))
    assert answer.status_code == 409
    page = text(answer)
    assert "课程表合计16学时，申报的是15学时" in page
    assert 'value="15"' in page
    answer = client.post(form, post(typed(town), lock=2, what="submit"))
    assert answer.status_code == 302
    assert "待受理" in text(client.get(answer["Location"]))
    # pressed twice: the form is no longer there to be written in
    assert client.post(form, post(typed(town), lock=3, what="submit"))["Location"] == answer["Location"]
    assert ProgrammeVersion.objects.filter(title="工业互联网安全").count() == 1


def test_it_is_saved_while_somebody_types(town, filing):
    client = town.client("officer")
    said = json.loads(client.post(address(filing, "draft/"), post(typed(town, hours="x"), lock=1)).content)
    assert said["lock"] == 2
    assert ("hours", "F_HOURS") in [(each["field"], each["code"]) for each in said["findings"]]
    assert draft_of(filing).typed["hours"] == "x"


def test_an_old_window_is_told_and_shown_both(town, filing, text):
    client = town.client("officer")
    client.post(address(filing, "draft/"), post(typed(town, place="这里"), lock=1))
    answer = client.post(address(filing, "draft/"), post(typed(town, place="那里"), lock=1))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (409, "E_DRAFT_STALE")
    page = text(client.post(address(filing, "form/"), post(typed(town, place="那里"), lock=1, what="save")))
    assert "officer在" in page
    assert 'value="那里"' in page
    assert '那边写的：<span class="theirs" lang="zh-Hans">这里</span>' in page
    (lock,) = re.findall(r'name="lock" value="(\d+)"', page)
    mine = post(typed(town, place="那里"), lock=lock, what="save")
    assert client.post(address(filing, "form/"), mine).status_code == 200
    assert draft_of(filing).typed["place"] == "那里"


def test_rows_are_added_without_a_script(town, filing, text):
    page = text(town.client("officer").post(address(filing, "form/"), post(typed(town), lock=1, what="rows")))
    assert page.count('name="t_topic"') == 22


def test_last_years_is_copied(town, submitted, text):
    client = town.client("officer")
    answer = client.post(address(submitted, "copy/"), {"year": YEAR})
    new = Programme.objects.latest("pk")
    assert answer["Location"] == address(new, "form/")
    assert draft_of(new).typed["audience"] == "技术人员"
    assert client.post(address(submitted, "copy/"), {"year": "1999"}).status_code == 404


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def test_what_is_typed_never_acts(town, filing, text):
    form = typed(town, **dict.fromkeys(("title", "audience", "place", "teachers", "remarks", "specialty"), HOSTILE))
    form["timetable"][0]["topic"] = HOSTILE
    officer, reviewer = town.client("officer"), town.client("reviewer")
    officer.post(address(filing, "form/"), post(form, lock=1, what="submit"))
    take_it = {"kind": "return", "reason": HOSTILE, "seen": last(filing), "remark_title": HOSTILE}
    assert reviewer.post(address(filing, "step/"), take_it).status_code == 302
    for client, where in (
        (officer, "/filings/"), (officer, address(filing)), (officer, address(filing, "form/")),
        (reviewer, "/filings/"), (reviewer, address(filing)),
    ):  # fmt: skip
        page = text(client.get(where))
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "49" not in re.findall(r"alert\(1\)&gt;(\d*)", page)
    page = officer.get(address(filing, "form/"))
    assert page["Content-Security-Policy"].endswith("script-src 'self'; connect-src 'self'")


def test_the_remark_stands_at_its_field(town, submitted, text):
    remarks = {"timetable": "第二天没有教师", "capacity": "场地坐不下"}
    take(submitted, Kind.RETURN, Taken(actor="reviewer", reason="请补充", remarks=remarks))
    client = town.client("officer")
    assert "1个项目被退回，等您改正" in text(client.get("/filings/"))
    page = text(client.get(address(submitted, "form/")))
    assert re.search(r'data-field="capacity".*?场地坐不下.*?data-field="hours"', page, re.DOTALL)
    assert re.search(r"<fieldset.*?第二天没有教师.*?</fieldset>", page, re.DOTALL)
    client.post(address(submitted, "draft/"), post(typed(town, capacity="55"), lock=1))
    # what is being corrected is the department's own until it is handed in
    assert "55" not in text(town.client("reviewer").get(address(submitted))).split("经过")[0]
    client.post(address(submitted, "form/"), post(typed(town, capacity="50"), lock=2, what="submit"))
    assert "场地坐不下" not in text(client.get(address(submitted))).split("经过")[0]
    page = text(town.client("reviewer").get(address(submitted)))
    assert re.search(r"与v1相比，1处不同.*计划人数.*60.*50", page, re.DOTALL)


# --- attachments -----------------------------------------------------------------------------------------------------
def upload(client: Client, filing: Programme, name: str, content: bytes) -> Any:
    return client.post(address(filing, "files/"), {"file": SimpleUploadedFile(name, content)})


def test_a_file_is_handed_out_as_a_file_to_those_who_see_the_filing(town, filing):
    officer = town.client("officer")
    assert upload(officer, filing, "课表<b>.pdf", b"%PDF-1.7 x").status_code == 302
    file = Attachment.objects.get()
    answer = officer.get(address(filing, f"files/{file.pk}/"))
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 x"
    answer.close()
    assert answer["Content-Disposition"].startswith("attachment")
    assert (answer["X-Content-Type-Options"], answer["Content-Type"]) == ("nosniff", "application/pdf")
    assert town.client("reviewer").get(address(filing, f"files/{file.pk}/")).status_code == 404  # not handed in yet
    take(filing, Kind.SUBMIT, Taken(actor="officer"))
    answer = town.client("reviewer").get(address(filing, f"files/{file.pk}/"))
    answer.close()
    assert answer.status_code == 200
    assert town.client("xiaoming").get(address(filing, f"files/{file.pk}/")).status_code == 404
    assert officer.post(address(filing, f"files/{file.pk}/drop/")).status_code == 400
    take(filing, Kind.ACCEPT, Taken(actor="reviewer"))
    # what a department prepares for a change is nobody else's yet, and what was filed stays to be seen
    upload(officer, filing, "新课表.pdf", b"%PDF-1.7 y")
    officer.post(address(filing, f"files/{file.pk}/drop/"))
    page = town.client("reviewer").get(address(filing)).content.decode()
    assert ("课表&lt;b&gt;.pdf" in page, "新课表" in page) == (True, False)
    other = Attachment.objects.get(name="新课表.pdf")
    assert town.client("reviewer").get(address(filing, f"files/{other.pk}/")).status_code == 404


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("a.pdf", b"MZ\x90\x00"), 400), (("a.exe", b"MZ"), 400), (("a.pdf", b""), 400),
        (("big.pdf", b"%PDF-" + b"0" * 50_000_000), 413),
    ],
    ids=["exe named pdf", "exe", "empty", "50 MB"],
)  # fmt: skip
def test_what_is_no_paper_is_refused_with_a_sentence(town, filing, text, file, status):
    answer = upload(town.client("officer"), filing, *file)
    assert answer.status_code == status
    assert "文件没有收下" in text(answer)
    assert not Attachment.objects.exists()


# --- the bureau ------------------------------------------------------------------------------------------------------
def test_the_queue_is_by_due_date_and_accepting_gives_a_number(town, submitted, text):
    client = town.client("reviewer")
    page = text(client.get("/filings/"))
    assert "2件备案等您决定" in page  # P4 of the town is submitted, too
    page = text(client.get(address(submitted)))
    assert "工业互联网安全" in page
    answer = client.post(address(submitted, "step/"), {"kind": "accept", "code": "complete", "seen": last(submitted)})
    assert "已办：受理" in text(client.get(answer["Location"]))
    submitted.refresh_from_db()
    assert (submitted.state, bool(submitted.filing_number)) == ("filed", True)
    again = client.post(address(submitted, "step/"), {"kind": "accept", "seen": 0})
    assert (again.status_code, "它又有了变化" in text(again)) == (409, True)


def test_a_return_needs_a_reason_and_keeps_what_was_written(town, submitted, text):
    form = {"kind": "return", "seen": last(submitted), "remark_title": "太笼统"}
    answer = town.client("reviewer").post(address(submitted, "step/"), form)
    assert (answer.status_code, "请写明理由" in text(answer), "太笼统" in text(answer)) == (409, True, True)


def test_what_is_different_from_last_year_is_shown(town, submitted, text):
    town.programme("L1", "工业互联网安全", "professional", 24, organiser="industry")
    Programme.objects.filter(key="L1").update(year=YEAR - 1)
    page = text(town.client("reviewer").get(address(submitted)))
    assert re.search(r"与枣人社备〔2024〕\d+号 工业互联网安全相比，\d+处不同", page)
    assert re.search(r"学时</th><td class=\"was\"[^>]*>24</td><td[^>]*>16</td>", page)


def test_voiding_takes_two_and_shows_what_it_touches(town, text):
    filing, reason = town.programmes["P1"], "没有实际举办"
    town.staff("second", "bureau", "bureau_reviewer")
    one, two = town.client("reviewer"), town.client("second")
    page = text(one.get(address(filing)))
    assert re.search(r"有效证书</dt><dd>2</dd>", page)
    form = {"what": "propose", "fate": "revoke", "code": "not_held", "reason": reason, "seen": last(filing)}
    assert one.post(address(filing, "void/"), form).status_code == 302
    assert "您是提议人，不能自己确认" in text(one.get(address(filing)))
    answer = one.post(address(filing, "void/"), {"what": "confirm", "seen": last(filing)})
    assert (answer.status_code, VoidProposal.objects.get().outcome) == (409, "")
    assert "作废，等第二人确认" in text(two.get("/filings/"))
    assert two.post(address(filing, "void/"), {"what": "confirm", "seen": last(filing)}).status_code == 302
    filing.refresh_from_db()
    assert filing.state == "voided"
    assert not filing.certificates.exclude(state="revoked").exists()
    assert "不计学时：项目的备案已作废" in text(town.client("xiaoming").get("/2024/"))


# --- who may what ----------------------------------------------------------------------------------------------------
GETS = ("", "form/")
POSTS = ("form/", "draft/", "copy/", "step/", "void/", "files/", "files/1/drop/")


@pytest.mark.parametrize(
    ("who", "sees", "writes"),
    [
        ("officer", True, True), ("neighbour", False, False), ("operator", False, False), ("reviewer", False, False),
        ("xiaoming", False, False), ("stranger", False, False),
    ],
)  # fmt: skip
def test_a_draft_is_its_departments_alone(town, filing, who, sees, writes):
    town.staff("neighbour", "health", "department_officer")
    client = town.client(who)
    assert [client.get(address(filing, rest)).status_code for rest in GETS] == [200 if sees else 404] * 2
    if not writes:
        assert [client.post(address(filing, rest)).status_code for rest in POSTS] == [404] * len(POSTS)
    assert client.get(f"/filings/{filing.pk}.xlsx").status_code == (200 if sees else 404)


@pytest.mark.parametrize(
    ("who", "sees", "kinds"),
    [
        ("officer", True, {"withdraw"}), ("neighbour", False, set()), ("operator", True, set()),
        ("reviewer", True, {"accept", "return", "reject"}), ("xiaoming", False, set()), ("auditor", True, set()),
        ("head", True, {"accept", "return", "reject"}), ("administrator", False, set()),
    ],
)  # fmt: skip
def test_a_step_is_theirs_whose_it_is(town, submitted, who, sees, kinds):
    town.staff("neighbour", "health", "department_officer")
    for name, role in (("auditor", "auditor"), ("head", "bureau_head"), ("administrator", "administrator")):
        town.staff(name, "bureau", role)
    client = town.client(who)
    assert client.get(address(submitted)).status_code == (200 if sees else 404)
    for kind in (*Kind.values, "sing", ""):
        form = {"kind": kind, "reason": "x", "seen": last(submitted)}
        expected = 404 if kind not in kinds and kind not in {k.value for k in Kind if _theirs(who, k)} else None
        if expected:
            assert client.post(address(submitted, "step/"), form).status_code == expected, kind
    assert Programme.objects.get(pk=submitted.pk).state == "submitted"


def _theirs(who: str, kind: Kind) -> bool:
    """Whether a step is of their party, in whatever state."""
    by = STEP[kind].who
    theirs = {
        "officer": (Who.ORGANISER, Who.PARTIES),
        "operator": (Who.PARTIES,),
        "reviewer": (Who.BUREAU,),
        "head": (Who.BUREAU,),
    }
    return by in theirs.get(who, ()) and kind not in (Kind.VOID, Kind.SUBMIT, Kind.CHANGE)


def test_nobody_files_for_a_body_that_is_not_theirs(town):
    client = town.client("officer")
    for body in ("health", "bureau"):
        form = {"organiser": town.bodies[body].pk, "year": YEAR}
        assert client.post("/filings/new/", form).status_code == 404
        assert client.post("/filings/import/", form).status_code == 404
    for number in (0, 999999, 10**30):
        assert client.get(f"/filings/{number}/").status_code == 404
    assert Client().get("/filings/").status_code == 302
    assert town.client("xiaoming").get("/filings/").status_code == 404


def test_a_forged_form_is_refused(town, filing):
    client = Client(enforce_csrf_checks=True)
    client.cookies = town.client("officer").cookies
    for rest in POSTS:
        assert client.post(address(filing, rest), post(typed(town), lock=1)).status_code == 403
    assert draft_of(filing).lock == 1


def test_a_base_starts_the_class_that_it_carries_out(town, submitted, text):
    take(submitted, Kind.ACCEPT, Taken(actor="reviewer"))
    client = town.client("operator")
    assert "工业互联网安全" in text(client.get("/filings/"))
    answer = client.post(address(submitted, "step/"), {"kind": "start", "seen": last(submitted)})
    assert "请看起止日期" in text(answer)  # it has not begun
    ProgrammeVersion.objects.create(
        programme=submitted, version=2, title="x", category="professional", series="工程", hours=100,
        starts_on=local_date(now()), ends_on=local_date(now()),
    )  # fmt: skip
    assert client.post(address(submitted, "step/"), {"kind": "start", "seen": last(submitted)}).status_code == 302
    assert Programme.objects.get(pk=submitted.pk).state == "running"


# --- workbooks -------------------------------------------------------------------------------------------------------
def test_a_workbook_goes_out_and_comes_back_as_it_was(town, filing, text):
    client = town.client("officer")
    client.post(address(filing, "draft/"), post(typed(town, title="=1+1", remarks="+cmd|' /C calc'!A0"), lock=1))
    data = client.get(f"/filings.xlsx?year={YEAR}").content
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    rows = book.get_sheet_by_name("备案").to_python()
    assert rows[1][1] == "=1+1"  # a text: nothing is worked out
    assert b"<f>" not in data
    answer = client.post("/filings/import/", {
        "organiser": town.bodies["industry"].pk, "year": YEAR, "file": SimpleUploadedFile("x.xlsx", data),
    })  # fmt: skip
    assert "没有变化" in text(answer)
    assert "0份备案会新建或改动" in text(answer)


def test_a_workbook_is_looked_at_before_it_is_taken(town, filing, text, tmp_path):
    client = town.client("officer")
    me = {"主办单位": "示例industry", "主办单位信用代码": town.bodies["industry"].uscc}
    base = {"类别": "专业科目", "学时": 8, "开始日期": str(FIRST), "结束日期": str(FIRST)}

    def bring(path: Any, *lines: dict[str, Any]) -> Any:
        data = sheet(path, *lines).read_bytes()
        form = {"organiser": town.bodies["industry"].pk, "year": YEAR, "file": SimpleUploadedFile("x.xlsx", data)}
        return client.post("/filings/import/", form)

    new = me | base | {"项目编号": "新-1", "项目名称": '=HYPERLINK("x")'}
    changed = me | base | {"项目编号": filing.key, "项目名称": "改了名"}
    page = text(bring(tmp_path / "a.xlsx", new, changed))
    assert "2份备案会新建或改动" in page
    assert draft_of(filing).typed["title"] == "工业互联网安全"  # only looked at
    (signed,) = re.findall(r'name="lines" value="([^"]+)"', page)
    form = {"organiser": town.bodies["industry"].pk, "lines": signed}
    assert client.post("/filings/import/", form)["Location"] == "/filings/"
    assert draft_of(filing).typed["title"] == "改了名"
    page = text(
        bring(tmp_path / "c.xlsx", new | {"项目编号": "新-2"}, new | {"项目编号": "新-2"}, new | {"项目编号": "a/b"})
    )
    assert ("1份备案会新建或改动" in page, page.count("不会动：")) == (True, 2)
    assert Programme.objects.get(key="新-1").state == "draft"
    again = client.post("/filings/import/", form)
    assert (again.status_code, "已经导入过了" in text(again)) == (409, True)
    assert client.post("/filings/import/", form | {"lines": signed[:-1] + "x"}).status_code == 404
    other = me | base | {"项目编号": "X", "项目名称": "x", "主办单位": "别的单位"}
    answer = bring(tmp_path / "b.xlsx", other)
    assert (answer.status_code, "别的单位" in text(answer)) == (400, True)
    broken = client.post("/filings/import/", {
        "organiser": town.bodies["industry"].pk, "year": YEAR, "file": SimpleUploadedFile("x.xlsx", b"MZ"),
    })  # fmt: skip
    assert broken.status_code == 400


def test_who_handed_it_in_does_not_decide_on_it(town, filing, text):
    """One person with the department's role and the bureau's."""
    town.staff("zhou", "industry", "department_officer")
    Membership.objects.create(
        user=User.objects.get(username="zhou"), organisation=town.bodies["bureau"], role="bureau_reviewer"
    )
    take(filing, Kind.SUBMIT, Taken(actor="zhou"))
    client = town.client("zhou")
    page = text(client.get(address(filing)))
    assert "须由人社局的另一位工作人员决定" in page
    assert 'id="decide"' not in page
    assert "撤回" in page
    answer = client.post(address(filing, "step/"), {"kind": "accept", "seen": last(filing)})
    assert answer.status_code == 409
    assert "没有照办：这是您自己提交或者申请的" in text(answer)
    filing.refresh_from_db()
    assert filing.state == "submitted"
    assert 'id="decide"' in text(town.client("reviewer").get(address(filing)))
