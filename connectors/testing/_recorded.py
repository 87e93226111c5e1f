"""The recorded site: the files of `site/`, put together."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from connectors.testing._site import Enrolment, Person, Site, Taught, epoch, same_name

FOLDER = Path(__file__).parent / "site"
_FIRST_DAY = 1704038400  # 2024-01-01 in Asia/Shanghai: everybody was enrolled then


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
        of, username = dict(line), line["username"]
        state, number = of.pop("state"), int(of.pop("id"))
        seen = tuple(site.facts["seen"].get(username, (0, 0)))
        person = Person(id=number, seen=seen, suspended=state == "suspended", deleted=state == "deleted", **of)
        site.people[username] = person
    for line in _lines("enrolments.csv"):
        for column, active in (("in_progress", True), ("in_progress_suspended", False)):
            site.enrol([Enrolment(user, line["course"], active=active) for user in line[column].split()])
    site.enrol(_completions())
    for line in _lines("snapshots.csv"):
        person = site.people[line["user"]]
        site.snapshots[line["user"]] = replace(person, deleted=False, idnumber=line["idnumber"], sfzh=line["sfzh"])
    for line in _lines("left.csv"):
        site.enrol([_completed({"how": "", "enrolment": "", **line})])
        if line["why"] == "unenrolled":
            site.unenrol(line["user"], line["course"])


@lru_cache(maxsize=1)
def _completions() -> list[Enrolment]:
    """What is completed. Tests start this site hundreds of times: it is read once."""
    return [_completed(line) for line in _lines("completions.csv")]


def _completed(line: dict[str, str]) -> Enrolment:
    time = epoch(line["completed_utc"])
    return Enrolment(
        line["user"],
        line["course"],
        time,
        line["grade"],
        active=line["enrolment"] != "suspended",
        by_criteria=line["how"] == "criteria",
        enrolled=_FIRST_DAY if time > _FIRST_DAY else 0,
    )


@lru_cache(maxsize=8)
def _lines(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
