"""Accounts: invited once, opened by two factors where something is decided, closed without a trace left open."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pyotp
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.check import check
from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.localtime import now
from agent.organisations.models import Kind, Membership, Organisation, Role
from agent.organisations.rights import DECIDING, KINDS, RIGHTS, Reach, Right
from agent.people import bodies, factor, invitations, presence, resets, roles
from agent.people.bodies import Facts
from agent.people.errors import (
    AccountClosed,
    InvitationOver,
    LastAdministrator,
    OrganisationInvalid,
    OrganisationStale,
    ResetOfOneself,
    ResetOver,
    RoleGiven,
    RoleNotOfKind,
)
from agent.people.models import Invitation, PasswordReset, RecoveryCode, SecondFactor

PASSWORD = "correct horse battery"


@pytest.fixture
def bureau(house: str) -> Organisation:
    return bodies.add(Facts("113704000041810204", Kind.HR_BUREAU, "示例市人社局", "370400"), by="test")


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def head(bureau: Organisation) -> User:
    user = User.objects.create_user("head")
    roles.give(user, bureau, Role.BUREAU_HEAD, by="test")
    return user


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("index").values_list("action", flat=True))


def token_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]


def code_of(user: User, later: int = 0) -> str:
    secret = vault().open(bytes(user.second_factor.sealed), b"second factor").decode()
    return pyotp.TOTP(secret).at(now() + timedelta(seconds=30 * later))


# --- the table ---


def test_every_role_has_its_line_and_an_auditor_only_looks():
    assert set(RIGHTS) == set(KINDS) == set(Role)
    assert all(right.value.endswith(".see") for right in RIGHTS[Role.AUDITOR])
    assert Right.IDENTITY_SEE not in RIGHTS[Role.AUDITOR]


def test_who_decides_needs_a_second_factor():
    ends = (".void", "filing.decide", "approvals.decide", "people.manage")
    decides = {role for role, rights in RIGHTS.items() if any(right.value.endswith(ends) for right in rights)}
    assert decides == DECIDING


def test_who_reaches_everything_acts_for_the_bureau():
    for role, rights in RIGHTS.items():
        if Reach.ALL in rights.values():
            assert KINDS[role] == {Kind.HR_BUREAU}


# --- invitations ---


def test_an_invitation_opens_once(bureau):
    invited = invitations.invite(bureau, Role.ADMINISTRATOR, by="test")
    token = token_of(invited.link)
    assert invitations.find(token).role == Role.ADMINISTRATOR
    user = invitations.accept(token, username="first", name="李一", password=PASSWORD)
    assert user.check_password(PASSWORD)
    assert user.password.startswith("argon2")
    assert [m.role for m in Membership.objects.filter(user=user)] == [Role.ADMINISTRATOR]
    for again in (
        lambda: invitations.find(token),
        lambda: invitations.accept(token, username="b", name="", password=PASSWORD),
    ):
        with pytest.raises(InvitationOver):
            again()
    assert actions()[-2:] == ["person.invited", "invitation.accepted"]


def test_the_link_itself_is_kept_nowhere(bureau):
    token = token_of(invitations.invite(bureau, Role.AUDITOR, by="test").link)
    with connection.cursor() as cursor:
        cursor.execute("SELECT i::text FROM people_invitation i UNION SELECT entry FROM audit_auditevent")
        assert not any(token in text for (text,) in cursor.fetchall())


def test_an_invitation_expires_and_can_be_taken_back(bureau):
    first, second = (invitations.invite(bureau, Role.AUDITOR, by="test") for _ in range(2))
    assert invitations.take_back(first.invitation.pk, by="test")
    assert not invitations.take_back(first.invitation.pk, by="test")
    Invitation.objects.filter(pk=second.invitation.pk).update(expires_at=now() - timedelta(seconds=1))
    assert invitations.pending() == []
    for each in (first, second):
        with pytest.raises(InvitationOver):
            invitations.find(token_of(each.link))
    with pytest.raises(InvitationOver):
        invitations.find("nonsense")


def test_of_two_who_accept_at_once_one_gets_in(bureau):
    token = token_of(invitations.invite(bureau, Role.AUDITOR, by="test").link)
    said: list[str] = []

    def accept(name: str) -> None:
        try:
            invitations.accept(token, username=name, name="", password=PASSWORD)
            said.append("in")
        except InvitationOver:
            said.append("over")
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=(f"u{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["in", "over", "over", "over"]
    assert User.objects.count() == 1


def test_it_is_mailed_where_there_is_a_mail_server(bureau, monkeypatch):
    assert not invitations.invite(bureau, Role.AUDITOR, by="test", email="a@example.org").mailed
    monkeypatch.setattr(settings, "EMAIL_HOST", "mail.example")
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []
    invited = invitations.invite(bureau, Role.AUDITOR, by="test", email="a@example.org")
    (letter,) = mail.outbox
    assert invited.mailed
    assert letter.to == ["a@example.org"]
    assert invited.link in letter.body


# --- roles ---


def test_a_role_belongs_to_a_kind_of_body(bureau):
    user = User.objects.create_user("x")
    with pytest.raises(RoleNotOfKind):
        roles.give(user, bureau, Role.BASE_OPERATOR, by="test")
    with pytest.raises(RoleNotOfKind):
        invitations.invite(bureau, Role.BASE_OPERATOR, by="test")
    roles.give(user, bureau, Role.AUDITOR, by="test")
    with pytest.raises(RoleGiven):
        roles.give(user, bureau, Role.AUDITOR, by="test")


def test_the_last_administrator_stays(bureau):
    one, two = (User.objects.create_user(name) for name in ("one", "two"))
    first, second = (roles.give(user, bureau, Role.ADMINISTRATOR, by="test") for user in (one, two))
    roles.take(first, by="test")
    for refused in (lambda: roles.take(second, by="test"), lambda: roles.set_open(two, is_open=False, by="test")):
        with pytest.raises(LastAdministrator):
            refused()
    assert actions()[-1] == "role.taken"


def test_who_comes_to_decide_without_second_factor_signs_in_anew(bureau, client):
    user = User.objects.create_user("x")
    client.force_login(user)
    presence.began(user, client.session.session_key, place="", agent="")
    roles.give(user, bureau, Role.AUDITOR, by="test")
    assert len(presence.of(user)) == 1
    roles.give(user, bureau, Role.BUREAU_HEAD, by="test")
    assert presence.of(user) == []
    assert "_auth_user_id" not in client.session


# --- the second factor ---


def test_an_application_is_set_up_with_its_first_code_and_opens_with_the_next(head):
    secret = factor.begin(head)
    assert factor.begin(head) == secret
    assert "xueshi" in factor.address(head, secret)
    assert factor.needs(head)
    assert not factor.has(head)
    assert factor.confirm(head, "000000" if code_of(head) != "000000" else "111111") is None
    used = code_of(head)
    assert len(factor.confirm(head, used) or []) == 10
    assert factor.has(head)
    assert not factor.opens(head, used)  # each code opens once
    assert factor.opens(head, code_of(head, 1))
    assert not factor.opens(head, code_of(head, 1))
    assert "second_factor.confirmed" in actions()


@pytest.mark.parametrize("code", ["", "abc", "12345", "１２３４５６", "0" * 5000])
def test_nonsense_opens_nothing(head, code):
    factor.begin(head)
    factor.confirm(head, code_of(head))
    assert not factor.opens(head, code)


def test_a_recovery_code_opens_once_however_it_is_typed(head):
    factor.begin(head)
    codes = factor.confirm(head, code_of(head))
    assert factor.opens(head, codes[0].lower().replace("-", " "))
    assert not factor.opens(head, codes[0])
    assert factor.codes_left(head) == 9
    other = User.objects.create_user("other")
    assert not factor.opens(other, codes[1])
    renewed = factor.renew_codes(head)
    assert not factor.opens(head, codes[1])
    assert factor.opens(head, renewed[0])


def test_secret_and_codes_stand_nowhere_in_clear(head):
    secret = factor.begin(head)
    codes = factor.confirm(head, code_of(head))
    kept = str(bytes(SecondFactor.objects.get().sealed)) + "".join(AuditEvent.objects.values_list("entry", flat=True))
    kept += "".join(str(bytes(each.fingerprint)) for each in RecoveryCode.objects.all())
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_a_lost_telephone_is_helped_by_the_command(head, xueshi, client):
    factor.begin(head)
    factor.confirm(head, code_of(head))
    client.force_login(head)
    presence.began(head, client.session.session_key, place="", agent="")
    assert xueshi("people", "reset-factor", "head", "--json").json == {"user": "head", "taken_away": True}
    assert not factor.has(head)
    assert RecoveryCode.objects.count() == 0
    assert "_auth_user_id" not in client.session
    assert xueshi("people", "reset-factor", "nobody").exit == 1


# --- bodies ---


def test_a_body_is_added_and_changed_with_its_events(bureau):
    department = bodies.add(Facts("123704004930000014", Kind.SECTOR_DEPARTMENT, "示例市住建局", "370400"), by="li")
    base = bodies.add(Facts("11370400MB23456780", Kind.TRAINING_BASE, "示例基地", "370400", None, department), by="li")
    assert [b.issuer_number for b in (bureau, department, base)] == [1, 2, 3]
    facts = Facts(base.uscc, base.kind, "示例基地（新）", "999999", None, department)
    changed = bodies.change(base.pk, facts, revision=1, by="li")
    assert (changed.name, changed.region, changed.revision) == ("示例基地（新）", "370400", 2)
    assert '"before":{"name":"示例基地"}' in AuditEvent.objects.latest("index").entry
    with pytest.raises(OrganisationStale):
        bodies.change(base.pk, facts, revision=1, by="wang")
    count = AuditEvent.objects.count()
    bodies.change(base.pk, facts, revision=2, by="li")
    assert AuditEvent.objects.count() == count  # nothing was changed


@pytest.mark.parametrize(
    "facts",
    [
        Facts("113704000041810205", Kind.HR_BUREAU, "校验位错", "370400"),
        Facts("113704000041810204", Kind.HR_BUREAU, "重复", "370400"),
        Facts("123704004930000014", Kind.HR_BUREAU, "", "370400"),
        Facts("123704004930000014", "nonsense", "x", "370400"),
    ],
)
def test_a_wrong_body_is_refused(bureau, facts):
    with pytest.raises(OrganisationInvalid):
        bodies.add(facts, by="li")


def test_many_who_add_at_once_get_numbers_of_their_own(bureau):
    codes = ("123704004930000014", "11370400MB23456780", "12370402MB0A00012H", "91370402MA3C000T1Q")
    said: list[str] = []

    def add(code: str) -> None:
        try:
            said.append(bodies.add(Facts(code, Kind.EMPLOYER, code, "370400"), by="test").uscc)
        except OrganisationInvalid:
            said.append("known")
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(code,)) for code in (*codes, codes[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == sorted([*codes, "known"])
    assert sorted(Organisation.objects.values_list("issuer_number", flat=True)) == [1, 2, 3, 4, 5]


def test_only_a_base_works_for_a_department(bureau):
    with pytest.raises(OrganisationInvalid):
        bodies.add(Facts("123704004930000014", Kind.TRAINING_BASE, "x", "370400", None, bureau), by="li")


@given(st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"), st.integers(0, 17))
def test_one_wrong_character_is_found_in_any_code(character, place):
    from django.core.exceptions import ValidationError

    from agent.organisations.models import check_uscc

    right = "113704000041810204"
    wrong = right[:place] + character + right[place + 1 :]
    if wrong == right:
        check_uscc(wrong)
    else:
        with pytest.raises(ValidationError, match="统一社会信用代码"):
            check_uscc(wrong)


def test_the_first_administrator_comes_in_by_the_command_line(house, xueshi):
    assert xueshi("people", "invite", "--role", "administrator").exit == 1
    made = xueshi(
        "people", "add-organisation", "--uscc", "113704000041810204", "--kind", "hr_bureau", "--name", "示例局",
        "--region", "370400", "--json",
    )  # fmt: skip
    assert made.json == {"uscc": "113704000041810204", "issuer_number": 1}
    link = xueshi("people", "invite", "--role", "administrator", "--json").json["link"]
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/invitations/[\w-]{43}/", link)
    assert xueshi("people", "invite", "--role", "king").exit == 2
    invitations.accept(token_of(link), username="first", name="李一", password=PASSWORD)
    assert [row["role"] for row in xueshi("people", "list", "--json").json] == ["administrator"]
    assert xueshi("people", "organisations").exit == 0
    assert not check().findings


# --- a new password for who can't get in ----------------------------------------------------------------------------
NEW = "another horse entirely"


def opened(given: resets.Given) -> str:
    return given.link.split("/")[-2]


def test_a_link_sets_a_new_password_once_and_every_session_ends(head, client):
    client.force_login(head)
    presence.began(head, client.session.session_key, place="", agent="")
    given = resets.give(head, by="admin")
    assert opened(given) not in str(list(PasswordReset.objects.values()))
    user = resets.use(opened(given), NEW)
    assert (user.pk, user.check_password(NEW)) == (head.pk, True)
    assert Membership.objects.get(user=user).role == Role.BUREAU_HEAD  # the same person, with the same roles
    assert presence.of(head) == []
    assert not Session.objects.filter(session_key=client.session.session_key).exists()
    with pytest.raises(ResetOver):
        resets.use(opened(given), "a third horse, quite")
    assert actions()[-3:] == ["password.reset_given", "sessions.ended", "password.reset"]


def test_the_newer_link_replaces_the_older_and_time_ends_it(head):
    first, second = resets.give(head, by="admin"), resets.give(head, by="admin")
    with pytest.raises(ResetOver):
        resets.find(opened(first))
    PasswordReset.objects.update(expires_at=now())
    with pytest.raises(ResetOver):
        resets.find(opened(second))


def test_a_lost_factor_goes_only_where_it_was_said(head):
    factor.confirm(head, pyotp.TOTP(factor.begin(head)).now())
    resets.use(opened(resets.give(head, by="admin")), NEW)
    assert factor.has(head)
    resets.use(opened(resets.give(head, by="admin", lost_factor=True)), NEW)
    assert not factor.has(head)
    taken = AuditEvent.objects.get(action="second_factor.taken_away")
    assert taken.actor == "admin"


def test_a_link_goes_to_the_accounts_own_address_and_never_one_that_takes_the_factor_away(head, monkeypatch):
    monkeypatch.setattr(settings, "EMAIL_HOST", "mail.example")
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []
    User.objects.filter(pk=head.pk).update(email="head@example.org")
    assert resets.give(head, by="admin", mail=True).mailed
    assert not resets.give(head, by="admin", mail=True, lost_factor=True).mailed
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["head@example.org"], "重设密码")
    assert "/resets/" in letter.body


def test_nobody_gives_one_to_themselves_nor_to_a_closed_account(head):
    with pytest.raises(ResetOfOneself):
        resets.give(head, by="head")
    given = resets.give(head, by="admin")
    roles.set_open(head, is_open=False, by="admin")
    with pytest.raises(AccountClosed):
        resets.give(head, by="admin")
    roles.set_open(head, is_open=True, by="admin")
    with pytest.raises(ResetOver):  # not even when the account is opened again
        resets.use(opened(given), NEW)


def test_the_last_administrator_is_helped_by_command(head, xueshi):
    said = xueshi("people", "reset-password", "head", "--lost-factor", "--json").json
    assert resets.find(said["link"].split("/")[-2]).lost_factor
    assert xueshi("people", "reset-password", "nobody").exit == 1
