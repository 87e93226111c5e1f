"""Organisations, accounts, the audit log and identity numbers, as those see them who look after the house."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import load_workbook

from agent.audit.chain import record
from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.intake.landing import ID_PURPOSE
from agent.learners.models import Learner
from agent.organisations.models import Membership, Organisation
from agent.people import factor
from tests.portal.conftest import NUMBER, OTHER_NUMBER

FACTS = {"name": "示例职业学院", "kind": "training_base", "uscc": "113704000041810204", "region": "370400"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def admin(town):
    town.staff("admin", "bureau", "administrator")
    town.staff("head", "bureau", "bureau_head")
    town.staff("auditor", "bureau", "auditor")
    return town.client("admin")


# --- organisations ---


def test_a_body_is_put_on_record_and_changed(town, admin, text):
    department = town.bodies["industry"]
    made = admin.post("/organisations/new/", {**FACTS, "department": department.pk, "status_until": "2027-12-31"})
    body = Organisation.objects.get(uscc=FACTS["uscc"])
    assert made["Location"] == f"/organisations/{body.pk}/"
    assert (body.department, str(body.status_until), body.issuer_number) == (department, "2027-12-31", 5)
    page = text(admin.get(made["Location"]))
    assert "示例industry" in page
    assert "示例职业学院" in text(admin.get(f"/organisations/{department.pk}/"))  # a base that works for it
    changed = {**FACTS, "name": "示例技师学院", "revision": "1"}
    assert admin.post(f"/organisations/{body.pk}/", changed)["Location"].endswith("?saved=1")
    assert "示例技师学院" in text(admin.get("/organisations/?kind=training_base&q=技师"))
    event = AuditEvent.objects.latest("index")
    assert (event.action, event.actor, event.organisation) == ("organisation.changed", "admin", body)


def test_of_two_who_change_it_at_once_the_second_is_told_and_loses_nothing(town, admin, text):
    body = town.bodies["base"]
    Organisation.objects.filter(pk=body.pk).update(uscc=FACTS["uscc"], revision=7)
    answer = admin.post(f"/organisations/{body.pk}/", {**FACTS, "name": "我写的名字", "revision": "6"})
    page = text(answer)
    assert answer.status_code == 409
    assert "别人改过这个单位" in page
    assert "我写的名字" in page
    assert 'name="revision" value="7"' in page  # saved again, it is saved


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uscc": "113704000041810205"}, "统一社会信用代码不对"),
        ({"uscc": ""}, "请填写统一社会信用代码"),
        ({"uscc": "370402199001010018"}, "统一社会信用代码不对"),
        ({"name": ""}, "请填写单位名称"),
        ({"region": "枣庄"}, "行政区划代码是6位数字"),
        ({"status_until": "明年"}, "日期写作2026-12-31"),
        ({"kind": "kingdom"}, "kingdom"),
        ({"department": "999999"}, "alert"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence_and_kept_in_the_form(town, admin, text, wrong, said):
    answer = admin.post("/organisations/new/", {**FACTS, **wrong})
    page = text(answer)
    assert answer.status_code == 400
    assert 'role="alert"' in page
    assert said in page
    if "name" not in wrong:
        assert FACTS["name"] in page
    assert Organisation.objects.count() == 4


def test_the_same_code_twice_is_refused_with_the_other_ones_name(town, admin, text):
    admin.post("/organisations/new/", FACTS)
    again = admin.post("/organisations/new/", {**FACTS, "name": "另一个"})
    assert "这个代码已经属于“示例职业学院”" in text(again)


def test_who_only_looks_has_no_buttons(town, admin, text):
    body = town.bodies["base"].pk
    for who, buttons in (("admin", True), ("auditor", False)):
        page = text(town.client(who).get(f"/organisations/{body}/"))
        assert ("生成邀请链接" in page, "收回这个角色" in page, "修改单位信息" in page) == (buttons,) * 3
    page = text(town.client("head").get(f"/organisations/{body}/"))
    assert ("生成邀请链接" in page, "修改单位信息" in page) == (False, True)
    page = text(town.client("reviewer").get(f"/organisations/{body}/"))
    assert "operator" not in page


def test_an_invitation_is_shown_once_and_taken_back(town, admin, text):
    body = town.bodies["base"].pk
    page = text(admin.post(f"/organisations/{body}/invite/", {"role": "base_operator", "email": "a@example.org"}))
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/invitations/[\w-]+/)", page)
    assert admin.get(link).status_code == 200
    again = text(admin.get(f"/organisations/{body}/"))
    assert link not in again
    assert "a@example.org" in again
    (back,) = re.findall(r'action="(/organisations/invitations/\d+/end/)"', again)
    assert admin.post(back).status_code == 302
    assert admin.get(link).status_code == 404
    assert admin.post(back).status_code == 404


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        ({"role": "bureau_head"}, 400, "这个角色不属于这类单位"),
        ({"role": "base_operator", "email": "nonsense"}, 400, "邮箱地址不对"),
        ({"role": "king"}, 404, ""),
        ({}, 404, ""),
    ],
)
def test_a_forged_invitation_is_refused(town, admin, text, said, status, why):  # noqa: PLR0917 - a table and fixtures
    answer = admin.post(f"/organisations/{town.bodies['base'].pk}/invite/", said)
    assert answer.status_code == status
    assert why in text(answer)


def test_roles_are_given_and_taken(town, admin, text):
    bureau = town.bodies["bureau"].pk
    give = f"/organisations/{bureau}/give/"
    assert "没有这个用户名" in text(admin.post(give, {"role": "auditor", "username": "nobody"}))
    assert admin.post(give, {"role": "auditor", "username": "officer"}).status_code == 302
    assert "已经有这个角色" in text(admin.post(give, {"role": "auditor", "username": "officer"}))  # pressed twice
    assert town.client("officer").get("/audit/").status_code == 200
    membership = Membership.objects.get(user__username="officer", role="auditor")
    assert admin.post(f"/organisations/memberships/{membership.pk}/take/").status_code == 302
    assert town.client("officer").get("/audit/").status_code == 404
    mine = Membership.objects.get(user__username="admin")
    answer = admin.post(f"/organisations/memberships/{mine.pk}/take/")
    assert (answer.status_code, "最后一位平台管理员" in text(answer)) == (409, True)


# --- accounts ---


def test_an_account_is_closed_and_opened(town, admin, text):
    user = User.objects.get(username="operator")
    address = f"/accounts/{user.pk}/change/"
    assert admin.post(address, {"what": "close"}).status_code == 302
    assert town.client("operator").get("/").status_code == 302  # to the sign-in
    assert "已停用" in text(admin.get("/accounts/?q=operator"))
    admin.post(address, {"what": "open"})
    assert town.client("operator").get("/").status_code == 200
    assert admin.post(address, {"what": "fly"}).status_code == 404
    me = User.objects.get(username="admin")
    answer = admin.post(f"/accounts/{me.pk}/change/", {"what": "close"})
    assert (answer.status_code, "最后一位平台管理员" in text(answer)) == (409, True)


def test_a_lost_telephone_is_helped_on_the_page(town, admin, text):
    import pyotp

    user = User.objects.get(username="reviewer")
    factor.confirm(user, pyotp.TOTP(factor.begin(user)).now())
    assert "去掉二次验证" in text(admin.get(f"/accounts/{user.pk}/"))
    admin.post(f"/accounts/{user.pk}/change/", {"what": "factor"})
    assert not factor.has(user)
    assert AuditEvent.objects.latest("index").action == "second_factor.taken_away"


def test_who_forgot_everything_comes_in_again_as_the_same_person(town, admin, text):
    import pyotp

    user = User.objects.get(username="reviewer")
    factor.confirm(user, pyotp.TOTP(factor.begin(user)).now())
    account = f"/accounts/{user.pk}/"
    assert "忘了密码" in text(admin.get(account))
    shown = text(admin.post(f"{account}reset/", {"lost_factor": "1", "mail": "1"}))
    (link,) = re.findall(r"/resets/[\w-]+/", shown)
    assert link not in text(admin.get(account))
    there = Client()
    answer = there.get(link)
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "strict-origin")
    assert "<b>reviewer" not in text(answer)
    answer = there.post(link, {"new_password1": "short", "new_password2": "short"})
    assert (answer.status_code, "密码" in text(answer)) == (400, True)
    twice = {"new_password1": "another horse entirely", "new_password2": "another horse entirely"}
    assert there.post(link, twice)["Location"] == "/sign-in/factor/"  # to be set up anew, and only then signed in
    assert there.get("/account/").status_code == 302
    assert there.post("/sign-in/factor/", {"code": pyotp.TOTP(factor.begin(user)).now()}).status_code == 200
    assert "人社局审核员" in text(there.get("/account/"))
    for used in (link, "/resets/invented/"):
        answer = Client().get(used)
        assert (answer.status_code, "这个链接打不开了" in text(answer)) == (404, True)


def test_nobody_is_given_a_link_by_themselves(town, admin, text):
    me = User.objects.get(username="admin")
    assert "忘了密码" not in text(admin.get(f"/accounts/{me.pk}/"))
    answer = admin.post(f"/accounts/{me.pk}/reset/")
    assert (answer.status_code, "请另一位管理员来发" in text(answer)) == (409, True)
    assert "/resets/" not in text(answer)


def test_accounts_of_learners_are_not_in_the_list(town, admin, text):
    assert "wangwu" not in text(admin.get("/accounts/"))
    assert "operator" in text(admin.get("/accounts/"))
    assert "没有符合这些条件的账号" in text(admin.get("/accounts/?q=zzz"))


# --- the audit log ---


@pytest.fixture
def told(town, admin):
    """Events with everything in them that a page must stand."""
    with transaction.atomic():
        for n in range(60):
            record("wang", "programme.changed", on=f"programme 370400/2024/K{n}", before={"n": n}, after={"n": n + 1})
        record("=cmd()", HOSTILE[:60], on=HOSTILE, before={HOSTILE: HOSTILE}, after={"id": NUMBER, "x": "@SUM(1)"})
    return town.client("auditor")


def test_events_are_searched_and_paged(town, told, text):
    page = text(told.get("/audit/"))
    assert page.count('href="/audit/') >= 50
    (older,) = re.findall(r'rel="next" href="(\?[^"]+)"', page)
    second = text(told.get("/audit/" + older.replace("&amp;", "&")))
    assert "370400/2024/K0" in second
    assert 'rel="next"' not in second
    assert "370400/2024/K7<" in text(told.get("/audit/?on=2024/K7"))
    assert "没有符合这些条件的记录" in text(told.get("/audit/?who=nobody"))
    assert "“gestern”不是日期" in text(told.get("/audit/?from=gestern"))
    assert "没有符合这些条件的记录" in text(told.get("/audit/?to=2020-01-01"))
    assert told.get("/audit/?before=99999999999999999999999&who=%00").status_code == 200


def test_before_and_after_are_shown_and_nothing_in_them_acts(town, told, text):
    page = text(told.get("/audit/?who==cmd"))
    assert "<del>" in page
    assert "<ins>370***********0018</ins>" in page
    event = AuditEvent.objects.latest("index")
    for each in (page, text(told.get(f"/audit/{event.index}/"))):
        assert "<script" not in each
        assert "<img" not in each
        assert NUMBER not in each


def test_the_log_is_taken_away_and_that_is_an_event(town, told):
    answer = told.get("/audit.csv?who==cmd")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[1][2] == "'=cmd()"
    event = AuditEvent.objects.latest("index")
    assert (event.actor, event.action) == ("auditor", "audit.exported")
    answer = told.get("/audit.xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).get_sheet_by_index(0).to_python()
    answer.close()
    assert "=cmd()" in [row[2] for row in sheet]  # a text, and no formula
    assert len(sheet) == AuditEvent.objects.count() + 1
    assert NUMBER not in str(sheet)


def test_the_whole_chain_is_checked_on_a_page(town, told, text):
    assert "链是完整的" in text(told.get("/audit/check/"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_auditevent WHERE index = 5")
    page = text(told.get("/audit/check/"))
    assert "链断了" in page
    assert "这里缺了记录" in page


def test_few_queries(town, told):
    for address in ("/audit/", "/organisations/", "/accounts/"):
        with CaptureQueriesContext(connection) as queries:
            told.get(address)
        assert len(queries) <= 12, address


# --- identity numbers ---


def test_a_full_number_is_shown_for_a_purpose_and_the_look_is_an_event(town, admin, text):
    learner = Learner.objects.get(name="王五")
    Learner.objects.filter(pk=learner.pk).update(sealed=vault().seal(OTHER_NUMBER.encode(), ID_PURPOSE))
    head = town.client("head")
    found = text(head.post("/learners/", {"q": OTHER_NUMBER}))
    assert learner.id_masked in found
    assert OTHER_NUMBER not in found
    address = f"/learners/{learner.pk}/"
    assert f'href="{address}"' in found
    assert f'href="{address}"' in text(head.post("/learners/", {"q": "王五"}))
    assert OTHER_NUMBER not in text(head.get(address))
    short = head.post(address, {"purpose": "看看"})
    assert (short.status_code, OTHER_NUMBER in text(short)) == (400, False)
    count = AuditEvent.objects.count()
    shown = head.post(address, {"purpose": "核对 2026 年第 8 号申诉"})
    assert OTHER_NUMBER in text(shown)
    assert "no-store" in shown["Cache-Control"]
    event = AuditEvent.objects.latest("index")
    assert AuditEvent.objects.count() == count + 1
    assert (event.actor, event.action, event.target) == ("head", "identity.seen", f"learner {learner.pk}")
    assert "第 8 号申诉" in event.entry
    assert OTHER_NUMBER not in event.entry


def test_a_number_sealed_with_another_key_is_told(town, admin, text):
    learner = Learner.objects.get(name="王五")  # the town seals nothing
    assert "另一把密钥" in text(admin.post(f"/learners/{learner.pk}/", {"purpose": "核对申诉材料"}))


def test_hostile_names_are_only_text(town, admin, text):
    admin.post("/organisations/new/", {**FACTS, "name": HOSTILE})
    body = Organisation.objects.get(uscc=FACTS["uscc"])
    User.objects.filter(username="operator").update(first_name=HOSTILE)
    Membership.objects.filter(user__username="operator").update(organisation=body)
    for address in ("/organisations/", f"/organisations/{body.pk}/", "/accounts/", "/audit/"):
        page = text(admin.get(address))
        assert "alert(1)" in page
        assert "<script" not in page
        assert "<img" not in page


def test_forms_of_the_house_want_their_token(town):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    town.staff("admin", "bureau", "administrator")
    client.force_login(User.objects.get(username="admin"))
    body = town.bodies["base"].pk
    for address in ("/organisations/new/", f"/organisations/{body}/invite/", "/account/password/", "/learners/"):
        assert client.post(address, {}).status_code == 403
