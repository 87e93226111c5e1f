"""A learner's year: the first line answers, the rest is the evidence."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from agent.credit.policy import load_policy
from agent.credit.rules import standing
from agent.portal.words import for_learners, headline, surplus, tight
from agent.quarantine.models import Held

POLICY = load_policy("370400", 2024)


def first_line(public: float, professional: float) -> str:
    credited = {"public": round(public * 100), "professional": round(professional * 100)}
    return headline(standing(POLICY, credited), POLICY.categories, 2024)


@pytest.mark.parametrize(
    ("public", "professional", "line"),
    [
        (30, 48, "还差12学时（专业）"),
        (28, 60, "还差2学时（公需）"),
        (0, 52.5, "还差37.5学时（公需·30，专业·7.5）"),
        (44, 24, "还差36学时（专业）"),  # a public surplus fills nothing (R03)
        (30, 60, "2024年度学时已完成"),
    ],
)
def test_the_first_line_says_what_is_missing(public, professional, line):
    assert first_line(public, professional) == line


def test_the_first_line_in_english():
    with translation.override("en"):
        assert first_line(0, 52.5) == "37.5 hours to go (public 30, professional 7.5)"


def test_a_surplus_is_explained_only_where_it_misleads():
    def said(public, professional):
        return surplus(standing(POLICY, {"public": public, "professional": professional}), POLICY.categories)

    assert said(4400, 2400) == "公需超出的14学时不抵其他科目。"
    assert said(4400, 6000) == said(3000, 2000) == ""


def test_chinese_is_set_without_typed_gaps():
    assert tight("认定 8 学时：备案 12 学时，见 LMS 与 R&D team") == "认定8学时：备案12学时，见LMS与R&D team"
    assert for_learners("请确认（xueshi programme import），确认后自动放行。") == "请确认，确认后自动放行。"


def test_the_year_shows_ring_courses_reasons_and_certificates(town, text, certificate):
    page = text(town.client("xiaoming").get("/"))
    assert "<h1>还差12学时（专业）</h1>" in page
    assert "公需 30/30" in page
    assert "专业 48/60" in page
    assert "认定30学时：备案30学时" in page
    assert f"/certificates/{certificate.number}.pdf" in page
    assert "370***********0018" in page
    assert "370402199001010018" not in page


def test_what_waits_reads_like_a_note(town, text):
    page = text(town.client("xiaoming").get("/"))
    assert "项目“大数据技术与应用”尚未备案（待受理），暂不计学时。" in page
    assert "怎样放行" in page
    assert "课程NOBODYS" in page
    assert "xueshi " not in page


def test_what_was_capped_is_explained_by_its_rule(town, text):
    page = text(town.client("xiaoming").get("/"))
    assert "每日上限" in page
    assert "报24，认定8，不计16" in page


def test_years_can_be_switched_and_unknown_ones_are_not_there(town):
    client = town.client("xiaoming")
    assert client.get("/2024/").status_code == 200
    assert client.get("/1999/").status_code == 404


def test_without_data_the_page_says_what_to_do(town, text):
    page = text(town.client("newcomer").get("/"))
    assert "<h1>2024年度还没有学习记录</h1>" in page
    assert "核对学习平台里登记的姓名和身份证号" in page
    assert "在线学习中心" in page


def test_another_persons_name_under_my_number_is_masked(town, text):
    held = Held.objects.get(code="E_COURSE_UNMAPPED")
    params = {**held.params, "name": "王二麻子", "known": "李·小明"}
    Held.objects.filter(pk=held.pk).update(code="E_NAME_CONFLICT", params=params)
    page = text(town.client("xiaoming").get("/"))
    assert "“王***”与“李·小明”" in page
    assert "王二麻子" not in page


def test_reasons_and_page_in_english(town, text):
    page = text(town.client("xiaoming").get("/", headers={"accept-language": "en"}))
    assert "12 hours to go (professional)" in page
    assert "30 h credited: filed with 30 h" in page
    assert '<html lang="en">' in page


def test_a_name_cannot_bring_markup(town, text):
    from agent.learners.models import Learner

    Learner.objects.filter(name="李·小明").update(name="<script>alert(1)</script>")
    assert "<script" not in text(town.client("xiaoming").get("/"))


def test_few_queries_whatever_the_number_of_courses(town):
    client = town.client("xiaoming")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/")
    assert len(queries) <= 10, [q["sql"][:90] for q in queries.captured_queries]


def test_nobody_sees_anything_before_signing_in(town):
    for address in ("/", "/2024/", "/desk/", "/certificates/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=")


def test_an_account_without_person_or_body_is_told_so(town, text):
    assert "这个账号还没有关联到人或单位" in text(town.client("stranger").get("/"))
