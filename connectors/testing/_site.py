"""What the played site holds: people, courses, enrolments, and how a test changes them while it runs.

Vocabulary: an `Enrolment` is one person in one course; with a ``time`` it is completed, and then it is a *row* of the
report, unless the person was deleted. Every change raises ``version``, and what was prepared from older data is made
again.
"""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "site"


class Enrolment(NamedTuple):
    """One person in one course. ``time`` is in seconds since 1970 (UTC); None while it is in progress."""

    user: str
    course: str
    time: int | None = None
    grade: str = ""
    active: bool = True  # False: the enrolment is suspended
    by_criteria: bool = False  # completed by doing it; otherwise an administrator marked it


@dataclass(slots=True)
class Person:
    """An account. Invented, like everybody here."""

    id: int
    username: str
    family: str
    given: str
    idnumber: str = ""
    sfzh: str = ""  # the profile field 身份证号
    employer: str = ""
    suspended: bool = False
    deleted: bool = False
    seen: tuple[int, int] = (0, 0)  # first and last access


@dataclass(slots=True)
class Taught:
    """A course. Its name differs by the way it is asked for: ``default``, ``raw``, ``filtered``, ``report``."""

    id: int
    shortname: str
    idnumber: str
    names: dict[str, str]
    category: int
    sortorder: int
    hours: int
    context: int = 0
    visible: bool = True
    completion: bool = True
    criteria: bool = True


@dataclass
class Site:
    """The state of the played Moodle, and the ways to change it."""

    facts: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    courses: dict[str, Taught] = field(default_factory=dict)
    filters: dict[str, Any] = field(default_factory=dict)  # what set_filters left: one store a user and report
    version: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._enrolments: dict[str, dict[str, Enrolment]] = {}
        self._members: tuple[int, dict[str, list[Enrolment]]] = (-1, {})
        self._ids: tuple[int, dict[int, Person]] = (-1, {})

    # --- looking ---------------------------------------------------------------------------------------------
    @property
    def rows(self) -> list[Enrolment]:
        """The completed enrolments in the order of the report: by user name, then by the course's short name."""
        with self.lock:
            return [
                enrolment
                for user in sorted(self._enrolments)
                if not self.people[user].deleted
                for _, enrolment in sorted(self._enrolments[user].items())
                if enrolment.time is not None
            ]

    def enrolment(self, user: str, course: str) -> Enrolment | None:
        """That person in that course (short name), completed or not; None when not enrolled."""
        return self._enrolments.get(user, {}).get(course)

    def enrolments_of(self, user: str) -> list[Enrolment]:
        """All enrolments of a person, by the courses' sort order."""
        return sorted(self._enrolments.get(user, {}).values(), key=lambda one: self.courses[one.course].sortorder)

    def members(self, course: str) -> list[Enrolment]:
        """The enrolments of a course, by the number of the account."""
        if self._members[0] != self.version:
            found: dict[str, list[Enrolment]] = {name: [] for name in self.courses}
            for person in sorted(self.people.values(), key=lambda one: one.id):
                for enrolment in () if person.deleted else self._enrolments.get(person.username, {}).values():
                    found[enrolment.course].append(enrolment)
            self._members = (self.version, found)
        return self._members[1][course]

    def person(self, number: int) -> Person | None:
        """The account of that number."""
        if self._ids[0] != self.version:
            self._ids = (self.version, {one.id: one for one in self.people.values()})
        return self._ids[1].get(number)

    # --- changing ----------------------------------------------------------------------------------------------
    def add_row(
        self, user: str, course: str, time: int | str | datetime, grade: str = "", *, active: bool = True
    ) -> None:
        """The person completes the course (and is enrolled, if need be), at ``time``, which may lie in the past."""
        self._put(Enrolment(self._known(user).username, self._taught(course).shortname, _epoch(time), grade, active))

    def change_row(self, user: str, course: str, **changes: Any) -> None:
        """Change ``time`` (also: backdate), ``grade`` or ``active`` of a row."""
        if "time" in changes:
            changes["time"] = _epoch(changes["time"])
        self._put(self._existing(user, course)._replace(**changes))

    def remove_row(self, user: str, course: str) -> None:
        """Completion is reset: the row vanishes, the person stays enrolled."""
        self._put(self._existing(user, course)._replace(time=None, grade="", by_criteria=False))

    def unenrol(self, user: str, course: str) -> None:
        """The person leaves the course: the row vanishes from the report, the status answers *not enrolled*."""
        with self.lock:
            self._existing(user, course)
            del self._enrolments[user][course]
            self.version += 1

    def suspend_enrolment(self, user: str, course: str) -> None:
        """The row stays in the report with the status *Suspended*."""
        self.change_row(user, course, active=False)

    def add_user(self, username: str, family: str, given: str, **more: Any) -> Person:
        """A new account; ``more`` are further fields of `Person`."""
        with self.lock:
            number = more.pop("id", max((one.id for one in self.people.values()), default=2) + 1)
            self.people[username] = Person(number, username, family, given, **more)
            self.version += 1
            return self.people[username]

    def change_user(self, user: str, **changes: Any) -> None:
        """Change fields of a person (``family``, ``given``, ``sfzh``, ``idnumber``, ``suspended`` …)."""
        with self.lock:
            self.people[user] = replace(self._known(user), **changes)
            self.version += 1

    def suspend_user(self, user: str) -> None:
        """The account is suspended; its rows stay as they are."""
        self.change_user(user, suspended=True)

    def delete_user(self, user: str) -> None:
        """The account is deleted: rows leave the report, identity and profile fields are wiped."""
        with self.lock:
            self.change_user(user, deleted=True, idnumber="", sfzh="", employer="")

    def change_course(self, course: str, *, name: str | None = None, **changes: Any) -> None:
        """Rename a course, or change ``visible``, ``idnumber``, ``completion`` …"""
        with self.lock:
            if name is not None:
                changes["names"] = same_name(name)
            self.courses[course] = replace(self._taught(course), **changes)
            self.version += 1

    def enrol(self, enrolments: Iterator[Enrolment] | list[Enrolment]) -> None:
        """Take over many at once, as they are."""
        with self.lock:
            for one in enrolments:
                self._enrolments.setdefault(one.user, {})[one.course] = one
            self.version += 1

    def _put(self, enrolment: Enrolment) -> None:
        self.enrol([enrolment])

    def _known(self, user: str) -> Person:
        if user not in self.people:
            raise ValueError(f"the fake Moodle has no user {user}; add_user makes one")
        return self.people[user]

    def _taught(self, course: str) -> Taught:
        if course not in self.courses:
            raise ValueError(f"the fake Moodle has no course {course}; it has {', '.join(self.courses)}")
        return self.courses[course]

    def _existing(self, user: str, course: str) -> Enrolment:
        self._known(user)
        self._taught(course)
        enrolment = self.enrolment(user, course)
        if enrolment is None:
            raise ValueError(f"{user} is not enrolled in {course}")
        return enrolment


def same_name(name: str) -> dict[str, str]:
    """The four ways a plain name is answered."""
    escaped = name.replace("&", "&amp;")
    return {"default": escaped, "raw": name, "filtered": escaped, "report": name}


def load_recorded(site: Site, *, rows: bool = True) -> None:
    """Fill ``site`` with the recorded one. With ``rows=False`` only what it is and teaches, without people."""
    site.facts = json.loads((FOLDER / "site.json").read_text("utf-8"))
    for entry in site.facts.pop("courses"):
        name = entry.pop("name")
        course = Taught(names=same_name(name) if isinstance(name, str) else name, **entry)
        site.courses[course.shortname] = course
    if not rows:
        return
    for line in _lines("people.csv"):
        state, number, username = line.pop("state"), int(line.pop("id")), line["username"]
        seen = tuple(site.facts["seen"].get(username, (0, 0)))
        person = Person(id=number, seen=seen, suspended=state == "suspended", deleted=state == "deleted", **line)
        site.people[username] = person
    for line in _lines("enrolments.csv"):
        for column, active in (("in_progress", True), ("in_progress_suspended", False)):
            site.enrol([Enrolment(user, line["course"], active=active) for user in line[column].split()])
    site.enrol([_completed(line) for line in _lines("completions.csv")])


def _completed(line: dict[str, str]) -> Enrolment:
    return Enrolment(
        line["user"],
        line["course"],
        _epoch(line["completed_utc"]),
        line["grade"],
        active=line["enrolment"] != "suspended",
        by_criteria=line["how"] == "criteria",
    )


def _lines(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _epoch(time: int | str | datetime) -> int:
    """Seconds since 1970; text is ISO 8601, and a time without zone is UTC."""
    if isinstance(time, int):
        return time
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
