"""One HTTP session: where it goes, how long it waits, how much it takes, and what it never shows."""

import gzip
import logging
import socket
import socketserver
import threading
import time
import traceback
from contextlib import contextmanager
from email.utils import formatdate

import pytest
import responses

from connectors import errors, guard
from connectors.http import STATUS, HttpSession, Limits

SECRET = "5ec2e7-5ec2e7-5ec2e7"
URL = "https://moodle.example"
HASTY = Limits(connect=1, read=1, deadline=2, attempts=3, backoff=0.001, longest_wait=0.05)


def form():
    return [("wstoken", SECRET), ("wsfunction", "f")]


def accept(answer):
    """Nothing in an answer is wrong."""


@contextmanager
def session(url=URL, limits=HASTY, **options):
    made = HttpSession(url, limits=limits, **options)
    made.slept = []
    made.sleep = made.slept.append
    try:
        yield made
    finally:
        made.close()


def ask(url=URL, judge=accept, limits=HASTY, **options):
    with session(url, limits, **options) as http:
        return http.post("/server.php", form, judge)


@contextmanager
def server(reply):
    """A server that does with a connection what ``reply`` does; its address and what it was sent."""
    got = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            got.append(self.request.recv(65536))
            reply(self.request)

    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}", got
        running.shutdown()


def http(body, head="", status="200 OK", length=None):
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{head}\r\n".encode() + body


# --- how it asks -------------------------------------------------------------------------------------------------
@responses.activate
def test_the_token_travels_in_the_body_and_nowhere_else():
    responses.post(URL + "/server.php", json={"ok": True})
    assert ask() == {"ok": True}
    sent = responses.calls[0].request
    assert sent.body.startswith(f"wstoken={SECRET}&wsfunction=f")
    assert SECRET not in sent.url + str(sent.headers)
    assert sent.headers["User-Agent"].startswith("xueshi/")


def test_the_environment_has_no_say(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with server(lambda sock: sock.sendall(http(b"[1]"))) as (url, _):
        assert ask(url, allow_private=True) == [1]


# --- what comes back ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", sorted(STATUS))
@responses.activate
def test_every_status_means_what_the_table_says(status):
    responses.post(URL + "/server.php", status=status, body="<html>")
    with pytest.raises(STATUS[status]) as error:
        ask()
    assert "?" not in error.value.message
    assert "?" not in error.value.how_to_fix
    assert len(responses.calls) == (HASTY.attempts if STATUS[status].action.again else 1)


@responses.activate
def test_a_status_outside_the_table_is_told_as_unknown():
    responses.post(URL + "/server.php", status=418)
    with pytest.raises(errors.UnknownAnswer, match="HTTP 418"):
        ask()


@responses.activate
def test_a_redirect_is_not_followed_for_it_would_lose_the_body():
    responses.post(URL + "/server.php", status=303, headers={"Location": "https://u:p@www.moodle.example/x?y=1"})
    with pytest.raises(errors.Redirected, match=r"to https://www.moodle.example/x,"):
        ask()
    assert len(responses.calls) == 1


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ("<!DOCTYPE html><title>登录 13800001111</title>", errors.NotJson, "登录 •••••••••••"),
        ("<?xml version='1.0'?><RESPONSE>", errors.NotJson, "xml"),
        ('{"courses": [{"id": 1', errors.Truncated, "ends in the middle"),
        ("", errors.Truncated, "empty"),
    ],
)
@responses.activate
def test_what_is_no_json_is_named_and_its_digits_hidden(body, error, says):
    responses.post(URL + "/server.php", body=body, content_type="text/html; charset=utf-8")
    with pytest.raises(error, match=says) as raised:
        ask()
    assert "138000" not in str(raised.value)


@responses.activate
def test_an_answer_that_judge_finds_passing_is_asked_for_again():
    responses.post(URL + "/server.php", json={"lock": True})
    responses.post(URL + "/server.php", json={"lock": False})

    def judge(answer):
        if answer["lock"]:
            raise errors.Busy(url=URL, reason="ex_unabletolock")

    assert ask(judge=judge) == {"lock": False}


# --- waiting -----------------------------------------------------------------------------------------------------
@responses.activate
def test_waits_grow_with_jitter_and_end_after_the_last_attempt():
    responses.post(URL + "/server.php", status=503)
    with session(limits=Limits(attempts=4, backoff=1)) as http, pytest.raises(errors.Maintenance):
        http.post("/server.php", form, accept)
    assert http.calls == 4
    assert [low <= wait <= 2 * low for low, wait in zip((0.5, 1, 2), http.slept, strict=True)] == [True] * 3


@pytest.mark.parametrize("as_date", [False, True])
@responses.activate
def test_retry_after_is_honoured_in_seconds_and_as_a_date(as_date):
    said = formatdate(time.time() + 7.5, usegmt=True) if as_date else "7"
    responses.post(URL + "/server.php", status=429, headers={"Retry-After": said})
    responses.post(URL + "/server.php", json=1)
    with session(limits=Limits(longest_wait=10)) as http:
        assert http.post("/server.php", form, accept) == 1
    assert http.slept == [pytest.approx(7, abs=2)]


@responses.activate
def test_a_wait_longer_than_we_would_wait_ends_the_call_at_once():
    responses.post(URL + "/server.php", status=503, headers={"Retry-After": "86400"})
    with session(limits=Limits(longest_wait=60)) as http, pytest.raises(errors.Maintenance):
        http.post("/server.php", form, accept)
    assert (http.calls, http.slept) == (1, [])


def test_silence_ends_with_the_read_timeout():
    with (
        server(lambda _: time.sleep(0.5)) as (url, _),
        pytest.raises(errors.Unreachable, match="no answer in time"),
    ):
        ask(url, limits=Limits(read=0.1, attempts=1), allow_private=True)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_only_drips_ends_with_the_deadline_in_its_headers_and_in_its_body(head):
    def drip(sock):
        sock.sendall(head)
        for _ in range(100):
            sock.sendall(b"1")
            time.sleep(0.02)

    began = time.monotonic()
    with (
        server(lambda sock: _quietly(drip, sock)) as (url, _),
        pytest.raises(errors.Unreachable, match=r"not whole after 0.3 s"),
    ):
        ask(url, limits=Limits(read=1, deadline=0.3), allow_private=True)
    assert time.monotonic() - began < 1.5  # as a whole: it is not begun anew


def _quietly(act, sock):
    try:
        act(sock)
    except OSError:
        return


def test_a_body_cut_short_is_asked_for_again():
    bodies = [http(b"[1, 2", length=100), http(b"[1, 2]")]
    with server(lambda sock: sock.sendall(bodies.pop(0))) as (url, got):
        assert ask(url, allow_private=True) == [1, 2]
    assert len(got) == 2


def test_a_connection_that_is_broken_off_is_asked_for_again():
    answers = [b"", http(b"[1]")]
    with server(lambda sock: sock.sendall(answers.pop(0))) as (url, got):
        assert ask(url, allow_private=True) == [1]
    assert len(got) == 2


def test_a_port_where_nothing_listens_is_unreachable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.Unreachable, match="nothing listens there"):
        ask(f"http://127.0.0.1:{port}", allow_private=True)


# --- how much ----------------------------------------------------------------------------------------------------
def test_an_answer_is_measured_unpacked_so_that_a_bomb_does_not_go_off():
    bomb = gzip.compress(b" " * (8 << 20))
    with (
        server(lambda sock: _quietly(lambda s: s.sendall(http(bomb, "Content-Encoding: gzip\r\n")), sock)) as (url, _),
        pytest.raises(errors.TooLarge, match="larger than 1048576 bytes"),
    ):
        ask(url, limits=Limits(max_bytes=1 << 20), allow_private=True)


def test_packed_answers_are_unpacked_and_broken_packing_is_a_broken_answer():
    packed = http(gzip.compress(b"[1]"), "Content-Encoding: gzip\r\n")
    with server(lambda sock: sock.sendall(packed)) as (url, _):
        assert ask(url, allow_private=True) == [1]
    broken = http(b"not gzip at all", "Content-Encoding: gzip\r\n")
    with server(lambda sock: sock.sendall(broken)) as (url, _), pytest.raises(errors.Truncated, match="compression"):
        ask(url, allow_private=True)


# --- where it may go ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("moodle.example", "https://host"),
        ("ftp://moodle.example", "https://host"),
        ("https://", "https://host"),
        ("https://[", "https://host"),
        ("https://moodle.example:port", "https://host"),
        ("http://moodle.example", "sends the token"),
        ("https://user:password@moodle.example", "more than host and path"),
        ("https://moodle.example/?x=1", "more than host and path"),
    ],
)
def test_an_address_that_can_not_be_called_is_named_and_nothing_is_sent(url, reason):
    with pytest.raises(errors.AddressInvalid, match=reason) as error:
        ask(url)
    assert "password" not in error.value.message


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.1",
            "224.0.0.1",
        ),
        *("::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::"),
    ],
)
def test_private_addresses_are_known_also_in_the_clothes_of_ipv6(address):
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["202.110.193.1", "2408:8000::1", "::ffff:202.110.193.1"])
def test_public_addresses_are_public(address):
    assert guard.is_public(address)


def test_a_private_address_is_refused_before_a_byte_is_sent(monkeypatch):
    with server(lambda sock: sock.sendall(http(b"[1]"))) as (url, got):
        port = int(url.rpartition(":")[2])
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(errors.AddressForbidden, match=r"127\.0\.0\.1.*private"):
            ask(f"https://moodle.example:{port}")
    assert got == []


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(monkeypatch):
    """A name server that answers differently the second time (rebinding) is not asked a second time."""
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("202.110.193.1", 443))]]
    connected = []

    def connect(address, *_, **__):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(errors.Unreachable):
        ask(limits=Limits(attempts=1))
    assert connected == [("202.110.193.1", 443)]


def test_an_unknown_name_is_unreachable(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(errors.Unreachable, match="its name is not known"):
        ask()


def test_a_certificate_that_nobody_vouches_for_is_refused():
    """The server is none for TLS at all; the verdict is about who it is, and nothing of ours was sent."""
    with server(lambda sock: sock.sendall(http(b"[1]"))) as (url, got):
        with pytest.raises(errors.CertificateRefused):
            ask(url.replace("http://", "https://"), allow_private=True, limits=Limits(attempts=1))
        assert SECRET.encode() not in b"".join(got)


# --- what it never shows -----------------------------------------------------------------------------------------
def _fails(name):
    def refuse(answer):
        raise errors.TokenInvalid(url=URL)

    url = URL
    if name == "closed":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
    else:
        responses.start()
        responses.post(URL + "/server.php", **{
            "html": {"body": "<html>"}, "json": {"json": {}}, "503": {"status": 503}, "303": {"status": 303},
            "raises": {"body": ConnectionError("reset")},
        }[name])  # fmt: skip
    try:
        ask(url, judge=refuse, allow_private=True)
    finally:
        responses.stop(allow_assert=False)
        responses.reset()


@pytest.mark.parametrize("name", ["html", "json", "503", "303", "raises", "closed"])
def test_no_error_shows_the_token_whatever_is_made_of_it(name, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.ConnectorError) as raised:
        _fails(name)
    error = raised.value
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "connectors" in frame.f_code.co_filename]
    held = "".join(repr(frame.f_locals) for frame in frames)
    assert SECRET not in told + held + repr(error) + str(error.params) + error.how_to_fix + caplog.text
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_session_shows_neither_token_nor_form():
    with session() as http:
        assert repr(http) == "HttpSession('https://moodle.example', calls=0)"


# --- ahead -------------------------------------------------------------------------------------------------------
def test_an_answer_that_was_asked_for_ahead_comes_while_the_caller_goes_on():
    asked = threading.Event()

    def reply(request):
        asked.set()
        request.sendall(http(b'{"a": 1}'))

    with server(reply) as (url, _), session(url, allow_private=True) as one:
        pending = one.post_ahead("/server.php", form, accept)
        assert asked.wait(10)
        assert (pending(), one.calls) == ({"a": 1}, 1)


def test_what_went_wrong_ahead_is_raised_when_it_is_asked_for_or_asked_for_again():
    answers = [http(b"", status="503 Service Unavailable"), http(b"[1]"), http(b"", status="404 Not Found")]
    with server(lambda request: request.sendall(answers.pop(0))) as (url, _), session(url, allow_private=True) as one:
        assert one.post_ahead("/server.php", form, accept)() == [1]
        pending = one.post_ahead("/server.php", form, accept)
        with pytest.raises(errors.WrongAddress) as caught:
            pending()
        assert SECRET not in "".join(traceback.format_exception(caught.value, chain=True))
        assert one.calls == 3


def test_closing_a_session_ends_what_was_asked_for_ahead():
    left, asked = threading.Event(), threading.Event()

    def reply(request):
        asked.set()
        left.wait(30)  # longer than anybody waits for a thread

    limits = Limits(connect=1, read=60, deadline=60)
    with server(reply) as (url, _):
        one, slept = HttpSession(url, allow_private=True, limits=limits), []
        one.sleep = slept.append
        pending = one.post_ahead("/server.php", form, accept)
        assert asked.wait(10)
        one.close()
        left.set()
        assert not any(thread.name == "answer ahead" for thread in threading.enumerate())
        with pytest.raises(errors.Unreachable):
            pending()
        assert slept == [], "a session that was closed asks nobody again"


def test_a_fault_of_ours_ahead_is_raised_too_and_nobody_waits_for_ever():
    def broken():
        raise ZeroDivisionError

    with session() as one, pytest.raises(ZeroDivisionError):
        one.post_ahead("/server.php", broken, accept)()


def test_a_call_that_is_not_allowed_is_not_made_ahead_either():
    def spent():
        raise errors.BudgetSpent(budget=1, until="10:00", source="s")

    with session(before=spent) as one:
        with pytest.raises(errors.BudgetSpent):
            one.post_ahead("/server.php", form, accept)()
        assert one.calls == 0
