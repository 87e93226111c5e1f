"""One way over HTTP for every connector: how long it waits, how much it takes, what it never shows.

Vocabulary: a *call* is what a connector asks for; it is made of one or more *attempts*, repeated where the same
question may go well by itself (every call of ours is a read, or sets what was set before: repeating does no harm).
The token travels in the body or in a header only, and no exception of the HTTP library ever leaves here: those carry
the request with both. For the same reason errors are raised outside the handlers, so that nothing hangs on to them as
a cause.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import urllib3

from connectors.errors import (
    AddressInvalid,
    Busy,
    CertificateRefused,
    ConnectorError,
    Maintenance,
    NotJson,
    Redirected,
    Refused,
    TooLarge,
    Truncated,
    UnknownAnswer,
    Unreachable,
    WrongAddress,
)
from connectors.guard import GuardedAdapter, reason_of

Form = list[tuple[str, str]]
Judge = Callable[[Any], None]
Send = Callable[..., requests.Response]

STATUS: dict[int, type[ConnectorError]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), Redirected),
    **dict.fromkeys((401, 403), Refused),
    **dict.fromkeys((404, 405, 410), WrongAddress),
    **dict.fromkeys((408, 425, 429), Busy),
    **dict.fromkeys((500, 502, 503, 504), Maintenance),
}
"""What an HTTP status means; any other is an `UnknownAnswer`. Whether to repeat is the error's own ``retry``."""

_CHUNK = 1 << 18
_PATIENCE = 5.0  # seconds for a thread whose connection was cut


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much. Seconds and bytes (unpacked)."""

    connect: float = 5
    read: float = 120  # between two pieces of an answer; a report page of a large Moodle takes 17 s to begin
    deadline: float = 300  # for a call as a whole, its repetitions too; ends answers that only drip
    max_bytes: int = 64 << 20
    attempts: int = 4
    backoff: float = 0.5  # doubled each time, with jitter
    longest_wait: float = 60  # a Retry-After beyond that ends the call: the next sync comes by itself


def user_agent() -> str:
    """``xueshi/1.2.3``, so that an LMS's administrator can tell who called."""
    try:
        return f"xueshi/{version('xueshi')}"
    except PackageNotFoundError:
        return "xueshi"


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What an attempt brought: what went wrong, how long the site asks to wait (None: it does not say), the body and of
    what kind it says it is.
    """

    problem: ConnectorError | None
    wait: float | None = None
    body: bytes | bytearray = b""
    kind: str = ""


class HttpSession:
    """Asks one site and returns the JSON that comes back.

    :param url: the site's address, ``https://``; ``http://`` only with ``allow_private``
    :param allow_private: also go to loopback, private and link-local addresses
    :param ca_file: certificates (PEM) to trust instead of the usual authorities
    :param before: called before each attempt; what it raises ends the call (`SourceConfig.before_call`)
    """

    def __init__(
        self,
        url: str,
        *,
        allow_private: bool = False,
        limits: Limits | None = None,
        ca_file: str = "",
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url.rstrip("/")
        self.calls = 0
        self.limits = limits or Limits()
        self.sleep: Callable[[float], None] = time.sleep
        self._before = before
        self._allow_private = allow_private
        self._adapter = GuardedAdapter(self.url, allow_private=allow_private)
        self._closed = False
        self._ahead: threading.Thread | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc, no foreign certificates out of the environment
        self._session.verify = ca_file or True
        self._session.headers.update(
            {
                "User-Agent": user_agent(),
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            }
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)

    def __repr__(self) -> str:
        return f"HttpSession({self.url!r}, calls={self.calls})"

    def close(self) -> None:
        """Close the connections. A thread that reads ahead asks nothing more, not even again."""
        self._closed = True
        if self._ahead:
            self._adapter.cut(threading.Event())
            self._ahead.join(_PATIENCE)
        self._session.close()
        self._adapter.forget()

    def post(self, path: str, form: Callable[[], Form], judge: Judge, *, patient: bool = True) -> Any:
        """Post a form and return the JSON of the answer.

        :param form: makes the fields anew for each attempt, so that no frame here holds a token
        :param judge: raises a `ConnectorError` for an answer that is an error; with ``retry`` it is asked again
        :param patient: False asks once only
        :raises ConnectorError: one of `STATUS`, or what the way there or ``judge`` says
        """
        return self._ask(path, self._posting(form), judge, patient=patient)

    def post_ahead(self, path: str, form: Callable[[], Form], judge: Judge) -> Callable[[], Any]:
        """As `post`; its answer comes while the caller goes on, and is parsed when the caller asks for it by what is
        returned here: what is parsed ahead would push what is worked on out of the processor's cache (ADR 17).

        Nothing else may be asked of the session meanwhile.
        """
        self.check_address()
        send, came = self._posting(form), Future[_Fetched]()
        end = time.monotonic() + self.limits.deadline

        def fetch() -> None:
            try:
                came.set_result(self._fetch(self.url + path, send, end))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the answer
                came.set_exception(error)

        self._ahead = threading.Thread(target=fetch, name="answer ahead", daemon=True)
        self._ahead.start()
        return lambda: self._ask(path, send, judge, patient=True, first=came.result)

    def _posting(self, form: Callable[[], Form]) -> Send:
        return lambda url, **how: self._session.post(url, data=form(), **how)

    def post_json(self, path: str, body: Any, judge: Judge, *, headers: Callable[[], dict[str, str]] = dict) -> Any:
        """Post JSON, once, and return the JSON of the answer; ``headers`` and errors as `get`."""

        def send(url: str, **how: Any) -> requests.Response:
            return self._session.post(url, json=body, headers=headers(), **how)

        return self._ask(path, send, judge, patient=False)

    def get(
        self,
        path: str,
        query: Form,
        judge: Judge,
        *,
        headers: Callable[[], dict[str, str]] = dict,
        patient: bool = True,
    ) -> Any:
        """Get ``path`` and return the JSON of the answer. An address stands in logs, so ``query`` holds nothing secret.

        :param headers: makes what holds the token anew for each attempt, such as ``{"Authorization": "Bearer …"}``
        :raises ConnectorError: as `post`
        """

        def send(url: str, **how: Any) -> requests.Response:
            return self._session.get(url, params=query, headers=headers(), **how)

        return self._ask(path, send, judge, patient=patient)

    def _ask(
        self, path: str, send: Send, judge: Judge, *, patient: bool, first: Callable[[], _Fetched] | None = None
    ) -> Any:
        """Attempts, until one goes well or it makes no sense to go on.

        :param first: gives what the first of them brought, where another thread makes it
        """
        self.check_address()
        end = time.monotonic() + self.limits.deadline
        attempt = 1
        while True:
            url = self.url + path
            fetched = first() if first and attempt == 1 else self._fetch(url, send, end)
            try:
                return self._answer(url, fetched, judge)
            except ConnectorError as error:
                problem = error.with_traceback(None)
            if self._closed or not (problem.retry and patient) or attempt >= self.limits.attempts:
                break
            wait = self._backoff(attempt) if fetched.wait is None else fetched.wait
            if wait > self.limits.longest_wait or time.monotonic() + wait >= end:
                break
            self.sleep(wait)
            attempt += 1
        raise problem  # outside of the handler: nothing of the attempt hangs on to it

    def check_address(self) -> None:
        """Refuse what can't be called, or would show the token to whoever listens.

        :raises AddressInvalid: it is no https:// address, or holds more than host and path
        """
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        shown = self.url.rpartition("@")[2]
        if host is None or parts.scheme not in ("https", "http"):
            raise AddressInvalid(url=shown, reason="it does not begin with https://host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise AddressInvalid(url=shown, reason="it holds more than host and path")
        if parts.scheme == "http" and not self._allow_private:
            raise AddressInvalid(url=shown, reason="http:// sends the token for everyone on the way to read")

    def _backoff(self, attempt: int) -> float:
        return self.limits.backoff * 2.0 ** (attempt - 1) * (0.5 + random.random() / 2)  # noqa: S311 - jitter, no secret

    def _fetch(self, url: str, send: Send, end: float) -> _Fetched:
        """One attempt to bring an answer."""
        if self._closed:
            return _Fetched(Unreachable(url=self.url, reason="the session was closed here"))
        try:
            self._before()
        except ConnectorError as error:
            return _Fetched(error.with_traceback(None))
        self.calls += 1
        problem: ConnectorError
        wait: float | None = None
        late = threading.Event()
        clock = threading.Timer(end - time.monotonic(), self._adapter.cut, (late,))
        clock.daemon = True
        clock.start()
        try:
            timeout = (self.limits.connect, self.limits.read)
            with send(url, timeout=timeout, allow_redirects=False, stream=True) as response:
                wait = _retry_after(response)
                kind = response.headers.get("Content-Type", "no type").split(";")[0]
                fetched = _Fetched(None, wait, self._body(url, response), kind)
            if not late.is_set():  # what was cut may look whole: headers end where the connection does
                return fetched
            problem = self._too_late()
        except ConnectorError as error:
            problem = error
        except requests.exceptions.SSLError as error:
            problem = CertificateRefused(url=self.url, reason=reason_of(error))
        except requests.exceptions.RequestException as error:
            problem = Unreachable(url=self.url, reason=reason_of(error))
        except (urllib3.exceptions.HTTPError, OSError) as error:  # while the body came
            problem = Truncated(url=self.url, reason=reason_of(error))
        finally:
            clock.cancel()
        if late.is_set():
            problem = self._too_late()
        return _Fetched(problem.with_traceback(None), wait)

    def _too_late(self) -> Unreachable:
        return Unreachable(url=self.url, reason=f"the answer was not whole after {self.limits.deadline:g} s")

    def _answer(self, url: str, fetched: _Fetched, judge: Judge) -> Any:
        """The answer that came.

        :raises ConnectorError: none came, it is no JSON, or it is an error
        """
        if fetched.problem:
            raise fetched.problem
        answer = _json(url, fetched.kind, fetched.body)
        judge(answer)
        return answer

    def _body(self, url: str, response: requests.Response) -> bytearray:
        """The body, unpacked, while it is within the limit."""
        if response.status_code not in (requests.codes.ok, requests.codes.created):
            raise _status_error(url, response)
        body = bytearray()
        while piece := response.raw.read(_CHUNK, decode_content=True):
            body += piece
            if len(body) > self.limits.max_bytes:
                raise TooLarge(url=self.url, limit=self.limits.max_bytes)
        return body


def _status_error(url: str, response: requests.Response) -> ConnectorError:
    status = response.status_code
    to = urlsplit(response.headers.get("Location", ""))
    return STATUS.get(status, UnknownAnswer)(
        url=url,
        status=status,
        reason=f"HTTP {status}",
        errorcode=f"HTTP {status}",
        location=f"{to.scheme}://{to.netloc.rpartition('@')[2]}{to.path}" if to.netloc else to.path or "nowhere",
    )


def _json(url: str, kind: str, body: bytes | bytearray) -> Any:
    """``body`` as JSON; what only began as JSON was cut on its way, anything else is another kind of page."""
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(body)
    start = bytes(body).lstrip()[:60].decode("utf-8", "replace")
    if not start:
        raise Truncated(url=url, reason="the answer is empty")
    if start[0] in "{[" or any(word.startswith(start) for word in ("true", "false", "null")):
        raise Truncated(url=url, reason=f"its JSON ends in the middle, after {len(body)} bytes")
    raise NotJson(url=url, content_type=kind, start=_masked(start))


def _masked(text: str) -> str:
    """The start of a page that we do not know, digits hidden: it might show somebody's number."""
    return " ".join("".join("•" if one.isdigit() else one for one in text).split())


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the site asks to wait (given as such, or as a date); None when it does not say."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
