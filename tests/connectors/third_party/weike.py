"""微课 (Weike) as a source. The platform is made up; its connector is what one for a real platform looks like.

Its API, read with ``Authorization: Bearer`` and a token:

- ``GET /api/v1/school``: the platform's name and version;
- ``GET /api/v1/courses``: all courses;
- ``GET /api/v1/records?finished_from=&finished_before=&after=&limit=``: finished courses in the order of time, how many
  there are in all, and ``next``, behind which to go on. Times are local, to the second, and bear no zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from connectors.base import Capabilities, Connector, SourceConfig
from connectors.errors import (
    ConnectorError,
    Malformed,
    OptionInvalid,
    PageRepeated,
    Refused,
    TokenMissing,
    TotalsDiffer,
)
from connectors.http import HttpSession, Limits
from connectors.records import EVERYTHING, CheckResult, Completion, Completions, Course, Page, Problem, Rejected, Span

CHINA = ZoneInfo("Asia/Shanghai")
TIME = "%Y-%m-%d %H:%M:%S"
LARGEST_PAGE = 500


class TokenUnknown(ConnectorError):
    """微课 does not know the token."""

    code = "E_TOKEN_INVALID"
    fix = "Make one in 微课 under 设置 > 开放接口 and store it with `xueshi source add NAME … --token-file FILE`."


class WeikeConnector(Connector):
    """Reads one 微课."""

    kind: ClassVar[str] = "weike"
    options: ClassVar[dict[str, str]] = {"page_size": f"Rows a call, 1 to {LARGEST_PAGE}; 200 when nothing is said."}

    def __init__(self, config: SourceConfig, *, limits: Limits | None = None) -> None:
        super().__init__(config)
        self._http = HttpSession(config.url, allow_private=config.allow_private, limits=limits)
        self._page_size = config.options.get("page_size", "200")
        if not self._page_size.isdecimal() or not 1 <= int(self._page_size) <= LARGEST_PAGE:
            reason = f"it is a whole number from 1 to {LARGEST_PAGE}"
            raise OptionInvalid(option="page_size", value=self._page_size, reason=reason)

    @property
    def calls(self) -> int:
        """HTTP calls so far, repetitions too."""
        return self._http.calls

    @property
    def capabilities(self) -> Capabilities:
        """No log of changes and no digests; all else."""
        return Capabilities(grades=True, reported_hours=True, spans=True)

    def check_address(self) -> None:
        """Refuse what is no address of a web site."""
        self._http.check_address()

    def check(self) -> CheckResult:
        """Ask once for each thing that a sync needs."""
        school: dict[str, Any] = {}
        problems = []
        try:
            school = self._ask("school")
            self.courses()
            next(self.completions(), None)
        except ConnectorError as error:
            problems.append(Problem(error.code, error.message, error.how_to_fix))
        works = {"school": bool(school), "records": not problems}
        name, version = _text(school, "name"), _text(school, "version")
        return CheckResult(not problems, name, version, "records", works, problems)

    def courses(self) -> list[Course]:
        """All courses."""
        listed = self._list(self._ask("courses"), "courses")
        return [Course(_text(one, "code"), _text(one, "title")) for one in listed]

    def completions(self, span: Span = EVERYTHING) -> Iterator[Page]:
        """The records of ``span`` in the order of time.

        :raises ConnectorError: the platform failed or contradicts itself; pages yielded before stay true
        """
        if span.since and span.until and span.since >= span.until:
            return
        since, until, after, got, total = _local(span.since), _local(span.until, up=True), "", 0, 0
        window = f"{since or 'the beginning'} to {until or 'the end'}"
        more = True
        while more:
            asked = {"finished_from": since, "finished_before": until, "after": after, "limit": self._page_size}
            answer = self._ask("records", **asked)
            rows, total, following = self._list(answer, "records"), answer.get("total"), answer.get("next")
            if following == after:  # where the page before said to go on: it is the same page again
                raise PageRepeated(window=f"{window}, after {after}")
            more, after, got = following is not None, _text(answer, "next"), got + len(rows)
            read = [_row(one, f"row {place} after «{after}»") for place, one in enumerate(rows, 1)]
            completions = [one for one in read if not isinstance(one, Rejected)]
            if rows:
                yield Page(
                    completions,
                    [one for one in read if isinstance(one, Rejected)],
                    window,
                    total,
                    # rows of the very same second may follow on the next page, so: before it, all have come
                    through=completions[-1]["completed_at"] if completions else None,
                )
        if got != total:
            raise TotalsDiffer(expected=total, window=window, got=got)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # --- asking --------------------------------------------------------------------------------------------------
    def _ask(self, what: str, **query: str) -> dict[str, Any]:
        token = self.config.token
        if not token.get_secret_value():
            raise TokenMissing(source=self.config.name)

        def headers() -> dict[str, str]:
            return {"Authorization": f"Bearer {token.get_secret_value()}"}

        given = [(name, value) for name, value in query.items() if value]
        try:
            answer = self._http.get(f"/api/v1/{what}", given, _accept, headers=headers)
        except Refused:  # HTTP 401; whoever reads the message knows 微课 and not HTTP
            raise TokenUnknown from None
        if not isinstance(answer, dict) or (what == "school" and "name" not in answer):
            raise Malformed(what=what, url=self._http.url, reason="it is no answer of 微课")
        return answer

    def _list(self, answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
        found = answer.get(name)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Malformed(what=name, url=self._http.url, reason="it is no list")
        return found


def _accept(answer: Any) -> None:
    """微课 says by the HTTP status what is wrong; of an answer there is nothing to judge."""


def _local(moment: datetime | None, *, up: bool = False) -> str:
    """A moment as the API takes it; ``up`` to the next whole second, so that an end keeps what lies before it."""
    if moment is None:
        return ""
    return (moment + timedelta(microseconds=999_999 * up)).astimezone(CHINA).strftime(TIME)


def _text(one: dict[str, Any], name: str) -> str:
    return "" if one.get(name) is None else str(one[name])


def _row(one: dict[str, Any], place: str) -> Completion | Rejected:
    """A record as a completion, or why it is none: it is rejected alone, and never stops its page."""
    key = f"{_text(one, 'login')}|{_text(one, 'course')}"
    try:
        finished = datetime.strptime(_text(one, "finished"), TIME).replace(tzinfo=CHINA)
    except ValueError:
        return Rejected(key[:300], "E_DATE_INVALID", "finished", place, _text(one, "finished")[:60], one)
    record: Completion = {
        "key": key,
        "user": _text(one, "login"),
        "course": _text(one, "course"),
        "course_name": _text(one, "title"),
        "name": _text(one, "name"),
        "id_number": _text(one, "sfzh"),
        "completed_at": finished,
        "precision": "second",
        "started_on": None,
        "hours": None,
        "minutes": one.get("minutes"),
        "passed": True,
        "active": True,
        "grade": _text(one, "score"),
        "employer": "",
        "filing_number": "",
        "raw": one,
    }
    try:
        Completions.validate_python([record], strict=True)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]  # the input may be somebody's number
        return Rejected(key[:300], "E_ROW_MALFORMED", str(problem["loc"][-1]), place, problem["msg"], one)
    return record
