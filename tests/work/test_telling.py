"""Learners are told what happened to their certificates: once, or not at all, and never twice."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from agent.certificates.deliveries import NoticeDelivery, NoticeOptOut
from agent.certificates.models import Certificate, CertificateEvent, CertificateNotice
from agent.certificates.transitions import Kind
from agent.learners.models import Account, Learner
from agent.localtime import now
from agent.work import telling
from agent.work.errors import NoticeRefused, NoticeSecretMissing
from agent.work.push import signature
from agent.work.retry import pause
from tests.house.houses import Base, number, one


@dataclass
class Server:
    """What came, and how it answers."""

    port: int = 0
    came: list[Any] = field(default_factory=list)
    refuses: bool = False
    hangs_up: bool = False


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mail server on a socket of its own."""
    ours, listening = Server(), socket.create_server(("127.0.0.1", 0))
    ours.port = listening.getsockname()[1]
    thread = threading.Thread(target=_serve, args=(listening, ours))
    thread.start()
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
    monkeypatch.setattr(settings, "EMAIL_HOST", "127.0.0.1")
    monkeypatch.setattr(settings, "EMAIL_PORT", ours.port)
    yield ours
    listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    listening.close()


def _serve(listening: socket.socket, ours: Server) -> None:  # noqa: C901 - a protocol is a list of cases
    while True:
        try:
            session, _ = listening.accept()
        except OSError:
            return
        with session, session.makefile("rwb") as wire:

            def say(line: str, wire: Any = wire) -> None:
                wire.write(line.encode() + b"\r\n")
                wire.flush()

            say("220 here")
            for line in wire:
                match line.split()[0].upper().decode():
                    case "RCPT" if ours.refuses:
                        say("550 nobody of that name")
                    case "DATA":
                        say("354 go on")
                        text = b""
                        for part in wire:
                            if part == b".\r\n":
                                break
                            text += part
                        ours.came.append(message_from_bytes(text, policy=policy.default))
                        if ours.hangs_up:
                            break
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        break
                    case _:
                        say("250 yes")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A receiver over HTTP."""
    ours = Server()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ours.came.append((self.headers["X-Xueshi-Signature"], body))
            if not ours.hangs_up:
                self.send_response(503 if ours.refuses else 204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("XUESHI_NOTICE_WEBHOOK", f"http://127.0.0.1:{server.server_port}/told")
        monkeypatch.setenv("XUESHI_NOTICE_SECRET", "geheim")
        yield ours
        server.shutdown()
        thread.join()


@pytest.fixture
def issued(base: Base) -> Learner:
    """王小明 has a certificate and an address."""
    base.learner("u1")
    base.done("u1")
    base.sync()
    learner = Learner.objects.get()
    user = User.objects.create_user("xiaoming", email="xiaoming@example.org")
    Account.objects.create(user=user, learner=learner)
    return learner


def happened(kind: Kind) -> CertificateNotice:
    """Something happens to the certificate, as its life would write it down."""
    needs = {"revoked": "improper", "suspended": "under_review", "resumed": "cleared"}
    state = {"resumed": "issued"}.get(kind, kind.value)
    certificate = Certificate.objects.get()
    event = CertificateEvent.objects.create(
        certificate=certificate, at=now(), kind=kind, state=state, reason="r", reason_class=needs[kind]
    )
    return CertificateNotice.objects.create(certificate=certificate, event=event, kind=kind, created_at=now())


def test_an_issue_is_told_once_in_chinese(issued: Learner, post_office: Server):
    telling.tell_all()
    telling.tell_all()
    (letter,) = post_office.came
    number = Certificate.objects.get().number
    assert (letter["To"], letter["Subject"].strip()) == (
        "xiaoming@example.org",
        "证书已签发：2024年卫生系统医师专业科目",
    )
    text = letter.get_content()
    assert all(part in text for part in ("王小明：", number, "2024年卫生系统医师专业科目", "/VERIFY/"))
    assert issued.id_masked not in text
    assert not telling.waiting()
    assert one("SELECT count(*) FROM certificates_noticedelivery WHERE sent_at IS NOT NULL") == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Kind.SUSPENDED, "暂停使用"), (Kind.REVOKED, "已被撤销"), (Kind.RESUMED, "恢复使用")],
)
def test_each_kind_of_step_has_its_own_words_and_its_reason(
    issued: Learner, post_office: Server, kind: Kind, said: str
):
    happened(kind)
    telling.tell_all()
    text = post_office.came[-1].get_content()
    assert said in text
    assert "原因：" in text


def test_every_kind_has_a_text():
    assert set(telling._TEXTS) == set(Kind)


def test_the_webhook_is_signed_and_bears_nobodys_name(issued: Learner, hook: Server):
    telling.tell_all()
    telling.tell_all()
    ((header, body),) = hook.came
    at, signed = (part.split("=")[1] for part in header.split(","))
    assert signature("geheim", int(at), body).hex() == signed
    said = json.loads(body)
    assert (said["kind"], said["state"], said["number"]) == ("issued", "issued", Certificate.objects.get().number)
    assert "王小明" not in body.decode()


def test_nothing_goes_out_unsigned(issued: Learner, hook: Server, monkeypatch):
    monkeypatch.delenv("XUESHI_NOTICE_SECRET")
    with pytest.raises(NoticeSecretMissing):
        telling.tell_all()
    assert hook.came == []


def test_who_said_no_is_asked_again_and_the_other_way_is_not(issued: Learner, post_office: Server, hook: Server):
    hook.refuses = True
    with pytest.raises(NoticeRefused) as error:
        telling.tell_all()
    assert pause(error.value, 0)
    hook.refuses = False
    telling.tell_all()
    assert (len(post_office.came), len(hook.came)) == (1, 2)
    assert not telling.waiting()


def test_a_server_that_refuses_or_is_away_gets_it_later(issued: Learner, post_office: Server, monkeypatch):
    post_office.refuses = True
    with pytest.raises(NoticeRefused):
        telling.tell_all()
    post_office.refuses = False
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with monkeypatch.context() as patched:
        patched.setattr(settings, "EMAIL_PORT", port)
        with pytest.raises(NoticeRefused):
            telling.tell_all()
    telling.tell_all()
    assert len(post_office.came) == 1


def test_an_answer_that_is_lost_doubles_nothing(issued: Learner, post_office: Server, hook: Server):
    post_office.hangs_up = hook.hangs_up = True
    telling.tell_all()
    telling.tell_all()
    assert (len(post_office.came), len(hook.came)) == (1, 1)
    assert set(NoticeDelivery.objects.values_list("sent_at", flat=True)) == {None}


def test_a_worker_killed_in_the_middle_doubles_nothing(issued: Learner, post_office: Server, monkeypatch):
    class Killed(BaseException):
        """Nothing is cleaned up after a kill."""

    send = EmailMessage.send

    def killed(letter: EmailMessage) -> None:
        send(letter)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", killed)
        with pytest.raises(Killed):
            telling.tell_all()
    telling.tell_all()
    assert len(post_office.came) == 1


def test_who_wants_none_is_told_of_a_revocation_only(issued: Learner, post_office: Server):
    NoticeOptOut.objects.create(learner=issued)
    happened(Kind.SUSPENDED)
    telling.tell_all()
    assert post_office.came == []
    happened(Kind.REVOKED)
    telling.tell_all()
    assert [letter["Subject"].strip().partition("：")[0] for letter in post_office.came] == ["证书已撤销"]


def test_without_a_mail_server_letters_are_printed(issued: Learner, capfd):
    telling.tell_all()
    assert "xiaoming@example.org" in capfd.readouterr().out


def test_a_learner_is_made_quiet_and_told_again_by_command(issued: Learner, xueshi):
    assert xueshi("learner", "notices", number(1), "--off", "--json").json["notices"] is False
    assert NoticeOptOut.objects.get().learner_id == issued.pk
    assert xueshi("learner", "notices", number(1), "--on", "--json").json["notices"] is True
    assert xueshi("learner", "notices", number(2)).exit == 1
