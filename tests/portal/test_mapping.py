"""Course mapping in the console: who sees which courses, what a trial says, and what confirming and undoing does."""

from __future__ import annotations

import re
from datetime import date

import pytest

from agent.audit.models import AuditEvent
from agent.flow import run_stages
from agent.intake.models import Source
from agent.organisations.models import Kind, Organisation
from agent.programmes.models import CourseLink
from tests.house.houses import held, number
from tests.portal.conftest import Town


@pytest.fixture
def courses(town: Town) -> Town:
    """人工智能工程师培训 is taught a second time under a code that nobody mapped: two people wait."""
    for serial, name in ((50, "赵一"), (51, "钱二")):
        town.completion((number(serial), name), "AI-2024-2", date(2024, 6, 5), 24)
    Source.objects.get().runs.update(new=9)
    from agent.intake.models import Completion

    Completion.objects.filter(course="AI-2024-2").update(course_name="【2024】人工智能工程师培训（第二期）")
    run_stages()
    return town


def _form(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]*name="(chosen)"[^>]*value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


def test_the_unmapped_come_first_with_a_suggestion_and_its_reason(courses: Town, text):
    page = text(courses.client("operator").get("/mapping/"))
    assert "2门课程还没有对应的项目" in page
    assert page.index("AI-2024-2") < page.index("课程P1")
    assert "建议：" in page
    assert "课程名称与项目名称相近（100%）" in page


def test_from_the_suggestion_over_the_trial_to_the_release(courses: Town, text):
    client = courses.client("operator")
    (value,) = _form(text(client.get("/mapping/?q=AI-2024")))["chosen"]
    trial = text(client.post("/mapping/try/", {"chosen": value}))
    assert "2条记录将放行，2人得到学时" in trial
    assert "+16" in trial  # eight hours a day at most
    assert not CourseLink.objects.filter(course="AI-2024-2").exists()
    answer = client.post("/mapping/confirm/", {"chosen": value, "because": "同一个班"})
    assert answer.headers["Location"] == "/mapping/?linked=1"
    run_stages()
    assert held() == {"E_COURSE_UNMAPPED": 1, "E_PROGRAMME_NOT_FILED": 1}
    link = CourseLink.objects.get(course="AI-2024-2")
    assert (link.confirmed_by, link.because) == ("operator", "同一个班")
    assert AuditEvent.objects.get(action="mapping.link").actor == "operator"
    again = client.post("/mapping/confirm/", {"chosen": value})
    assert (again.status_code, "已经对应" in text(again)) == (409, True)  # a second click maps nothing twice
    assert CourseLink.objects.filter(course="AI-2024-2").count() == 1


def test_a_course_is_mapped_by_hand_and_what_was_typed_is_not_lost(courses: Town, text):
    client = courses.client("operator")
    source, p2 = Source.objects.get().pk, courses.programmes["P2"].pk
    page = text(client.get(f"/mapping/{source}/?course=AI-2024-2"))
    assert "没有对应：这门课程的结业记录都在等待" in page
    asked = {"source": source, "course": "AI-2024-2", "programme": p2, "from": "2024-12-01", "to": "2024-01-01",
             "because": "我的理由"}  # fmt: skip
    refused = client.post("/mapping/try/", asked)
    assert refused.status_code == 409
    assert "起不能晚于止" in text(refused)
    assert "我的理由" in text(refused)
    assert "2条记录将放行" in text(client.post("/mapping/try/", asked | {"from": "", "to": ""}))


def test_withdrawing_shows_the_certificates_first(courses: Town, text):
    client = courses.client("operator")
    link = CourseLink.objects.get(course="P1")
    page = text(client.get(f"/mapping/links/{link.pk}/withdraw/"))
    assert "2条记录将不再计入" in page
    assert "将被撤销的证书" in page
    refused = client.post(f"/mapping/links/{link.pk}/withdraw/", {"do": "withdraw", "reason": ""})
    assert (refused.status_code, "请写明原因" in text(refused)) == (409, True)
    kept = client.post(f"/mapping/links/{link.pk}/withdraw/", {"do": "try", "until": "2024-12-30"})
    assert "没有一条记录会因此改变" in text(kept)
    assert client.post(f"/mapping/links/{link.pk}/withdraw/", {"do": "withdraw", "reason": "弄错了"}).status_code == 302
    run_stages()
    assert CourseLink.objects.get(pk=link.pk).withdrawn_because == "弄错了"
    assert AuditEvent.objects.filter(action="mapping.unlink").exists()
    page = text(client.get(f"/mapping/{link.source_id}/?course=P1"))
    assert "撤销过的对应" in page
    assert client.get(f"/mapping/links/{link.pk}/withdraw/").status_code == 404


def test_somebody_elses_sources_and_programmes_are_unknown(courses: Town):
    other = Organisation.objects.create(
        uscc="9" * 18, kind=Kind.TRAINING_BASE, name="别的基地", region="370400", issuer_number=77
    )
    courses.bodies["other"] = other
    courses.staff("elsewhere", "other", "base_operator")
    source = Source.objects.get()
    client = courses.client("elsewhere")
    link = CourseLink.objects.get(course="P1")
    assert client.get("/mapping/").status_code == 200
    assert client.get(f"/mapping/?source={source.name}").status_code == 404
    assert client.get(f"/mapping/{source.pk}/?course=P1").status_code == 404
    assert client.get(f"/mapping/links/{link.pk}/withdraw/").status_code == 404
    p2 = courses.programmes["P2"]
    for address in ("try", "confirm"):
        assert client.post(f"/mapping/{address}/", {"chosen": f"{source.pk}:{p2.pk}:::AI-2024-2"}).status_code == 404
    theirs = Source.objects.create(name="别处", kind="moodle", url="https://b.example", organisation=other)
    # a programme that another base carries out
    assert client.post("/mapping/try/", {"chosen": f"{theirs.pk}:{p2.pk}:::X"}).status_code == 404


@pytest.mark.parametrize("value", ["", "1", "a:b:c:d:e", "1:2:3:4:", ":::: ", "9999999999:1:::x", "1:1:::\0"])
def test_a_forged_value_changes_nothing(courses: Town, value: str):
    before = CourseLink.objects.count()
    assert courses.client("operator").post("/mapping/confirm/", {"chosen": value}).status_code in (302, 404)
    assert CourseLink.objects.count() == before


def test_who_only_looks_sees_no_button_and_who_has_no_right_sees_nothing(courses: Town, text):
    courses.staff("auditor", "bureau", "auditor")
    client = courses.client("auditor")
    page = text(client.get("/mapping/"))
    assert "AI-2024-2" in page
    assert 'type="checkbox"' not in page
    assert client.post("/mapping/confirm/", {"chosen": "1:1:::x"}).status_code == 404
    assert courses.client("officer").get("/mapping/").status_code == 404
    assert courses.client("xiaoming").get("/mapping/").status_code == 404


def test_markup_in_a_course_is_text(courses: Town, text):
    from agent.intake.models import Completion

    Completion.objects.filter(course="AI-2024-2").update(course="<b>x", course_name='<script>alert("1")</script>')
    page = text(courses.client("operator").get("/mapping/"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_house_says_what_to_do_next(empty_town: Town, text):
    empty_town.staff("operator", "base", "base_operator")
    assert "同步一次以后" in text(empty_town.client("operator").get("/mapping/"))
    assert "没有记录在等待" in text(empty_town.client("operator").get("/quarantine/"))
