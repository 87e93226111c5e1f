"""The sockets: reads a call, lets the faults have their way with it, answers.

Everything is decided in `_Handler._answer`, which returns an `Answer`; how it is then sent (whole, in drops, cut off)
is decided in `_Handler._send`.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.testing import _pages as pages
from connectors.testing import _plugin  # noqa: F401 - what it plays is registered by that
from connectors.testing._control import control
from connectors.testing._distort import RETRIEVE, distorted
from connectors.testing._faults import ERRORCODES, Fault
from connectors.testing._functions import FUNCTIONS, OUTSIDE_THE_SERVICE, PLUGIN, Call, Encoded, checked
from connectors.testing._wire import MAX_INPUT_VARS, MoodleError, php_json, php_params, xml_answer, xml_error

if TYPE_CHECKING:  # the fake starts the server, and the server asks the fake
    from connectors.testing.fake_moodle import FakeMoodle

ENDPOINT = "/webservice/rest/server.php"
_LARGEST_QUESTION = 16 << 20
_PIECE = 1 << 16
_JSON, _XML, _HTML = "application/json", "application/xml; charset=utf-8", "text/html; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """What will be sent."""

    status: int = 200
    content_type: str = _JSON
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, kept in ``FakeMoodle.questions`` for tests to look at."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    params: dict[str, Any]

    @property
    def function(self) -> str:
        """The web service function, "" when none was named."""
        name = self.params.get("wsfunction", "")
        return name if isinstance(name, str) else ""


class NotPlayedError(Exception):
    """A function that the recorded service offers and the fake does not play."""


class Server(ThreadingHTTPServer):
    """A thread a connection; stopping it closes every connection, so that no thread and no socket is left."""

    daemon_threads = False  # joined on close
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], moodle: FakeMoodle) -> None:
        self.moodle = moodle
        self.stopping = threading.Event()  # also wakes whoever sleeps for a fault
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving; calls under way are broken off."""
        self.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it closed itself meanwhile
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet where they fit
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Tests want no log on standard error; ``FakeMoodle.questions`` holds what was asked."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - http.server looks for them

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") or length > _LARGEST_QUESTION:
            self.close_connection = True
            self._send(Answer(411 if length == 0 else 413, _HTML, pages.ERROR), "")
            return
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        if url.path.startswith("/_fake/"):
            self._send(self._control(url.path, body), "")
            return
        if url.path != ENDPOINT:
            found = Answer(200, _HTML, pages.FRONT) if url.path == "/" else Answer(404, _HTML, pages.NOT_FOUND)
            self._send(found, "")
            return
        params = php_params(url.query)
        kind = self.headers.get("Content-Type", "application/x-www-form-urlencoded")
        if self.command == "POST" and kind.startswith("application/x-www-form-urlencoded"):
            params |= php_params(body.decode("utf-8", "replace"), MAX_INPUT_VARS)
        question = Question(self.command, url.path, url.query, dict(self.headers), params)
        self.server.moodle.questions.append(question)
        if self._broken_off(question.function):
            return
        self._send(self._answer(question), question.function)

    # --- what to answer ------------------------------------------------------------------------------------------
    def _take(self, kind: str, function: str) -> Fault | None:
        return self.server.moodle.faults.take(kind, function)

    def _broken_off(self, function: str) -> bool:
        """Faults of the connection itself; True when there is nothing more to say on it."""
        if slow := self._take("slow", function):
            self.server.stopping.wait(slow["seconds"])
        if self._take("reset", function):
            # lingering for no time makes the close a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server._open.discard(self.connection)  # noqa: SLF001 - our own server, which would end it politely
            self.connection.close()
        elif not self._take("closed", function):
            return False
        self.close_connection = True
        return True

    def _answer(self, question: Question) -> Answer:
        moodle = self.server.moodle
        if moodle.any_host or self.headers.get("Host") == urlsplit(moodle.url).netloc:
            refused = self._of_the_web_server(question.function)
        else:
            refused = Answer(303, _HTML, pages.REDIRECT, {"Location": moodle.url + ENDPOINT})
        if refused:
            return refused
        as_json = question.params.get("moodlewsrestformat") == "json"
        try:
            with moodle.lock:
                value = self._play(question)
        except NotPlayedError as error:
            return Answer(501, "text/plain; charset=utf-8", f"The fake Moodle does not play {error}.\n".encode())
        except MoodleError as error:
            if as_json:
                return Answer(body=php_json(error.body).encode())
            return Answer(content_type=_XML, body=xml_error(error).encode())
        if as_json:
            return Answer(body=(value if isinstance(value, Encoded) else php_json(value)).encode())
        return Answer(
            content_type=_XML, body=xml_answer(json.loads(value) if isinstance(value, Encoded) else value).encode()
        )

    def _of_the_web_server(self, function: str) -> Answer | None:
        """Answers that come before Moodle is asked, or instead of it."""
        moodle = self.server.moodle
        for kind, status, page in pages.BEFORE_MOODLE:
            if fault := self._take(kind, function):
                wait = fault.options.get("retry_after")
                headers = {} if wait is None else {"Retry-After": str(wait)}
                if kind == "redirect":
                    headers["Location"] = fault["location"] or moodle.url + ENDPOINT
                return Answer(status, _HTML, page, headers)
        if fault := self._take("wrong_json", function):
            return Answer(body=json.dumps(fault["answer"]).encode())
        return None

    def _play(self, question: Question) -> Any:
        """What Moodle's own code does, in its order: token, function, service, parameters, answer."""
        moodle, function = self.server.moodle, question.function
        params = dict(question.params)
        self._authenticate(params.pop("wstoken", None), function)
        settings = {key: str(params.pop(key)) for key in list(params) if key.startswith("moodlewssetting")}
        for name in ("moodlewsrestformat", "wsfunction"):
            params.pop(name, None)
        if not function:
            raise MoodleError("invalidparameter")
        missing = moodle.faults.missing_functions()
        if function in PLUGIN and (moodle.companion is None or moodle.faults.take("plugin_removed", function)):
            raise MoodleError("invalidrecordunknown")
        if function in missing or function in OUTSIDE_THE_SERVICE:
            raise MoodleError("accessexception")
        if function not in FUNCTIONS:
            if any(one["name"] == function for one in moodle.facts["info"]["functions"]):
                raise NotPlayedError(function)
            raise MoodleError("invalidrecordunknown")
        play, known = FUNCTIONS[function]
        args = checked(known, params)
        value = play(Call(moodle, moodle.report, moodle.companion, moodle.faults, moodle.url, function, args, settings))
        return distorted(value, moodle.faults) if function == RETRIEVE else value

    def _authenticate(self, token: object, function: str) -> None:
        """Refuse a wrong token, and whatever the faults say is refused."""
        moodle = self.server.moodle
        if token != moodle.token or moodle.token_deleted:
            raise MoodleError("invalidtoken")
        if self._take("expired_token", function):
            moodle.token_deleted = True
            raise MoodleError("accessexception")
        for kind, errorcode in ERRORCODES.items():
            if self._take(kind, function):
                raise MoodleError(errorcode)
        if fault := self._take("error", function):
            raise MoodleError(fault["errorcode"])

    def _control(self, path: str, body: bytes) -> Answer:
        """The switches over HTTP, outside Moodle's addresses and for this machine only."""
        if not ipaddress.ip_address(self.client_address[0]).is_loopback:
            return Answer(403, _JSON, b'{"error":"only from this machine"}')
        try:
            said = control(self.server.moodle, self.command, path, json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError) as error:
            return Answer(400, _JSON, json.dumps({"error": str(error)}).encode())
        return Answer(body=json.dumps(said, ensure_ascii=False).encode())

    # --- how to send it ------------------------------------------------------------------------------------------
    def _send(self, answer: Answer, function: str) -> None:
        if function and self._sent_badly(answer, function):
            return
        if function and self._take("broken_json", function):
            answer.body = answer.body[: len(answer.body) // 2]
        self._head(answer, len(answer.body))
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _head(self, answer: Answer, length: int | None) -> None:
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if length is None or self.close_connection:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()

    def _sent_badly(self, answer: Answer, function: str) -> bool:
        if fault := self._take("truncated", function):
            self._head(answer, len(answer.body))
            self.wfile.write(answer.body[: int(len(answer.body) * fault["part"])])
            self.close_connection = True
        elif fault := self._take("huge", function):
            self._head(answer, fault["bytes"] if fault["declared"] else None)
            self._pour(fault["bytes"])
        elif fault := self._take("drip", function):
            self._head(answer, len(answer.body))
            for start in range(0, len(answer.body), fault["bytes"]):
                self.wfile.write(answer.body[start : start + fault["bytes"]])
                self.wfile.flush()
                if self.server.stopping.wait(fault["seconds"]):
                    break
        else:
            return False
        return True

    def _pour(self, count: int) -> None:
        """So many bytes that begin like JSON."""
        self.wfile.write(b'["' + b"x" * (min(count, _PIECE) - 2))
        sent = min(count, _PIECE)
        while sent < count and not self.server.stopping.is_set():
            piece = min(_PIECE, count - sent)
            self.wfile.write(b"x" * piece)
            sent += piece
