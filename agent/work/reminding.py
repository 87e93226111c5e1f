"""Reminding the bureau of filings that come due: one letter a person and working day, none where nothing is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import OuterRef, Subquery

from agent.audit.masking import masked
from agent.localtime import local_date, now
from agent.organisations.models import Role
from agent.programmes.models import FilingEvent, FilingReminder, Programme, ProgrammeVersion
from agent.programmes.transitions import WAITING
from agent.programmes.workdays import after, is_working
from agent.work import telling
from agent.work.errors import NoticeRefused

_SHOWN = 20
_LETTER = """
您好：

今天有{late}个备案已到或已过应决定的日期，另有{soon}个在下一个工作日到期：

{lines}

打开：{url}

本邮件由系统发出，请不要回复。没有到期的备案时不发信。
"""


class Due(NamedTuple):
    """A filing and the day by which the bureau decides."""

    programme: Programme
    title: str
    on: date


def due_by(day: date) -> list[Due]:
    """What is to be decided on by ``day``, the oldest first."""
    event = FilingEvent.objects.filter(programme=OuterRef("pk")).order_by("-pk")
    version = ProgrammeVersion.objects.filter(programme=OuterRef("pk")).order_by("-version")
    waiting = Programme.objects.filter(state__in=WAITING).select_related("organiser")
    asked = waiting.annotate(since=Subquery(event.values("at")[:1]), title=Subquery(version.values("title")[:1]))
    found = [
        Due(each, each.title or each.key, after(local_date(each.since), settings.FILING_DECIDE_DAYS))
        for each in asked
        if each.since
    ]
    return sorted((each for each in found if each.on <= day), key=lambda each: (each.on, each.programme.pk))


def remind(today: date | None = None) -> int:
    """Write to everybody of the bureau who decides and can be written to; how many letters left.

    :raises NoticeRefused: some certainly did not arrive; the next pass tries them again
    """
    day = today or local_date(now())
    if not settings.EMAIL_HOST or not is_working(day):
        return 0
    due = due_by(after(day, 1))
    told = telling.Told()
    for user in _deciders() if due else []:
        telling.once(_begin(user, day), _send(user, day, due), told)
    if told.refused:
        raise NoticeRefused(count=told.refused)
    return told.sent


def _deciders() -> list[User]:
    roles = (Role.BUREAU_REVIEWER, Role.BUREAU_HEAD)
    found = User.objects.filter(membership__role__in=roles, is_active=True).exclude(email="")
    return list(found.distinct().order_by("pk"))


def _begin(user: User, day: date) -> Callable[[], FilingReminder]:
    return lambda: FilingReminder.objects.create(user=user, day=day, begun_at=now())


def _send(user: User, day: date, due: list[Due]) -> Callable[[], object]:
    return lambda: letter(user, day, due).send()


def letter(user: User, day: date, due: list[Due]) -> EmailMessage:
    """What is due, the oldest first; of very many the first."""
    late = sum(each.on <= day for each in due)
    lines = [f"{each.on}  {each.programme.organiser.name}  {each.title}" for each in due[:_SHOWN]]
    text = _LETTER.format(
        late=late, soon=len(due) - late, url=f"{settings.BASE_URL}/filings/",
        lines="\n".join([*lines, *(["……"] if len(due) > _SHOWN else [])]),
    )  # fmt: skip
    headers = {"Message-ID": f"<due-{day}-{user.pk}@{settings.PUBLIC_HOST}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(f"{len(due)}个备案等待决定", masked(text).lstrip(), to=[user.email], headers=headers)
