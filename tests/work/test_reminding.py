"""The bureau is reminded of filings that come due: one letter a person and working day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agent.localtime import local_date, now
from agent.organisations.models import Kind as BodyKind
from agent.organisations.models import Membership, Organisation, Role
from agent.programmes.models import FilingEvent, Programme, ProgrammeVersion
from agent.programmes.workdays import after, is_working
from agent.work.reminding import due_by, remind
from tests.house.programme_files import HEALTH


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
def due(house: str) -> date:
    """The day by which two filings are to be decided; a third was accepted. Of the bureau two can be written to."""
    bureau = Organisation.objects.create(
        uscc="x" * 18, kind=BodyKind.HR_BUREAU, name="示例市人社局", region="370400", issuer_number=9
    )
    health = Organisation.objects.create(**HEALTH, kind="sector_department", region="370400", issuer_number=1)
    for name, role, body, address in (
        ("wang", Role.BUREAU_REVIEWER, bureau, "wang@example.org"),
        ("zhao", Role.BUREAU_HEAD, bureau, "zhao@example.org"),
        ("sun", Role.BUREAU_REVIEWER, bureau, ""), ("li", Role.DEPARTMENT_OFFICER, health, "li@example.org"),
    ):  # fmt: skip
        user = User.objects.create_user(name, email=address)
        Membership.objects.create(user=user, organisation=body, role=role)
    for sequence, state in enumerate(("submitted", "submitted", "filed"), 1):
        made = Programme.objects.create(
            region="370400", year=2024, key=f"K{sequence}", sequence=sequence, organiser=health, state=state,
            filing_number="1号" if state == "filed" else None,
        )  # fmt: skip
        ProgrammeVersion.objects.create(
            programme=made, version=1, title=f"班{sequence}", category="public", subject="法治", hours=800,
            starts_on=date(2024, 3, 4), ends_on=date(2024, 3, 8),
        )  # fmt: skip
        FilingEvent.objects.create(programme=made, kind="submit", from_state="draft", to_state="submitted", actor="li")
    return after(local_date(now()), settings.FILING_DECIDE_DAYS)


def test_everybody_who_decides_is_told_the_day_before_and_once(due, letters):
    day = next(d for n in range(1, 20) if is_working(d := due - timedelta(n)))
    assert remind(day) == 2
    first, second = letters()
    assert [first.to, second.to] == [["wang@example.org"], ["zhao@example.org"]]
    assert first.subject == "2个备案等待决定"
    assert "今天有0个备案已到或已过应决定的日期，另有2个在下一个工作日到期" in first.body
    assert f"{due}  {HEALTH['name']}  班1" in first.body
    assert remind(day) == 0
    assert remind(due) == 2  # on the day itself once more
    assert "今天有2个备案" in letters()[-1].body


def test_nobody_is_told_of_nothing_nor_on_a_day_off(due, letters):
    assert due_by(due - timedelta(1)) == []
    assert remind(local_date(now())) == 0
    off = next(d for n in range(1, 60) if not is_working(d := due + timedelta(n)))
    assert remind(off) == 0
    assert letters() == []


def test_one_question_for_all_of_them(due):
    with CaptureQueriesContext(connection) as asked:
        assert len(due_by(due)) == 2
    assert len(asked) == 1


def test_without_a_mail_server_nothing_is_written_down(due):
    assert remind(due) == 0
