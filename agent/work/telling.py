"""Telling learners what happened to their certificates, by mail and by a signed webhook, and departments what was
decided on their filings (`telling_filings`): each at most once.

The row of a delivery is committed before the message leaves. What certainly did not arrive (nobody answered, or the
other side said no) takes its row back and is tried again by the queue. What may have arrived, when a worker is killed
or an answer is lost, is not sent again.
"""

from __future__ import annotations

import os
import smtplib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import requests
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from agent.certificates.deliveries import NoticeDelivery, NoticeOptOut
from agent.certificates.facts import hours_text
from agent.certificates.notices import CertificateNotice
from agent.certificates.transitions import Kind
from agent.learners.models import Account
from agent.localtime import SHANGHAI, now
from agent.programmes.models import FilingLetter, FilingReminder
from agent.work import telling_filings
from agent.work.errors import NoticeRefused, NoticeSecretMissing
from agent.work.push import signature

_CHUNK = 200
_TIMEOUT = (5, 15)  # seconds: to connect, to answer
_TEXTS = {
    Kind.ISSUED: ("证书已签发", "您的继续教育学时证书已经签发。"),
    Kind.SUSPENDED: ("证书已暂停使用", "您的证书正在核查，核查期间暂停使用。原因：{reason}"),
    Kind.RESUMED: ("证书已恢复使用", "您的证书经核查已恢复使用。原因：{reason}"),
    Kind.SUPERSEDED: (
        "证书已换发",
        "您的证书信息已更正并换发，新证书编号为{successor}，原证书不再使用。原因：{reason}",
    ),
    Kind.REVOKED: ("证书已撤销", "您的证书已被撤销，相应学时不再凭此证书认定。原因：{reason}"),
    Kind.RESTORED: ("证书已重新签发", "您被撤销的证书经核查已重新签发，新证书编号为{successor}。原因：{reason}"),
}
_FACTS = """
{holder}：

{what}

培训项目：{programme}
学时：{hours}
证书编号：{number}
时间：{at}

查看与验证：{url}

本邮件由系统发出。如有疑问，请联系项目主办单位：{organiser}。
"""
_ALWAYS = {Kind.REVOKED}
"""Told to those, too, who want to be told of nothing."""


@dataclass(slots=True)
class Told:
    """What one pass did, in messages."""

    sent: int = 0
    refused: int = 0  # certainly not arrived: tried again


def waiting() -> bool:
    """Whether anybody is still to be told of anything."""
    return CertificateNotice.objects.filter(delivered_at=None).exists() or telling_filings.waiting()


def tell_all() -> Told:
    """Tell everybody what they were not told yet.

    :raises NoticeRefused: something certainly did not arrive; the next pass tries it again
    :raises NoticeSecretMissing: nothing goes out unsigned
    """
    if os.environ.get("XUESHI_NOTICE_WEBHOOK") and not os.environ.get("XUESHI_NOTICE_SECRET"):
        raise NoticeSecretMissing
    told, last = Told(), 0
    while notices := _next(last):
        for notice in notices:
            _tell(notice, told)
        last = notices[-1].pk
    telling_filings.tell(lambda create, send: once(create, send, told))
    if told.refused:
        raise NoticeRefused(count=told.refused)
    return told


def _next(after: int) -> list[CertificateNotice]:
    return list(
        CertificateNotice.objects.filter(delivered_at=None, pk__gt=after)
        .select_related(
            "event__successor", "certificate__programme_version", "certificate__programme__organiser",
        )
        .defer("certificate__credential")
        .order_by("pk")[:_CHUNK]
    )  # fmt: skip


def _tell(notice: CertificateNotice, told: Told) -> None:
    learner = notice.certificate.learner_id
    quiet = notice.kind not in _ALWAYS and NoticeOptOut.objects.filter(learner=learner).exists()
    address = "" if quiet else _address(learner)
    hook = "" if quiet else os.environ.get("XUESHI_NOTICE_WEBHOOK") or ""
    over = True

    def begin(way: str) -> Callable[[], NoticeDelivery]:
        return lambda: NoticeDelivery.objects.create(notice=notice, way=way, begun_at=now())

    if address:
        over &= once(begin(NoticeDelivery.Way.MAIL), lambda: mail_of(notice, address).send(), told)
    if hook:
        over &= once(begin(NoticeDelivery.Way.WEBHOOK), lambda: _post(hook, notice), told)
    if over:
        CertificateNotice.objects.filter(pk=notice.pk).update(delivered_at=now())


def once(
    create: Callable[[], NoticeDelivery | FilingLetter | FilingReminder], send: Callable[[], object], told: Told
) -> bool:
    """Send it unless it was begun before; whether nothing is left to do on this way.

    :param create: makes the row of the delivery; of one that there is the database refuses another
    """
    try:
        with transaction.atomic():
            delivery = create()
    except IntegrityError:  # sent, or begun by somebody who may be no more
        return True
    try:
        send()
    except _CERTAINLY_NOT:
        delivery.delete()
        told.refused += 1
        return False
    except (OSError, smtplib.SMTPException):  # the answer was lost: it may have arrived
        return True
    delivery.sent_at = now()
    delivery.save(update_fields=["sent_at"])
    told.sent += 1
    return True


class _SaidNo(Exception):
    """The receiver answered, and did not take it."""


_CERTAINLY_NOT = (
    ConnectionRefusedError, socket.gaierror, smtplib.SMTPConnectError, smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError, requests.ConnectTimeout, _SaidNo,
)  # fmt: skip


def _address(learner: int) -> str:
    account = Account.objects.select_related("user").filter(learner=learner).exclude(user__email="").first()
    return account.user.email if account else ""


def mail_of(notice: CertificateNotice, address: str) -> EmailMessage:
    """The letter. It bears no identity number, not even a masked one."""
    title, _ = _TEXTS[Kind(notice.kind)]
    facts = _facts(notice)
    headers = {"Message-ID": f"<notice-{notice.pk}@{settings.PUBLIC_HOST}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        f"{title}：{facts['programme']}", _FACTS.format(**facts).lstrip(), to=[address], headers=headers
    )


def _facts(notice: CertificateNotice) -> dict[str, Any]:
    certificate, event = notice.certificate, notice.event
    successor = event.successor.number if event.successor else ""
    reason = event.get_reason_class_display() if event.reason_class else ""
    return {
        "holder": certificate.holder, "programme": certificate.programme_version.title,
        "organiser": certificate.programme.organiser.name, "hours": hours_text(certificate.hours),
        "number": certificate.number, "at": f"{event.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "url": certificate.verify_url, "successor": successor,
        "what": _TEXTS[Kind(notice.kind)][1].format(reason=reason, successor=successor),
    }  # fmt: skip


def _post(url: str, notice: CertificateNotice) -> None:
    event = notice.event
    body = orjson.dumps({
        "notice": notice.pk, "kind": notice.kind, "number": notice.certificate.number, "state": event.state,
        "reason": event.reason_class, "successor": event.successor.number if event.successor else None,
        "at": event.at.isoformat(), "verify_url": notice.certificate.verify_url,
    })  # fmt: skip
    at = int(now().timestamp())
    signed = signature(os.environ.get("XUESHI_NOTICE_SECRET") or "", at, body).hex()
    headers = {"Content-Type": "application/json", "X-Xueshi-Signature": f"t={at},v1={signed}"}
    try:
        answer = requests.post(url, body, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    except requests.ConnectionError as error:
        if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
            raise _SaidNo from None  # nobody was reached
        raise
    if not answer.ok or answer.is_redirect:
        raise _SaidNo
