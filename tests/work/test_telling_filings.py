"""Departments are told what the bureau decided on their filings: by mail, each officer at most once."""

from __future__ import annotations

from collections.abc import Callable
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage

from agent.localtime import local_date, now
from agent.organisations.models import Kind as BodyKind
from agent.organisations.models import Membership, Organisation, Role
from agent.programmes.deciding import Taken, take
from agent.programmes.drafts import begin
from agent.programmes.models import FilingLetter, FilingNotice, Programme
from agent.programmes.transitions import TOLD, Kind
from agent.work import telling
from agent.work.errors import NoticeRefused
from agent.work.telling_filings import _TEXTS
from tests.house.houses import number
from tests.house.programme_files import BASE, HEALTH

BUREAU = Taken(actor="wang", reason="第二天没有教师", code="timetable", remarks={"timetable": "请补充", "fee": "偏高"})


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[EmailMessage]]:
    """What was sent, since it was looked at last."""
    monkeypatch.setattr(settings, "EMAIL_HOST", "mail.example")
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []

    def sent() -> list[EmailMessage]:
        came, mail.outbox = mail.outbox, []
        return came

    return sent


@pytest.fixture
def filing(house: str) -> Programme:
    """Handed in by a department: two officers have an address, one has none, and one has a closed account."""
    Organisation.objects.create(**BASE, kind="training_base", region="370400", issuer_number=2)
    body = Organisation.objects.create(**HEALTH, kind="sector_department", region="370400", issuer_number=1)
    for name, address, is_active in (
        ("li", "li@example.org", True), ("zhou", "zhou@example.org", True), ("sun", "", True),
        ("gone", "gone@example.org", False),
    ):  # fmt: skip
        user = User.objects.create_user(name, email=address)
        User.objects.filter(pk=user.pk).update(is_active=is_active)
        Membership.objects.create(user=user, organisation=body, role=Role.DEPARTMENT_OFFICER)
    elsewhere = Organisation.objects.create(
        uscc="x" * 18, kind=BodyKind.SECTOR_DEPARTMENT, name="别的部门", region="370400", issuer_number=9
    )
    other = User.objects.create_user("other", email="other@example.org")
    Membership.objects.create(user=other, organisation=elsewhere, role=Role.DEPARTMENT_OFFICER)
    year = local_date(now()).year + 1
    lesson = {"date": f"{year}-03-01", "topic": "心血管", "teacher": "张三", "hours": "8"}
    made = begin(body, year, by="li", typed={
        "title": "医师能力提升", "category": "professional", "series": "卫生", "mode": "in_person", "audience": "医师",
        "capacity": "80", "hours": "8", "starts_on": f"{year}-03-01", "ends_on": f"{year}-03-01", "fee": "0",
        "place": "市民中心", "implementer": BASE["uscc"], "teachers": "张三，主任医师", "timetable": [lesson],
    })  # fmt: skip
    return take(made, Kind.SUBMIT, Taken(actor="li"))


def test_a_return_is_told_to_every_officer_once(filing, letters):
    take(filing, Kind.RETURN, BUREAU)
    assert telling.waiting()
    telling.tell_all()
    first, second = letters()
    assert [first.to, second.to] == [["li@example.org"], ["zhou@example.org"]]
    assert first.subject == "备案已退回：医师能力提升"
    assert "意见：课程安排不实或不全：第二天没有教师" in first.body
    assert "另有2处写在表的栏目旁" in first.body
    assert f"/filings/{filing.pk}/" in first.body
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
    assert not telling.waiting()
    telling.tell_all()
    assert letters() == []


def test_an_acceptance_tells_the_number_and_what_the_department_did_itself_is_told_to_nobody(filing, letters):
    take(filing, Kind.ACCEPT, Taken(actor="wang"))
    telling.tell_all()
    assert [filing_letter.subject for filing_letter in letters()] == ["备案已受理：医师能力提升"] * 2
    filing.refresh_from_db()
    assert filing.filing_number
    assert FilingNotice.objects.count() == 1  # handing it in was none


def test_no_letter_bears_an_identity_number(filing, letters):
    take(filing, Kind.REJECT, Taken(actor="wang", reason=f"教师{number(7)}没有资格"))
    telling.tell_all()
    for each in letters():
        assert number(7) not in each.body
        assert "没有资格" in each.body


def test_who_was_refused_is_written_to_again_and_the_other_is_not(filing, letters, monkeypatch):
    sending = EmailMessage.send

    def refuse(self: EmailMessage, *args: Any) -> int:
        if self.to == ["zhou@example.org"]:
            raise SMTPRecipientsRefused({})
        return sending(self, *args)

    monkeypatch.setattr(EmailMessage, "send", refuse)
    take(filing, Kind.RETURN, BUREAU)
    with pytest.raises(NoticeRefused):
        telling.tell_all()
    assert [each.to for each in letters()] == [["li@example.org"]]
    monkeypatch.setattr(EmailMessage, "send", sending)
    telling.tell_all()
    assert [each.to for each in letters()] == [["zhou@example.org"]]
    assert FilingLetter.objects.exclude(sent_at=None).count() == 2


def test_what_was_begun_and_broken_off_is_not_sent_again(filing, letters):
    take(filing, Kind.RETURN, BUREAU)
    for name in ("li", "zhou"):
        FilingLetter.objects.create(
            notice=FilingNotice.objects.get(), user=User.objects.get(username=name), begun_at=now()
        )
    telling.tell_all()
    assert letters() == []
    assert not telling.waiting()


def test_without_a_mail_server_nothing_piles_up(filing):
    take(filing, Kind.RETURN, BUREAU)
    telling.tell_all()
    assert not telling.waiting()


def test_every_decision_of_the_table_has_its_words():
    assert set(_TEXTS) == set(TOLD)
