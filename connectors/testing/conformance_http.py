"""A web site over real HTTP for the fake of a connector's own platform, with everything that happens on the way to it.

with JsonSite(answer) as site:      # answer(question) returns what is sent as JSON, or raises `Refuse`
    site.break_it("drip")
    ...                             # call site.url
    site.heal()
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

_PAGE = "<!DOCTYPE html><html><title>登录 Sign in</title></html>".encode()
_STATUS = {"unavailable": 503, "server_error": 500, "rate_limited": 429, "not_found": 404, "redirect": 303, "html": 200}
_HUGE, _PIECE, _PAUSE = 4 << 20, 1 << 16, 0.05


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    url: str  # path and query, as they would stand in a log
    fault: str = ""  # what this call suffers from


class Refuse(Exception):
    """The platform answers ``status`` with ``body`` as JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class JsonSite:
    """A running site. ``fault`` is what it suffers from, "" for nothing; one that it does not know is ``answer``'s."""

    def __init__(self, answer: Callable[[Question], Any]) -> None:
        self.answer = answer
        self.fault = ""
        self.times: int | None = None
        self.questions: list[Question] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def break_it(self, fault: str, times: int | None = None) -> None:
        """From now on, or for so many calls, it fails so: `HTTP_FAULTS`, ``slow``, ``drip``, or one of its own."""
        self.fault, self.times = fault, times

    def heal(self) -> None:
        """No fault any more."""
        self.break_it("")

    def take(self) -> str:
        """The fault that hits a call now."""
        fault = self.fault
        if self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.heal()
        return fault

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    site: JsonSite

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """``JsonSite.questions`` holds what was asked."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_GET  # noqa: N815 - http.server looks for it

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(body.decode("utf-8", "replace")))
        fault = self.site.take()
        question = Question(self.command, parts.path, query, form, dict(self.headers), self.path, fault)
        self.site.questions.append(question)
        try:
            if fault in _STATUS:
                self._send(_STATUS[fault], _PAGE, "text/html", fault)
            else:
                self._play(question, fault)
        except ConnectionError:
            self.close_connection = True  # the client went away: it had its reasons

    def _play(self, question: Question, fault: str) -> None:
        if fault == "slow":
            self.site.stopping.wait(1)
        if fault in ("reset", "closed"):
            if fault == "reset":  # lingering for no time makes the close a reset
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            self.close_connection = True
            return
        try:
            status, value = 200, self.site.answer(question)
        except Refuse as refusal:
            status, value = refusal.status, refusal.body
        if fault == "wrong_json":
            value = {"unexpected": True}
        body = b'["' + b"x" * _HUGE if fault == "huge" else json.dumps(value).encode()
        if fault == "broken_json":
            body = body[: len(body) // 2]
        self._send(status, body, "application/json", fault)

    def _send(self, status: int, body: bytes, content_type: str, fault: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if fault == "redirect":
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        if fault == "rate_limited":
            self.send_header("Retry-After", "0")
        self.end_headers()
        if fault == "truncated":
            body, self.close_connection = body[: len(body) // 2], True
        step = 1 if fault == "drip" else _PIECE
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            if fault == "drip" and self.site.stopping.wait(_PAUSE):
                break
