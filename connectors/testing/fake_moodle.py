"""A Moodle that answers as a real one was recorded, over real HTTP, and fails on demand.

In a test or in the demo::

    with FakeMoodle() as site:
        site.faults.add("unavailable", times=2)
        ...  # call site.url with site.token
        site.remove_row("xy00001", "AQSC")
        assert "core_reportbuilder_retrieve_report" in site.calls

As a process, printing one line of JSON (``url``, ``token``) when it is ready::

    python -m connectors.testing.fake_moodle --port 8081 --rows 100000 --plugin

Vocabulary: a *fault* is a switch that makes calls fail (`connectors.testing._faults.KINDS`); a *row* is a line of the
report, one person's finished course. Everybody in it is invented.
"""

from __future__ import annotations

import argparse
import gc
import json
import secrets
import signal
import sys
import threading
from types import TracebackType
from typing import Self

from connectors.testing._companion import Companion
from connectors.testing._faults import KINDS, Fault, Faults
from connectors.testing._recorded import FOLDER, load_recorded
from connectors.testing._report import Report
from connectors.testing._server import Question, Server
from connectors.testing._site import Enrolment, Person, Site, Taught
from connectors.testing._synthetic import fill

__all__ = ["KINDS", "PROGRAMMES", "Enrolment", "FakeMoodle", "Fault", "Faults", "Person", "Question", "Taught", "main"]

PROGRAMMES = FOLDER / "programmes.yaml"
"""The filings that go with the recorded site."""


class FakeMoodle(Site):
    """A running fake Moodle; what can be changed in it while it runs is in `Site`.

    :param rows: so many synthetic rows instead of the recorded ones
    :param port: 0 takes a free one
    :param token: what the service account must send; by default a new one
    :param plugin: the companion plugin is installed, and the service offers it
    :param columns: that plugin can answer column by column; False: it is of a version that could not
    :param step: how far the numbers of completions lie apart, which only the plugin tells
    :param any_host: answer whatever the Host header says; by default another host is redirected, as Moodle does
    """

    def __init__(
        self,
        *,
        rows: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = "",
        any_host: bool = False,
        plugin: bool = False,
        columns: bool = True,
        step: int = 1,
    ) -> None:
        super().__init__()
        load_recorded(self, rows=rows is None)
        if rows is not None:
            fill(self, rows)
        self.faults = Faults()
        self.report = Report(self)
        self.companion = Companion(self, step, columns=columns) if plugin else None
        self.token = token or secrets.token_hex(16)
        self.token_deleted = False
        self.any_host = any_host
        self.questions: list[Question] = []
        self._address = (host, port)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the fake Moodle is not running: use it in a with statement, or call start()")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def calls(self) -> list[str]:
        """The web service functions called so far, in order."""
        return [question.function for question in self.questions]

    def clear_faults(self, kind: str | None = None) -> None:
        """Switch faults off (all, or one kind) and bring an expired token back to life."""
        self.faults.clear(kind)
        if kind in (None, "expired_token"):
            self.token_deleted = False

    def renew_token(self, token: str = "") -> str:
        """Make a new token for the service account; the old one is unknown from now on."""
        self.token, self.token_deleted = token or secrets.token_hex(16), False
        return self.token

    def prepare(self) -> None:
        """Do beforehand what the first call after a change would take time for; the plugin's log is written by it."""
        with self.lock:
            self.report.prepare()
            if self.companion:
                self.companion.picture()

    def trim_log(self) -> None:
        """The plugin's log loses all but its newest entry."""
        with self.lock:
            if self.companion:
                self.companion.trim()

    def start(self) -> Self:
        """Serve in threads of this process, until `stop`."""
        self.prepare()
        self._server = Server(self._address, self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close every connection."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def main(argv: list[str] | None = None) -> int:
    """Run as a process until it is told to end (SIGTERM, SIGINT, or with --until-eof the end of standard input)."""
    parser = argparse.ArgumentParser(prog="python -m connectors.testing.fake_moodle", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--rows", type=int, help="so many synthetic rows instead of the recorded site")
    parser.add_argument("--token", default="", help="by default a new one each time")
    parser.add_argument("--any-host", action="store_true", help="answer whatever the Host header says")
    parser.add_argument("--plugin", action="store_true", help="with the companion plugin")
    parser.add_argument("--rows-only", action="store_true", help="of a version that can not answer column by column")
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input closes, as when a parent dies"
    )
    options = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    moodle = FakeMoodle(
        rows=options.rows,
        host=options.host,
        port=options.port,
        token=options.token,
        any_host=options.any_host,
        plugin=options.plugin,
        columns=not options.rows_only,
    )
    with moodle:
        if moodle.companion:
            moodle.companion.prepare()
        gc.freeze()  # a million rows need not be looked through again and again
        sys.stdout.write(json.dumps({"url": moodle.url, "token": moodle.token}) + "\n")
        sys.stdout.flush()
        if options.until_eof:
            threading.Thread(target=_wait_for_eof, args=(ended,), daemon=True).start()
        ended.wait()
    return 0


def _wait_for_eof(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
