"""A 微课 over real HTTP: answers as recorded (``recorded/``), with the rows that a test puts in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.testing.conformance_http import JsonSite, Question, Refuse

RECORDED = {one.stem: json.loads(one.read_text("utf-8")) for one in (Path(__file__).parent / "recorded").glob("*.json")}
RECORD = RECORDED["records"]["records"][0]


class FakeWeike(JsonSite):
    """What can be set: ``courses`` by code, ``rows`` by login and course."""

    def __init__(self, courses: dict[str, str]) -> None:
        super().__init__(self.play)
        self.token = "wk-5ec2e7-5ec2e7"
        self.courses = courses
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}

    def finish(self, **values: Any) -> None:
        """Somebody finishes a course; the one of that login and course is written anew."""
        number = len(self.rows) + 1
        row = RECORD | {"id": number, "title": self.courses[values["course"]]} | values
        self.rows[row["login"], row["course"]] = row

    def play(self, question: Question) -> Any:
        """The answer to ``question``."""
        if question.headers.get("Authorization") != f"Bearer {self.token}" or question.fault == "invalid_token":
            raise Refuse(401, RECORDED["refused"])
        match question.path.rpartition("/")[2]:
            case "school":
                return RECORDED["school"]
            case "courses":
                pattern = RECORDED["courses"]["courses"][0]
                return {"courses": [pattern | {"code": code, "title": name} for code, name in self.courses.items()]}
        asked = question.query if question.fault != "page_repeated" else question.query | {"after": ""}
        since, until = asked.get("finished_from", ""), asked.get("finished_before", "9999")
        found = sorted((row["finished"], row["login"], row) for row in self.rows.values())
        found = [one for one in found if since <= one[0] < until]
        start = int(asked.get("after") or 0)
        stop = start + int(asked["limit"])
        more = str(stop) if stop < len(found) else None
        total = len(found) + (question.fault == "totals_lie")
        return {"total": total, "records": [one[2] for one in found[start:stop]], "next": more}
