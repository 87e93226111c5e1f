"""What the played site holds: people, courses, enrolments, and how a test changes them while it runs.

Vocabulary: an `Enrolment` is one person in one course; with a ``time`` it is completed, and then it is a *row* of the
report, unless the person was deleted. Moodle keeps completions of people who were deleted or have left the course;
only the companion plugin tells of them. Every change raises ``version``, and what was prepared from older data is made
again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Enrolment(NamedTuple):
    """One person in one course. ``time`` is in seconds since 1970 (UTC); None while it is in progress."""

    user: str
    course: str
    time: int | None = None
    grade: str = ""
    active: bool = True  # False: the enrolment is suspended
    by_criteria: bool = False  # completed by doing it; otherwise an administrator marked it
    enrolled: int = 0  # when that began, as the completion says it; 0: it does not


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
        self._left: dict[str, dict[str, Enrolment]] = {}  # completed, and unenrolled since
        self.snapshots: dict[str, Person] = {}  # deleted accounts as they were: the companion plugin kept them

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

    @property
    def completions(self) -> Iterator[tuple[Enrolment, bool]]:
        """All that Moodle has as completed, and whether the person is still enrolled."""
        for user, enrolments in self._enrolments.items():
            there = not self.people[user].deleted
            for enrolment in enrolments.values():
                if enrolment.time is not None:
                    yield enrolment, there
        for enrolments in self._left.values():
            for enrolment in enrolments.values():
                yield enrolment, False

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
        self._put(Enrolment(self._known(user).username, self._taught(course).shortname, epoch(time), grade, active))

    def change_row(self, user: str, course: str, **changes: Any) -> None:
        """Change ``time`` (also: backdate), ``grade`` or ``active`` of a row."""
        if "time" in changes:
            changes["time"] = epoch(changes["time"])
        self._put(self._existing(user, course)._replace(**changes))

    def remove_row(self, user: str, course: str) -> None:
        """Completion is reset: the row vanishes, the person stays enrolled."""
        self._put(self._existing(user, course)._replace(time=None, grade="", by_criteria=False))

    def unenrol(self, user: str, course: str) -> None:
        """The person leaves the course: the row vanishes from the report, the status answers *not enrolled*."""
        with self.lock:
            self._existing(user, course)
            left = self._enrolments[user].pop(course)
            if left.time is not None:
                self._left.setdefault(user, {})[course] = left
            self.version += 1

    def suspend_enrolment(self, user: str, course: str) -> None:
        """The row stays in the report with the status *Suspended*."""
        self.change_row(user, course, active=False)

    def add_user(self, username: str, family: str, given: str, **more: Any) -> Person:
        """A new account; ``more`` are further fields of `Person`."""
        with self.lock:
            if username in self.people and self.people[username].deleted:  # its name is free again
                self._move(username, f"{username}@{self.people[username].id}")
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
            self.snapshots[user] = self._known(user)
            self.change_user(user, deleted=True, idnumber="", sfzh="", employer="")

    def rename_user(self, user: str, username: str) -> None:
        """The account gets another user name."""
        with self.lock:
            self.change_user(user, username=username)
            self._move(user, username)

    def rename_course(self, course: str, shortname: str) -> None:
        """The course gets another short name."""
        with self.lock:
            taught = replace(self._taught(course), shortname=shortname)
            self.courses = {shortname if name == course else name: one for name, one in self.courses.items()}
            self.courses[shortname] = taught
            for store in (self._enrolments, self._left):
                for enrolments in store.values():
                    if course in enrolments:
                        enrolments[shortname] = enrolments.pop(course)._replace(course=shortname)
            self.version += 1

    def delete_course(self, course: str) -> None:
        """The course is deleted, and all completions of it."""
        with self.lock:
            self._taught(course)
            del self.courses[course]
            for store in (self._enrolments, self._left):
                for enrolments in store.values():
                    enrolments.pop(course, None)
            self.version += 1

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
                back = self._left.get(one.user, {}).pop(one.course, None) if self._left else None
                # whoever is enrolled again has completed the course already
                kept = back._replace(active=one.active) if back and one.time is None else one
                self._enrolments.setdefault(one.user, {})[one.course] = kept
            self.version += 1

    def _put(self, enrolment: Enrolment) -> None:
        self.enrol([enrolment])

    def _move(self, user: str, to: str) -> None:
        """What is kept under a user name, under another from now on."""
        for store in (self.people, self.snapshots):
            if user in store:
                store[to] = store.pop(user)
        for kept in (self._enrolments, self._left):
            if user in kept:
                kept[to] = {course: one._replace(user=to) for course, one in kept.pop(user).items()}
        self.version += 1

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


def epoch(time: int | str | datetime) -> int:
    """Seconds since 1970; text is ISO 8601, and a time without zone is UTC."""
    if isinstance(time, int):
        return time
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
