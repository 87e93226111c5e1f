"""The route by enrolment: everyone in every course, and one question for each: completed?

The fall-back where there is no report. It is slow (some 15 rows a second on a real Moodle), and Moodle does not say
when a course was completed, only when each criterion was met. So a time is given where it follows from the criteria,
and none where it does not: an administrator's override has no time here. Who was suspended in or removed from a course
after completing it is not told either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from connectors.errors import CapabilityMissing, Malformed, NothingThere, RecordMissing
from connectors.moodle.client import ENROLLED, STATUS, MoodleClient, text_of, whole_of
from connectors.moodle.columns import IDENTITY_TITLES, folded
from connectors.moodle.courses import in_chinese, raw_courses
from connectors.moodle.errorcodes import CAPABILITY
from connectors.moodle.names import person_name
from connectors.records import Completion, Completions, Page, Rejected

_FIELDS = "id,username,idnumber,firstname,lastname,fullname,customfields"
_IDENTITY_SHORT_NAMES = ("sfzh", "sfzhm", "sfz", "idcard", "id_card", "idcardno", "zjhm", "shenfenzheng")
_USUAL = frozenset(map(folded, (*IDENTITY_TITLES, *_IDENTITY_SHORT_NAMES)))
_PEOPLE_A_CALL = 200
_NOT_TRACKED = "cannotviewreport"  # Moodle says so of a missing right, too
_LONGEST_KEY = 300
_ALL, _ANY = 1, 2  # how Moodle joins a course's criteria


class Enrolments:
    """Reads the completions of a site course by course."""

    def __init__(self, client: MoodleClient, identity: str) -> None:
        self._client = client
        self._identity = folded(identity)

    def pages(self) -> Iterator[Page]:
        """A page for each course and each list of people in it, with what was left out, by Moodle's errorcode.

        :raises CapabilityMissing: not one course has anyone in it, which is how Moodle says «no right to see them»
        """
        courses = raw_courses(self._client)
        anyone = False
        for course in courses:
            for people in self.people_of(course):
                anyone = True
                yield self._page(course, people)
        if courses and not anyone:
            raise CapabilityMissing(function=ENROLLED, capability=CAPABILITY[ENROLLED])

    def people_of(self, course: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The people of a course, in lists. A short list is not the last: Moodle counts before it looks at rights."""
        start = 0
        while True:
            options = {"userfields": _FIELDS, "limitfrom": start, "limitnumber": _PEOPLE_A_CALL, "sortby": "id"}
            people = self._client.call(
                ENROLLED,
                courseid=course["id"],
                options=[{"name": name, "value": value} for name, value in options.items()],
            )
            if not isinstance(people, list) or not all(isinstance(one, dict) and "id" in one for one in people):
                raise Malformed(what=ENROLLED, url=self._client.http.url, reason="it is no list of people")
            if not people:
                return
            yield people
            start += _PEOPLE_A_CALL

    def identity_of(self, user: Mapping[str, Any]) -> str:
        """The identity number in a user's fields, untouched; "" where the site shows none."""
        if self._identity == "idnumber":
            return text_of(user.get("idnumber"))
        wanted = {self._identity} if self._identity else _USUAL
        for one in user.get("customfields") or ():
            if folded(text_of(one.get("name"))) in wanted or folded(text_of(one.get("shortname"))) in wanted:
                return text_of(one.get("value"))
        return ""

    def _page(self, course: Mapping[str, Any], people: list[dict[str, Any]]) -> Page:
        skipped: Counter[str] = Counter()
        records = []
        for place, user in enumerate(people):
            try:
                status = self._status(course, user)
            except (NothingThere, RecordMissing) as error:  # the latter: deleted since we asked who is there
                errorcode = str(error.params["errorcode"])
                if errorcode in ("nocriteriaset", _NOT_TRACKED):  # true of the course, so of everyone in it
                    skipped[errorcode] += len(people) - place
                    break
                skipped[errorcode] += 1
                continue
            if status.get("completed") is True:
                records.append(self._completion(course, user, status))
            else:
                skipped["incomplete"] += 1
        window = text_of(course.get("shortname"))
        completions, rejected = _valid(records, window)
        return Page(completions, rejected, window, skipped=dict(skipped))

    def _status(self, course: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
        """What Moodle says of a person in a course.

        :raises NothingThere: nothing, and that is as it should be
        :raises CapabilityMissing: the account may not see it
        """
        tracked = whole_of(course.get("enablecompletion"))  # None: Moodle does not tell this account
        if tracked == 0:
            raise NothingThere(errorcode=_NOT_TRACKED)  # completion is switched off there; no need to ask
        try:
            answer = self._client.call(STATUS, courseid=course["id"], userid=user["id"])
        except CapabilityMissing as error:
            if tracked or error.params.get("errorcode") != _NOT_TRACKED:
                raise
            answer = None
        if answer is None:
            raise NothingThere(errorcode=_NOT_TRACKED)
        status = answer.get("completionstatus") if isinstance(answer, dict) else None
        if not isinstance(status, dict) or not isinstance(status.get("completions"), list):
            raise Malformed(what=STATUS, url=self._client.http.url, reason="it has no status")
        return status

    def status_or_none(self, course: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any] | None:
        """The same, None where there is nothing to say."""
        try:
            return self._status(course, user)
        except (NothingThere, RecordMissing):
            return None

    def _completion(self, course: Mapping[str, Any], user: Mapping[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        username, code = text_of(user.get("username")), text_of(course.get("shortname"))
        if not username:
            raise CapabilityMissing(function=ENROLLED, capability="moodle/user:viewalldetails")
        seconds = completed_at(status)
        return {
            "key": f"{username}|{code}",
            "user": username,
            "course": code,
            "course_name": in_chinese(text_of(course.get("fullname"))),
            "name": person_name(text_of(user.get("lastname")), text_of(user.get("firstname"))),
            "id_number": self.identity_of(user),
            "completed_at": None if seconds is None else datetime.fromtimestamp(seconds, UTC),
            "precision": "unknown" if seconds is None else "second",
            "started_on": None,
            "hours": None,
            "minutes": None,
            "passed": True,
            "active": True,
            "grade": "",
            "employer": "",
            "filing_number": "",
            "raw": {"courseid": course["id"], "user": user, "completionstatus": status},
        }


def _valid(records: list[dict[str, Any]], window: str) -> tuple[list[Completion], list[Rejected]]:
    """The records that are what a completion has to be, and each that is not, by itself and with the reason."""
    try:
        return Completions.validate_python(records, strict=True), []
    except ValidationError as error:
        problems = {int(one["loc"][0]): one for one in error.errors(include_input=False, include_url=False)}
    rejected = [
        Rejected(
            records[at]["key"][:_LONGEST_KEY],
            "E_ROW_MALFORMED",
            str(one["loc"][-1]),
            window,
            one["msg"],
            records[at]["raw"],
        )
        for at, one in problems.items()
    ]
    fitting = [one for at, one in enumerate(records) if at not in problems]
    return Completions.validate_python(fitting, strict=True), rejected


def completed_at(status: Mapping[str, Any]) -> int | None:
    """When the course was completed, in seconds since 1970, where the criteria leave no doubt; None otherwise.

    All needed: the last of them, if each was met at a known time. Any suffices: the one that was met, if only one was.
    A course completed without its criteria was marked so by an administrator, at a time that Moodle does not tell.
    """
    criteria = status["completions"]
    met = [whole_of(one.get("timecompleted")) for one in criteria if one.get("complete")]
    times = [one for one in met if one]
    if len(times) < len(met) or not times:
        return None
    if status.get("aggregation") == _ALL and len(met) == len(criteria):
        return max(times)
    return times[0] if status.get("aggregation") == _ANY and len(times) == 1 else None
