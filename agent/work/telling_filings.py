"""Telling a department what the bureau decided on its filings, by mail to its officers: each at most once, by the same
rules as certificates' notices (`telling`). A letter bears no identity number, not even one that stood in a reason.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from agent.audit.masking import masked
from agent.localtime import SHANGHAI, now
from agent.organisations.models import Role
from agent.programmes.models import FilingEvent, FilingLetter, FilingNotice
from agent.programmes.transitions import Kind

Once = Callable[[Callable[[], FilingLetter], Callable[[], object]], bool]
_CHUNK = 200
_TEXTS = {
    Kind.RETURN: ("备案已退回", "已退回，请按意见修改后再提交。"),
    Kind.REJECT: ("备案已驳回", "已驳回。"),
    Kind.ACCEPT: ("备案已受理", "已受理，备案编号为{number}。"),
    Kind.REFUSE_CHANGE: ("变更未同意", "申请的变更没有同意，仍按原来备案的内容办理。"),
    Kind.ACCEPT_CHANGE: ("变更已同意", "申请的变更已同意，从现在起按新的内容办理。"),
    Kind.REOPEN: ("结项已退回", "的结项报告已退回，请补充后再报。"),
    Kind.CLOSE: ("备案已结项", "已结项。"),
    Kind.VOID: ("备案已作废", "已作废。"),
}
_LETTER = """
{department}：

贵单位的备案“{title}”{what}
{because}
时间：{at}
查看：{url}

本邮件由系统发出，请不要回复。如有疑问，请联系人社局。
"""


def waiting() -> bool:
    """Whether any department is still to be told of anything."""
    return FilingNotice.objects.filter(delivered_at=None).exists()


def tell(once: Once) -> None:
    """Tell everybody what they were not told yet.

    :param once: makes the row of a letter, sends it, and says whether nothing is left to do
    """
    last = 0
    while notices := _next(last):
        for notice in notices:
            over = True
            for user in _officers(notice.event):
                over &= once(_begin(notice, user), _send(notice.event, user))
            if over:
                FilingNotice.objects.filter(pk=notice.pk).update(delivered_at=now())
        last = notices[-1].pk


def _next(after: int) -> list[FilingNotice]:
    found = FilingNotice.objects.filter(delivered_at=None, pk__gt=after).order_by("pk")
    return list(found.select_related("event__programme__organiser")[:_CHUNK])


def _officers(event: FilingEvent) -> list[User]:
    """Who files for the department now, and can be written to."""
    found = User.objects.filter(
        membership__organisation=event.programme.organiser_id, membership__role=Role.DEPARTMENT_OFFICER, is_active=True
    )
    return list(found.exclude(email="").distinct().order_by("pk")) if settings.EMAIL_HOST else []


def _begin(notice: FilingNotice, user: User) -> Callable[[], FilingLetter]:
    return lambda: FilingLetter.objects.create(notice=notice, user=user, begun_at=now())


def _send(event: FilingEvent, user: User) -> Callable[[], object]:
    return lambda: letter_of(event, user).send()


def letter_of(event: FilingEvent, user: User) -> EmailMessage:
    """The letter about a decision."""
    programme = event.programme
    version = programme.versions.order_by("-version").first()
    title, what = _TEXTS[Kind(event.kind)]
    said = [event.get_code_display() if event.code else "", event.reason]
    because = "：".join(filter(None, said))
    lines = [f"意见：{because}"] if because else []
    if event.remarks:
        lines.append(f"另有{len(event.remarks)}处写在表的栏目旁。")
    name = version.title if version else programme.key
    text = _LETTER.format(
        department=programme.organiser.name, title=name, what=what.format(number=programme.filing_number),
        because="\n".join(lines), at=f"{event.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        url=f"{settings.BASE_URL}/filings/{programme.pk}/",
    )  # fmt: skip
    headers = {"Message-ID": f"<filing-{event.pk}-{user.pk}@{settings.PUBLIC_HOST}>",
               "Auto-Submitted": "auto-generated"}  # fmt: skip
    subject = " ".join(masked(f"{title}：{name}").split())
    return EmailMessage(subject, masked(text).lstrip(), to=[user.email], headers=headers)
